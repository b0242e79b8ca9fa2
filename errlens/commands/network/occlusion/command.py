"""`errlens network occlusion`: what falls while a square hides one part after the other."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.occlusion.sentences import Described, in_words
from errlens.analysis.occlusion.tables import OCCLUSION_COLUMNS, row_of
from errlens.attribution.judging.pointing_game import Evidence, held_against_area
from errlens.classes.names import NO_CLASS
from errlens.commands.network.images import ModelAndImages, model_and_images
from errlens.commands.network.occlusion import view
from errlens.commands.network.occlusion.options import WORST, OcclusionOptions
from errlens.commands.network.occlusion.pictures import occlusion_figure
from errlens.commands.network.occlusion.result import OcclusionResult
from errlens.commands.network.occlusion.study import Study, none_shown, studied
from errlens.data.photos.images import Unread
from errlens.formats import counted, duration
from errlens.network.occlusion.sweeping import SweptImage
from errlens.run.file_names import distinct_names
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter, renewed_folder
from errlens.terminal import Screen

KIND: Final = "occlusion"
LONG: Final = 60  # seconds that are told before
_SHARES: Final = {
    "probability": "object_share",
    "predicted class": "predicted_object_share",
    "activity": "activity_object_share",
}


def occlusion(options: OcclusionOptions, screen: Screen | None = None) -> OcclusionResult:
    """Hide one part of images after the other, and see what falls."""
    screen = screen or options.screen()
    subject = model_and_images(
        options, screen, command=KIND, pick=partial(_picked, options), at_once=options.batch_size
    )
    study = studied(options, subject, screen)
    result = _written(options, subject, study, screen)
    view.show(screen, result)
    view.print_json(screen, subject, result)
    return result


def _picked(options: OcclusionOptions, run: RunFolder) -> Sequence[int]:
    """Return the rows selected; without a choice the worst errors, else the first images."""
    selection = options.choose(run)
    rows: list[int] = selection.rows.tolist()
    if selection.narrowed:
        return rows
    return rows[:WORST] or list(range(min(WORST, selection.images.table.num_rows)))


def _written(
    options: OcclusionOptions, subject: ModelAndImages, study: Study, screen: Screen
) -> OcclusionResult:
    """Move the square over image after image, and write a picture and the numbers of each."""
    rows: list[dict[str, Any]] = []
    sentences: dict[str, Sequence[str]] = {}
    unread = {subject.names[number]: reason for number, reason in study.unread.items()}
    stems = distinct_names(subject.stems)
    with renewed_folder(
        subject.folder, run_hash=subject.made_of, options=_decisive(options)
    ) as results:
        for number, swept in _swept(subject, study, screen):
            if isinstance(swept, Unread):
                unread[subject.names[number]] = swept.reason
                continue
            image = _described(subject, study, number, swept)
            rows.append(_row(results, subject, study, number, stems[number], image, swept))
            sentences[image.name] = in_words(image)
        if not rows:
            raise none_shown(subject, unread)
        table = pd.DataFrame(rows, columns=list(OCCLUSION_COLUMNS)).astype({"row": "Int64"})
        result = OcclusionResult(
            table,
            sentences,
            _evidence(table),
            study.layer.name,
            study.projection,
            study.remark,
            unread,
            subject.folder,
        )
        results.csv("occlusion.csv", table)
        results.tree("occlusion.json", _parameters(options, subject, study, result))
    return result._replace(files=results.written)


def _swept(
    subject: ModelAndImages, study: Study, screen: Screen
) -> Iterator[tuple[int, SweptImage | Unread]]:
    positions = study.sweeping.positions
    inputs = len(study.units) * (1 + positions)
    if inputs * study.seconds >= LONG:
        n, each = counted(len(study.units), "image"), counted(positions, "position")
        screen.remark(f"{n}, {each} each: about {duration(inputs * study.seconds)}")
    with screen.progress("moving the square", total=inputs) as advance:
        yield from study.sweeping.over(subject.images, subject.labels, advance=advance)


def _described(subject: ModelAndImages, study: Study, number: int, swept: SweptImage) -> Described:
    names = subject.classifier.classes.names
    name = names[swept.occluded.followed]
    role = "class" if swept.role == name else f"{swept.role} class"
    return Described(
        name=subject.names[number],
        occluded=swept.occluded,
        followed=f"the {role} {name}",
        names=names,
        layer=study.layer.name,
        channel=study.units[number].channel,
        on_object=swept.on_object,
        match=swept.match,
    )


def _row(
    results: ResultsWriter,
    subject: ModelAndImages,
    study: Study,
    number: int,
    stem: str,
    image: Described,
    swept: SweptImage,
) -> dict[str, Any]:
    """Write the picture and the arrays of an image, and return its row of the table."""
    label = int(subject.labels[number])
    label_name = None if label == NO_CLASS else image.names[label]
    figure = occlusion_figure(
        image, swept, study, number=number, file=subject.images[number],
        title=subject.titles[number], label=label_name,
    )  # fmt: skip
    results.png(f"{stem}.png", figure)
    results.npz(f"{stem}.npz", _arrays(swept))
    facts = {
        "row": None if subject.rows is None else subject.rows[number],
        "sample_id": image.name,
        "label_name": label_name,
        "file": f"{stem}.png",
    }
    known = None if label == NO_CLASS else label
    return row_of(image, facts, label=known, projection=study.projection)


def _arrays(swept: SweptImage) -> dict[str, NDArray[Any]]:
    """Return what is known by position; of the image as it is in arrays called unoccluded."""
    occluded = swept.occluded
    arrays: dict[str, NDArray[Any]] = {
        "boxes": occluded.boxes,
        "classes": occluded.classes,
        "probabilities": occluded.probabilities,
        "unoccluded_probabilities": occluded.unoccluded,
        "label": occluded.pred,
        "activity": occluded.activity,
        "unoccluded_activity": np.array(occluded.activity_unoccluded, np.float32),
    }
    return arrays if swept.hidden is None else {**arrays, "projection_hidden": swept.hidden}


def _evidence(table: pd.DataFrame) -> dict[str, Evidence]:
    """Return the shares on the object over all images that have them, against its area."""
    found = {}
    for what, column in _SHARES.items():
        known = table[[column, "object_area"]].dropna().astype(float)
        if len(known) > 1:
            found[what] = held_against_area(*known.T.to_numpy().tolist())
    return found


def _parameters(
    options: OcclusionOptions, subject: ModelAndImages, study: Study, result: OcclusionResult
) -> dict[str, Any]:
    """Return all that pictures and numbers depend on, and what they come to."""
    settings = study.settings
    files = dict(zip(result.images["sample_id"], result.images["file"], strict=True))
    return {
        "model": subject.classifier.network.name,
        "run_hash": subject.made_of,
        "layer": result.layer,
        "projection": result.projection,
        "remark": result.remark,
        "mask": settings.mask,
        "stride": settings.stride,
        "value": settings.fill,
        "seed": settings.seed,
        "target": options.target,
        "masks": options.masks and str(options.masks),
        "classes": list(subject.classifier.classes.names),
        "images": [
            {"image": name, "file": files[name], "sentences": list(said)}
            for name, said in result.sentences.items()
        ],
        "evidence": {what: found._asdict() for what, found in result.evidence.items()},
        "unread": dict(result.unread),
    }


def _decisive(options: OcclusionOptions) -> dict[str, Any]:
    names = (
        "layer", "channel", "target", "mask", "stride", "value", "projection", "others", "select",
        "seed",
    )  # fmt: skip
    masks = options.masks and str(options.masks)
    return {"masks": masks, **{name: getattr(options, name) for name in names}}
