"""Explain the images of a run batch by batch: each is decoded once, whatever is asked of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution._batch import Explained, explain_batch
from errlens.attribution._subject import Settings, Subject
from errlens.classes import ClassNames
from errlens.data.images import Unread, quiet_pillow
from errlens.data.loading import Input, available_cores, in_order, load_input
from errlens.errors import UnfitOption, nearest
from errlens.maps import NoMap, Target
from errlens.model.classifier import Classifier, stack
from errlens.predictions import MISSING, Predictions
from errlens.run import RunFolder

ROLES = ("predicted", "true", "second", "top3")


class Case(NamedTuple):
    """An image to be explained: `facts` are columns of the predictions.

    `headings` say in words what each target is.
    """

    facts: dict[str, Any]
    targets: tuple[Target, ...]
    headings: tuple[str, ...]


class Finding(NamedTuple):
    """What one method says of one image; `image` is uint8 of shape (H, W, 3), as fed."""

    case: Case
    method: str
    image: NDArray[np.uint8] | None
    maps: Explained


@dataclass(frozen=True)
class Explainer:
    """A classifier with the methods to explain it by."""

    classifier: Classifier
    subject: Subject
    settings: Settings
    root: Path

    def explain(self, cases: Sequence[Case], methods: Sequence[str]) -> Iterator[list[Finding]]:
        """Yield what all methods say of a few images, in the order of the cases."""
        size = self.settings.batch_size
        with quiet_pillow():
            for start in range(0, len(cases), size):
                batch = cases[start : start + size]
                loaded = list(in_order(self._load, batch, workers=available_cores()))
                by_method = [self._findings(name, batch, loaded) for name in methods]
                yield [one for of_case in zip(*by_method, strict=True) for one in of_case]

    def _load(self, case: Case) -> Input | Unread:
        path = self.root / case.facts["path"]
        found = load_input(path, self.classifier.preparation)
        known = case.facts["content_hash"]
        if isinstance(found, Input) and known not in (None, found.content_hash):
            return Unread(MISSING, "another file now", found.content_hash)
        return found

    def _findings(
        self, name: str, batch: Sequence[Case], loaded: Sequence[Input | Unread]
    ) -> list[Finding]:
        read = [at for at, one in enumerate(loaded) if isinstance(one, Input)]
        explained: dict[int, Explained] = {}
        if read:
            preparation, device = self.classifier.preparation, self.classifier.device
            values = [one.value for one in loaded if isinstance(one, Input)]
            images = stack(values, preparation, device)
            targets = [batch[at].targets for at in read]
            found = explain_batch(name, self.subject, images, targets, self.settings)
            explained = dict(zip(read, found, strict=True))
        return [
            Finding(case, name, _as_fed(one.value, self.classifier), explained[at])
            if isinstance(one, Input)
            else Finding(case, name, None, [NoMap(name, t, one.reason) for t in case.targets])
            for at, (case, one) in enumerate(zip(batch, loaded, strict=True))
        ]


def cases_of(
    run: RunFolder, images: Predictions, rows: Sequence[int], wanted: Sequence[str] | None
) -> list[Case]:
    """Return what to explain of some rows; images that were not predicted are left out.

    Args:
        run: Where the most probable classes are read from.
        images: All images, with row, path, content_hash, label, pred and what is written of them.
        rows: Which of them.
        wanted: Roles or names of classes; None explains the predicted class, the true one (the
            second where it was right or is unknown), and why the one rather than the other.

    Raises:
        UnfitOption: A target is no class, or an image has no label to explain.
    """
    found = images.table.take(np.asarray(rows, np.int64)).to_pylist()
    roles = [_target_of(text, images.classes) for text in wanted] if wanted else None
    cases = []
    for one in found:
        if one["pred"] is None:
            continue
        top = run.read_row(one["row"], ("topk_index",))["topk_index"] or [one["pred"]]
        targets = (
            _contrast(one, top)
            if roles is None
            else [target for role in roles for target in _targets(role, one, top)]
        )
        headings = [_heading(target, images.classes) for target in targets]
        cases.append(Case(one, tuple(targets), tuple(headings)))
    return cases


def _target_of(text: str, classes: ClassNames) -> str | Target:
    """Return a role, or the target that a class is to every image."""
    if text in ROLES:
        return text
    index = classes.index(text)
    if index is None:
        near = nearest(text, [*ROLES, *classes.names])
        raise UnfitOption(
            f"--target {text!r} is neither a class nor one of {', '.join(ROLES)}",
            hint=f"did you mean {', '.join(near)}?" if near else "",
        )
    return Target(classes[index], index)


def _targets(role: str | Target, one: dict[str, Any], top: Sequence[int]) -> list[Target]:
    if isinstance(role, Target):
        return [role]
    if role == "top3":
        if len(top) < 3:
            raise UnfitOption(f"--target top3: the run keeps {len(top)} classes of an image")
        return [Target(f"top {place}", index) for place, index in enumerate(top[:3], 1)]
    known = {"predicted": one["pred"], "true": one["label"]}
    known["second"] = top[1] if len(top) > 1 else None
    if known[role] is None:
        raise UnfitOption(f"--target {role}: row {one['row']} has no such class")
    return [Target(role, known[role])]


def _contrast(one: dict[str, Any], top: Sequence[int]) -> list[Target]:
    """Return the predicted class, the one it stands against, and their difference."""
    pred, label = one["pred"], one["label"]
    # Two classes at least are kept: imported runs, which may keep none, have no model.
    other = Target("second", top[1]) if label in (None, pred) else Target("true", label)
    return [Target("predicted", pred), other, Target("difference", pred, other.wanted)]


def _heading(target: Target, classes: ClassNames) -> str:
    name = classes[target.wanted]
    if target.against is not None:
        return f"{name} rather than {classes[target.against]}"
    return name if target.name == name else f"{target.name}: {name}"


def _as_fed(value: Any, classifier: Classifier) -> NDArray[np.uint8]:
    """Return an input as a picture; one of the user's own transform by its range."""
    if isinstance(value, Tensor):
        channels = value.float().cpu().numpy().transpose(1, 2, 0)
        low, high = channels.min(), channels.max()
        pixels = np.rint(255 * (channels - low) / max(high - low, 1e-12)).astype(np.uint8)
    else:
        pixels = value
        if getattr(classifier.preparation, "bgr", False):
            pixels = pixels[:, :, ::-1]
    picture = pixels if pixels.shape[2] == 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(picture)
