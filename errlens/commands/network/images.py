"""The images that a command of the group shows a network: rows of a run, or photos."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import NO_CLASS
from errlens.commands.evaluate.classifier import look_first
from errlens.commands.network.options import DrawnOptions, ImagesOptions
from errlens.commands.network.subject import Subject
from errlens.commands.options.model import ModelOptions
from errlens.commands.options.selecting import ImagesOption, SelectOptions
from errlens.commands.options.shell import fields_of, given_options
from errlens.data.stratified import balanced_rows
from errlens.errors import MissingInput, NoImages, UnfitOption
from errlens.escapes import shell_line
from errlens.formats import count, counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.run.folder import RunFolder, newest_run, open_run
from errlens.run.places import DEFAULT_RUNS, MAX_FILE_MB, is_run
from errlens.terminal import Screen

_FACTS: Final = ("row", "sample_id", "path", "content_hash", "label", "label_name")
_FOR_ROWS: Final = "for rows of a run, not for files"

Pick = Callable[[RunFolder], Sequence[int]]


class ModelAndImages(NamedTuple):
    """A network, the images that it is shown, and where what comes of them goes.

    `labels` has the shape (n,), with `NO_CLASS` of images of an unknown class. `names` are what to
    call the images in tables and messages, `titles` on pictures. `rows` are those of the run that
    the images are of; None of files. `made_of` is the hash that results record.
    """

    classifier: Classifier
    name: str
    images: Sequence[AskedImage]
    labels: NDArray[np.int32]
    names: Sequence[str]
    titles: Sequence[str]
    rows: Sequence[int] | None
    folder: Path
    made_of: str
    max_mb: int
    run: RunFolder | None

    @property
    def stems(self) -> list[str]:
        """What to call the images in names of files: by their row, or by their folder."""
        if self.rows is None:
            paths = [image.path for image in self.images]
            return ["_".join(filter(None, (path.parent.name, path.stem))) for path in paths]
        return [
            f"{row}_{image.path.stem}" for row, image in zip(self.rows, self.images, strict=True)
        ]


def drawn_images(
    options: DrawnOptions,
    screen: Screen,
    *,
    command: str,
    among: Callable[[RunFolder, Sequence[int]], Sequence[int]] = lambda _run, rows: rows,
) -> ModelAndImages:
    """Return the network and the images: those selected, else some drawn, of each class as many.

    Args:
        options: Those of the command.
        screen: Is told what was drawn.
        command: The name of the command in the group, and of the folder it writes.
        among: Returns those rows of a run that may be drawn, of all that have a prediction.

    Raises:
        NoImages: The run has no image with a prediction.
        Others: As for `model_and_images`.
    """
    if options.files and options.limit:
        raise UnfitOption(f"--limit is {_FOR_ROWS}")
    pick = partial(_drawn, options=options, screen=screen, among=among)
    return model_and_images(options, screen, command=command, pick=pick, at_once=options.batch_size)


def model_and_images(
    options: ImagesOptions,
    screen: Screen,
    *,
    command: str,
    pick: Pick,
    at_once: int | None = None,
    group: str = "network",
) -> ModelAndImages:
    """Return the network and the images asked for: rows of a run, or files.

    Args:
        options: Those of the command.
        screen: Is told which run was taken, and what the outputs of a model are.
        command: The name of the command in the group, and of the folder it writes.
        pick: Returns the rows of a run that are looked at, where no files were given.
        at_once: How many images the network may be given at a time, where the user said so.
        group: The group that the command is in, and the folder that its own lies in.

    Raises:
        UnfitOption: Options contradict one another.
        MissingInput: A file is not there.
        NoModel, NotARun: There is no run with a model.
    """
    run = None if options.of_model else _run_given(options, screen, f"{group} {command}")
    given = options.images or []
    if run is None and given and is_run(given[0]):
        raise UnfitOption(
            f"{str(given[0])!r} is a run and knows its model; --model and --checkpoint are for "
            "photos without one"
        )
    if run is None and not given:
        raise UnfitOption("no photo given", hint=f"errlens {group} {command} IMAGE... --model NAME")
    images = _files(options) if options.files or run is None else _rows(options, run, pick(run))
    subject = _of_model(options, screen, at_once) if run is None else _of_run(options, run)
    return ModelAndImages(
        classifier=subject.classifier,
        name=subject.name,
        images=[image.file for image in images],
        labels=np.array([image.label for image in images], np.int32),
        names=[image.name for image in images],
        titles=[image.title for image in images],
        rows=None if options.files else [image.row for image in images],
        folder=subject.folder(options.into, command, kind=group),
        made_of=subject.made_of,
        max_mb=options.max_file_mb or (run.info.max_file_mb if run else MAX_FILE_MB),
        run=run,
    )


class _Image(NamedTuple):
    """One of the images; that is no row of a run has -1."""

    file: AskedImage
    label: int
    name: str
    title: str
    row: int = -1


def _run_given(options: ImagesOptions, screen: Screen, command: str) -> RunFolder:
    """Return the run given first, else the newest."""
    given = options.images or []
    if not given:
        run = newest_run(DEFAULT_RUNS)
        screen.remark(f"the newest run: {run.path}")
    elif given[0].is_file():
        raise UnfitOption(
            "photos without a run need --model or --checkpoint",
            hint=shell_line(["errlens", *command.split(), *given, "--model", "NAME"]),
        )
    else:
        run = open_run(given[0])
    run.require_complete()
    if others := given_options(options, ModelOptions):
        raise UnfitOption(
            f"a run knows its model: {', '.join(others)} would change it",
            hint="leave that out, or give photos without a run before them",
        )
    return run


def _of_model(options: ImagesOptions, screen: Screen, at_once: int | None) -> Subject:
    of_model = fields_of(options, ModelOptions)
    model = ModelOptions(**{name: getattr(options, name) for name in of_model})
    classifier = model.load_classifier(labels=(), device=options.device)
    classifier = look_first(screen, classifier, options.files, model, at_once=at_once)
    return Subject(classifier, classifier.network.name)


def _of_run(options: ImagesOptions, run: RunFolder) -> Subject:
    info = run.require_model()
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    return Subject(classifier, run.path.resolve().name, run)


def _files(options: ImagesOptions) -> list[_Image]:
    if for_rows := given_options(options, SelectOptions, ImagesOption):
        verb = "are" if for_rows[1:] else "is"
        raise UnfitOption(f"{', '.join(for_rows)} {verb} {_FOR_ROWS}")
    for path in options.files:
        if not path.is_file():
            raise MissingInput(path, what="photo")
    return [
        _Image(AskedImage(path, None), NO_CLASS, path.as_posix(), path.name)
        for path in options.files
    ]


def _rows(options: ImagesOptions, run: RunFolder, rows: Sequence[int]) -> list[_Image]:
    root = options.images_root(run)
    table = run.read_predictions(_FACTS).table
    return [_row(facts, root) for facts in table.take(np.asarray(rows, np.int64)).to_pylist()]


def _row(facts: Mapping[str, Any], root: Path) -> _Image:
    return _Image(
        AskedImage(root / facts["path"], facts["content_hash"]),
        NO_CLASS if facts["label"] is None else facts["label"],
        facts["sample_id"],
        ", ".join(filter(None, (f"row {facts['row']}", facts["label_name"]))),
        facts["row"],
    )


def _drawn(
    run: RunFolder,
    *,
    options: DrawnOptions,
    screen: Screen,
    among: Callable[[RunFolder, Sequence[int]], Sequence[int]],
) -> Sequence[int]:
    """Return rows with a prediction: those selected, at most so many of them, else some drawn."""
    table = run.read_predictions(("label", "pred")).table
    label, pred = (table[name].fill_null(NO_CLASS).to_numpy() for name in ("label", "pred"))
    asked = options.choose(run).rows if options.select else np.arange(len(pred))
    rows: Sequence[int] = asked[pred[asked] != NO_CLASS].tolist()
    if not rows:
        why = "none of the images selected" if options.select else "no image of the run"
        raise NoImages(f"{why} has a prediction")
    rows = among(run, rows)
    limit = options.limit or (len(rows) if options.select else options.SAMPLE)
    if limit >= len(rows):
        return rows
    classes = np.where(label == NO_CLASS, pred, label)[list(rows)]
    drawn = balanced_rows(classes, limit, seed=options.seed)
    screen.remark(f"{counted(limit, 'image')} drawn of {count(len(rows))}, of each class as many")
    return [rows[at] for at in drawn]
