"""`errlens atlas render`: a map of all that a layer tells apart."""

import numpy as np

from errlens.analysis.atlas.collected import Collected, read_collected
from errlens.analysis.atlas.layout import Layout, laid_out
from errlens.analysis.atlas.mapped import AtlasMap, mapped
from errlens.analysis.atlas.sentences import sentences_of
from errlens.analysis.embedding.tsne import STEPS
from errlens.commands.atlas.classes import asked_class
from errlens.commands.atlas.layers import asked_layers
from errlens.commands.atlas.maps import MapTold, write_map
from errlens.commands.atlas.pictures import map_pictures
from errlens.commands.atlas.render import view
from errlens.commands.atlas.render.options import RenderOptions
from errlens.commands.atlas.render.result import RenderedLayer, RenderResult
from errlens.commands.atlas.words import concerning
from errlens.errors import UnfitOption
from errlens.figures.paper.letters import shown_name
from errlens.model.classifier import Classifier
from errlens.model.reload import reload_classifier
from errlens.report.atlas.page import write_atlas_page
from errlens.run.folder import RunFolder
from errlens.run.results import renewed_folder
from errlens.terminal import Screen

KIND = "render"


def render(options: RenderOptions, screen: Screen | None = None) -> RenderResult:
    """Draw the atlases of the layers whose points were collected."""
    screen = screen or options.screen()
    run = options.open_run(screen)
    info = run.require_model()
    class_index = None
    if options.opacity is not None:
        class_index = asked_class(run, options.opacity, option="--opacity")
    names = asked_layers(run, options.layer)
    if options.mark and len(names) > 1:
        raise UnfitOption(
            f"--mark takes one layer, and there are {len(names)}: each has cells of its own",
            hint=f"--layer {names[-1]}",
        )
    layers = [read_collected(run, name) for name in names]
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    result = RenderResult(
        [
            _rendered(run, collected, classifier, class_index, options, screen)
            for collected in layers
        ]
    )
    result = result._replace(page=write_atlas_page(run))
    view.show(screen, run, options, result)
    view.print_json(screen, run, result)
    return result


def _rendered(
    run: RunFolder,
    collected: Collected,
    classifier: Classifier,
    class_index: int | None,
    options: RenderOptions,
    screen: Screen,
) -> RenderedLayer:
    """Draw the atlas of a layer, and write it to RUN/atlas/LAYER/render."""
    classes = run.info.classes.names
    with concerning(f"layer {collected.layer}"):
        with screen.progress(f"laying out {collected.layer}", total=STEPS) as advance:
            layout = laid_out(collected.activations, method=options.layout, advance=advance)
        drawn = mapped(
            collected,
            np.arange(len(collected)),
            layout.places,
            classes=classes,
            grid=options.grid,
            min_density=options.min_density,
        )
    pictures = map_pictures(run, collected, drawn, classifier, options, screen)
    told = _told(run, collected, drawn, layout, class_index)
    strength = None if class_index is None else drawn.means.attribution[:, class_index]
    folder = collected.folder / KIND
    decisive = options.decisive(opacity=options.opacity)
    with renewed_folder(folder, run_hash=collected.identity, options=decisive) as results:
        write_map(results, collected, drawn, pictures, told, options, strength=strength)
    return RenderedLayer(
        collected.layer, drawn, layout.method, told.sentences, pictures.absent, folder,
        results.written,
    )  # fmt: skip


def _told(
    run: RunFolder,
    collected: Collected,
    drawn: AtlasMap,
    layout: Layout,
    class_index: int | None,
) -> MapTold:
    how, name = "", None
    if class_index is not None:
        name = run.info.classes.names[class_index]
        how = (
            f"The fainter, the less a cell says about {shown_name(name)}; those with a blue frame "
            "speak against it."
        )
    return MapTold(
        kind=KIND,
        title=f"Activation atlas of layer {collected.layer}",
        layout=layout.method,
        sentences=[*sentences_of(drawn), *layout.remarks],
        how=how,
        parameters={"opacity": name},
    )
