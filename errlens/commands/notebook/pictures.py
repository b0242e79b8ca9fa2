"""Pictures that a command wrote, which a notebook shows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from errlens.formats import counted

LARGEST: Final = 2_000_000  # bytes of a picture that becomes a part of the notebook
_FEW: Final = 3


class Picture:
    """The file of a picture. It may stand wherever a path may, and a notebook shows it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"<{self.path}>"

    def _repr_png_(self) -> bytes | None:
        """Return the picture; of one that is large or gone the path will do."""
        if not self.path.is_file() or self.path.stat().st_size > LARGEST:
            return None
        return self.path.read_bytes()


class Pictures(dict[str, Picture]):
    """Pictures by their names below the folder of the results."""

    def __repr__(self) -> str:
        """Return a line for a notebook: which pictures there are."""
        names = ", ".join([*self][:_FEW]) + ", ..." * (len(self) > _FEW)
        return f"<{counted(len(self), 'picture')}{': ' * bool(self)}{names}>"


def pictures_among(folder: Path, files: Iterable[str]) -> Pictures:
    """Return those files that are pictures; their names start from the folder.

    >>> pictures_among(Path("run/confusion"), ["pairs.csv", "matrix.png"])
    <1 picture: matrix.png>
    """
    return Pictures({name: Picture(folder / name) for name in files if name.endswith(".png")})
