"""Names of checkpoints as short as they can be told apart."""

import re
from collections.abc import Sequence
from typing import Final

_SEPARATOR: Final = re.compile(r"[._\-\s/]")  # where what names have in common may end


def short_names(names: Sequence[str]) -> list[str]:
    """Return names without what all of them have in common, as far as that is whole parts.

    >>> short_names(["net.pets.epoch00", "net.pets.epoch10", "net.pets.last"])
    ['epoch00', 'epoch10', 'last']
    >>> short_names(["net-1-ema", "net-2-ema"])
    ['1', '2']
    """
    before = _shared_parts(names)
    left = [name[before:] for name in names]
    after = _shared_parts([name[::-1] for name in left])
    short = [name[: len(name) - after] for name in left]
    return short if all(short) else list(names)


def _shared_parts(names: Sequence[str]) -> int:
    """Return how many letters names share from the start, up to the last separator there."""
    shared = 0
    for separator in _SEPARATOR.finditer(names[0]):
        if not all(name.startswith(names[0][: separator.end()]) for name in names):
            break
        shared = separator.end()
    return shared
