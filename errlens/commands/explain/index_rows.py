"""The rows of the index: what is known of every map, with the region that its evidence lies in."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errlens.attribution.cases import Explanation
from errlens.attribution.judging.faithfulness import Faithfulness
from errlens.attribution.judging.map_checks import POOR_FIT, map_flags, shrunk
from errlens.attribution.judging.pointing_game import energy_inside
from errlens.commands.explain.job import Job
from errlens.commands.explain.picture_files import ABOUT, Files
from errlens.commands.explain.tables import FAILED, OK
from errlens.data.objects.outlines import Regions, read_regions
from errlens.maps import Attribution, NoMap
from errlens.model.classifier import Classifier


class IndexRows:
    """Collects the rows of the index: what is known of every map."""

    def __init__(self, regions: Mapping[int, Regions], options: str) -> None:
        self._regions = regions
        self._options = options
        self._rows: list[dict[str, Any]] = []
        self._small: list[NDArray[np.float32] | None] = []

    def add(
        self,
        explanation: Explanation,
        files: Mapping[str, Files],
        tests: Mapping[str, Faithfulness],
    ) -> None:
        """Add the maps of an image; `files` and `tests` are by method."""
        facts = {name: explanation.case.facts[name] for name in ABOUT} | {"options": self._options}
        regions = self._regions.get(explanation.case.facts["row"])
        for method, maps in explanation.maps.items():
            for place, shown in enumerate(explanation.of_both(method)):
                row = {**facts, "method": method, **_of_map(shown, files[method])}
                # Where the object is, is known of the image as the newer network is fed.
                if isinstance(shown, Attribution) and regions and place < len(maps):
                    row |= _shares(shown, regions)
                if method in tests and shown.target.name == "predicted":
                    row |= {f"{name}_auc": area for name, area in tests[method]._asdict().items()}
                self._rows.append(row)
                self._small.append(shrunk(shown.values) if isinstance(shown, Attribution) else None)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows; what says nothing, fits poorly or is the same of all has a flag."""
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, row in enumerate(self._rows):
            if self._small[place] is not None:
                groups[row["method"], row["target"]].append(place)
        for places in groups.values():
            maps = [small for place in places if (small := self._small[place]) is not None]
            for place, flag in zip(places, map_flags(maps), strict=True):
                self._rows[place]["flag"] = flag or self._rows[place].get("flag")
        return self._rows


def _of_map(shown: Attribution | NoMap, files: Files) -> dict[str, Any]:
    if isinstance(shown, NoMap) or files.why_none:
        reason = shown.reason if isinstance(shown, NoMap) else files.why_none
        return {"target": shown.target.name, "status": FAILED, "error": reason}
    return {
        "target": shown.target.name,
        "score": shown.score,
        "baseline": shown.baseline,
        "layer": shown.layer,
        "file": files.picture,
        "maps_file": files.maps,
        "unit": shown.unit,
        "raw_min": float(shown.values.min()),
        "raw_max": float(shown.values.max()),
        "completeness_gap": shown.completeness_gap,
        "absorbed": shown.absorbed,
        "r_squared": shown.r_squared,
        "status": OK,
        "flag": POOR_FIT if shown.fits_poorly else None,
    }


def _shares(shown: Attribution, regions: Regions) -> dict[str, float | None]:
    """Return how much of the evidence, and how much of the image, lies in each region."""
    shares: dict[str, float | None] = {}
    for name, region in regions._asdict().items():
        shares[f"{name}_share"] = energy_inside(shown.values, region)
        shares[f"{name}_area"] = None if region is None else float(region.mean())
    return shares


def regions_of(job: Job, classifier: Classifier) -> dict[int, Regions]:
    """Return where the object of each image is, by row, as far as outlines or masks say."""
    if job.how.masks is None:
        return {}
    return read_regions(
        job.how.masks,
        {case.facts["row"]: case.facts["path"] for case in job.cases},
        classifier.preparation,
        photos=job.root,
        max_mb=job.max_mb,
    )
