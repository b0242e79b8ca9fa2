"""Which images to look at together, so that what tells classes apart can be seen."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.selection.parsing import NUMBERED, Term, parse_selector
from errlens.analysis.selection.picking import Selectable, selected_rows
from errlens.formats import count, counted
from errlens.run.file_names import distinct_names

MOST_SIDE_BY_SIDE: Final = 40  # classes of a group


class Section(NamedTuple):
    """Images that belong together: the first of `total`, by row.

    `trained` is the class whose training images may follow.
    """

    heading: str
    rows: tuple[int, ...]
    total: int
    trained: int | None = None


class Gallery(NamedTuple):
    """Sections to be seen side by side, or one without a heading.

    `name` tells it from all others of a run, and holds no more than a file's may. `about` is what
    a person's remarks may be about: two classes, a group or a row.
    """

    name: str
    title: str
    sections: tuple[Section, ...]
    about: Term | None = None


def galleries_of(selectors: Sequence[str], among: Selectable, *, most: int) -> Iterator[Gallery]:
    """Yield the galleries that selectors ask for.

    `A~B`, and each of `pairs:N`, has four sections: what is taken for the other class, both ways,
    and what is right. `A/B` has three. `group:N` has one for each class: its errors inside the
    group, then what is right. Everything else is one sequence.

    Errors come in the order of the ranking, what is right by confidence, highest first.

    Args:
        selectors: They mean something in this run: see `selected_rows`.
        among: The images.
        most: How many images a gallery may have; sections share them.
    """
    names = distinct_names(among.classes.names)
    drawn: set[str] = set()
    for selector in selectors:
        for gallery in _galleries(selector, among, most, names):
            if gallery.name not in drawn:
                drawn.add(gallery.name)
                yield gallery


def _galleries(
    selector: str, among: Selectable, most: int, names: Sequence[str]
) -> Iterator[Gallery]:
    """Yield the galleries of one selector; `names` are those of the classes in file names."""
    terms = parse_selector(selector, among.classes)
    kind = terms[0].kind if len(terms) == 1 else ""
    name = "+".join(_file_name(term, names) for term in terms)
    if kind in ("~", "/"):
        yield _pair(terms[0], among, most)._replace(name=name)
    elif kind == "pairs":
        for ends in among.pairs()[: terms[0].number]:
            pair = Term("~", ends)
            yield _pair(pair, among, most)._replace(name=_file_name(pair, names))
    elif kind == "group":
        yield _group(terms[0], among, most)._replace(name=name)
    else:
        gallery = sequence(name, selected_rows([selector], among), most=most, title=selector)
        if kind == "row":
            gallery = gallery._replace(title=f"row {terms[0].number}", about=terms[0])
        yield gallery


def _file_name(term: Term, names: Sequence[str]) -> str:
    """Return a name that no other term has, of characters that a file's name may hold."""
    classes = [names[index] for index in term.classes]
    if term.kind == "~":
        return "~".join(classes)
    if term.kind == "/":
        return "-as-".join(classes)
    digest = hashlib.sha256(term.free.encode()).hexdigest()[:8] if term.free else ""
    number = [str(term.number)] if term.kind in NUMBERED else []
    return "-".join([term.kind, *classes, *number, *([digest] if digest else [])])


def sequence(name: str, rows: NDArray[np.int64], *, most: int, title: str | None = None) -> Gallery:
    """Return the gallery of some images in their order."""
    first = tuple(rows[:most].tolist())
    heading = f"{title or name} ({_images(len(first), of=len(rows))})"
    return Gallery(name, heading, (Section("", first, len(rows)),))


def _pair(term: Term, among: Selectable, most: int) -> Gallery:
    """Return what was taken for another class beside what was not."""
    (a, b), both = term.classes, term.kind == "~"
    names = [among.classes[index] for index in term.classes]
    ways = [(a, b), (b, a)] if both else [(a, b)]
    each = max(1, most // (len(ways) + 2))
    label, pred = among.column("label"), among.column("pred")
    sections = [
        _section(
            f"{among.classes[x]} taken for {among.classes[y]}",
            among.ranked((label == x) & (pred == y)),
            each,
        )
        for x, y in ways
    ]
    sections += [
        _section(f"{among.classes[x]}, right", among.surest_right(x), each)._replace(trained=x)
        for x in (a, b)
    ]
    sign = "~" if both else "/"
    return Gallery("", f" {sign} ".join(names), tuple(sections), term)


def _group(term: Term, among: Selectable, most: int) -> Gallery:
    """Return the classes of a group side by side."""
    members = among.group(term.number)
    shown = members[:MOST_SIDE_BY_SIDE]
    each = max(2, most // len(shown))
    label, pred = among.column("label"), among.column("pred")
    inside = np.isin(pred, members)
    sections = []
    for member in shown:
        wrong = among.ranked((label == member) & (pred != member) & inside)
        right = among.surest_right(member)
        # Half of the room is for each, unless one of them needs less.
        n_wrong = min(len(wrong), max(each - each // 2, each - len(right)))
        rows = (*wrong[:n_wrong].tolist(), *right[: each - n_wrong].tolist())
        heading = f"{among.classes[member]}: {len(wrong)} taken for others here"
        sections.append(Section(heading, rows, len(wrong) + len(right), member))
    of = f", {len(shown)} of {counted(len(members), 'class')}" * (len(shown) < len(members))
    return Gallery("", f"group {term.number}{of}", tuple(sections), term)


def _section(heading: str, rows: NDArray[np.int64], most: int) -> Section:
    first = tuple(rows[:most].tolist())
    return Section(f"{heading}: {_images(len(first), of=len(rows))}", first, len(rows))


def _images(shown: int, *, of: int) -> str:
    """Write how many images there are.

    >>> _images(1, of=1), _images(3, of=20)
    ('1 image', '3 of 20 images')
    """
    return f"{count(shown)} of " * (shown < of) + counted(of, "image")
