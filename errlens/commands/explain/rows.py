"""The numbers of photos that belong to no run: each keeps its own, whoever explains what else."""

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from pathlib import Path


class Rows:
    """Hands out numbers for what several processes may add to a folder at the same time.

    What is promised and not in the index yet stands in a hidden file beside the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder.with_name(f".{folder.name}.rows.json")

    def promise(self, names: Sequence[str], known: Mapping[str, int]) -> dict[str, int]:
        """Return a number for each name: that which it has, else one that is free.

        Nobody else may do so at the same time.

        Args:
            names: The photos.
            known: The numbers in the index.
        """
        taken = {**self._promised(), **known}
        free = count(max(taken.values(), default=-1) + 1)
        rows = {name: taken[name] if name in taken else next(free) for name in names}
        self._write({name: row for name, row in (taken | rows).items() if name not in known})
        return rows

    def keep(self, names: Collection[str]) -> None:
        """Forget the promises for names whose numbers are in the index."""
        self._write({name: row for name, row in self._promised().items() if name not in names})

    def _promised(self) -> dict[str, int]:
        try:
            found = json.loads(self._place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        pairs = found.items() if isinstance(found, dict) else ()
        return {name: row for name, row in pairs if isinstance(row, int)}

    def _write(self, promised: Mapping[str, int]) -> None:
        if promised:
            self._place.write_text(json.dumps(promised), encoding="utf-8")
        else:
            self._place.unlink(missing_ok=True)
