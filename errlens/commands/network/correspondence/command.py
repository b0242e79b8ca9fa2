"""`errlens network correspondence`: does a network have one idea of a part, of all images?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from errlens.analysis.correspondence.changes import Changes
from errlens.analysis.correspondence.sentences import in_words
from errlens.analysis.correspondence.tables import (
    LEAST_IMAGES,
    SIGNIFICANT,
    Held,
    alike_table,
    held_against_chance,
    part_table,
)
from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.channels import layer_names
from errlens.commands.network.correspondence import view
from errlens.commands.network.correspondence.options import CorrespondenceOptions
from errlens.commands.network.correspondence.pictures import hidden_parts_figure, likeness_figure
from errlens.commands.network.correspondence.result import CorrespondenceResult
from errlens.commands.network.images import ModelAndImages, drawn_images
from errlens.data.objects.outlines import read_outlines
from errlens.data.objects.parts import Parts, read_parts
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import NoImages, UnfitOption
from errlens.formats import counted
from errlens.network.correspondence.asking import Asking, Subject
from errlens.network.correspondence.layers import compared_layers
from errlens.network.correspondence.placing import CROPPED, NO_ROOM, OUTSIDE
from errlens.network.correspondence.regions import (
    LEAST_COVERED,
    LEAST_INSIDE,
    LEAST_SEEN,
    MOST_OVERLAP,
)
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

_WHY: Final[Mapping[str, str]] = {CROPPED: "cropped_away", NO_ROOM: "no_room", OUTSIDE: "outside"}


def correspondence(
    options: CorrespondenceOptions, screen: Screen | None = None
) -> CorrespondenceResult:
    """Tell whether hiding the same part changes the features of all images alike."""
    screen = screen or options.screen()
    if options.parts is None:
        raise UnfitOption("--parts FILE is needed: it says where the parts are in the photos")
    parts = read_parts(options.parts)
    subject = drawn_images(
        options, screen, command="correspondence", among=partial(_with_parts, parts=parts)
    )
    changes = _changes(options, subject, parts, screen)
    held = _held(options, changes, screen)
    result = _written(options, subject, changes, held)
    view.show(screen, subject, result)
    view.print_json(screen, subject, result)
    return result


def _with_parts(run: RunFolder, rows: Sequence[int], *, parts: Parts) -> list[int]:
    """Return those rows of a run whose images have a part."""
    boxes = parts.of(_called(run, rows))
    return [row for row, of_image in zip(rows, boxes, strict=True) if of_image]


def _called(run: RunFolder, rows: Sequence[int]) -> list[tuple[str, str]]:
    """Return the sample_id and the path of each row."""
    table = run.read_predictions(("sample_id", "path")).table.take(np.asarray(rows, np.int64))
    return list(zip(*(table[name].to_pylist() for name in ("sample_id", "path")), strict=True))


def _changes(
    options: CorrespondenceOptions, subject: ModelAndImages, parts: Parts, screen: Screen
) -> Changes:
    """Hide the parts of all images, and regions elsewhere."""
    classifier = subject.classifier
    if not isinstance(classifier.preparation, Preprocessing):
        raise UnfitOption("--parts: where a transform of one's own puts a part is not known")
    if options.batch_size:
        classifier.check_batch_size(options.batch_size)
    called = _called_as_given(subject)
    boxes = parts.of(called)
    subjects = [
        Subject(image, path, int(label), of_image)
        for image, (_, path), label, of_image in zip(
            subject.images, called, subject.labels, boxes, strict=True
        )
    ]
    root = options.images_root(subject.run) if subject.rows is not None and subject.run else Path()
    outlines = None
    if options.masks:
        outlines = read_outlines(options.masks, photos=root, max_mb=subject.max_mb)
    model = ExplainedModel.of(classifier)
    asking = Asking(
        classifier=classifier,
        layers=compared_layers(
            model.module,
            model.size,
            head=classifier.interface.head,
            features=classifier.interface.features,
            names=layer_names(options.layer),
        ),
        regions=options.random,
        seed=options.seed,
        filling=options.value,
        outlines=outlines,
        batch_size=options.batch_size,
        workers=options.workers,
        threads=options.threads,
        max_mb=subject.max_mb,
    )
    with screen.progress("hiding parts", total=len(subjects)) as advance:
        changes = asking.about(subjects, advance=advance)
    _check_pairs(changes, options)
    return changes


def _called_as_given(subject: ModelAndImages) -> list[tuple[str, str]]:
    """Return the sample_id and the path of each image; of files, both are the path given."""
    if subject.run and subject.rows is not None:
        return _called(subject.run, subject.rows)
    paths = [image.path.as_posix() for image in subject.images]
    return list(zip(paths, paths, strict=True))


def _check_pairs(changes: Changes, options: CorrespondenceOptions) -> None:
    """Refuse to go on where no part is left in two images."""
    if any(len(part) >= LEAST_IMAGES for part in changes.parts):
        return
    why = Counter(reason for part in changes.parts for reason in part.left_out.values())
    told = ", ".join(f"{counted(n, 'part')}: {reason}" for reason, n in why.items())
    raise NoImages(
        "no part is left in two images, whose changes could be compared"
        + (f" ({told})" if told else ""),
        hint="without --masks, regions may lie anywhere in the photo"
        if options.masks and why[NO_ROOM]
        else "",
    )


def _held(options: CorrespondenceOptions, changes: Changes, screen: Screen) -> list[Held]:
    tests = len(changes.compared) * sum(len(part) >= LEAST_IMAGES for part in changes.parts)
    with screen.progress("drawing at random", total=tests) as advance:
        return held_against_chance(
            changes, permutations=options.permutations, seed=options.seed, advance=advance
        )


def _written(
    options: CorrespondenceOptions, subject: ModelAndImages, changes: Changes, held: list[Held]
) -> CorrespondenceResult:
    """Write pictures, numbers and parameters."""
    layers, parts = alike_table(held), part_table(changes, _WHY)
    result = CorrespondenceResult(
        layers=layers,
        parts=parts,
        sentences=in_words(layers, parts, labelled=changes.labelled),
        held=held,
        changes=changes,
        folder=subject.folder,
    )
    made_of = subject.made_of
    with renewed_folder(subject.folder, run_hash=made_of, options=_decisive(options)) as results:
        results.png("correspondence.png", likeness_figure(subject, result))
        if photos := hidden_parts_figure(options, subject, result):
            results.png("hidden.png", photos)
        results.csv("correspondence.csv", layers)
        results.csv("parts.csv", parts)
        results.npz("correspondence.npz", _arrays(subject, result))
        results.tree("correspondence.json", parameters(options, subject, result))
    return result._replace(files=results.written)


def _arrays(subject: ModelAndImages, result: CorrespondenceResult) -> dict[str, Any]:
    """Return what is said of each part of each image, a row each."""
    changes = result.changes
    rows = np.array(subject.rows or [-1] * len(subject.images), np.int64)
    distances = []
    for part in changes.parts:
        single = [held.alike.single for held in result.held if held.part == part.part]
        absent = np.full((len(part), len(changes.compared)), np.nan)
        distances.append(np.stack(single, axis=1) if single else absent)
    numbers = [np.full(len(part), number, np.int32) for number, part in enumerate(changes.parts)]
    return {
        "part": np.concatenate(numbers),
        "row": np.concatenate([rows[part.at] for part in changes.parts]),
        "boxes": np.concatenate([part.boxes for part in changes.parts]).astype(np.int32),
        "probability": np.concatenate([part.probability for part in changes.parts]),
        "of_object": np.concatenate([part.of_object for part in changes.parts]),
        "distance": np.concatenate(distances),
    }


def parameters(
    options: CorrespondenceOptions, subject: ModelAndImages, result: CorrespondenceResult
) -> dict[str, Any]:
    """Return all that the pictures and numbers depend on, and what they come to."""
    changes = result.changes
    return {
        "model": subject.classifier.network.name,
        "run_hash": subject.made_of,
        "seed": options.seed,
        "random": options.random,
        "permutations": options.permutations,
        "value": options.value,
        "labelled": changes.labelled,
        "units": [changes.units[at]._asdict() for at in changes.compared],
        "most_overlap": MOST_OVERLAP,
        "least_of_object": LEAST_COVERED,
        "least_inside": LEAST_INSIDE,
        "least_seen": LEAST_SEEN,
        "significant": SIGNIFICANT,
        "parts": [
            {
                "part": part.part,
                "images": [subject.names[at] for at in part.at],
                "left_out": {subject.names[at]: reason for at, reason in part.left_out.items()},
            }
            for part in changes.parts
        ],
        "unread": {subject.names[at]: reason for at, reason in changes.unread.items()},
        "sentences": result.sentences,
    }


def _decisive(options: CorrespondenceOptions) -> dict[str, Any]:
    names = ("layer", "random", "permutations", "value", "limit", "select", "seed")
    return {name: getattr(options, name) for name in names}
