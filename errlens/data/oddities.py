"""What is unusual about photos that can be read all the same: counted, with a few examples."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, NamedTuple

EXAMPLES: Final = 3  # paths that are kept of each kind


class Traits(NamedTuple):
    """What is unusual about a photo.

    `mode` is Pillow's name for values that go beyond a byte, `highest` the largest of them;
    `turned` says that it is to be turned or mirrored before it is shown, as its EXIF says;
    `single_valued` that all its pixels, as the model gets them, are the same.
    """

    mode: str | None = None
    highest: float | None = None
    turned: bool = False
    single_valued: bool = False


class Some(NamedTuple):
    """How many photos are of a kind, and the paths of the first."""

    n: int = 0
    examples: tuple[str, ...] = ()

    def plus(self, other: "Some") -> "Some":
        """Return both together."""
        return Some(self.n + other.n, (*self.examples, *other.examples)[:EXAMPLES])


NONE: Final = Some()


@dataclass(frozen=True)
class Oddities:
    """The unusual photos of a run; `modes` and `highest` are those of the deep ones."""

    deep: Some = NONE
    turned: Some = NONE
    single_valued: Some = NONE
    modes: Mapping[str, int] = field(default_factory=dict)
    highest: float | None = None

    def __add__(self, other: "Oddities") -> "Oddities":
        highest = [one for one in (self.highest, other.highest) if one is not None]
        return Oddities(
            self.deep.plus(other.deep),
            self.turned.plus(other.turned),
            self.single_valued.plus(other.single_valued),
            dict(Counter(self.modes) + Counter(other.modes)),
            max(highest, default=None),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        kinds = ("deep", "turned", "single_valued")
        tree: dict[str, Any] = {
            kind: {"n": some.n, "examples": list(some.examples)}
            for kind in kinds
            for some in [getattr(self, kind)]
        }
        tree["deep"] |= {"modes": dict(self.modes), "highest": self.highest}
        return tree

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Oddities":
        """Read what `as_dict` wrote; a run of an older errlens has nothing."""

        def some(kind: str) -> Some:
            found = tree.get(kind, {})
            return Some(found.get("n", 0), tuple(found.get("examples", ())))

        deep = tree.get("deep", {})
        return cls(
            some("deep"),
            some("turned"),
            some("single_valued"),
            deep.get("modes", {}),
            deep.get("highest"),
        )


def count_oddities(photos: Iterable[tuple[str, Traits]]) -> Oddities:
    """Count the unusual photos among some, each given with its path.

    >>> count_oddities([("a.jpg", Traits()), ("b.png", Traits("I;16", 4095))]).deep
    Some(n=1, examples=('b.png',))
    """
    return total(_oddity(path, traits) for path, traits in photos if traits != Traits())


def total(parts: Iterable[Oddities]) -> Oddities:
    """Return what was counted in all parts."""
    return reduce(Oddities.__add__, parts, Oddities())


def _oddity(path: str, traits: Traits) -> Oddities:
    def of(kind: object) -> Some:
        return Some(1, (path,)) if kind else NONE

    return Oddities(
        of(traits.mode),
        of(traits.turned),
        of(traits.single_valued),
        {traits.mode: 1} if traits.mode else {},
        traits.highest,
    )
