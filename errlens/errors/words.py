"""How a failure names things: a few of many, those spelt alike, what others' code said."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from traceback import walk_tb
from typing import Final

LONGEST_NAME: Final = 300  # a longer word is no misspelt name, and takes long to compare


def in_its_words(error: BaseException) -> str:
    """Return the kind of an error, what it says and the line of the user's code that led to it.

    >>> in_its_words(KeyError("logits"))
    "KeyError: 'logits'"
    """
    words = " ".join(str(error).split())
    sentence = f"{type(error).__name__}: {words}" if words else type(error).__name__
    ours = str(Path(__file__).parent.parent)
    places = [
        (Path(frame.f_code.co_filename).name, line)
        for frame, line in walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith((ours, "<"))
        and "site-packages" not in frame.f_code.co_filename
    ]
    return f"{sentence} ({places[-1][0]}, line {places[-1][1]})" if places else sentence


def nearest(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the known words most like this one, best first.

    >>> nearest("resnet_50", ["vgg11", "resnet50", "resnet101"])
    ['resnet50', 'resnet101']
    """
    if len(word) > LONGEST_NAME:
        return []
    by_folded = {name.casefold(): name for name in known if len(name) <= LONGEST_NAME}
    return [by_folded[name] for name in get_close_matches(word.casefold(), by_folded, n=most)]


def did_you_mean(near: Sequence[str], otherwise: str = "") -> str:
    """Return the hint that names what is spelt alike, or another one.

    >>> did_you_mean(["cat", "cow"]), did_you_mean([], "there are cat and dog")
    ('did you mean cat, cow?', 'there are cat and dog')
    """
    return f"did you mean {', '.join(near)}?" if near else otherwise


def which_of(word: str, known: Sequence[str]) -> str:
    """Return the hint for a name that is not there: those spelt alike, else the first there are.

    >>> which_of("cta", ["cat", "dog"]), which_of("zebra", ["cat", "dog"]), which_of("zebra", [])
    ('did you mean cat?', "there are 'cat', 'dog'", '')
    """
    return did_you_mean(nearest(word, known), f"there are {some(known)}" if known else "")


def some(names: Collection[str], *, most: int = 5) -> str:
    """Name the first few and count the rest.

    >>> some(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(shortened(repr(name)) for name in list(names)[:most])
    rest = len(names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


def shortened(text: str, *, most: int = 120) -> str:
    """Return a text in at most so many characters, without its middle where it is longer.

    Whoever puts a value into a message may have been handed one of a million characters.

    >>> shortened("0123456789", most=7), shortened("short")
    ('01...89', 'short')
    """
    if len(text) <= most:
        return text
    half = (most - 3) // 2
    return f"{text[:half]}...{text[-half:]}"
