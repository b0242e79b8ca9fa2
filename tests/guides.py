"""Tables of a guide whose rows are a question, the command that answers it, and what that shows."""

import re
from pathlib import Path
from typing import NamedTuple

from PIL import Image

STEP = re.compile(r"^\| (?P<question>.+) \| `errlens (?P<command>.+)` \| (?P<shown>.+) \|$")


class Step(NamedTuple):
    """A row of the table."""

    question: str
    command: str
    shown: str


def steps_of(guide: Path) -> list[Step]:
    """Return all rows, in order."""
    lines = guide.read_text("utf-8").splitlines()
    return [Step(**row.groupdict()) for line in lines if (row := STEP.match(line))]


def require_pictures(paths: list[Path]) -> None:
    """Make sure that what is a PNG among files can be seen."""
    for picture in (path for path in paths if path.suffix == ".png"):
        with Image.open(picture) as drawn:
            assert min(drawn.size) > 100, picture
