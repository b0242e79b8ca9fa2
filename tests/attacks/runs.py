"""A run with everything in it, made once, for attacks to damage a copy of."""

import json
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from errlens.run.identity import RunInfo
from tests.conftest import COLOURS, TINY_MODULE, ends, paint

EVALUATE = (
    "evaluate photos/list.csv --model tiny:colours --img-size 8 --superclasses parents.csv -o run"
)
# Every command that reads a run, as quick as it can be; the model is a tiny one.
COMMANDS = (
    "confusion run --no-figures --soft",
    "misclassified run --no-figures --by-column camera",
    "misclassified run --select row:1 --top 3 --tiles 3 --as-fed",
    "misclassified run --no-figures --select pairs:2 --select exceptional",
    "misclassified run --no-figures --select group:1",
    "explain run --top 1 --method occlusion --mask 50%",
    "explain run --list",
    "compare old run",
    "compare run old --no-figures -o elsewhere",
    "check run --fail-under recall:red=0 --fail-over pair:red~blue=1 --exit-zero",
    "check run --fail-under n=1 --baseline old --fail-over nll=99 --exit-zero",
    "check old --fail-under n=1 --baseline run/baseline.parquet --exit-zero",
    "what-if run --merge red+blue --fail-under top1=0",
    "what-if run --drop green --relabel mended.csv",
    "report run",
    "report run --select red~blue",
    "report run --select broken:old",
    EVALUATE,
    "run chain.yaml",
)
HARMLESS = (0, 2, 3)


def make(folder: Path) -> None:
    """Make a run, an older one and all results in the current folder."""
    (folder / "tiny.py").write_text(TINY_MODULE, encoding="utf-8")
    lines = ["path,label,camera"]
    for number, colour in enumerate(COLOURS):
        for index in range(8):
            shown = COLOURS[(number + 1) % 3] if index < 3 else colour
            path = paint(
                folder / "photos" / colour / f"{index}.png", shown, seed=9 * number + index
            )
            lines.append(f"{path.relative_to(folder / 'photos')},{colour},c{index % 2}")
    (folder / "photos" / "list.csv").write_text("\n".join(lines))
    (folder / "parents.csv").write_text("class_name,superclass\nblue,cold\ngreen,cold\nred,warm\n")
    (folder / "notes.yaml").write_text("red~blue: {idea: more light}\nrow:1: {observation: odd}\n")
    (folder / "mended.csv").write_text("row,label\n0,red\n")
    (folder / "chain.yaml").write_text("out: run\nconfusion: {no_figures: true}\nreport: {}\n")
    model = "--model tiny:colours --img-size 8 --superclasses parents.csv -q"
    for arguments in (
        f"evaluate photos/list.csv {model} --part-size 10 -o run",
        f"evaluate photos/list.csv {model} --crop-pct 0.5 -o old",
        "confusion run --no-figures --soft",
        "misclassified run --notes notes.yaml --top 3 --tiles 3",
        "explain run --top 2 --method occlusion --mask 50% --save-maps",
        "compare old run",
        "check run --fail-under top1=0.1",
        "report run",
    ):
        ends(arguments)
    with (folder / "run" / "confusion" / "groups.csv").open("a") as groups:
        groups.write('1,3,"[""blue"", ""green"", ""red""]",9,1.0,0.375\n')


def files(folder: Path) -> list[str]:
    """Return the files of a run that are read, pictures left out."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return sorted(name for name in names if not name.endswith((".png", ".html", ".md", ".webp")))


def renew(folder: Path, whole: Path) -> None:
    """Bring the run of a folder back to what it was."""
    for name in ("run", "elsewhere"):
        remove(folder / name)
    shutil.copytree(whole, folder / "run", symlinks=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def agree(run: Path) -> None:
    """Make parts and results agree with what run.json says by now, as somebody who lies would."""
    try:
        run_hash = RunInfo.from_dict(json.loads((run / "run.json").read_text())).run_hash
    except ValueError:
        return
    for path in run.glob("predictions/*.parquet"):
        table = pq.read_table(path)
        made_by = {**json.loads(table.schema.metadata[b"errlens"]), "run_hash": run_hash}
        metadata = {b"errlens": json.dumps(made_by).encode()}
        pq.write_table(table.replace_schema_metadata(metadata), path)
    for path in (run / "metrics.json", run / "gates.json", *run.glob("*/made_from.json")):
        path.write_text(json.dumps({**json.loads(path.read_text()), "run_hash": run_hash}))
