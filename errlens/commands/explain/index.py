"""Explanations become rows of the index."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errlens.attribution.cases import Explanation
from errlens.attribution.faithfulness import Faithfulness
from errlens.attribution.map_checks import map_flags, shrunk
from errlens.attribution.pointing_game import energy_inside
from errlens.commands.explain.album import ABOUT, FAILED, OK, Files
from errlens.data.outlines import Regions
from errlens.maps import Attribution, NoMap


class IndexMaker:
    """Collects the rows of the index: what is known of every map."""

    def __init__(self, regions: Mapping[int, Regions], options: str) -> None:
        self._regions = regions
        self._options = options
        self._rows: list[dict[str, Any]] = []
        self._small: list[NDArray[np.float32] | None] = []

    def add(
        self,
        found: Explanation,
        files: Mapping[str, Files],
        tests: Mapping[str, Faithfulness],
    ) -> None:
        """Add the maps of an image; `files` and `tests` are by method."""
        facts = {name: found.case.facts[name] for name in ABOUT} | {"options": self._options}
        regions = self._regions.get(found.case.facts["row"])
        for method, maps in found.maps.items():
            for place, one in enumerate(found.of_both(method)):
                row = {**facts, "method": method, **_of_map(one, files[method])}
                # Where the object is, is known of the image as the newer network is fed.
                if isinstance(one, Attribution) and regions and place < len(maps):
                    row |= _shares(one, regions)
                if method in tests and one.target.name == "predicted":
                    row |= {f"{name}_auc": area for name, area in tests[method]._asdict().items()}
                self._rows.append(row)
                self._small.append(shrunk(one.values) if isinstance(one, Attribution) else None)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows; maps that say nothing, or the same of all images, have a flag."""
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, row in enumerate(self._rows):
            if self._small[place] is not None:
                groups[row["method"], row["target"]].append(place)
        for places in groups.values():
            maps = [one for place in places if (one := self._small[place]) is not None]
            for place, flag in zip(places, map_flags(maps), strict=True):
                self._rows[place]["flag"] = flag or None
        return self._rows


def _of_map(one: Attribution | NoMap, files: Files) -> dict[str, Any]:
    if isinstance(one, NoMap) or files.why_none:
        reason = one.reason if isinstance(one, NoMap) else files.why_none
        return {"target": one.target.name, "status": FAILED, "error": reason}
    return {
        "target": one.target.name,
        "score": one.score,
        "baseline": one.baseline,
        "layer": one.layer,
        "file": files.picture,
        "maps_file": files.maps,
        "unit": one.unit,
        "raw_min": float(one.values.min()),
        "raw_max": float(one.values.max()),
        "completeness_gap": one.completeness_gap,
        "status": OK,
    }


def _shares(one: Attribution, regions: Regions) -> dict[str, float | None]:
    """Return how much of the evidence, and how much of the image, lies in each region."""
    found: dict[str, float | None] = {}
    for name, region in regions._asdict().items():
        found[f"{name}_share"] = energy_inside(one.values, region)
        found[f"{name}_area"] = None if region is None else float(region.mean())
    return found
