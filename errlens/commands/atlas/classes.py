"""Which class an option of the group names, and what its files are called."""

from collections.abc import Sequence

from errlens.errors import UnfitOption, which_of
from errlens.run.file_names import distinct_names
from errlens.run.folder import RunFolder


def asked_class(run: RunFolder, name: str, *, option: str) -> int:
    """Return the index of a class of a run by its name, in whatever spelling.

    Raises:
        UnfitOption: No class of the run is called so.
    """
    classes = run.info.classes
    index = classes.called(name)
    if index is None:
        raise UnfitOption(f"{option} {name!r} names no class", hint=which_of(name, classes.names))
    return index


def class_file(names: Sequence[str], index: int) -> str:
    """Return what stands for a class in names of files, which no other class of a run shares.

    >>> [class_file(["a/b", "Cat", "cat", "a b"], index) for index in range(4)]
    ['a_b', 'Cat', 'cat-2', 'a_b-2']
    """
    return distinct_names(names)[index]
