"""Which scores of an image are to be explained: roles that classes play for it, or classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from errlens.classes.names import ClassNames
from errlens.errors import UnfitOption, did_you_mean, nearest
from errlens.maps import Target

ROLES: Final = ("predicted", "true", "second", "top3")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is known of an image: class indices, the most probable first in `top`.

    `chances` are the probabilities of some classes at least; `image` is what to call it.
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
    difference to that one.
    """

    classes: ClassNames
    roles: Sequence[str] | None = None
    rather_than: str | None = None

    def __post_init__(self) -> None:
        for text in self.roles or ():
            self._index(text, "--target")
        if self.rather_than is not None:
            if self.rather_than == "top3":
                raise UnfitOption("--rather-than top3: it takes one class")
            self._index(self.rather_than, "--rather-than")

    def targets(self, verdict: Verdict) -> list[Target]:
        """Return the scores of an image that are explained.

        Raises:
            UnfitOption: It has no such class.
        """
        if self.roles is None and self.rather_than is None:
            return _contrast(verdict)
        found = [one for role in self.roles or ["predicted"] for one in self._named(role, verdict)]
        if self.rather_than is None:
            return found
        (other,) = self._named(self.rather_than, verdict)
        differing = [one for one in found if one.wanted != other.wanted]
        if not differing:
            raise UnfitOption(
                f"--rather-than {self.rather_than!r}: of {verdict.image} that is the target itself"
            )
        return [Target(f"{one.name} - {other.name}", one.wanted, other.wanted) for one in differing]

    def heading(self, target: Target) -> str:
        """Return what a target is, in words."""
        name = self.classes[target.wanted]
        if target.against is not None:
            return f"{name} rather than {self.classes[target.against]}"
        return name if target.name == name else f"{target.name}: {name}"

    def _named(self, role: str, verdict: Verdict) -> list[Target]:
        index = self._index(role, "--target")
        if index is not None:
            return [Target(self.classes[index], index)]
        if role == "top3":
            if len(verdict.top) < 3:
                raise UnfitOption(f"top3: {len(verdict.top)} classes of {verdict.image} are known")
            return [Target(f"top {place}", one) for place, one in enumerate(verdict.top[:3], 1)]
        known = {"predicted": verdict.pred, "true": verdict.label}
        known["second"] = verdict.top[1] if len(verdict.top) > 1 else None
        wanted = known[role]
        if wanted is None:
            raise UnfitOption(f"{role}: {verdict.image} has no such class")
        return [Target(role, wanted)]

    def _index(self, text: str, option: str) -> int | None:
        """Return the class of this name; None for a role."""
        if text in ROLES:
            return None
        index = self.classes.index(text)
        if index is None:
            near = nearest(text, [*ROLES, *self.classes.names])
            raise UnfitOption(
                f"{option} {text!r} is neither a class nor one of {', '.join(ROLES)}",
                hint=did_you_mean(near),
            )
        return index


def _contrast(verdict: Verdict) -> list[Target]:
    """Return the predicted class, the one it stands against, and their difference."""
    pred, label = verdict.pred, verdict.label
    # Two classes at least are kept: imported runs, which may keep none, have no model.
    other = Target("second", verdict.top[1]) if label in (None, pred) else Target("true", label)
    return [Target("predicted", pred), other, Target("difference", pred, other.wanted)]
