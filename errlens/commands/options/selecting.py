"""Options that say which run a command reads, which of its images, and where these lie."""

import dataclasses
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from errlens.choices import Rank
from errlens.commands.options.panels import Panel
from errlens.errors import NoResults, UnfitOption
from errlens.run.places import DEFAULT_RUNS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from errlens.analysis.selection.picking import Selectable
    from errlens.predictions.table import Predictions
    from errlens.run.folder import RunFolder
    from errlens.terminal import Screen

ANY_PHOTO: Final = "path:*"  # selects those without labels, too

MaxFileMBOfRun = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        show_default="as the run, else 500",
        help="Read no image file of more megabytes than this.",
    ),
]


class Selection(NamedTuple):
    """The images of a run, its errors from the worst on, and the rows selected, in their order.

    `single_rows` are those selected as `row:N`. Where nothing was selected, `rows` are all errors,
    and it is not `narrowed`.
    """

    images: "Predictions"
    rank: Rank
    worst: "pd.DataFrame"
    among: "Selectable"
    rows: "NDArray[np.int64]"
    single_rows: tuple[int, ...]
    narrowed: bool

    def table(self) -> "pd.DataFrame":
        """Return the selected images in a table like that of errors; right ones have no rank."""
        import pandas as pd

        from errlens.analysis.mistakes.ranking import image_table

        images = dataclasses.replace(self.images, table=self.images.table.take(self.rows))
        table = image_table(images)
        ranks = dict(zip(self.worst["row"], self.worst["rank"], strict=True))
        rank = table["row"].map(ranks).astype("Int64").rename("rank")
        return pd.concat([rank, table], axis=1)


@dataclass(frozen=True, kw_only=True)
class RunArgument:
    """Which run a command reads."""

    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", show_default="the newest below runs/", help="A run folder."),
    ] = None

    def open_run(self, screen: "Screen") -> "RunFolder":
        """Return the run named, or the newest one and say so; it must be complete."""
        from errlens.run.folder import newest_run, open_run

        run = open_run(self.run) if self.run else newest_run(DEFAULT_RUNS)
        if not self.run:
            screen.remark(f"the newest run: {run.path}")
        run.require_complete()
        return run


@dataclass(frozen=True, kw_only=True)
class PhotoArguments:
    """Photos that belong to no run."""

    PANEL = Panel.IMAGES

    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IMAGE...",
            help="Photos instead of a run, or folders of them; with --model or --checkpoint.",
        ),
    ] = None
    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            rich_help_panel=Panel.OUTPUT,
            show_default="explained",
            help="Where to write what is made of photos without a run; that of a run goes to "
            "RUN/explain.",
        ),
    ] = None
    max_file_mb: MaxFileMBOfRun = None


@dataclass(frozen=True, kw_only=True)
class RankOption:
    """Which errors come first."""

    PANEL = Panel.IMAGES

    rank: Annotated[
        Rank | None,
        typer.Option(
            show_default="loss, or confidence where the run knows no more",
            help="What makes an error bad: a large loss, a negative margin, a high confidence, a "
            "low entropy, or the wrong superclass.",
        ),
    ] = None

    def ranking(self, *runs: "Predictions") -> Rank:
        """Return the ranking asked for, or the best that all runs have the numbers for.

        Raises:
            UnfitOption: A run lacks the numbers that the ranking asked for needs.
        """
        from errlens.analysis.mistakes.ranking import is_known

        if self.rank == "superclass" and not all(images.superclasses for images in runs):
            raise UnfitOption(
                "--rank superclass: the run knows no superclasses",
                hint="choose another ranking, or evaluate or import again with --superclasses FILE",
            )
        if self.rank is not None and not all(is_known(images, self.rank) for images in runs):
            raise UnfitOption(
                f"--rank {self.rank}: the run has no such numbers",
                hint="it was imported without the probabilities of all classes: choose another "
                "ranking, or import them, too, in columns called prob_CLASS",
            )
        known = all(is_known(images, "loss") for images in runs)
        return self.rank or ("loss" if known else "confidence")


@dataclass(frozen=True, kw_only=True)
class SelectOptions(RankOption):
    """Which images, and in which order."""

    PANEL = Panel.IMAGES

    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="Only these images: errors, worst:N, A~B (taken for one another), A/B (A taken "
            "for B), pairs:N, group:N, true:A, pred:A, correct:A, exceptional, fixed:RUN or "
            "broken:RUN (since that run), finding:N (of errlens diagnose), row:N, path:GLOB, "
            "rows:FILE (a table like worst.csv), marked or marked:VERDICT (in marks.json). "
            "Joined by +, all must hold.",
        ),
    ] = None

    def selection_words(self) -> list[str]:
        """Return these options as they are typed, to go on with the same images."""
        words = ["--rank", self.rank] if self.rank else []
        return words + [word for text in self.select or () for word in ("--select", text)]

    def choose(self, run: "RunFolder") -> Selection:
        """Return the images selected; all errors where nothing was."""
        from errlens.analysis.comparison.by_image import changes_since
        from errlens.analysis.confusion.tables import read_groups, read_pairs
        from errlens.analysis.findings.reading import read_findings
        from errlens.analysis.marks.files import read_run_marks
        from errlens.analysis.mistakes.ranking import COLUMNS, worst_table
        from errlens.analysis.selection.parsing import parse_selector
        from errlens.analysis.selection.picking import Selectable, selected_rows
        from errlens.run.folder import open_run

        images = run.read_predictions((*COLUMNS, "status", "content_hash"))
        rank = self.ranking(images)
        worst = worst_table([images], rank)
        among = Selectable(
            table=images.table,
            classes=images.classes,
            ranking=worst["row"].to_numpy(),
            exceptional=_exceptional(run, worst),
            pairs=lambda: read_pairs(run),
            groups=lambda: read_groups(run),
            changes=cache(lambda path: changes_since(open_run(path), run)),
            findings=cache(lambda: [finding.rows for finding in read_findings(run).findings]),
            marks=cache(
                lambda: {row: mark.verdict for row, mark in read_run_marks(run, images).items()}
            ),
        )
        selectors = self.select or ["errors"]
        joined = [parse_selector(text, images.classes) for text in selectors]
        single = [terms[0].number for terms in joined if len(terms) == 1 and terms[0].kind == "row"]
        rows = selected_rows(selectors, among)
        single_rows = tuple(dict.fromkeys(single))
        return Selection(images, rank, worst, among, rows, single_rows, bool(self.select))


@dataclass(frozen=True, kw_only=True)
class ImagesOption:
    """Where the images of a run lie."""

    PANEL = Panel.IMAGES

    data_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", show_default="as the run recorded", help="Where the images lie now."
        ),
    ] = None

    def images_words(self) -> list[str]:
        """Return this option as it is typed, for a command that goes on."""
        return ["--data-root", str(self.data_root)] if self.data_root else []

    def images_root(self, run: "RunFolder") -> Path:
        """Return the folder that the paths of a run start from.

        Raises:
            UnfitOption: `--data-root` is no folder.
        """
        if self.data_root and not self.data_root.is_dir():
            raise UnfitOption(f"--data-root {str(self.data_root)!r} is no folder")
        return self.data_root or Path(run.info.data_root)


def _exceptional(run: "RunFolder", worst: "pd.DataFrame") -> "NDArray[np.int64] | None":
    """Return the errors beyond their superclass: by the run's, else as `confusion` wrote them."""
    import numpy as np

    from errlens.analysis.confusion.exceptional import EXCEPTIONAL_COLUMNS
    from errlens.analysis.mistakes.ranking import crosses_superclass
    from errlens.run.results import read_results

    if run.info.superclasses:
        return np.asarray(worst.loc[crosses_superclass(worst), "row"], np.int64)
    try:
        table = read_results(run, "confusion", "exceptional.csv", EXCEPTIONAL_COLUMNS)
    except NoResults:
        return None
    return np.asarray(table["row"], np.int64)
