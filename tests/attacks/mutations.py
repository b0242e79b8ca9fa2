"""Ways to damage a file: as a disk or a transfer does, as a person does, and as an enemy would."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ODD_VALUES = (
    None, True, 0, -1, 1e300, 2**62, "", "red", "../../x", "a\nb", [], [None], [[]], {}, {"a": 1},
    {"value": "x", "n": 1}, {"value": None, "n": None}, [1, "a", {}],
)  # fmt: skip
ODD_CELLS = ("", "-1", "x", "1e99", "inf", "nan", "[", "[1]", '["x"]', "../../x.png")
GARBAGE = (b"", b"\0", b"{", b"[" * 100_000, b"\xff\xfe", b"\n\n", b"a,b\n")


def damaged(path: Path, chance: random.Random) -> str:
    """Damage a file in place, and say how."""
    ways = [*ANY]
    ways += {".json": [_json], ".csv": [_csv], ".parquet": [_parquet], ".npy": [_npy]}.get(
        path.suffix, []
    ) * len(ANY)
    way = chance.choice(ways)
    return f"{path}: {way.__name__} {way(path, chance)}"


def _cut(path, chance):
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content) + 1)])


def _flipped(path, chance):
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 3, 30])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)


def _garbage(path, chance):
    path.write_bytes(
        chance.choice([b"", b"\0", b"{", b"[" * 100_000, b"\xff\xfe", b"\n\n", b"a,b\n"])
    )


def _folder(path, chance):
    del chance
    path.unlink()
    path.mkdir()


def _gone(path, chance):
    del chance
    path.unlink()


def _linked(path, chance):
    target = Path(
        chance.choice(["/dev/null", "/etc/passwd", "/proc/self/mem", str(path.absolute())])
    )
    path.unlink()
    path.symlink_to(target)


def _json(path, chance):
    tree = json.loads(path.read_text())
    place, key = chance.choice(list(_places(tree)))
    if chance.random() < 0.2 and isinstance(place, dict):
        del place[key]
        change = "gone"
    else:
        change = chance.choice(ODD_VALUES)
        place[key] = change
    path.write_text(json.dumps(tree))
    return key, change


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree))
    for key in keys:
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])


def _csv(path, chance):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    column = chance.choice(list(table))
    way = chance.choice(["dropped", "renamed", "value", "value", "emptied", "no rows", "twice"])
    if way == "dropped":
        table = table.drop(columns=column)
    elif way == "renamed":
        table = table.rename(columns={column: "x"})
    elif way == "value" and len(table):
        odd = chance.choice(
            ["", "-1", "x", "1e99", "inf", "nan", "[", "[1]", '["x"]', "../../x.png"]
        )
        table.loc[chance.randrange(len(table)), column] = odd
        way = odd
    elif way == "emptied":
        table[column] = ""
    elif way == "no rows":
        table = table.head(0)
    else:
        table = pd.concat([table, table[[column]]], axis=1)
    table.to_csv(path, index=False)
    return column, way


def _parquet(path, chance):
    table = pq.read_table(path)
    at = chance.randrange(table.num_columns)
    name, kind = table.column_names[at], table.schema.field(at).type
    way = chance.choice(list(_COLUMNS))
    try:
        made = _COLUMNS[way](table[name].combine_chunks(), kind, chance)
    except (pa.ArrowException, TypeError, ValueError):
        return name, way, "as it was"
    if made is None:
        table = table.remove_column(at) if way == "dropped" else _other_rows(table, way)
    else:
        table = table.set_column(at, name, made)
    pq.write_table(table, path)
    return name, way


def _other_rows(table, way):
    rows = list(range(len(table)))
    kept = {"short": rows[:-1], "none": [], "doubled": rows + rows, "turned": rows[::-1]}[way]
    return table.take(pa.array(kept, pa.int64()))


def _one_value(column, kind, chance):
    values = column.to_pylist()
    odd = {
        "int": [-1, 7, 2**31 - 1, None],
        "float": [float("nan"), -1.0, 1e30, float("inf"), None],
        "bool": [True, False, None],
    }.get(str(kind).rstrip("0123456789").replace("double", "float"), ["", "x", "../../x", None])
    values[chance.randrange(len(values))] = chance.choice(odd)
    return pa.array(values, kind)


_COLUMNS: dict[str, Callable] = {
    "value": _one_value,
    "other value": _one_value,
    "all missing": lambda column, kind, _chance: pa.nulls(len(column), kind),
    "texts": lambda column, _kind, _chance: pa.array(["x"] * len(column)),
    "numbers": lambda column, _kind, _chance: pa.array(np.arange(len(column)) * 1.5),
    "lists": lambda column, _kind, _chance: pa.array([[1]] * len(column)),
    "dropped": lambda *_: None,
    "short": lambda *_: None,
    "none": lambda *_: None,
    "doubled": lambda *_: None,
    "turned": lambda *_: None,
}


def _npy(path, chance):
    array = np.load(path)
    way = chance.choice(["flat", "wide", "double", "text", "objects", "short"])
    made = {
        "flat": array.ravel,
        "wide": lambda: np.hstack([array, array]),
        "double": lambda: array.astype(float),
        "text": lambda: array.astype(str),
        "objects": lambda: array.astype(object),
        "short": lambda: array[:-1],
    }[way]()
    np.save(path, made, allow_pickle=True)
    return way


ANY = (_cut, _flipped, _garbage, _folder, _gone, _linked)
