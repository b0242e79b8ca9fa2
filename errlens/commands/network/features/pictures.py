"""Which pictures are drawn of what channels answer to: a sheet a layer, and one of all layers."""

from typing import Final

from errlens.commands.network.features.result import FeaturesResult
from errlens.commands.network.features.tables import class_words, shown_images
from errlens.figures.network.feature_sheets import Block, Section, draw_feature_sheet
from errlens.formats import count, counted, number, of
from errlens.network.units.crops import BY_ENERGY, FIELD
from errlens.network.units.top_images import TopOfLayer
from errlens.run.file_names import distinct_names
from errlens.run.results import ResultsWriter

STACKED: Final = "layers.png"
MOST_STACKED: Final = 4  # channels of a layer on the sheet of all layers
_BY_ENERGY: Final = "to where the projection has its energy"
_CLASSES: Final = 2  # named below a channel


def draw(results: ResultsWriter, result: FeaturesResult, *, top: int) -> None:
    """Draw a sheet for each layer and, where there are several, one of all layers."""
    layers = result.found.layers
    names = distinct_names([layer.layer.name for layer in layers])
    for layer, name in zip(layers, names, strict=True):
        blocks = [_block(result, layer, at) for at in range(len(layer.channels))]
        title = f"{layer.layer.name}: what its channels answer to"
        legend = _legend(result, [layer])
        sheet = draw_feature_sheet([Section("", blocks)], title=title, legend=legend, top=top)
        results.png(f"sheets/{name}.png", sheet)
    if len(layers) > 1:
        sections = [Section(_heading(layer), _stacked(result, layer)) for layer in layers]
        title = "What channels answer to, layer by layer"
        legend = _legend(result, layers)
        results.png(STACKED, draw_feature_sheet(sections, title=title, legend=legend, top=top))


def _stacked(result: FeaturesResult, layer: TopOfLayer) -> list[Block]:
    """Return a few channels of a layer, those that fire first."""
    order = sorted(range(len(layer.channels)), key=lambda at: not layer.fires[at])
    return [_block(result, layer, at) for at in sorted(order[:MOST_STACKED])]


def _heading(layer: TopOfLayer) -> str:
    rows, columns = layer.layer.spatial.grid
    return (
        f"{layer.layer.name} ({counted(layer.layer.channels, 'channel')} of {rows} x {columns} "
        "places)"
    )


def _block(result: FeaturesResult, layer: TopOfLayer, at: int) -> Block:
    name, channel = layer.layer.name, int(layer.channels[at])
    patches = [
        patch
        for rank in range(layer.images.shape[1])
        if (patch := result.patches.get((name, channel, rank)))
    ]
    heading = f"channel {channel}"
    if not patches:
        why = f"never above zero in {counted(result.found.seen, 'image')}"
        return Block(heading, [], [], why_none=why)
    shown = shown_images(layer, at, result.images)
    classes = class_words([facts["class_name"] for facts in shown], most=_CLASSES)
    parents = class_words([facts["superclass"] for facts in shown])
    heading += f": highest {number(float(layer.values[at, 0]))}"
    if layer.fires[at] < result.found.seen:
        heading += f", fires in {of(int(layer.fires[at]), result.found.seen)}"
    projections = [patch.projection for patch in patches if patch.projection is not None]
    lines = [text for text in (classes, parents) if text]
    return Block(heading, lines, [patch.photo for patch in patches], projections or None)


def _legend(result: FeaturesResult, layers: list[TopOfLayer]) -> str:
    """Say how to read a sheet, and what must be known of it."""
    found = result.found
    crops = {
        patch.crop
        for (layer, _, _), patch in result.patches.items()
        if layer in {each.layer.name for each in layers}
    }
    sides = f"Left: {result.projection} projections; right: patches"
    remarks = {layer.layer.name: result.remarks.get(layer.layer.name) for layer in layers}
    lines = [
        f"{sides if result.projection else 'Patches'} of the images with the highest activations, "
        f"one place an image, of {count(found.seen)}; {_cropped(crops)}. Below: their classes.",
        *(f"{name}: {remark}." for name, remark in remarks.items() if remark),
    ]
    return "\n".join(lines)


def _cropped(crops: set[str]) -> str:
    """Say what was cut out of the images."""
    if FIELD in crops and BY_ENERGY in crops:
        return (
            "cropped to the receptive field of the unit, or where that is larger than the input "
            f"{_BY_ENERGY}"
        )
    if FIELD in crops:
        return "cropped to the receptive field of the unit"
    if BY_ENERGY in crops:
        return f"cropped {_BY_ENERGY}, for the receptive field is larger than the input"
    return "the whole input"
