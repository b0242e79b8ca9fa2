"""What `--channels` and `--layer` say."""

from collections.abc import Sequence
from typing import Final

from errlens.errors import UnfitOption
from errlens.network.units.top_images import Wanted

_FORM: Final = "random:16, strongest:16, or numbers such as 3,14,47"


def wanted_channels(text: str, *, seed: int) -> Wanted:
    """Return which channels are meant.

    Raises:
        UnfitOption: The text is none of the forms.

    >>> wanted_channels("3, 14", seed=0).named
    (3, 14)
    """
    kind, colon, number = (part.strip() for part in text.partition(":"))
    if kind in ("random", "strongest") and colon:
        n = _whole(number)
        if n is None or n < 1:
            raise UnfitOption(
                f"--channels {text!r}: how many is a number above 0", hint=f"as in {_FORM}"
            )
        return Wanted(drawn=n, seed=seed) if kind == "random" else Wanted(strongest=n)
    named = [_whole(part) for part in text.split(",")]
    if any(channel is None for channel in named):
        raise UnfitOption(f"--channels {text!r} says no channels", hint=f"as in {_FORM}")
    return Wanted(named=tuple(channel for channel in named if channel is not None))


def layer_names(given: Sequence[str] | None) -> list[str] | None:
    """Return the layers that were named, each once; several may stand in one text.

    >>> layer_names(["layer1,layer2", "layer1"])
    ['layer1', 'layer2']
    """
    if given is None:
        return None
    names = [name.strip() for text in given for name in text.split(",")]
    return list(dict.fromkeys(filter(None, names))) or None


def _whole(text: str) -> int | None:
    """Return a whole number, None of any other text."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else None
