"""Which pairs of classes `errlens atlas compare` is asked about."""

from collections.abc import Sequence

from errlens.analysis.confusion.tables import read_pairs
from errlens.analysis.selection.parsing import pair_selector, parse_selector
from errlens.classes.names import ClassNames
from errlens.commands.atlas.classes import asked_class
from errlens.errors import NoResults, UnfitOption, UnfitSelection, some
from errlens.escapes import shell_line
from errlens.run.folder import RunFolder

Pair = tuple[int, int]


def asked_pairs(run: RunFolder, words: Sequence[str], selectors: Sequence[str]) -> list[Pair]:
    """Return the pairs asked for, each once.

    Args:
        run: Knows the classes, and which are taken for one another.
        words: Pairs, or two names of classes.
        selectors: Pairs, or how many of those in pairs.csv.

    Raises:
        UnfitOption: There is no pair, or a class of no name.
        UnfitSelection: A selector means no pair.
        NoResults: There is no pairs.csv that a selector takes them from.
        NoLabels: Nor can there be one.
    """
    classes = run.info.classes
    if not words and not selectors:
        raise UnfitOption("no pair of classes is named", hint=_first_pair(run))
    named = [word for word in words if classes.called(word) is not None or "~" not in word]
    pairs = []
    if named:
        if len(named) != len(words) or len(words) != 2:
            raise UnfitOption(
                f"{some(words)} are no two classes, nor pairs of the form A~B",
                hint=_first_pair(run),
            )
        a, b = (asked_class(run, name, option="CLASS") for name in named)
        if a == b:
            raise UnfitOption(f"{classes[a]} is given twice: a comparison takes two classes")
        pairs.append((a, b))
        words = []
    for text in (*words, *selectors):
        pairs += _selected(run, text, classes)
    return list({frozenset(pair): pair for pair in reversed(pairs)}.values())[::-1]


def _selected(run: RunFolder, text: str, classes: ClassNames) -> list[Pair]:
    terms = parse_selector(text, classes)
    if len(terms) == 1 and terms[0].kind == "~":
        a, b = terms[0].classes
        return [(a, b)]
    if len(terms) == 1 and terms[0].kind == "pairs":
        if not run.metrics.get("top1"):
            raise run.no_labels()
        pairs = read_pairs(run)[: terms[0].number]
        if not pairs:
            raise UnfitSelection(f"{text!r}: no two classes are taken for one another")
        return pairs
    raise UnfitSelection(f"{text!r} is no pair: it is A~B or pairs:N", hint=_first_pair(run))


def _first_pair(run: RunFolder) -> str:
    """Name the pair that is confused the most; without confusions two classes."""
    classes = run.info.classes
    try:
        pairs = read_pairs(run)
    except NoResults:
        pairs = []
    a, b = (classes[of_class] for of_class in (pairs[0] if pairs else (0, -1)))
    pair = pair_selector(a, b, classes)
    what = "the pair that is confused the most" if pairs else "as in"
    return f"{what}: {shell_line([pair] if pair else [a, b])}"
