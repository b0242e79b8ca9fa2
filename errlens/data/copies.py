"""Copy images into a tree of folders, named by their classes and the predicted ones."""

import tempfile
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from errlens.data.photos.images import Encoded, ImageFile, Unread, decode
from errlens.errors import UnfitOption
from errlens.run.disk import written_to
from errlens.run.file_names import distinct_names, file_name


class Copy(NamedTuple):
    """An image and the folders it goes to, from the top; any names."""

    file: ImageFile
    folders: tuple[str, ...]


def copy_images(
    copies: Sequence[Copy], target: Path, *, progress: Callable[[int], None]
) -> list[tuple[Copy, Unread]]:
    """Copy images to `target/FOLDERS/NAME`, and return those that are gone or changed.

    Names become those of files on any system, and stay different: see `distinct_names`. The tree
    appears when it is complete.

    Raises:
        UnfitOption: There is something at the target.
        OutOfReach: It cannot be written.
    """
    require_free(target)
    with written_to(target):
        return _copy_tree(copies, target, progress)


def _copy_tree(
    copies: Sequence[Copy], target: Path, progress: Callable[[int], None]
) -> list[tuple[Copy, Unread]]:
    failed = []
    with tempfile.TemporaryDirectory(prefix=".errlens.", dir=target.parent) as name:
        tree = Path(name, "tree")
        tree.mkdir()
        for copy, place in zip(copies, _places(copies), strict=True):
            encoded = _image_of(copy.file)
            progress(1)
            if isinstance(encoded, Unread):
                failed.append((copy, encoded))
            else:
                (tree / place).parent.mkdir(parents=True, exist_ok=True)
                (tree / place).write_bytes(encoded.content)
        tree.replace(target)
    return failed


def _image_of(file: ImageFile) -> Encoded | Unread:
    """Read a file; one that was not there when its run was made may be anything but an image."""
    encoded = file.read()
    if file.content_hash is None and isinstance(encoded, Encoded):
        photo = decode(encoded)
        return photo if isinstance(photo, Unread) else encoded
    return encoded


def require_free(target: Path) -> None:
    """Refuse a place where something is, or where nothing can be written.

    Raises:
        UnfitOption: There is something at the target, other than an empty folder.
        OutOfReach: It cannot be made.
    """
    with written_to(target):
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise UnfitOption(
                f"{str(target)!r} is not empty", hint="images are copied to a folder of their own"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".errlens.", dir=target.parent):
            pass


def _places(copies: Sequence[Copy]) -> list[PurePosixPath]:
    """Return where each copy goes in the tree; no two go to one place."""
    names = sorted({name for copy in copies for name in copy.folders})
    folder = dict(zip(names, distinct_names(names), strict=True))
    places: dict[int, PurePosixPath] = {}
    by_folder = sorted(range(len(copies)), key=lambda number: copies[number].folders)
    for folders, numbers in groupby(by_folder, key=lambda number: copies[number].folders):
        members = list(numbers)
        stems = distinct_names([copies[number].file.path.stem for number in members])
        for number, stem in zip(members, stems, strict=True):
            suffix = copies[number].file.path.suffix[1:]
            ending = f".{file_name(suffix)}" if suffix else ""
            places[number] = PurePosixPath(*map(folder.__getitem__, folders), stem + ending)
    return [places[number] for number in range(len(copies))]
