"""What channels answer to, by the images of the run where they fire most: `network features`."""

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from pydantic import BaseModel

from errlens.errors import shortened
from errlens.formats import count, counted, number, of, share
from errlens.report.parts import records
from errlens.report.sections.network.results import Results
from errlens.report.sections.network.told import Block, Cell, Picture, Table, Told, text_cell
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

MAIN: Final = "firing.csv"
LAYERS_SHOWN: Final = 6
CHANNELS_SHOWN: Final = 64  # of a layer
SENTENCE: Final = 5  # channels that one names
# What the page needs to know of firing.csv and of features.csv.
_FIRING: Final[Columns] = {
    "layer": TEXT, "channel": WHOLE, "highest": NUMBER, "fires": WHOLE, "n": WHOLE,
    "n_shown": WHOLE, "top_class": TEXT, "n_top_class": WHOLE, "share_of_run": NUMBER,
    "classes": TEXT,
}  # fmt: skip
_STRONGEST: Final[Columns] = {
    "layer": TEXT, "channel": WHOLE, "rank": WHOLE, "row": WHOLE, "path": TEXT,
}  # fmt: skip
_LEAST_SHOWN: Final = 3
_MOST: Final = 2 / 3  # of its strongest images, from which a channel answers to a class

_Strongest = dict[tuple[str, int], dict[str, Any]]  # by layer and channel


class _Layer(BaseModel):
    """What features.json says of a layer."""

    layer: str
    n_channels: int
    remark: str | None = None


class _Parameters(BaseModel):
    """What it says of all."""

    n_images: int
    projection: str | None = None
    layers: list[_Layer]


def tell(results: Results) -> Told:
    """Return a block a layer: which classes its channels answer to, and the sheet of them.

    Raises:
        NoResults: A file is not there, was made of other predictions, or is damaged.
    """
    firing = results.table(MAIN, _FIRING, known=("layer",))
    first = results.table("features.csv", _STRONGEST, known=("layer", "path"))
    parameters = results.document("features.json", _Parameters)
    if {layer.layer for layer in parameters.layers} != {*firing["layer"]}:
        raise results.damaged("features.json")
    strongest = {(row["layer"], row["channel"]): row for row in records(first[first["rank"] == 1])}
    sheets = [name for name in results.files if name.startswith("sheets/")]
    known_sheets = sheets if len(sheets) == len(parameters.layers) else []
    blocks = [
        _block(
            results,
            layer,
            firing[firing["layer"] == layer.layer],
            strongest,
            known_sheets[at : at + 1],
        )
        for at, layer in enumerate(parameters.layers[:LAYERS_SHOWN])
    ]
    rest = len(parameters.layers) - LAYERS_SHOWN
    return Told(
        [*_overview(results, parameters), *blocks],
        rest=f"and {counted(rest, 'further layer')} in network/features" if rest > 0 else "",
    )


def _overview(results: Results, parameters: _Parameters) -> list[Block]:
    """Tell of all layers together, where there are several."""
    if "layers.png" not in results.files:
        return []
    n = counted(len(parameters.layers), "layer")
    alt = f"What channels of {n} answer to, layer by layer"
    return [Block(pictures=[results.picture("layers.png", f"{n}, one below the other", alt=alt)])]


def _block(
    results: Results,
    layer: _Layer,
    firing: pd.DataFrame,
    strongest: _Strongest,
    sheets: Sequence[str],
) -> Block:
    """Tell of a layer."""
    name, channels = shortened(layer.layer), records(firing)
    return Block(
        heading=name,
        sentences=_in_words(layer, channels),
        pictures=[_sheet(results, sheet, name) for sheet in sheets],
        tables=[_table(results, name, channels, strongest)],
    )


def _sheet(results: Results, sheet: str, layer: str) -> Picture:
    alt = f"The images in which channels of {layer} fire most, cropped to what they see"
    return results.picture(sheet, f"what channels of {layer} answer to", alt=alt)


def _in_words(layer: _Layer, channels: Sequence[dict[str, Any]]) -> list[str]:
    """Say which channels answer to one class, and which never fire."""
    seen = max((channel["n"] for channel in channels), default=0)
    said = [f"{of(len(channels), layer.n_channels)} channels over {counted(seen, 'image')}."]
    of_a_class = [channel for channel in channels if _answers_to_a_class(channel)]
    if of_a_class:
        named = "; ".join(
            f"channel {channel['channel']} to {shortened(channel['top_class'])} "
            f"({of(channel['n_top_class'], channel['n_shown'])}, of the run "
            f"{share(channel['share_of_run'])})"
            for channel in of_a_class[:SENTENCE]
        )
        rest = len(of_a_class) - SENTENCE
        more = f"; {count(rest)} more to one class" if rest > 0 else ""
        said.append(f"By the images where they fire most, they answer to one class: {named}{more}.")
    elif any(channel["n_shown"] >= _LEAST_SHOWN for channel in channels):
        said.append("No channel has mostly one class among the images where it fires most.")
    silent = [str(channel["channel"]) for channel in channels if not channel["fires"]]
    if silent:
        said.append(f"Never above zero: {counted(len(silent), 'channel')}, {_few(silent)}.")
    if layer.remark:
        said.append(f"{shortened(layer.remark, most=400)}.")
    return said


def _answers_to_a_class(channel: dict[str, Any]) -> bool:
    """Tell whether most of the strongest images are of one class, and the run is not."""
    shown, run = channel["n_shown"], channel["share_of_run"]
    if channel["top_class"] is None or run is None or shown < _LEAST_SHOWN:
        return False
    part = channel["n_top_class"] / shown
    return bool(part >= _MOST and part > run)


def _few(names: Sequence[str]) -> str:
    more = f" and {count(len(names) - SENTENCE)} more" if len(names) > SENTENCE else ""
    return ", ".join(names[:SENTENCE]) + more


def _table(
    results: Results, layer: str, channels: Sequence[dict[str, Any]], strongest: _Strongest
) -> Table:
    """Return the channels, each with its strongest image."""
    rest = len(channels) - CHANNELS_SHOWN
    return Table(
        title=f"Channels of {layer}",
        heads=(
            "channel>", "highest>", "fires in>", "mostly>", "of the run>",
            "classes of its strongest images", "strongest image",
        ),
        rows=[
            [
                Cell(str(channel["channel"]), channel["channel"]),
                Cell(number(channel["highest"]), channel["highest"]),
                Cell(of(channel["fires"], channel["n"]), channel["fires"]),
                Cell(of(channel["n_top_class"], channel["n_shown"]), channel["n_top_class"]),
                Cell(share(channel["share_of_run"]), channel["share_of_run"]),
                text_cell(channel["classes"]),
                _image(results, strongest.get((channel["layer"], channel["channel"]))),
            ]
            for channel in channels[:CHANNELS_SHOWN]
        ],
        rest=f"and {count(rest)} more in network/features/firing.csv" if rest > 0 else "",
    )  # fmt: skip


def _image(results: Results, row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell("")
    [at] = results.shots.want([row["row"]])
    return Cell(shortened(row["path"]), row=at)
