"""Studies of an image beyond its maps: cover, sweep, winners, faithfulness and sanity."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice
from typing import Any, Final

import torch
from torch import Tensor

from errlens.attribution.cases import Explainer, Explanation
from errlens.attribution.cover import smallest_cover
from errlens.attribution.explained_model import borrowed
from errlens.attribution.judging.choosing import Agreement
from errlens.attribution.judging.faithfulness import Faithfulness, FaithfulnessTest
from errlens.attribution.judging.sanity import Similarity, cascading_randomisation, times_made
from errlens.attribution.masks import sweep
from errlens.attribution.methods import load_method
from errlens.attribution.shared_sweeps import shared_sweep
from errlens.commands.explain import study_pictures
from errlens.commands.explain.job import Job
from errlens.commands.explain.picture_files import ABOUT, PictureFiles
from errlens.maps import Attribution
from errlens.terminal import StartProgress

# What --sweep tries, mask and stride as shares of a side: a few sizes, first side by side.
SWEPT: Final = (
    ("10%", "10%"), ("20%", "20%"), ("30%", "30%"), ("40%", "40%"),
    ("10%", "5%"), ("20%", "10%"), ("30%", "15%"), ("40%", "20%"),
)  # fmt: skip
CHECKED: Final = {"check", "compare"}
RANDOMISED: Final = 4  # images whose maps are made again with the model randomised


class Studies:
    """Does the studies asked for, image by image, and keeps the rows of their tables."""

    def __init__(self, explainer: Explainer, pictures: PictureFiles, job: Job) -> None:
        self._explainer = explainer
        self._pictures = pictures
        self._looks = job.how.looks
        self._asked = job.how.studies
        self._cases = job.cases
        self._by_stage: dict[str, list[Similarity]] = {}
        self.covers: list[dict[str, Any]] = []
        self.agreement = Agreement()

    def add(self, explanation: Explanation) -> dict[str, Faithfulness]:
        """Study one image; return how faithful the map of its predicted class is, by method."""
        if explanation.tensor is None:
            return {}
        name = self._pictures.name(explanation.case)
        if "cover" in self._asked:
            self._cover(explanation, explanation.tensor, f"{name}_cover.png")
        if "sweep" in self._asked:
            self._sweep(explanation, explanation.tensor, f"{name}_sweep.png")
        if "winners" in self._asked:
            self._winners(explanation, explanation.tensor, f"{name}_winners.png")
        if not self._asked & CHECKED:
            return {}
        maps = _of_predicted(explanation)
        self.agreement.add(maps)
        return self._faithfulness(explanation, explanation.tensor, maps)

    def similarities(self, methods: Sequence[str], progress: StartProgress) -> list[dict[str, Any]]:
        """Return how far each method's maps survive that the network is randomised."""
        left = [name for name in methods if name not in self._by_stage] if self._first[1] else []
        if left:
            module, only_last = self._explainer.model.module, "check" not in self._asked
            total = len(left) * times_made(module, only_last=only_last)
            with progress("explaining with randomised weights", total=total) as step:
                for name in left:
                    self._stages(name, step)
        return [
            {"method": name, **stage._asdict()} for name in methods for stage in self._stages(name)
        ]

    def left(self, methods: Sequence[str]) -> dict[str, float]:
        """Return how much is left in the end of the maps of methods that have a caveat."""
        warned = [name for name in methods if load_method(name).caveat]
        stages = {name: self._stages(name) for name in warned}
        return {name: of_method[-1].similarity for name, of_method in stages.items() if of_method}

    def _stages(
        self, method: str, step: Callable[[int], None] = lambda _step: None
    ) -> list[Similarity]:
        """Return how far a method's maps survive each stage; none unless that was asked."""
        if method not in self._by_stage:
            images, classes = self._first
            model, settings = self._explainer.model, self._explainer.settings
            only_last = "check" not in self._asked
            self._by_stage[method] = (
                cascading_randomisation(
                    method, model, images, classes, settings, only_last=only_last, advance=step
                )
                if classes
                else []
            )
        return self._by_stage[method]

    @cached_property
    def _first(self) -> tuple[Tensor, list[int]]:
        """The first images that can be read, as fed, and what was predicted of them."""
        if not self._asked & CHECKED:
            return torch.empty(0), []
        batches = self._explainer.explain(self._cases, [], at_most=RANDOMISED)
        seen = (
            (explanation.tensor, explanation.case.facts["pred"])
            for explanation in chain.from_iterable(batches)
            if explanation.tensor is not None
        )
        first = list(islice(seen, RANDOMISED))
        if not first:
            return torch.empty(0), []
        return torch.stack([tensor for tensor, _ in first]), [pred for _, pred in first]

    def _cover(self, explanation: Explanation, image: Tensor, file: str) -> None:
        facts = explanation.case.facts
        if facts["label"] in (None, facts["pred"]):
            return
        row = {name: facts[name] for name in ABOUT}
        explainer = self._explainer
        cover = smallest_cover(
            explainer.model, image, facts["pred"], facts["label"], explainer.settings
        )
        if cover is None:
            self.covers.append({**row, "found": False})
            return
        hidden = explainer.picture_of(cover.hidden)
        self._pictures.figure(file, study_pictures.cover_figure(explanation, cover, hidden))
        self.covers.append(
            {
                **row,
                "found": True,
                **cover.box._asdict(),
                "share": cover.box.area / image[0].numel(),
                "fill": explainer.settings.fill,
                "confirmed_by": " ".join(cover.confirmed_by),
                "pred_before": cover.before[0],
                "true_before": cover.before[1],
                "pred_after": cover.after[0],
                "true_after": cover.after[1],
                "file": file,
            }
        )

    def _sweep(self, explanation: Explanation, image: Tensor, file: str) -> None:
        model, settings = self._explainer.model, self._explainer.settings
        tried = [replace(settings, mask=mask, stride=stride) for mask, stride in SWEPT]
        with borrowed(model.module):
            sweeps = [(of_size, sweep(model, image, of_size)) for of_size in tried]
        self._pictures.figure(file, study_pictures.sweep_figure(explanation, sweeps, self._looks))

    def _winners(self, explanation: Explanation, image: Tensor, file: str) -> None:
        model = self._explainer.model
        layer = model.spatial_layer
        with borrowed(model.module):
            swept = shared_sweep(model, image, self._explainer.settings, layer=layer)
        names = self._explainer.classifier.classes.names
        fall = swept.strongest_channel()
        self._pictures.figure(
            file, study_pictures.winners_figure(explanation, swept, fall, names, layer.name)
        )

    def _faithfulness(
        self, explanation: Explanation, image: Tensor, maps: Mapping[str, Attribution]
    ) -> dict[str, Faithfulness]:
        pred = explanation.case.facts["pred"]
        test = FaithfulnessTest(self._explainer.model, image, pred, self._explainer.settings)
        return {method: test.of_map(shown.values) for method, shown in maps.items()}


def _of_predicted(explanation: Explanation) -> dict[str, Attribution]:
    """Return the maps of the predicted class, by method."""
    return {
        method: shown
        for method, maps in explanation.maps.items()
        for shown in maps
        if isinstance(shown, Attribution) and shown.target.name == "predicted"
    }
