"""How explanations look: pictures, the index of all maps, and the terminal."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.evidence import evidence_share
from errlens.analysis.map_checks import map_flags, shrunk
from errlens.attribution import load_method, method_names
from errlens.attribution._cases import Case, Finding
from errlens.data.outlines import Regions
from errlens.figures.heatmaps import Panel, draw_heatmaps
from errlens.figures.letters import shown_name
from errlens.figures.overlay import common_scale, overlay
from errlens.file_names import distinct_names, file_name
from errlens.maps import Attribution, NoMap
from errlens.predictions import SCHEMA_VERSION
from errlens.run import RunFolder
from errlens.terminal import Screen, relative

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from errlens.attribution._subject import Subject
    from errlens.results import ResultsWriter

COLUMNS: Final = (
    "row", "sample_id", "label_name", "pred_name", "method", "target", "score", "baseline", "layer",
    "file", "raw_min", "raw_max", "completeness_gap", "status", "error", "flag", "object_share",
    "head_share",
)  # fmt: skip
_NUMBERS: Final = (
    "score", "raw_min", "raw_max", "completeness_gap", "object_share", "head_share",
)  # fmt: skip
_TEXTS: Final = tuple(name for name in COLUMNS if name not in (*_NUMBERS, "row"))
OK: Final = "ok"
FAILED: Final = "failed"
SHOWN: Final = 10


def draw_finding(finding: Finding, *, alpha: float, colormap: str | None) -> "Figure | None":
    """Draw the maps of one image by one method; None where there is none."""
    facts = finding.case.facts
    headed = zip(finding.maps, finding.case.headings, strict=True)
    panels = [_panel(one, heading) for one, heading in headed if isinstance(one, Attribution)]
    maps = [one for one in finding.maps if isinstance(one, Attribution)]
    if finding.image is None or not maps:
        return None
    label = "no label" if facts["label_name"] is None else shown_name(facts["label_name"])
    confidence = "" if facts["confidence"] is None else f" ({facts['confidence']:.3f})"
    return draw_heatmaps(
        finding.image,
        [Panel("as fed", None), *panels],
        title=f"{label} → {shown_name(facts['pred_name'])}{confidence}",
        subtitle=_subtitle(maps[0], facts),
        unit=maps[0].unit,
        alpha=alpha,
        colormap=colormap,
        signed=any((one.values < 0).any() for one in maps),
    )


def draw_overlay(
    finding: Finding, *, alpha: float, colormap: str | None
) -> NDArray[np.uint8] | None:
    """Return the image as fed under its last map, which by default is the difference."""
    maps = [one.values for one in finding.maps if isinstance(one, Attribution)]
    if finding.image is None or not maps:
        return None
    signed = any((one < 0).any() for one in maps)
    return overlay(
        finding.image,
        maps[-1],
        scale=common_scale(maps[-1:]),
        alpha=alpha,
        colormap=colormap,
        signed=signed,
    )


class IndexMaker:
    """Collects the rows of the index, and gives every picture a name of its own."""

    def __init__(self, cases: Sequence[Case], regions: Mapping[int, Regions]) -> None:
        self._regions = regions
        names = sorted({name for one in cases for name in _ends(one)})
        self._folder = dict(zip(names, distinct_names(names), strict=True))
        self._rows: list[dict[str, Any]] = []
        self._small: list[NDArray[np.float32] | None] = []

    def add(self, finding: Finding) -> str:
        """Add the maps of an image by one method; return the name of its picture, less `.png`."""
        facts = finding.case.facts
        folder = "__".join(self._folder[name] for name in _ends(finding.case))
        stem = file_name(PurePosixPath(facts["path"]).stem)
        name = f"{folder}/{facts['row']}_{stem}_{finding.method}"
        for one in finding.maps:
            row = _index_row(finding, one, f"{name}.png")
            if isinstance(one, Attribution) and facts["row"] in self._regions:
                regions = self._regions[facts["row"]]
                row["object_share"] = evidence_share(one.values, regions.object)
                row["head_share"] = evidence_share(one.values, regions.head)
            self._rows.append(row)
            self._small.append(shrunk(one.values) if isinstance(one, Attribution) else None)
        return name

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


def _ends(case: Case) -> tuple[str, str]:
    """Return the names that the folder of a picture has."""
    return case.facts["label_name"] or "unlabelled", case.facts["pred_name"]


def _index_row(finding: Finding, one: Attribution | NoMap, file: str) -> dict[str, Any]:
    facts = {name: finding.case.facts[name] for name in COLUMNS[:4]}
    row = {**facts, "method": finding.method, "target": one.target.name}
    if isinstance(one, NoMap):
        return {**row, "status": FAILED, "error": one.reason}
    return {
        **row,
        "score": one.score,
        "baseline": one.baseline,
        "layer": one.layer,
        "file": file,
        "raw_min": float(one.values.min()),
        "raw_max": float(one.values.max()),
        "completeness_gap": one.completeness_gap,
        "status": OK,
    }


def index_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of the index as a table."""
    table = pd.DataFrame(list(rows), columns=[*COLUMNS])
    kinds = dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(_TEXTS, "str") | {"row": "int64"}
    return table.astype(kinds)


def merged(before: pd.DataFrame | None, index: pd.DataFrame) -> pd.DataFrame:
    """Return the index of calls before with that of this one in place of the same maps, by row."""
    made = set(zip(index["row"], index["method"], strict=True))
    old = index_table([]) if before is None else before
    stays = [pair not in made for pair in zip(old["row"], old["method"], strict=True)]
    old = index_table(cast("list[dict[str, Any]]", old[stays].to_dict("records")))
    together = pd.concat([old, index], ignore_index=True)
    return together.sort_values(["row", "method"], kind="stable", ignore_index=True)


def show_methods(screen: Screen, subject: "Subject") -> None:
    """List every method, with what it shows or why it does not fit the network."""
    rows = []
    for name in method_names():
        method = load_method(name)
        reason = method.unsupported(subject)
        rows.append((name, "no" if reason else "yes", reason or method.SUMMARY))
    screen.table(("method", "fits", "what it shows, or why not"), rows)


def show_findings(
    screen: Screen, run: RunFolder, index: pd.DataFrame, results: "ResultsWriter", *, asked: int
) -> None:
    """Print what was explained, what could not be, and where it is; `asked` images were meant."""
    if not asked:
        screen.say("No image to explain: the run has no errors.")
    done = asked - index["row"].nunique()
    if done:
        screen.say(
            f"{done} of {asked} images were explained before; --overwrite explains them anew"
        )
    images = index.drop_duplicates(["row", "method"])
    rows = [
        (
            str(one["row"]),
            f"{_text(one['label_name'])} -> {one['pred_name']}",
            one["method"],
            one["file"] if one["status"] == OK else f"none: {one['error']}",
        )
        for one in cast("list[dict[str, Any]]", images.head(SHOWN).to_dict("records"))
    ]
    screen.table((">row", "true -> predicted", "method", "picture"), rows)
    if len(images) > SHOWN:
        screen.say(f"and {len(images) - SHOWN} more: see index.csv")
    _show_shares(screen, index)
    _warn(screen, index)
    screen.say()
    pictures = sum(name.endswith(".png") for name in results.written)
    others = [name for name in results.written if "/" not in name]
    screen.say(
        f"Wrote {relative(run.path / 'explain')}: {pictures} picture{'s' * (pictures != 1)}, "
        f"{', '.join(others)}"
    )


def print_json(
    screen: Screen, run: RunFolder, index: pd.DataFrame, *, files: Sequence[str]
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    plain = index.astype(object).where(index.notna(), None)
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "explain",
            "run": str(run.path),
            "run_hash": run.info.run_hash,
            "maps": plain.to_dict("records"),
            "files": list(files),
        }
    )


def _panel(one: Attribution, heading: str) -> Panel:
    rows, columns = one.values.shape
    score = "p" if one.unit == "probability" else "logit"
    return Panel(shown_name(heading), one.values, f"{score} {one.score:.3f}, {rows} x {columns}")


def _subtitle(one: Attribution, facts: Mapping[str, Any]) -> str:
    parts = [one.method]
    parts += [f"layer {one.layer}"] if one.layer else []
    parts += [f"against {one.baseline}"] if one.baseline else []
    parts.append(f"row {facts['row']}")
    return ", ".join(parts)


def _show_shares(screen: Screen, index: pd.DataFrame) -> None:
    """Print how much of the evidence for the predicted class lies on the object, on average."""
    known = index[(index["target"] == "predicted") & index["object_share"].notna()]
    if not len(known):
        return
    right = known["label_name"] == known["pred_name"]
    rows = [
        (
            str(method),
            "right" if is_right else "wrong",
            f"{one['object_share'].mean():.3f}",
            "-" if one["head_share"].isna().all() else f"{one['head_share'].mean():.3f}",
            str(len(one)),
        )
        for (method, is_right), one in known.groupby(["method", right])
    ]
    screen.say()
    heads = ("evidence for the predicted class", "images", ">on the object", ">on its head", ">n")
    screen.table(heads, rows)


def _warn(screen: Screen, index: pd.DataFrame) -> None:
    failed = index[index["status"] == FAILED]
    if len(failed):
        first = failed.iloc[0]
        screen.warn(f"{len(failed)} maps are missing; row {first['row']}: {first['error']}")
    for flag, images in index.dropna(subset="flag").groupby("flag"):
        screen.warn(f"{len(images)} maps are {flag}: see the column flag of index.csv")


def _text(value: Any) -> str:
    return "-" if pd.isna(value) else str(value)
