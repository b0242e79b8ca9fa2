"""`errlens atlas class`: what speaks for a class, and what of that is more another class's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.atlas.classes.class_points import ClassPoints, class_points
from errlens.analysis.atlas.classes.class_sentences import class_sentences
from errlens.analysis.atlas.collected import Collected, read_collected
from errlens.analysis.atlas.layout import laid_out
from errlens.analysis.atlas.mapped import AtlasMap, mapped
from errlens.analysis.embedding.tsne import STEPS
from errlens.atlas.patches import patch_boxes
from errlens.commands.atlas.class_ import view
from errlens.commands.atlas.class_.background import background_of
from errlens.commands.atlas.class_.options import ClassOptions
from errlens.commands.atlas.class_.result import ClassAtlas, ClassResult, ClassTables
from errlens.commands.atlas.class_.tables import class_tables, with_columns
from errlens.commands.atlas.classes import asked_class, class_file
from errlens.commands.atlas.layers import asked_layers
from errlens.commands.atlas.maps import MapTold, write_map
from errlens.commands.atlas.marks import require_one_map
from errlens.commands.atlas.pictures import MapPictures, map_pictures
from errlens.commands.atlas.words import concerning, run_and_words
from errlens.errors import InputError, UnfitOption, some
from errlens.figures.paper.letters import shown_name
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.report.atlas.page import write_atlas_page
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

KIND: Final = "class"
FRAMED: Final = 3  # suspects


def class_atlas(options: ClassOptions, screen: Screen | None = None) -> ClassResult:
    """Draw the atlases of classes, and find their suspects."""
    screen = screen or options.screen()
    run, words = run_and_words(options, screen, options.classes or [])
    info = run.require_model()
    classes = _asked(run, words)
    names = asked_layers(run, options.layer)
    require_one_map(options.mark, names, each=len(classes), what="class")
    layers = [read_collected(run, name) for name in names]
    wanted = [
        (collected, of_class, _points_of(run, collected, of_class))
        for collected in layers
        for of_class in classes
    ]
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    drawing = _Drawing(run, classifier, options, screen)
    result = ClassResult([drawing.atlas(*of_class) for of_class in wanted])
    result = result._replace(page=write_atlas_page(run))
    view.show(screen, run, options, result)
    view.print_json(screen, run, result)
    return result


def _asked(run: RunFolder, words: Sequence[str]) -> list[int]:
    """Return the classes asked for, each once.

    Raises:
        UnfitOption: There is none, or none of a name.
    """
    if not words:
        names = run.info.classes.names
        raise UnfitOption("no CLASS is named", hint=f"this run has {some(names)}")
    return list(dict.fromkeys(asked_class(run, word, option="CLASS") for word in words))


def _points_of(run: RunFolder, collected: Collected, of_class: int) -> NDArray[np.int64]:
    """Return the points that speak for a class.

    Raises:
        InputError: There is none.
    """
    top_class = collected.table["top_class"].to_numpy()
    chosen = class_points(collected.attributions, top_class, of_class)
    if not len(chosen):
        there = [run.info.classes[at] for at in np.unique(top_class).tolist()]
        raise InputError(
            f"no point of layer {collected.layer} adds to {run.info.classes[of_class]}: there is "
            "no atlas of it",
            hint=f"points add the most to {some(there)}",
        )
    return chosen


@dataclass(frozen=True)
class _Drawing:
    """Draws atlases of classes of a run."""

    run: RunFolder
    classifier: Classifier
    options: ClassOptions
    screen: Screen

    def atlas(self, collected: Collected, of_class: int, chosen: NDArray[np.int64]) -> ClassAtlas:
        """Draw the atlas of a class, and write it to RUN/atlas/LAYER/class-NAME."""
        run, options = self.run, self.options
        name = run.info.classes[of_class]
        activations = collected.activations[chosen]
        with concerning(f"{name} at layer {collected.layer}"):
            with self.screen.progress(f"laying out {name}", total=STEPS) as advance:
                layout = laid_out(activations, method=options.layout, advance=advance)
            drawn = mapped(
                collected,
                chosen,
                layout.places,
                classes=run.info.classes.names,
                grid=options.grid,
                min_density=options.min_density,
            )
        points = self._points(collected, drawn, of_class)
        drawn = with_columns(drawn, points, activations.mean(axis=0, dtype=np.float64))
        pictures = map_pictures(run, collected, drawn, self.classifier, options, self.screen)
        boxes = patch_boxes(self.classifier, collected.layer, collected.grid)
        tables = class_tables(drawn, points, pictures, boxes)
        sentences = [*class_sentences(points, drawn.table, *tables), *layout.remarks]
        told = MapTold(
            kind=KIND,
            title=f"What speaks for {shown_name(name)} at layer {collected.layer}",
            layout=layout.method,
            sentences=sentences,
            how=_how(tables),
            parameters={"class": name},
        )
        folder = collected.folder / f"{KIND}-{class_file(run.info.classes.names, of_class)}"
        decisive = options.decisive(masks=None if options.masks is None else str(options.masks))
        with renewed_folder(folder, run_hash=collected.identity, options=decisive) as results:
            write_map(results, collected, drawn, _framed(pictures, tables), told, options)
            for table_name, table in tables._asdict().items():
                results.csv(f"{table_name}.csv", table)
        return ClassAtlas(
            collected.layer, name, drawn, layout.method, tables, sentences, pictures.absent, folder,
            results.written,
        )  # fmt: skip

    def _points(self, collected: Collected, drawn: AtlasMap, of_class: int) -> ClassPoints:
        table = collected.table.iloc[drawn.points].reset_index(drop=True)
        table["cell"] = drawn.cells.cell
        table["background"] = background_of(
            self.run, collected.grid, table, self.classifier, self.options, self.screen
        )
        return ClassPoints(
            table, collected.attributions[drawn.points], of_class, self.run.info.classes.names
        )


def _framed(pictures: MapPictures, tables: ClassTables) -> MapPictures:
    """Frame the first suspects, where nothing else is to be."""
    if pictures.marks:
        return pictures
    first = tables.suspects.head(FRAMED)
    marks = [
        (int(cell), str(rank)) for cell, rank in zip(first["cell"], first["rank"], strict=True)
    ]
    return pictures._replace(marks=marks)


def _how(tables: ClassTables) -> str:
    if not len(tables.suspects):
        return ""
    return "Suspects add to the class, though more to the one named; the first are framed, by rank."
