"""`errlens atlas compare`: what speaks for one of two classes, for the other, and for both."""

from dataclasses import dataclass, replace
from typing import Final

from errlens.analysis.atlas.classes.class_points import pair_points
from errlens.analysis.atlas.classes.compared import pair_cells, pair_layout
from errlens.analysis.atlas.classes.pair_sentences import pair_sentences
from errlens.analysis.atlas.collected import Collected, read_collected
from errlens.analysis.atlas.mapped import mapped
from errlens.analysis.embedding.tsne import STEPS
from errlens.commands.atlas.classes import class_file
from errlens.commands.atlas.compare import view
from errlens.commands.atlas.compare.asked import Pair, asked_pairs
from errlens.commands.atlas.compare.options import ComparePairOptions
from errlens.commands.atlas.compare.result import PairAtlas, PairResult
from errlens.commands.atlas.layers import asked_layers
from errlens.commands.atlas.maps import MapTold, write_map
from errlens.commands.atlas.marks import require_one_map
from errlens.commands.atlas.pictures import map_pictures
from errlens.commands.atlas.words import concerning, run_and_words
from errlens.errors import InputError
from errlens.figures.paper.letters import shown_name
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.report.atlas.page import write_atlas_page
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

KIND: Final = "compare"


def compare_classes(options: ComparePairOptions, screen: Screen | None = None) -> PairResult:
    """Draw maps of pairs of classes."""
    screen = screen or options.screen()
    run, words = run_and_words(options, screen, options.classes or [])
    info = run.require_model()
    pairs = asked_pairs(run, words, options.select or [])
    names = asked_layers(run, options.layer)
    require_one_map(options.mark, names, each=len(pairs), what="pair")
    layers = [read_collected(run, name) for name in names]
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    drawing = _Drawing(run, classifier, options, screen)
    result = PairResult([drawing.atlas(layer, pair) for layer in layers for pair in pairs])
    result = result._replace(page=write_atlas_page(run))
    view.show(screen, run, options, result)
    view.print_json(screen, run, result)
    return result


@dataclass(frozen=True)
class _Drawing:
    """Draws maps of two classes of a run."""

    run: RunFolder
    classifier: Classifier
    options: ComparePairOptions
    screen: Screen

    def atlas(self, collected: Collected, pair: Pair) -> PairAtlas:
        """Draw the map of two classes, and write it to RUN/atlas/LAYER/compare-A__B.

        Raises:
            InputError: No point adds to either.
        """
        run, options = self.run, self.options
        a, b = (run.info.classes[of_class] for of_class in pair)
        chosen = pair_points(collected.attributions, pair)
        if not len(chosen):
            raise InputError(
                f"no point of layer {collected.layer} adds to {a} or to {b}: they have no map"
            )
        with concerning(f"{a} and {b} at layer {collected.layer}"):
            with self.screen.progress(f"laying out {a} and {b}", total=STEPS) as advance:
                layout = pair_layout(
                    collected.activations[chosen],
                    collected.attributions[chosen],
                    pair,
                    method=options.layout,
                    advance=advance,
                )
            drawn = mapped(
                collected,
                chosen,
                layout.places,
                classes=run.info.classes.names,
                grid=options.grid,
                min_density=options.min_density,
            )
        found = pair_cells(
            drawn.means.attribution, pair, drawn.cells.cell,
            collected.table.iloc[chosen].reset_index(drop=True),
        )  # fmt: skip
        table = drawn.table.assign(difference=found.difference, n_pair_errors=found.n_errors)
        drawn = replace(drawn, table=table)
        pictures = map_pictures(run, collected, drawn, self.classifier, options, self.screen)
        told = MapTold(
            kind=KIND,
            title=f"{shown_name(a)} and {shown_name(b)} at layer {collected.layer}",
            layout=layout.method,
            sentences=[*pair_sentences(table, found, (a, b)), *layout.remarks],
            how=f"Cells to the right add more to {shown_name(a)}, those to the left more to "
            f"{shown_name(b)}.",
            parameters={"classes": [a, b]},
            near="from the top down, those near one another are alike in what else they show",
            ends=(shown_name(b), shown_name(a)),
        )
        first, second = (class_file(run.info.classes.names, of_class) for of_class in pair)
        folder = collected.folder / f"{KIND}-{first}__{second}"
        decisive = options.decisive()
        with renewed_folder(folder, run_hash=collected.identity, options=decisive) as results:
            write_map(results, collected, drawn, pictures, told, options)
        return PairAtlas(
            collected.layer, (a, b), drawn, layout.method, told.sentences, pictures.absent, folder,
            results.written,
        )  # fmt: skip
