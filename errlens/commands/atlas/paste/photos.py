"""`errlens atlas paste` on photos: what is predicted before and after, without a test."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from PIL import Image

from errlens.analysis.atlas.pasting.placing import Position
from errlens.atlas.pasting.patches import read_patch
from errlens.atlas.pasting.pictures import picture_of
from errlens.atlas.pasting.predicting import Predicted, predicted_with
from errlens.classes.names import NO_CLASS
from errlens.commands.atlas.paste import view
from errlens.commands.atlas.paste.asked import asked_class
from errlens.commands.atlas.paste.options import AUTO, PasteOptions
from errlens.commands.atlas.paste.result import PasteResult
from errlens.commands.network.images import ModelAndImages, model_and_images
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.errors import NoImages, UnfitOption
from errlens.figures.atlas.paste import Photo, draw_before_after
from errlens.figures.paper.letters import shown_name
from errlens.formats import share
from errlens.run.file_names import distinct_names
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

MOST_DRAWN: Final = 8  # of a photo, beside the one as it is
_TOP: Final = 3  # classes below a picture
_OF_RUNS: Final = ("from_class", "layer", "suspects", "controls", "limit")
_TYPED: Final = {"from_class": "--from"}


def on_photos(
    options: PasteOptions, sizes: Sequence[float], positions: Sequence[Position], screen: Screen
) -> PasteResult:
    """Paste a patch into photos, and draw what is predicted before and after."""
    _check(options)
    patch = read_patch(Path(options.patch))
    subject = model_and_images(
        options,
        screen,
        command="paste",
        group="atlas",
        pick=lambda _run: [],
        at_once=options.batch_size,
    )
    classes = subject.classifier.classes
    to = None if options.to is None else asked_class(options.to, classes, option="--to")
    result = _written(options, subject, patch, to, sizes, positions)
    view.show(screen, None, result)
    view.print_json(screen, subject, result)
    return result


def _check(options: PasteOptions) -> None:
    """Refuse what is for runs, and a patch that only a run can tell.

    Raises:
        UnfitOption: There is any of it.
    """
    if options.patch == AUTO:
        raise UnfitOption("--patch auto takes suspects of a run: of photos, name a file")
    for name in _OF_RUNS:
        if getattr(options, name) != getattr(PasteOptions, name):
            typed = _TYPED.get(name, f"--{name}")
            raise UnfitOption(f"{typed} is for images of a run, not for files")


def _written(
    options: PasteOptions,
    subject: ModelAndImages,
    patch: Image.Image,
    to: int | None,
    sizes: Sequence[float],
    positions: Sequence[Position],
) -> PasteResult:
    """Write a picture of each photo, the numbers of all and parameters."""
    names = subject.classifier.classes.names
    rows: list[dict[str, Any]] = []
    sentences: list[str] = []
    unread: dict[str, str] = {}
    stems = distinct_names(subject.stems)
    decisive = {name: getattr(options, name) for name in ("patch", "to", "sizes", "positions")}
    with (
        renewed_folder(subject.folder, run_hash=subject.made_of, options=decisive) as results,
        quiet_pillow(),
    ):
        for number, file in enumerate(subject.images):
            name = subject.names[number]
            used = subject.classifier.preparation
            picture = picture_of(used, file, max_mb=subject.max_mb)
            if isinstance(picture, Unread):
                unread[name] = picture.reason
                continue
            predicted = list(predicted_with(subject.classifier, picture, patch, sizes, positions))
            if any(said.pred == NO_CLASS for said in predicted):
                unread[name] = "the outputs of the network are not finite"
                continue
            rows += _rows(name, predicted, names, to)
            sentences.append(_sentence(name, predicted, names))
            title = f"{shown_name(subject.titles[number])}: {shown_name(subject.name)}"
            results.png(f"{stems[number]}.png", _figure(predicted, names, title))
        if not rows:
            name, reason = next(iter(unread.items()))
            raise NoImages(f"none of the photos can be asked about: {name!r}: {reason}")
        table = pd.DataFrame(rows)
        results.csv("photos.csv", table)
        results.tree(
            "parameters.json",
            {
                "model": subject.classifier.network.name,
                "run_hash": subject.made_of,
                "patch": options.patch,
                "sizes": list(sizes),
                "positions": [position._asdict() for position in positions],
                "resizing": "Lanczos, by Pillow",
                "sentences": sentences,
                "unread": unread,
            },
        )
    return PasteResult(
        verdicts=pd.DataFrame(),
        summary=pd.DataFrame(),
        images=table,
        sentences=[
            *sentences,
            "Single photos are examples, no test: of a run, patches are compared with others.",
        ],
        unread=unread,
        folder=subject.folder,
        files=results.written,
    )


def _rows(
    name: str, predicted: Sequence[Predicted], names: Sequence[str], to: int | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a photo: one for each size and position."""
    before = predicted[0]
    for after in predicted[1:] or predicted:
        followed = after.pred if to is None else to
        yield {
            "sample_id": name,
            "size": after.size,
            "position": after.position.name if after.position else "",
            "pred_before": names[before.pred],
            "confidence_before": float(before.prob[before.pred]),
            "pred_after": names[after.pred],
            "confidence_after": float(after.prob[after.pred]),
            "from_after": float(after.prob[before.pred]),
            "to_class": names[followed],
            "to_before": float(before.prob[followed]),
            "to_after": float(after.prob[followed]),
        }


def _sentence(name: str, predicted: Sequence[Predicted], names: Sequence[str]) -> str:
    """Say what changes most in a photo."""
    before, after = predicted[0], _most_changed(predicted)[0]
    was = f"{share(float(before.prob[before.pred]))} {names[before.pred]}"
    becomes = f"{share(float(after.prob[after.pred]))} {names[after.pred]}"
    where = f", size {share(after.size)}, {after.position.name}" if after.position else ""
    return f"{name}: {was} -> {becomes}{where}."


def _most_changed(predicted: Sequence[Predicted]) -> list[Predicted]:
    """Return pictures with a patch, those first in which the class predicted before lost most."""
    before = predicted[0]
    changed = list(predicted[1:]) or [before]
    return sorted(changed, key=lambda said: (said.pred == before.pred, said.prob[before.pred]))


def _figure(predicted: Sequence[Predicted], names: Sequence[str], title: str) -> Any:
    shown = predicted[1:]
    left_out = len(shown) - MOST_DRAWN
    if left_out > 0:
        shown = _most_changed(predicted)[:MOST_DRAWN]
    legend = "As fed to the network; the likeliest classes with their probabilities."
    if left_out > 0:
        legend += f" Of {len(predicted) - 1} sizes and places, those that change most."
    return draw_before_after(
        [_photo(said, names) for said in (predicted[0], *shown)], title=title, legend=legend
    )


def _photo(said: Predicted, names: Sequence[str]) -> Photo:
    lines = [f"{share(float(said.prob[at]))} {shown_name(names[at])}" for at in said.top(_TOP)]
    where = f"size {share(said.size)}, {said.position.name}" if said.position else "as it is"
    return Photo(np.asarray(said.picture.convert("RGB")), "\n".join([where, *lines]))
