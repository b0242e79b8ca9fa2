"""The ways to read a text as words joined by plus signs, which words may hold as well."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Meaning = TypeVar("Meaning")


def joined_readings(
    text: str, meanings: Callable[[str], Iterable[Meaning]], *, reach: Callable[[str], int]
) -> Iterator[tuple[Meaning, ...]]:
    """Yield the readings of a text one by one, those with the longest first word first.

    The time before the first one is that of looking up `reach` words at each plus sign.

    Args:
        text: Words joined by plus signs.
        meanings: Returns what a word may mean; nothing if it is none.
        reach: Returns how many pieces between plus signs a word may have, of its first piece.

    >>> words = {"a", "b", "a+b"}
    >>> list(joined_readings("a+b", lambda word: {word} & words, reach=lambda piece: 2))
    [('a+b',), ('a', 'b')]
    """
    pieces = text.split("+")
    n = len(pieces)
    # By the piece where a word starts: where it ends, and what it means, if the rest is readable.
    words: list[list[tuple[int, Meaning]]] = [[] for _ in range(n)]
    for start in reversed(range(n)):
        for end in range(min(n, start + reach(pieces[start])), start, -1):
            if end == n or words[end]:
                readable = meanings("+".join(pieces[start:end]))
                words[start] += [(end, meaning) for meaning in readable]
    reading: list[Meaning] = []
    ways = [iter(words[0])]
    while ways:
        step = next(ways[-1], None)
        if step is None:
            ways.pop()
            del reading[-1:]
            continue
        end, meaning = step
        reading.append(meaning)
        if end < n:
            ways.append(iter(words[end]))
            continue
        yield tuple(reading)
        del reading[-1]
