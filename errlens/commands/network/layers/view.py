"""How the layers of a network look on the terminal: a tree beside a table."""

from typing import Any

import pandas as pd

from errlens.commands import showing
from errlens.commands.network.layers.options import LayersOptions
from errlens.commands.network.layers.result import LayersResult
from errlens.commands.showing import first_rows, say_more, show_files
from errlens.formats import NOT_KNOWN, count, counted
from errlens.terminal import Screen

_HEADS = (
    "layer",
    "type",
    ">output",
    ">stride",
    ">sees",
    ">param.",
    ">mult.-adds",
    "then",
    "good for",
)
_GIVES_WAY = ("type", "then", ">mult.-adds", ">param.")
_IDLE = ("Identity", "Dropout")  # they fill half of the tree of some networks
_LETTERS = {
    "filters": "W",
    "activations": "A",
    "features": "F",
    "grad-cam": "G",
    "deconvnet": "D",
}


def show(screen: Screen, options: LayersOptions, result: LayersResult) -> None:
    """Print the tree, what its letters mean, and totals."""
    found = result.layers
    table = result.table
    deep_enough = table if options.depth is None else table[table["depth"] < options.depth]
    shown = deep_enough[~deep_enough["type"].isin(_IDLE)]
    screen.table(_HEADS, [_row(row) for row in first_rows(shown)], gives_way=_GIVES_WAY)
    idle = len(deep_enough) - len(shown)
    deeper = len(table) - len(deep_enough)
    if idle:
        screen.say(
            f"not shown: {counted(idle, 'layer')} of type Identity or Dropout, see layers.csv"
        )
    say_more(screen, deeper, 0, ", deeper in the tree: see layers.csv", noun="layer")
    screen.say()
    screen.say(
        "Good for " + ", ".join(f"{letter} {name}" for name, letter in _LETTERS.items()) + ". "
        "'sees' is the side of the receptive field in pixels of the input; 'all' is the whole "
        "image, whatever its size."
    )
    _, height, width = found.size
    screen.say(
        f"{result.subject.name}: {counted(len(table), 'layer')}, "
        f"{counted(found.parameters, 'parameter')}, {count(found.multiply_adds)} multiply-adds for "
        f"an image of {width} x {height} pixels"
    )
    again = table[table["runs"] > 1]["layer"].tolist()
    if again:
        n = f" and {count(len(again) - 3)} more" if len(again) > 3 else ""
        screen.say(f"Run several times for an image, the last counts: {', '.join(again[:3])}{n}")
    if found.why_no_field:
        screen.warn(f"what later layers see is not known: {found.why_no_field}")
    if found.why_no_gradient:
        screen.warn(f"no layer supports grad-cam or deconvnet: {found.why_no_gradient}")
    show_files(screen, result.folder, ["layers.csv", "layers.json"])


def print_json(screen: Screen, result: LayersResult) -> None:
    """Print the layers as one object, where it was asked for."""
    showing.print_json(screen, "network layers", result.subject.run, **result.as_tree())


def _row(layer: dict[str, Any]) -> tuple[str, ...]:
    """Write a layer: its own name, moved in by the layers that it lies in."""
    name = layer["layer"].rpartition(".")[2]
    allows = [] if pd.isna(layer["analyses"]) else layer["analyses"].split(", ")
    return (
        "  " * layer["depth"] + name,
        layer["type"],
        layer["output"].replace(" x ", "x"),
        _sides(layer["stride_rows"], layer["stride_columns"]),
        "all"
        if layer["field_whole"] is True
        else _sides(layer["field_rows"], layer["field_columns"]),
        _short(layer["parameters"]),
        _short(layer["multiply_adds"]),
        NOT_KNOWN if pd.isna(layer["activation"]) else layer["activation"],
        "".join(letter for name, letter in _LETTERS.items() if name in allows),
    )


def _sides(rows: float, columns: float) -> str:
    """Write what is measured along both axes; one number where they agree."""
    if pd.isna(rows) or pd.isna(columns):
        return NOT_KNOWN
    return count(int(rows)) if rows == columns else f"{count(int(rows))}x{count(int(columns))}"


def _short(number: int) -> str:
    """Write a large number shortly.

    >>> _short(0), _short(9408), _short(118013952)
    ('-', '9.41 k', '118 M')
    """
    if number == 0:
        return NOT_KNOWN
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            digits = 2 if number < 10 * size else 1 if number < 100 * size else 0
            return f"{number / size:.{digits}f} {unit}"
    return str(number)
