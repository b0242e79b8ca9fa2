"""`errlens explain`: why this class and not that one, for the worst errors, in one batch."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from errlens.commands._options import OutputOptions, OverwriteOption, RunArgument
from errlens.commands._selecting import ImagesOption, SelectOptions
from errlens.errors import NothingExplained, UnfitOption

if TYPE_CHECKING:
    import pandas as pd

    from errlens.attribution._cases import Case, Finding
    from errlens.attribution._subject import Settings, Subject
    from errlens.data.outlines import Regions
    from errlens.model.classifier import Classifier
    from errlens.results import ResultsWriter
    from errlens.run import RunFolder
    from errlens.terminal import Screen

KIND = "explain"


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(RunArgument, SelectOptions, ImagesOption, OutputOptions, OverwriteOption):
    """Options of `errlens explain`."""

    top: Annotated[
        int, typer.Option(min=1, metavar="N", help="Images at most, the first of the ranking.")
    ] = 20
    method: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="See --list; repeatable.  [default: grad-cam]"),
    ] = None
    list_methods: Annotated[
        bool, typer.Option("--list", help="List the methods, and whether they fit the model.")
    ] = False
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --list: of this model, without a run.")
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="What to explain: predicted, true, second, top3 or a class; repeatable.  "
            "[default: predicted, true (or second, where it is right) and why one rather than the "
            "other]",
        ),
    ] = None
    layer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The layer to look at.  [default: the last map]"),
    ] = None
    mask: Annotated[
        str,
        typer.Option(metavar="X%|N", help="What occlusion hides: a share of a side, or pixels."),
    ] = "20%"
    stride: Annotated[
        str | None,
        typer.Option(metavar="X%|N", help="From mask to mask.  [default: half a mask]"),
    ] = None
    fill: Annotated[
        Literal["mean", "gray", "black", "blur", "noise"], typer.Option(help="What hides.")
    ] = "mean"
    probability: Annotated[
        bool, typer.Option("--probability", help="Occlusion of the probability, not the logit.")
    ] = False
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Of integrated gradients.")] = 50
    samples: Annotated[int, typer.Option(min=1, metavar="N", help="Of smooth-grad.")] = 25
    noise: Annotated[
        float, typer.Option(min=0, metavar="X", help="Of smooth-grad, as a share of the range.")
    ] = 0.15
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Outlines of the objects: adds the share of the evidence that lies on them.",
        ),
    ] = None
    overlay_only: Annotated[
        bool, typer.Option("--overlay-only", help="A picture is the overlay alone, as fed.")
    ] = False
    alpha: Annotated[
        float, typer.Option(min=0, max=1, metavar="X", help="Opacity of full colour.")
    ] = 0.7
    colormap: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Such as jet or viridis.  [default: by the method]"),
    ] = None
    save_maps: Annotated[
        bool, typer.Option("--save-maps", help="Also write the maps, in raw units, as npz.")
    ] = False
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="Where the model runs.")
    ] = "auto"
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Images at a time.  [default: by their size]"),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Of noise.")] = 0

    def settings(self, classifier: "Classifier") -> "Settings":
        """Return the options of methods."""
        from errlens.attribution._subject import Settings

        names = ("mask", "stride", "fill", "probability", "steps", "samples", "noise", "seed")
        chosen = {name: getattr(self, name) for name in names}
        return Settings(batch_size=self.batch_size or classifier.good_batch_size, **chosen)


def explain(options: ExplainOptions) -> None:
    """Show where in an image the network found its reasons.

    For each error a picture: the image as fed, what speaks for the predicted class, for the true
    one, and for the one rather than the other; red speaks for it, blue against it. Pictures and
    their index go to RUN/explain; a second call adds to them. A method that cannot explain a
    network honestly says why.
    """
    from errlens.commands import _explain_view as view
    from errlens.results import renewed_results
    from errlens.terminal import Screen

    screen = Screen(quiet=options.quiet, verbose=options.verbose, as_json=options.json)
    methods = _methods(options)
    if options.list_methods:
        run = None if options.model else options.open_run(screen)
        view.show_methods(screen, _subject(options, run))
        return
    run = options.open_run(screen)
    run.require_model()
    asked = _cases(run, options)
    cases = _left(run, asked, methods, options)
    before = _index_before(run)
    with renewed_results(run, KIND, options=_decisive(options), keep=_is_kept) as results:
        rows = _explain(screen, run, cases, methods, results, options) if cases else []
        index = view.index_table(rows)
        results.csv("index.csv", view.merged(before, index))
    view.show_findings(screen, run, index, results, asked=len(asked))
    view.print_json(screen, run, index, files=results.written)
    if rows and not (index["status"] == view.OK).any():
        raise NothingExplained(f"no map could be made: {index['error'].iloc[0]}")


def _methods(options: ExplainOptions) -> list[str]:
    """Return the methods asked for, and refuse names that mean nothing."""
    from errlens.attribution import load_method
    from errlens.figures.overlay import colormap_names

    methods = list(dict.fromkeys(options.method or ["grad-cam"]))
    for name in methods:
        load_method(name)
    if options.colormap is not None and options.colormap not in colormap_names():
        raise UnfitOption(
            f"--colormap {options.colormap!r} is not known",
            hint=f"there are {', '.join(colormap_names())}",
        )
    return methods


def _subject(options: ExplainOptions, run: "RunFolder | None") -> "Subject":
    """Return a network without its weights: enough to see which methods fit."""
    from errlens.attribution._subject import Subject
    from errlens.model.reload import untrained_classifier, untrained_model

    if run is None:
        assert options.model is not None  # noqa: S101 - the caller has looked
        classifier = untrained_model(options.model)
    else:
        classifier = untrained_classifier(run.require_model())
    return Subject.of(classifier, layer=options.layer)


def _cases(run: "RunFolder", options: ExplainOptions) -> "list[Case]":
    """Return the images to explain, the first of the ranking."""
    from errlens.attribution._cases import cases_of

    selection = options.choose(run)
    rows = selection.rows[: options.top].tolist()
    return cases_of(run, selection.images, rows, options.target)


def _left(
    run: "RunFolder", cases: "list[Case]", methods: list[str], options: ExplainOptions
) -> "list[Case]":
    """Return the images that a call before, with the same options, has not explained already."""
    from errlens.commands._explain_view import OK
    from errlens.results import options_of

    before = _index_before(run)
    if before is None or options.overwrite or options_of(run, KIND) != _decisive(options):
        return cases
    done = before[before["status"] == OK]
    known = set(zip(done["row"], done["method"], strict=True))
    return [one for one in cases if not {(one.facts["row"], name) for name in methods} <= known]


def _index_before(run: "RunFolder") -> "pd.DataFrame | None":
    """Return the index of the maps that were made of this run before, if there are any."""
    from errlens.errors import NoResults
    from errlens.results import read_results

    try:
        return read_results(run, KIND, "index.csv")
    except NoResults:
        return None


def _explain(
    screen: "Screen",
    run: "RunFolder",
    cases: "list[Case]",
    methods: list[str],
    results: "ResultsWriter",
    options: ExplainOptions,
) -> "list[dict[str, Any]]":
    """Explain the images and write their pictures; return the rows of the index."""
    from errlens.attribution._cases import Explainer
    from errlens.attribution._subject import Subject
    from errlens.commands import _explain_view as view
    from errlens.model.reload import reload_classifier

    classifier = reload_classifier(run.require_model(), device=options.device)
    subject = Subject.of(classifier, layer=options.layer)
    root = options.images_root(run)
    explainer = Explainer(classifier, subject, options.settings(classifier), root)
    index = view.IndexMaker(cases, _regions(cases, classifier, options.masks))
    with screen.progress("explaining", total=len(cases)) as progress:
        for findings in explainer.explain(cases, methods):
            for finding in findings:
                _write(results, index.add(finding), finding, options)
            progress(len(findings) // len(methods))
    return index.rows()


def _regions(
    cases: "list[Case]", classifier: "Classifier", masks: Path | None
) -> "dict[int, Regions]":
    """Return where the object of each image is, by row, as far as the file of outlines says."""
    from errlens.data.outlines import read_outlines
    from errlens.data.preprocess import Preprocessing

    if masks is None:
        return {}
    if not isinstance(classifier.preparation, Preprocessing):
        raise UnfitOption("--masks: where a transform of one's own puts the object is not known")
    outlines = read_outlines(masks)
    found = {
        one.facts["row"]: outlines.regions(one.facts["path"], classifier.preparation)
        for one in cases
    }
    if not any(found.values()):
        raise UnfitOption(f"--masks {str(masks)!r} has no outline of these images")
    return {row: regions for row, regions in found.items() if regions is not None}


def _write(
    results: "ResultsWriter", name: str, finding: "Finding", options: ExplainOptions
) -> None:
    """Write the picture of an image and, if asked for, its maps."""
    from errlens.commands._explain_view import draw_finding, draw_overlay
    from errlens.maps import Attribution

    if options.overlay_only:
        pixels = draw_overlay(finding, alpha=options.alpha, colormap=options.colormap)
        if pixels is not None:
            results.pixels(f"{name}.png", pixels)
    else:
        figure = draw_finding(finding, alpha=options.alpha, colormap=options.colormap)
        if figure is not None:
            results.png(f"{name}.png", figure)
    maps = {one.target.name: one.values for one in finding.maps if isinstance(one, Attribution)}
    if options.save_maps and maps:
        results.npz(f"maps/{name.rpartition('/')[2]}.npz", maps)


def _is_kept(name: str) -> bool:
    """A call adds to what calls before have made, but for the index, which is written anew."""
    return name != "index.csv"


def _decisive(options: ExplainOptions) -> dict[str, object]:
    """Return the options that decide what the files hold."""
    names = (
        "target", "layer", "mask", "stride", "fill", "probability", "steps", "samples", "noise",
        "overlay_only", "alpha", "colormap", "save_maps", "seed",
    )  # fmt: skip
    masks = None if options.masks is None else str(options.masks)
    return {**{name: getattr(options, name) for name in names}, "masks": masks}
