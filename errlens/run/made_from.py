"""What the folder of a command's results says of itself: of which run, and which files are its."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from errlens.documents import BadDocument, parse_json, read_text
from errlens.errors import OutsideRun
from errlens.run.disk import inside

MADE_FROM: Final = "made_from.json"  # which run, by which options, and which files


def files_made(folder: Path) -> set[Path]:
    """Return the files in a folder that a command wrote; none where none did."""
    with suppress(OSError, OutsideRun):  # what cannot be entered, or is a link, is nobody's
        if (folder / MADE_FROM).is_file():
            return {folder / name for name in files_of_before(folder)}
    return set()


def record_of(folder: Path) -> dict[str, Any]:
    """Return what a folder says it was made from; nothing if it does not say."""
    try:
        record = parse_json(read_text(inside(folder / MADE_FROM, folder)))
    except BadDocument:
        return {}
    return record if isinstance(record, dict) else {}


def files_of_before(folder: Path) -> list[str]:
    """Return the files that errlens wrote into a folder, the one that vouches for them first.

    Whatever the record says, they lie in this folder: what it holds is matched, not what it names.
    """
    names = record_of(folder).get("files")
    names = names if isinstance(names, list) else []
    here = []
    for place, folders, files in os.walk(folder):
        here += [(Path(place) / file).relative_to(folder).as_posix() for file in files]
        if Path(place) != folder:
            folders.clear()  # errlens writes no deeper, others may have nested without end
    return [MADE_FROM, *(name for name in here if name in names)]
