"""What is unusual about photos that can be read all the same: counted, with a few examples."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, NamedTuple

EXAMPLES: Final = 3  # paths that are kept of each kind


class Traits(NamedTuple):
    """What is unusual about a photo.

    `mode` is Pillow's name for values that go beyond a byte, `highest` the largest of them, None
    where that is no number; `turned` says that it is to be turned or mirrored before it is shown,
    as its EXIF says; `single_valued` that all its pixels, as the model gets them, are the same.
    """

    mode: str | None = None
    highest: float | None = None
    turned: bool = False
    single_valued: bool = False


class PhotoCount(NamedTuple):
    """How many photos are of a kind, the paths of the first, and the largest value in any."""

    n: int = 0
    examples: tuple[str, ...] = ()
    highest: float | None = None

    def plus(self, other: "PhotoCount") -> "PhotoCount":
        """Return both together."""
        known = [value for value in (self.highest, other.highest) if value is not None]
        examples = (*self.examples, *other.examples)[:EXAMPLES]
        return PhotoCount(self.n + other.n, examples, max(known, default=None))

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "PhotoCount":
        """Read what `as_dict` of the whole wrote."""
        return cls(tree["n"], tuple(tree["examples"]), tree.get("highest"))


NONE: Final = PhotoCount()


@dataclass(frozen=True)
class Oddities:
    """The unusual photos of a run; the deep ones, of more than eight bits, by Pillow's mode."""

    deep: Mapping[str, PhotoCount] = field(default_factory=dict)
    turned: PhotoCount = NONE
    single_valued: PhotoCount = NONE

    def __add__(self, other: "Oddities") -> "Oddities":
        modes = sorted(self.deep.keys() | other.deep.keys())
        return Oddities(
            {mode: self.deep.get(mode, NONE).plus(other.deep.get(mode, NONE)) for mode in modes},
            self.turned.plus(other.turned),
            self.single_valued.plus(other.single_valued),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "deep": {mode: count._asdict() for mode, count in self.deep.items()},
            **{
                kind: {"n": count.n, "examples": list(count.examples)}
                for kind, count in (("turned", self.turned), ("single_valued", self.single_valued))
            },
        }

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Oddities":
        """Read what `as_dict` wrote; a run of an older errlens has nothing."""
        if not tree:
            return cls()
        return cls(
            {mode: PhotoCount.from_dict(count) for mode, count in tree["deep"].items()},
            PhotoCount.from_dict(tree["turned"]),
            PhotoCount.from_dict(tree["single_valued"]),
        )


def count_oddities(photos: Iterable[tuple[str, Traits]]) -> Oddities:
    """Count the unusual photos among some, each given with its path.

    >>> count_oddities([("a.jpg", Traits()), ("b.png", Traits("I;16", 4095))]).deep
    {'I;16': PhotoCount(n=1, examples=('b.png',), highest=4095)}
    """
    return total(_oddity(path, traits) for path, traits in photos if traits != Traits())


def total(parts: Iterable[Oddities]) -> Oddities:
    """Return what was counted in all parts."""
    return reduce(Oddities.__add__, parts, Oddities())


def _oddity(path: str, traits: Traits) -> Oddities:
    photo = PhotoCount(1, (path,))
    return Oddities(
        {traits.mode: photo._replace(highest=traits.highest)} if traits.mode else {},
        photo if traits.turned else NONE,
        photo if traits.single_valued else NONE,
    )
