"""Which classes of a run are meant by names, and by lists of names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from errlens.classes.lists import read_list
from errlens.classes.names import ClassNames
from errlens.data.labels import kind_of_labels, match_labels
from errlens.errors import BadClassFile, UnfitOption, did_you_mean, nearest, some, which_of
from errlens.formats import are, count, counted

_OF_FILES: Final = (".txt", ".csv", ".tsv", ".json", ".yaml", ".yml")


def chosen_classes(texts: Sequence[str], classes: ClassNames, *, option: str) -> list[int]:
    """Return the classes that are meant, each once, in output order.

    Args:
        texts: Names of classes, several with commas between, or the paths of lists of them: files,
            or folders of class folders. Lists may hold numbers of outputs in place of names.
        classes: The classes of the run.
        option: What the user gave them to, for messages.

    Raises:
        UnfitOption: A text is neither.
        MissingInput: There is no such file.
        BadClassFile: A file cannot be read, or names none of the classes.
        AmbiguousLabels: A name may mean several classes.

    >>> chosen_classes(["Dog", "cat"], ClassNames(("cat", "dog", "emu")), option="--only")
    [0, 1]
    """
    chosen: set[int] = set()
    for text in texts:
        named = _named_classes(text, classes)
        if named:
            chosen.update(named)
        elif text and (Path(text).exists() or Path(text).suffix.lower() in _OF_FILES):
            chosen.update(_listed_classes(Path(text), classes))
        else:
            raise UnfitOption(
                f"{option}: {text!r} names no class of the run, and no file",
                hint=which_of(text, classes.names),
            )
    return sorted(chosen)


def _named_classes(text: str, classes: ClassNames) -> list[int]:
    """Return the class of this name, or those of these names; nothing if they are not all names."""
    index = classes.called(text)
    places = [index] if index is not None else [classes.called(name) for name in text.split(",")]
    named = [place for place in places if place is not None]
    return named if len(named) == len(places) else []


def _listed_classes(path: Path, classes: ClassNames) -> list[int]:
    names = read_list(path)
    meant = match_labels(names, classes, kind=kind_of_labels(names, classes))
    unknown = [name for name, index in meant.items() if index is None]
    if unknown:
        near = nearest(unknown[0], classes.names)
        raise BadClassFile(
            f"{count(len(unknown))} of {counted(len(names), 'name')} in {str(path)!r} "
            f"{are(len(unknown))} "
            f"no class of the run: {some(unknown)}",
            hint=did_you_mean(near, f"its classes are {some(classes.names)}"),
        )
    return [index for index in meant.values() if index is not None]
