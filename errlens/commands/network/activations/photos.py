"""The photos that `errlens network activations` is asked for, and the network that sees them."""

import dataclasses
from collections.abc import Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution.photos import Shown, as_picture, shown_photo
from errlens.commands.evaluate.classifier import look_first
from errlens.commands.network.activations.asked import asked_size
from errlens.commands.network.activations.options import ActivationsOptions
from errlens.commands.options.model import ModelOptions
from errlens.data.photos.images import Unread
from errlens.data.photos.loading import open_for, prepare_input
from errlens.data.photos.preprocess import Box, Preprocessing
from errlens.errors import MissingInput, NoImages, UnfitOption
from errlens.escapes import shell_line
from errlens.formats import counted
from errlens.model.classifier import Classifier, stack
from errlens.model.reload import reload_classifier
from errlens.run.folder import RunFolder, newest_run, open_run
from errlens.run.places import DEFAULT_RUNS, MAX_FILE_MB, is_run
from errlens.terminal import Screen

MOST: Final = 2  # images at a time
SIDE: Final = 448  # pixels of the longest side of a photo that maps are drawn on
DEFAULT_FOLDER: Final = Path("network")
KIND: Final = "activations"


class Asked(NamedTuple):
    """A photo by its path, what to call it in files, in tables and on pictures, and its label."""

    path: Path
    stem: str
    name: str
    heading: str
    content_hash: bytes | None = None


class Subject(NamedTuple):
    """A network, the photos that it is to be shown, and where what it makes of them goes."""

    classifier: Classifier
    photos: Sequence[Asked]
    folder: Path
    run_hash: str
    max_mb: int
    run: RunFolder | None
    usual_size: tuple[int, int] | None  # where another one was asked for


class Seen(NamedTuple):
    """A photo as the network gets it, `tensor` of shape (1, channels, height, width).

    `picture` is the same as pixels. `box` is where in the photo, of `size` (width, height), the
    input lies; None, as is `shown`, where a transform of the user's own does not say.
    """

    asked: Asked
    tensor: Tensor
    picture: NDArray[np.uint8]
    shown: Shown | None
    box: Box | None
    size: tuple[int, int]


def subject_of(options: ActivationsOptions, screen: Screen) -> Subject:
    """Return the network and the photos asked for: rows of a run, or files.

    Raises:
        UnfitOption: There are more than two, or options that say nothing of them.
        MissingInput: A file is not there.
    """
    of_model = bool(options.model or options.checkpoint)
    given = list(options.images or ())
    run = None if of_model else run_given(given, screen, command=KIND)
    files = given if of_model else given[1:]
    if of_model and given and is_run(given[0]):
        raise UnfitOption(
            f"{str(given[0])!r} is a run and knows its model; --model and --checkpoint are for "
            "photos without one"
        )
    if not of_model and (others := options_of_a_model(options)):
        raise UnfitOption(
            f"a run knows its model: {', '.join(others)} would change it",
            hint="--input-size N feeds images at another size",
        )
    if files and (options.select or options.rank or options.data_root):
        raise UnfitOption("--select, --rank and --data-root are for rows of a run, not for files")
    if not (files or run):
        raise UnfitOption(
            "no photo given", hint="errlens network activations IMAGE --model NAME --layer LAYER"
        )
    if len(files) > MOST:
        raise UnfitOption(
            f"{counted(len(files), 'photo')} given: one is shown, or two side by side"
        )
    photos = _files(files) if files or run is None else _rows(run, options, screen)
    subject = _of_run(run, options, photos) if run else _of_model(options, screen, photos)
    return _at_size(subject, asked_size(options))


def load(subject: Subject) -> list[Seen]:
    """Read the photos and prepare them.

    Raises:
        NoImages: One cannot be shown.
    """
    return [_load(asked, subject) for asked in subject.photos]


def run_given(given: Sequence[Path], screen: Screen, *, command: str) -> RunFolder:
    """Return the run given first to a command of the group, else the newest.

    Raises:
        UnfitOption: A photo is given first, and no model.
        NotARun: It is none, or there is none.
    """
    if not given:
        run = newest_run(DEFAULT_RUNS)
        screen.remark(f"the newest run: {run.path}")
    elif given[0].is_file():
        raise UnfitOption(
            "photos without a run need --model or --checkpoint",
            hint=shell_line(["errlens", "network", command, *given, "--model", "NAME"]),
        )
    else:
        run = open_run(given[0])
    run.require_complete()
    return run


def options_of_a_model(options: ModelOptions, *, but: Container[str] = ()) -> list[str]:
    """Return the options given that say what a model is, and how it sees images."""
    return [
        f"--{field.name.replace('_', '-')}"
        for field in dataclasses.fields(ModelOptions)
        if field.name not in but and getattr(options, field.name) != field.default
    ]


def _of_model(options: ActivationsOptions, screen: Screen, photos: Sequence[Asked]) -> Subject:
    classifier = options.load_classifier(labels=(), device=options.device)
    paths = [asked.path for asked in photos]
    classifier = look_first(screen, classifier, paths, options, at_once=None)
    return Subject(
        classifier,
        photos,
        (options.into or DEFAULT_FOLDER) / KIND,
        classifier.settings("").run_hash,
        options.max_file_mb or MAX_FILE_MB,
        None,
        None,
    )


def _of_run(run: RunFolder, options: ActivationsOptions, photos: Sequence[Asked]) -> Subject:
    info = run.require_model()
    folder = options.into / KIND if options.into else run.results_folder("network") / KIND
    return Subject(
        reload_classifier(info, device=options.device, trusted=options.trust_run),
        photos,
        folder,
        info.run_hash,
        options.max_file_mb or info.max_file_mb,
        run,
        None,
    )


def _files(paths: Sequence[Path]) -> list[Asked]:
    for path in paths:
        if not path.is_file():
            raise MissingInput(path, what="photo")
    stems = ["_".join(filter(None, (path.parent.name, path.stem))) for path in paths]
    return [
        Asked(path, stem, path.as_posix(), path.name)
        for path, stem in zip(paths, stems, strict=True)
    ]


def _rows(run: RunFolder, options: ActivationsOptions, screen: Screen) -> list[Asked]:
    """Return the images selected from a run; the worst error where none was, else its first."""
    selection = options.choose(run)
    rows = selection.rows.tolist()
    if len(rows) > MOST and selection.narrowed:
        screen.remark(f"{counted(len(rows), 'image')} selected: the first {MOST} are shown")
    rows = rows[: MOST if selection.narrowed else 1] or [0]
    root = options.images_root(run)
    facts = selection.images.table.take(np.asarray(rows, np.int64)).to_pylist()
    return [_row(one, root) for one in facts]


def _row(facts: dict[str, Any], root: Path) -> Asked:
    label = f", {facts['label_name']}" if facts["label_name"] else ""
    return Asked(
        root / facts["path"],
        f"{facts['row']}_{Path(facts['path']).stem}",
        facts["sample_id"],
        f"row {facts['row']}{label}",
        facts["content_hash"],
    )


def _at_size(subject: Subject, size: tuple[int, int] | None) -> Subject:
    """Return the same network fed with images of another size."""
    preparation = subject.classifier.preparation
    if size is None:
        return subject
    if not isinstance(preparation, Preprocessing):
        raise UnfitOption("--input-size: a transform of one's own decides the size itself")
    classifier = replace(subject.classifier, preparation=replace(preparation, img_size=size))
    return subject._replace(classifier=classifier, usual_size=preparation.img_size)


def _load(asked: Asked, subject: Subject) -> Seen:
    classifier = subject.classifier
    preparation = classifier.preparation
    photo = open_for(preparation, asked.path, max_mb=subject.max_mb)
    if isinstance(photo, Unread):
        raise _unshown(asked, photo.reason, subject)
    if asked.content_hash not in (None, photo.content_hash):
        raise _unshown(asked, "another file now", subject)
    prepared = prepare_input(photo, preparation)
    if isinstance(prepared, Unread):
        raise _unshown(asked, prepared.reason, subject)
    tensor = stack([prepared.value], preparation, classifier.device)
    seen = Seen(asked, tensor, as_picture(prepared.value, classifier), None, None, photo.image.size)
    if not isinstance(preparation, Preprocessing):
        return seen
    shown = shown_photo(photo, SIDE, preparation.source_box)
    assert isinstance(shown, Shown)  # noqa: S101 - only one drawn as it is can be too large
    return seen._replace(shown=shown, box=preparation.source_box(*photo.image.size))


def _unshown(asked: Asked, reason: str, subject: Subject) -> NoImages:
    gone = subject.run is not None and not asked.path.exists()
    hint = "--data-root DIR says where the images of the run lie now" if gone else ""
    return NoImages(f"{asked.name!r} cannot be shown: {reason}", hint=hint)
