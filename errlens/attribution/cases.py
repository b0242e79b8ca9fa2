"""Explain images batch by batch: each is decoded once, whatever is asked of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution.batch import Explained, explain_batch
from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.photos import Shown, as_picture, picture_of_input, shown_photo
from errlens.attribution.targets import Prediction, Wanted
from errlens.classes.names import ClassNames
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.photos.loading import Input, available_cores, in_order, open_for, prepare_input
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import IncomparableRuns
from errlens.maps import NoMap, Target
from errlens.model.classifier import Classifier, stack
from errlens.predictions.table import MISSING, UNREADABLE, Predictions
from errlens.run.folder import RunFolder
from errlens.run.places import MAX_FILE_MB

TOP: Final = 3  # classes that name an image without a label
UNSEEN: Final = Target("predicted", -1)  # of an image that the network could not be shown


class Case(NamedTuple):
    """An image to be explained: `facts` are columns of the predictions.

    `top` are its likeliest classes with their probabilities. Of each target there are a `heading`,
    which says in words what it is, and a `chance`, its probability, where that is known.
    """

    facts: dict[str, Any]
    targets: tuple[Target, ...] = ()
    headings: tuple[str, ...] = ()
    chances: tuple[float | None, ...] = ()
    top: tuple[tuple[str, float], ...] = ()


class Explanation(NamedTuple):
    """What some methods say of one image.

    `image` is uint8 of shape (H, W, 3), as fed, and `tensor` what the network gets, shape
    (channels, height, width); `photo` is what was read from the file, where it is drawn on. `maps`
    and `seconds` are by method. `before` is what they say of an older network.
    """

    case: Case
    image: NDArray[np.uint8] | None
    tensor: Tensor | None
    photo: Shown | None
    maps: dict[str, Explained]
    seconds: dict[str, float]
    before: "Explanation | None" = None

    def of_both(self, method: str) -> Explained:
        """Return the maps of a method, and after them those of the older network."""
        return [*self.maps[method], *(self.before.maps[method] if self.before else ())]


class _Loaded(NamedTuple):
    case: Case
    input: Input | Unread
    photo: Shown | None = None


@dataclass(frozen=True, kw_only=True)
class Explainer:
    """A classifier with the methods to explain it by.

    `complete`, if given, says of a batch of images, shape (n, channels, height, width), what they
    are cases of. With `photo_side`, which takes errlens' own preprocessing, the photos are held,
    with a longest side of at most so many pixels, as long as their batch is; 0 holds them as they
    are.
    """

    classifier: Classifier
    model: ExplainedModel
    settings: MethodSettings
    root: Path
    complete: Callable[[Sequence[Case], Tensor], Sequence[Case]] | None = None
    photo_side: int | None = None
    max_mb: int = MAX_FILE_MB

    def explain(
        self, cases: Sequence[Case], methods: Sequence[str], *, at_most: int | None = None
    ) -> Iterator[list[Explanation]]:
        """Yield what all methods say of a few images, `at_most` so many, in the order of cases."""
        size = min(self.settings.batch_size, at_most or len(cases) or 1)
        with quiet_pillow():
            for start in range(0, len(cases), size):
                batch = cases[start : start + size]
                loaded = list(in_order(self._load, batch, workers=available_cores()))
                yield self._explanations(loaded, methods)

    def picture_of(self, image: Tensor) -> NDArray[np.uint8]:
        """Return what the network gets, shape (channels, height, width), as a picture again."""
        ends = self.model.black, self.model.white
        return picture_of_input(image, ends, self.classifier)

    def _load(self, case: Case) -> _Loaded:
        try:
            return self._loaded(case)
        except MemoryError:
            return _Loaded(case, Unread(UNREADABLE, "too large for the memory that is left"))

    def _loaded(self, case: Case) -> _Loaded:
        preparation = self.classifier.preparation
        photo = open_for(preparation, self.root / case.facts["path"], max_mb=self.max_mb)
        if isinstance(photo, Unread):
            return _Loaded(case, photo)
        if case.facts["content_hash"] not in (None, photo.content_hash):
            return _Loaded(case, Unread(MISSING, "another file now", photo.content_hash))
        prepared = prepare_input(photo, preparation)
        if self.photo_side is None or isinstance(prepared, Unread):
            return _Loaded(case, prepared)
        # A transform of the user's own does not say what it crops.
        assert isinstance(preparation, Preprocessing)  # noqa: S101 - for the type checker
        shown = shown_photo(photo, self.photo_side, preparation.source_box)
        return _Loaded(case, shown) if isinstance(shown, Unread) else _Loaded(case, prepared, shown)

    def _explanations(self, loaded: Sequence[_Loaded], methods: Sequence[str]) -> list[Explanation]:
        seen = [image for image in loaded if isinstance(image.input, Input)]
        explanations = iter(self._seen(seen, methods) if seen else [])
        return [
            _unseen(image.case, image.input, methods)
            if isinstance(image.input, Unread)
            else next(explanations)
            for image in loaded
        ]

    def _seen(self, seen: Sequence[_Loaded], methods: Sequence[str]) -> Iterator[Explanation]:
        values = [image.input.value for image in seen if isinstance(image.input, Input)]
        images = stack(values, self.classifier.preparation, self.classifier.device)
        cases: Sequence[Case] = [image.case for image in seen]
        if self.complete:
            cases = self.complete(cases, images)
        targets = [case.targets for case in cases]
        maps: list[dict[str, Explained]] = [{} for _ in cases]
        seconds = {}
        for name in methods:
            start = time.perf_counter()
            by_image = explain_batch(name, self.model, images, targets, self.settings)
            seconds[name] = (time.perf_counter() - start) / len(cases)
            for of_image, explained in zip(maps, by_image, strict=True):
                of_image[name] = explained
        for loaded, case, value, tensor, of_image in zip(
            seen, cases, values, images, maps, strict=True
        ):
            image = as_picture(value, self.classifier)
            yield Explanation(case, image, tensor, loaded.photo, of_image, seconds)


def cases_of(
    run: RunFolder, images: Predictions, rows: Sequence[int], wanted: Wanted
) -> list[Case]:
    """Return what to explain of some rows; images that were not predicted are left out.

    Args:
        run: Where the most probable classes are read from.
        images: All images, with row, path, content_hash, label, pred and what is written of them.
        rows: Which of them.
        wanted: The scores to explain.

    Raises:
        UnfitOption: An image has no such class.
    """
    chosen = images.table.take(np.asarray(rows, np.int64)).to_pylist()
    predicted = [facts for facts in chosen if facts["pred"] is not None]
    kept = run.read_rows([facts["row"] for facts in predicted], ("topk_index", "topk_prob"))
    return [_case_of_row(*both, wanted) for both in zip(predicted, kept, strict=True)]


def _case_of_row(facts: dict[str, Any], kept: dict[str, Any], wanted: Wanted) -> Case:
    top = kept["topk_index"] or [facts["pred"]]
    chances = dict(zip(top, kept["topk_prob"] or [facts["confidence"]], strict=True))
    if facts["label"] is not None:
        chances[facts["label"]] = facts["label_prob"]
    prediction = Prediction(
        image=f"row {facts['row']}",
        pred=facts["pred"],
        label=facts["label"],
        top=top,
        chances=chances,
    )
    return _case_of(facts, prediction, wanted)


def _case_of(facts: dict[str, Any], prediction: Prediction, wanted: Wanted) -> Case:
    """Return what is to be explained of an image."""
    targets = tuple(wanted.targets(prediction))
    return Case(
        facts,
        targets,
        tuple(map(wanted.heading, targets)),
        tuple(None if t.against is not None else prediction.chances.get(t.wanted) for t in targets),
        tuple((wanted.classes[index], prediction.chances[index]) for index in prediction.top[:TOP]),
    )


def case_before(case: Case, classes: ClassNames, before: ClassNames) -> Case:
    """Return what an older network is asked of the same image: the same classes, by name.

    Raises:
        IncomparableRuns: It has no such class.
    """
    index = {name: place for place, name in enumerate(before.names)}

    def same(wanted: int) -> int:
        if classes[wanted] not in index:
            raise IncomparableRuns(f"the older run has no class {classes[wanted]!r}")
        return index[classes[wanted]]

    targets = [
        Target(
            f"old {target.name}",
            same(target.wanted),
            None if target.against is None else same(target.against),
        )
        for target in case.targets
    ]
    headings = [f"old model: {heading}" for heading in case.headings]
    return case._replace(
        targets=tuple(targets), headings=tuple(headings), chances=(None,) * len(targets)
    )


@dataclass(frozen=True)
class PhotoCases:
    """Makes cases of photos that belong to no run, by predicting them."""

    model: ExplainedModel
    wanted: Wanted

    def __call__(self, cases: Sequence[Case], images: Tensor) -> list[Case]:
        """Return the cases of some images, shape (n, channels, height, width)."""
        with borrowed(self.model.module), torch.no_grad():
            logits = self.model.logits(images).float().cpu()
        chances = logits.softmax(dim=1).numpy()
        order = self.model.reading.ranked(logits).argsort(dim=1, descending=True, stable=True)
        return [
            self._case(case.facts, of_image, ranking)
            for case, of_image, ranking in zip(cases, chances, order.tolist(), strict=True)
        ]

    def _case(
        self, facts: dict[str, Any], chances: NDArray[np.float32], order: Sequence[int]
    ) -> Case:
        pred = order[0]
        prediction = Prediction(
            image=facts["path"],
            pred=pred,
            label=None,
            top=order,
            chances=dict(enumerate(chances.tolist())),
        )
        predicted = {
            "pred": pred,
            "pred_name": self.wanted.classes[pred],
            "confidence": float(chances[pred]),
        }
        return _case_of({**facts, **predicted}, prediction, self.wanted)


def photo_case(number: int, path: str) -> Case:
    """Return a photo before anything is known of it."""
    nothing = dict.fromkeys(("label", "label_name", "pred", "pred_name", "confidence"))
    return Case({**nothing, "row": number, "sample_id": path, "path": path, "content_hash": None})


def _unseen(case: Case, why: Unread, methods: Sequence[str]) -> Explanation:
    targets = case.targets or (UNSEEN,)
    maps: dict[str, Explained] = {
        name: [NoMap(name, target, why.reason) for target in targets] for name in methods
    }
    return Explanation(case, None, None, None, maps, dict.fromkeys(methods, 0.0))
