"""Two classes of a run told apart by the channels of a layer, and the suspects silenced."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.channels.ablation import (
    CHANGE_COLUMNS,
    Silenced,
    ablation_table,
    changed_answers,
    to_ask_again,
    variants_of,
)
from errlens.analysis.channels.firing import (
    Firing,
    Groups,
    compare_firing,
    control_channels,
    leading_channels,
    suspects,
)
from errlens.analysis.findings.scored import COLUMNS, Scored, scored
from errlens.analysis.selection.parsing import parse_pair
from errlens.errors import NoImages, UnfitSelection
from errlens.formats import count, counted, of
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.model.layers.places import SpatialLayer
from errlens.network.channels.firing import FiredOn, read_firing
from errlens.network.channels.silencing import predict_silenced
from errlens.run.folder import RunFolder

SUSPECTS: Final = 10  # that are silenced, and as many random channels

Progress = Callable[..., AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two classes of a run that are to be told apart, and the network that is asked.

    `images` lie below `root`; `a` and `b` are class indices.
    """

    run: RunFolder
    classifier: Classifier
    images: Scored
    root: Path
    a: int
    b: int
    workers: int | None
    seed: int
    progress: Progress

    @property
    def names(self) -> tuple[str, str]:
        """The names of both classes."""
        return self.images.classes[self.a], self.images.classes[self.b]

    def asked(self, at: NDArray[np.integer]) -> list[AskedImage]:
        """Return some images to ask about, by their places among those of the run."""
        paths, hashes = self.images.paths, self.images.content_hash
        return [AskedImage(self.root / paths[place], hashes[place]) for place in at.tolist()]


class OfLayer(NamedTuple):
    """What a layer has to say: how it fires on the images `at` these places, and the suspects."""

    layer: SpatialLayer
    at: NDArray[np.intp]
    firing: Firing
    groups: Groups
    channels: pd.DataFrame
    ablation: pd.DataFrame | None = None
    changes: pd.DataFrame | None = None

    def leading(self, most: int) -> list[int]:
        """Return the channels to be shown first."""
        return leading_channels(self.channels, most)


def pair_of(
    run: RunFolder,
    classifier: Classifier,
    pair: str,
    root: Path,
    *,
    workers: int | None,
    seed: int,
    progress: Progress,
) -> Pair:
    """Return the two classes that are meant by A~B.

    Raises:
        NoLabels: Nothing in the run is right or wrong.
        UnfitSelection: These are no two classes, or one has no image.
    """
    images = scored(run.read_predictions(COLUMNS))
    if not len(images):
        raise run.no_labels()
    a, b = parse_pair(pair, images.classes)
    for index in (a, b):
        if not (images.label == index).any():
            name = images.classes[index]
            raise UnfitSelection(f"pair {pair!r}: no image that counts has the label {name!r}")
    return Pair(run=run, classifier=classifier, images=images, root=root, a=a, b=b,
                workers=workers, seed=seed, progress=progress)  # fmt: skip


def compared(pair: Pair, layer: SpatialLayer, remarks: list[str]) -> OfLayer:
    """Compare how a layer fires on both classes; `remarks` get what could not be done.

    Raises:
        NoImages: None of the images can be read.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    images = pair.images
    at = np.flatnonzero(np.isin(images.label, (pair.a, pair.b)))
    asked = pair.asked(at)
    with pair.progress("comparing channels", total=len(at)) as step:
        fired = read_firing(
            pair.classifier, layer, asked, step=step, workers=pair.workers,
            max_mb=pair.run.info.max_file_mb,
        )  # fmt: skip
    if not len(fired.at):
        raise NoImages(
            f"no image of {pair.names[0]} or {pair.names[1]} can be read, such as "
            f"{str(asked[0].path)!r}",
            hint="--data-root DIR says where they lie",
        )
    at, firing = _as_predicted(at, fired, images.pred, remarks)
    groups = Groups.of(images.label[at], images.pred[at], pair.a, pair.b)
    table = compare_firing(firing, groups, pair.names)
    if not groups.taken_for_other.any():
        a, b = pair.names
        remarks.append(f"no {a} was taken for {b}, nor {b} for {a}: channels are ranked by classes")
    return OfLayer(layer, at, firing, groups, table)


def _as_predicted(
    at: NDArray[np.intp], fired: FiredOn, pred: NDArray[np.integer], remarks: list[str]
) -> tuple[NDArray[np.intp], Firing]:
    """Leave out images that the network sees otherwise now, or that are gone."""
    same = fired.pred == pred[at[fired.at]]
    _remark_on_gone(len(at) - len(fired.at), int((~same).sum()), len(at), remarks)
    firing = fired.firing
    kept = Firing(
        firing.layer, firing.grid, firing.largest[same], firing.mean[same], firing.place[same],
        firing.lowest,
    )  # fmt: skip
    return at[fired.at][same], kept


def _remark_on_gone(gone: int, others: int, n: int, remarks: list[str]) -> None:
    if gone:
        remarks.append(f"{of(gone, n)} images cannot be read any more, or are others now")
    if others:
        remarks.append(
            f"{of(others, n)} images are predicted otherwise now than in the run: left out"
        )


def silenced(pair: Pair, of_layer: OfLayer, remarks: list[str]) -> OfLayer:
    """Silence the strongest suspects and random channels, and ask again.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    firing, images = of_layer.firing, pair.images
    suspected = suspects(of_layer.channels, SUSPECTS, rectified=firing.rectified)
    if not suspected:
        remarks.append(f"no channel of {firing.layer} is a suspect: nothing was silenced")
        return of_layer
    controls = control_channels(suspected, firing.channels, SUSPECTS, seed=pair.seed)
    if len(controls) < len(suspected):
        remarks.append(
            f"{firing.layer} has {counted(firing.channels, 'channel')}: "
            f"{count(len(controls)) if controls else 'none'} left as control"
        )
    variants = variants_of(suspected, controls)
    at = to_ask_again(images.label, pair.a, pair.b, seed=pair.seed)
    with pair.progress("silencing channels", total=len(at)) as step:
        answers = predict_silenced(
            pair.classifier, of_layer.layer, pair.asked(at), [each.channels for each in variants],
            values=firing.silent, step=step, workers=pair.workers,
            max_mb=pair.run.info.max_file_mb,
        )  # fmt: skip
    same = answers.as_it_is == images.pred[at[answers.at]]
    _remark_on_gone(len(at) - len(answers.at), int((~same).sum()), len(at), remarks)
    at = at[answers.at][same]
    outside = ~np.isin(images.label, (pair.a, pair.b))
    asked_outside = int(outside[at].sum())
    answered = Silenced(
        firing.layer,
        variants,
        images.label[at],
        images.pred[at],
        answers.now[same],
        chosen_from=firing.channels,
        weight=int(outside.sum()) / asked_outside if asked_outside else 1.0,
    )
    if asked_outside < outside.sum():
        remarks.append(
            f"of other classes {of(asked_outside, int(outside.sum()))} images were asked again"
        )
    ablation = ablation_table(answered, (pair.a, pair.b), pair.names)
    return of_layer._replace(ablation=ablation, changes=_changes(pair, answered, at))


def _changes(pair: Pair, silenced: Silenced, at: NDArray[np.intp]) -> pd.DataFrame:
    """Return changes.csv: each answer that changed."""
    changed = changed_answers(silenced)
    variants = [silenced.variants[variant] for variant, _, _ in changed]
    images = np.array([at[image] for _, image, _ in changed], np.intp)
    now = np.array([silenced.now[image, variant] for variant, image, _ in changed], np.int32)
    table = pair.images.table_of(images).assign(
        now_name=pair.images.names(now),
        layer=silenced.layer,
        role=pd.Series([variant.role for variant in variants], dtype="str"),
        channels=pd.Series([variant.name for variant in variants], dtype="str"),
        change=pd.Series([change for _, _, change in changed], dtype="str"),
    )
    return table[list(CHANGE_COLUMNS)]
