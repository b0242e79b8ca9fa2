"""The galleries of what is wrong: those that were selected, or of the worst errors."""

from collections.abc import Iterator

from errlens.commands.misclassified.options import MisclassifiedOptions
from errlens.commands.misclassified.result import MisclassifiedResult
from errlens.commands.options.selecting import Selection
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitOption
from errlens.galleries.choice import Gallery, galleries_of, sequence
from errlens.galleries.drawing import posters, write_posters
from errlens.galleries.tiles import TileMaker, training_images
from errlens.run.folder import RunFolder
from errlens.run.results import ResultsWriter
from errlens.terminal import StartProgress


def draw(
    run: RunFolder,
    results: ResultsWriter,
    result: MisclassifiedResult,
    options: MisclassifiedOptions,
    *,
    progress: StartProgress,
) -> dict[str, str]:
    """Draw the galleries and return the path of each image that cannot be shown, and why."""
    maker = TileMaker(
        result.selection.images,
        options.images_root(run),
        training_images(options.train, run.info.classes) if options.train else {},
        result.notes,
        run.info.max_file_mb,
    )
    alike = {page.facts["row"]: page.alike or [] for page in result.pages}
    return write_posters(
        results,
        posters(list(_galleries(result.selection, options)), maker, alike=alike),
        as_fed=_preprocessing(run) if options.as_fed else None,
        progress=progress,
    )


def _galleries(selection: Selection, options: MisclassifiedOptions) -> Iterator[Gallery]:
    """Yield the galleries that were selected; else of the worst and of the exceptional errors."""
    among = selection.among
    if options.select:
        yield from galleries_of(options.select, among, most=options.tiles)
        return
    title = f"worst errors by {selection.rank}"
    yield sequence("worst", selection.rows, most=options.tiles, title=title)
    if among.exceptional is not None and len(among.exceptional):
        yield from galleries_of(["exceptional"], among, most=options.tiles)


def _preprocessing(run: RunFolder) -> Preprocessing:
    """Return how a run saw its images.

    Raises:
        UnfitOption: It cannot be done again.
    """
    settings = run.require_model().settings.preprocessing
    if "transform" in settings:
        raise UnfitOption(
            f"--as-fed: the run was made with --transform {settings['transform']}, "
            "which only a program that imports it can repeat"
        )
    return Preprocessing.from_dict(settings)
