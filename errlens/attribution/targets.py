"""Which scores of an image are to be explained: roles that classes play for it, or classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from errlens.classes.names import OUTPUT_NUMBERS, ClassNames
from errlens.errors import UnfitOption, did_you_mean, nearest, which_of
from errlens.formats import are, counted
from errlens.maps import Target

ROLES: Final = ("predicted", "true", "second", "top3")


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a network predicts of an image: class indices, the most probable first in `top`.

    `label` is its true class, if that is known. `chances` are the probabilities of some classes at
    least; `image` is what to call it.
    """

    image: str
    pred: int
    label: int | None
    top: Sequence[int]
    chances: Mapping[int, float]


@dataclass(frozen=True)
class Wanted:
    """What to explain of every image; None stands for the contrast of the two likeliest answers.

    `roles` are roles or names of classes, as is `rather_than`: then each score is explained as the
    difference to that one. With `single` a role means one class: top3 is none.
    """

    classes: ClassNames
    roles: Sequence[str] | None = None
    rather_than: str | None = None
    single: bool = False

    def __post_init__(self) -> None:
        for text in self.roles or ():
            self._index(text, "--target", single=self.single)
        if self.rather_than is not None:
            self._index(self.rather_than, "--rather-than", single=True)

    def targets(self, prediction: Prediction) -> list[Target]:
        """Return the scores of an image that are explained.

        Raises:
            UnfitOption: It has no such class.
        """
        if self.roles is None and self.rather_than is None:
            return _contrast(prediction)
        roles = self.roles or ["predicted"]
        targets = [target for role in roles for target in self._named(role, prediction)]
        if self.rather_than is None:
            return targets
        (other,) = self._named(self.rather_than, prediction)
        differing = [target for target in targets if target.wanted != other.wanted]
        if not differing:
            raise UnfitOption(
                f"--rather-than {self.rather_than!r}: of {prediction.image} that is the target "
                "itself"
            )
        return [
            Target(f"{target.name} - {other.name}", target.wanted, other.wanted)
            for target in differing
        ]

    def heading(self, target: Target) -> str:
        """Return what a target is, in words."""
        name = self.classes[target.wanted]
        if target.against is not None:
            return f"{name} rather than {self.classes[target.against]}"
        return name if target.name == name else f"{target.name}: {name}"

    def _named(self, role: str, prediction: Prediction) -> list[Target]:
        index = self._index(role, "--target", single=False)
        if index is not None:
            return [Target(self.classes[index], index)]
        if role == "top3":
            top = prediction.top[:3]
            if len(top) < 3:
                raise UnfitOption(
                    f"top3: {counted(len(top), 'class')} of {prediction.image} "
                    f"{are(len(top))} known"
                )
            return [Target(f"top {place}", index) for place, index in enumerate(top, 1)]
        known = {"predicted": prediction.pred, "true": prediction.label}
        known["second"] = prediction.top[1] if len(prediction.top) > 1 else None
        wanted = known[role]
        if wanted is None:
            raise UnfitOption(f"{role}: {prediction.image} has no such class, as far as is known")
        return [Target(role, wanted)]

    def _index(self, text: str, option: str, *, single: bool) -> int | None:
        """Return the class of this name; None for a role, which may have to be a single class."""
        if single and text == "top3":
            raise UnfitOption(f"{option} top3: it takes one class")
        roles = [role for role in ROLES if not (single and role == "top3")]
        if text in roles:
            return None
        index = self.classes.called(text)
        if index is None:
            raise UnfitOption(
                f"{option} {text!r} is neither a class nor one of {', '.join(roles)}",
                hint=self._called_alike(text, roles),
            )
        return index

    def _called_alike(self, text: str, roles: Sequence[str]) -> str:
        known = [*roles, *self.classes.names]
        if self.classes.source != OUTPUT_NUMBERS:
            return which_of(text, known)
        numbers = f"the outputs are called by their numbers, 0 to {len(self.classes) - 1}"
        return did_you_mean(nearest(text, known), f"{numbers}; --classes FILE gives them names")


def _contrast(prediction: Prediction) -> list[Target]:
    """Return the predicted class, the one it stands against, and their difference."""
    pred, label = prediction.pred, prediction.label
    # Two classes at least are kept: imported runs, which may keep none, have no model.
    other = Target("second", prediction.top[1]) if label in (None, pred) else Target("true", label)
    return [Target("predicted", pred), other, Target("difference", pred, other.wanted)]
