"""How filters look on the terminal."""

from typing import Any, Final

import pandas as pd

from errlens.commands import showing
from errlens.commands.network.filters.pictures import shape_of
from errlens.commands.network.filters.result import FiltersResult, Judged
from errlens.commands.showing import and_more, first_rows, records, say_more, show_files
from errlens.formats import count, counted, share
from errlens.network.filters.spectra import BANDS
from errlens.network.filters.suspicions import totals
from errlens.terminal import Screen

SHOWN: Final = 12  # layers of a table
_HEADS: Final = (
    "layer", "kernel", ">filters", ">dead", ">same", ">low", ">middle", ">high", ">beyond",
)  # fmt: skip
_GIVES_WAY: Final = (">low", "kernel", ">same", ">high")


def show(screen: Screen, result: FiltersResult) -> None:
    """Print the layers, what is suspicious, how two networks differ, and where all is."""
    for network in result.networks:
        _show_layers(screen, result, network)
    _explain(screen, result.tables.layers)
    _show_suspicions(screen, result)
    if result.differing:
        screen.say()
        for sentence in result.differing:
            screen.say(sentence)
    for network in result.networks:
        _remark(screen, network)
    show_files(screen, result.folder, result.files)
    screen.step("network filters", result.in_a_line)


def print_json(screen: Screen, result: FiltersResult) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    different = result.differences
    showing.print_json(
        screen,
        "network filters",
        result.networks[0].subject.run,
        folder=str(result.folder),
        **result.as_tree(),
        layers=records(result.tables.layers),
        differences=None if different is None else records(different),
        files=list(result.files),
    )


def _show_layers(screen: Screen, result: FiltersResult, network: Judged) -> None:
    """Print the layers of a network that have frequencies, and those that are suspicious."""
    layers = network.tables.layers
    suspicions = result.suspicions
    told = suspicions.loc[suspicions["network"] == network.name, "layer"]
    notable = layers["layer"].isin(told) | (layers["dead"] > 0) | (layers["duplicates"] > 0)
    shown = layers[layers["low"].notna() | notable.fillna(value=False)]
    # The suspicious ones first, wherever they are; then all in the order of the network.
    urgent = shown["layer"].isin(told)
    kept = [*shown.index[urgent], *shown.index[~urgent]][:SHOWN]
    rows = [_row(layer) for layer in first_rows(shown.loc[sorted(kept)])]
    filled = [at for at, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    screen.say(f"{network.name}: {totals(network.tables, network.name)}")
    screen.table(
        [_HEADS[at] for at in filled],
        [[row[at] for at in filled] for row in rows],
        gives_way=_GIVES_WAY,
        file="layers.csv",
    )
    say_more(screen, len(layers), len(rows), ": see layers.csv", noun="layer")
    screen.say()


def _row(layer: dict[str, Any]) -> tuple[str, ...]:
    return (
        layer["layer"],
        shape_of(layer),
        count(layer["filters"]),
        count(layer["dead"]) if layer["dead"] else "",
        "" if pd.isna(layer["duplicates"]) or not layer["duplicates"]
        else count(int(layer["duplicates"])),
        *("" if pd.isna(layer[band]) else share(layer[band]) for band in BANDS),
        "" if pd.isna(layer["aliasing"]) else share(layer["aliasing"]),
    )  # fmt: skip


def _explain(screen: Screen, layers: pd.DataFrame) -> None:
    """Say what noise would have in the columns of frequencies; it depends on no kernel."""
    of_two_axes = layers[(layers["kernel_rows"] > 1) & (layers["kernel_columns"] > 1)]
    if not len(of_two_axes):
        return
    noise = of_two_axes.iloc[0]
    low, middle, high = (share(noise[f"noise_{band}"]) for band in BANDS)
    strided = layers[
        layers["aliasing"].notna() & (layers["stride_rows"] == layers["stride_columns"])
    ]
    strides = strided.drop_duplicates("stride_rows").sort_values("stride_rows")
    beyond = [
        f"{share(layer['noise_aliasing'])} beyond a stride of {count(layer['stride_rows'])}"
        for layer in first_rows(strides)
    ]
    screen.say(
        f"Of the energy of noise {low} is low, {middle} middle and {high} high frequency"
        f"{', '.join(['', *beyond])}."
    )
    screen.say()


def _show_suspicions(screen: Screen, result: FiltersResult) -> None:
    for name in result.untrained:
        screen.warn(
            f"the filters of {name} have the frequencies of noise in every layer: it looks never "
            "trained, and what they are like says nothing"
        )
    several = len(result.networks) > 1
    for row in first_rows(result.suspicions, SHOWN):
        before = f"{row['network']}: " if several else ""
        screen.say(f"Suspicious: {before}{row['statement']}.")
    say_more(screen, len(result.suspicions), SHOWN, ": see suspicions.csv")
    if not len(result.suspicions) and len(result.untrained) < len(result.networks):
        screen.say("Nothing is suspicious.")


def _remark(screen: Screen, network: Judged) -> None:
    """Say what is not in the tables, or not in the picture."""
    if network.first is None:
        screen.remark(f"no filter of {network.name} looks at pixels: its first layer is not drawn")
    elif network.images is not None and network.images.shape[1] not in (1, 3):
        screen.remark(
            f"{network.first} looks at {counted(network.images.shape[1], 'channel')}, which are no "
            "colours: they stand side by side, in grey"
        )
    for why in sorted({*network.left_out.values()}):
        layers = [layer for layer, reason in network.left_out.items() if reason == why]
        screen.remark(f"left out: {layers[0]}{and_more(len(layers))} ({why})")
