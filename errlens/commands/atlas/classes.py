"""Which class an option of the group names."""

from errlens.errors import UnfitOption, which_of
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
