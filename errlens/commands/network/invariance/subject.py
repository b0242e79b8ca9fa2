"""The images that `errlens network invariance` transforms, and the network that sees them."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import NO_CLASS
from errlens.commands.evaluate.classifier import look_first
from errlens.commands.network.activations.photos import options_of_a_model, run_given
from errlens.commands.network.invariance.options import SAMPLE, InvarianceOptions
from errlens.commands.options.model import ModelOptions
from errlens.data.stratified import balanced_rows
from errlens.errors import MissingInput, NoImages, UnfitOption
from errlens.formats import counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.run.folder import RunFolder
from errlens.run.places import MAX_FILE_MB, is_run
from errlens.terminal import Screen

KIND: Final = "invariance"
DEFAULT_FOLDER: Final = Path("network")
_FACTS: Final = ("row", "sample_id", "path", "content_hash", "label", "pred", "pred_name")


class Subject(NamedTuple):
    """A network, the images that it is shown, and where what comes of them goes.

    `labels` has the shape (n,), with `NO_CLASS` of photos of an unknown class. `names` are what to
    call the images, and `rows` those of the run they are of.
    """

    classifier: Classifier
    name: str
    images: Sequence[AskedImage]
    labels: NDArray[np.int32]
    names: Sequence[str]
    rows: Sequence[int] | None
    folder: Path
    made_of: str
    max_mb: int
    run: RunFolder | None


def subject_of(options: InvarianceOptions, screen: Screen) -> Subject:
    """Return the network and the images asked for: rows of a run, or files.

    Raises:
        UnfitOption: Options contradict one another.
        MissingInput: A file is not there.
        NoImages: The run has no image that could be asked about.
        NoModel, NotARun: There is no run with a model.
    """
    of_model = bool(options.model or options.checkpoint)
    given = list(options.images or ())
    if of_model:
        if given and is_run(given[0]):
            raise UnfitOption(
                f"{str(given[0])!r} is a run and knows its model; --model and --checkpoint are for "
                "photos without one"
            )
        return _of_model(options, given, screen)
    run = run_given(given, screen, command=KIND)
    if others := options_of_a_model(options, but=("transform",)):
        raise UnfitOption(f"a run knows its model: {', '.join(others)} would change it")
    return _of_run(run, options, given[1:], screen)


def _of_model(options: InvarianceOptions, files: Sequence[Path], screen: Screen) -> Subject:
    if not files:
        raise UnfitOption("no photo given", hint="errlens network invariance IMAGE... --model NAME")
    _check_files(options, files)
    # Its --transform is of this command.
    names = [field.name for field in fields(ModelOptions) if field.name != "transform"]
    model = ModelOptions(**{name: getattr(options, name) for name in names})
    classifier = model.load_classifier(labels=(), device=options.device)
    classifier = look_first(screen, classifier, files, model, at_once=options.batch_size)
    return Subject(
        classifier,
        classifier.network.name,
        [AskedImage(path, None) for path in files],
        np.full(len(files), NO_CLASS, np.int32),
        [path.name for path in files],
        None,
        (options.into or DEFAULT_FOLDER) / KIND,
        classifier.settings("").run_hash,
        options.max_file_mb or MAX_FILE_MB,
        None,
    )


def _of_run(
    run: RunFolder, options: InvarianceOptions, files: Sequence[Path], screen: Screen
) -> Subject:
    info = run.require_model()
    if files:
        _check_files(options, files)
        facts: list[dict[str, Any]] = [
            {"sample_id": path.name, "path": path, "content_hash": None, "label": None, "row": None}
            for path in files
        ]
    else:
        facts = _facts_of(run, options, screen)
    root = Path() if files else options.images_root(run)
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    labels = [NO_CLASS if image["label"] is None else image["label"] for image in facts]
    return Subject(
        classifier,
        run.path.resolve().name,
        [AskedImage(root / image["path"], image["content_hash"]) for image in facts],
        np.array(labels, np.int32),
        [image["sample_id"] for image in facts],
        None if files else [image["row"] for image in facts],
        options.into / KIND if options.into else run.results_folder("network") / KIND,
        info.run_hash,
        options.max_file_mb or info.max_file_mb,
        run,
    )


def _check_files(options: InvarianceOptions, files: Sequence[Path]) -> None:
    if options.select or options.rank or options.data_root or options.limit:
        raise UnfitOption(
            "--select, --rank, --data-root and --limit are for rows of a run, not for files"
        )
    for path in files:
        if not path.is_file():
            raise MissingInput(path, what="photo")


def _facts_of(run: RunFolder, options: InvarianceOptions, screen: Screen) -> list[dict[str, Any]]:
    """Return what is known of the images selected, or drawn: of each class as many."""
    table = run.read_predictions(_FACTS).table
    places = np.arange(table.num_rows)
    if options.select:
        places = options.choose(run).rows
    facts: list[dict[str, Any]] = table.take(places).to_pylist()
    facts = [image for image in facts if image["pred"] is not None]
    if not facts:
        why = "none of the images selected" if options.select else "no image of the run"
        raise NoImages(f"{why} has a prediction")
    limit = options.limit or (len(facts) if options.select else SAMPLE)
    if limit >= len(facts):
        return facts
    classes = [image["pred"] if image["label"] is None else image["label"] for image in facts]
    drawn = balanced_rows(np.array(classes), limit, seed=options.seed)
    screen.remark(f"{counted(len(drawn), 'image')} drawn of {len(facts)}, of each class as many")
    return [facts[at] for at in drawn]
