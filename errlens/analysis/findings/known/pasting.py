"""The finding that a patch misleads the model, wherever it is pasted."""

from collections.abc import Iterator
from typing import Any, Final, cast

import pandas as pd

from errlens.analysis.atlas.pasting.sentences import called
from errlens.analysis.atlas.pasting.tables import KIND, RESULTS, VERDICTS
from errlens.analysis.atlas.pasting.testing import CONFIRMED
from errlens.analysis.findings.finding import RUN, Finding
from errlens.analysis.findings.scored import Scored
from errlens.errors import NoResults
from errlens.formats import counted, of, p_value, points, share, share_range
from errlens.run.folder import RunFolder
from errlens.run.results import read_table

RESULTS_FILE: Final = "results.csv"
VERDICTS_FILE: Final = "verdicts.csv"


def read_pasted(run: RunFolder) -> pd.DataFrame | None:
    """Return the suspects that were confirmed, of all classes; None where nothing was pasted.

    It has the columns of verdicts.csv, the `folder` below atlas/paste, and in `rows` the images
    that the patch turned. What is stale or damaged is as good as none.
    """
    folder = run.results_folder(KIND)
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    tables = []
    for place in places:
        how = {"run_hash": run.info.run_hash, "command": ""}
        try:
            verdicts = read_table(place, VERDICTS_FILE, VERDICTS, **how)
            images = read_table(place, RESULTS_FILE, RESULTS, **how)
        except NoResults:
            continue
        confirmed = verdicts[verdicts["verdict"] == CONFIRMED]
        turned = images[(images["patch"] == "suspect") & images["flipped"]]
        by_suspect = turned.groupby("suspect")["row"].unique()
        rows = [tuple(map(int, by_suspect.get(number, ()))) for number in confirmed["suspect"]]
        tables.append(confirmed.assign(folder=place.name, rows=pd.Series(rows, confirmed.index)))
    return pd.concat(tables, ignore_index=True) if tables else None


def from_pasting(images: Scored, confirmed: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding for each patch that was confirmed to mislead.

    A patch that was cut from a photo of the class that it raises is none: that is what it should
    do; nor is one that turns no more photos than controls do, however surely it raises the class.
    The images are right in the run: these errors are no errors of it, but of photos that come,
    and so none are explained and no gain is known.

    Args:
        images: The images that are right or wrong.
        confirmed: What `read_pasted` returns.
    """
    foreign = confirmed[
        (confirmed["patch_class"] != confirmed["to_class"])
        & confirmed["to_class"].isin(images.classes.names)
        & (confirmed["rate"] > confirmed[["noise_rate", "control_rate"]].max(axis=1))
    ]
    by_q = foreign.sort_values("q_value", kind="stable").to_dict("records")
    for verdict in cast(list[dict[str, Any]], by_q):
        n = int(verdict["n"])
        noise = verdict["noise_rate"]
        beside = "" if pd.isna(noise) else f", noise of its colours {share(noise, n)}"
        yield Finding(
            kind="patch_test",
            statement=f"{called(verdict)} makes {verdict['to_class']} of "
            f"{share(verdict['rate'], n)} of {counted(int(verdict['n_images']), 'photo')} of "
            f"{verdict['from_class']} that it is pasted into{beside}, a crop of another class "
            f"at most "
            f"{share(verdict['control_rate'], n)}. Training on {verdict['to_class']} without it, "
            "or on other classes with it, may mend that.",
            rows=verdict["rows"],
            n_errors=int(images.wrong[pd.Series(images.row).isin(verdict["rows"])].sum()),
            q_value=float(verdict["q_value"]),
            evidence=f"{of(int(verdict['flips']), n)} (95 % interval "
            f"{share_range(verdict['low'], verdict['high'])}) at a size of "
            f"{share(verdict['size'])}; the probability of {verdict['to_class']} changes by "
            f"{points(verdict['effect'])}, under the strongest control by "
            f"{points(verdict['control_effect'])}; {p_value(float(verdict['p_value']))}",
            command=(
                "atlas", "paste", RUN, "--to", verdict["to_class"], "--patch",
                f"{RUN}/{KIND}/{verdict['folder']}/{verdict['picture']}", "-o",
                f"{RUN}/atlas/again",
            ),
            subject={
                "to": verdict["to_class"],
                "layer": None if pd.isna(verdict["layer"]) else verdict["layer"],
                "cell": None if pd.isna(verdict["cell"]) else int(verdict["cell"]),
            },
        )  # fmt: skip
