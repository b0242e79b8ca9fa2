"""A run of somebody else's may hold links: nothing outside it is read as part of it, or written."""

import base64
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.attacks.runs import EVALUATE, HARMLESS, remove
from tests.conftest import call, ends

# What is linked, and a command that reads it or writes there.
READ = {
    "run.json": "confusion run --no-figures",
    "plan.parquet": "confusion run --no-figures",
    "metrics.json": "check run --fail-under top1=0.1",
    "classes.csv": "confusion run --no-figures",
    "extra.parquet": "misclassified run --no-figures --by-column camera",
    "predictions": "confusion run --no-figures",
    "predictions/part-00001.parquet": "confusion run --no-figures",
    "logits": "what-if run --drop green",
    "logits/part-00001.npy": "what-if run --drop green",
    "features/part-00000.npy": "misclassified run --no-figures --select row:1",
    "confusion": "report run",
    "confusion/pairs.csv": "report run",
    "confusion/made_from.json": "report run",
    "misclassified/collect.csv": "report run",
    "misclassified/notes.csv": "report run",
    "compare/runs.csv": "report run",
    "explain": "report run",
    "explain/index.csv": "report run",
    "gates.json": "report run",
    ".thumbnails": "report run",
}
WRITTEN = {
    "confusion": "confusion run --no-figures",
    "misclassified": "misclassified run --no-figures",
    "misclassified/gallery": "misclassified run --top 2 --tiles 2",
    "explain": "explain run --top 1 --method occlusion --mask 50%",
    "compare": "compare old run --no-figures",
    "predictions": EVALUATE,
    "logits": EVALUATE,
}


def bytes_of(folder: Path) -> dict[str, bytes]:
    paths = folder.rglob("*") if folder.is_dir() else [folder]
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def link(path: Path, elsewhere: Path) -> Path:
    """Move something out of the run and leave a link to it."""
    target = elsewhere / path.name
    elsewhere.mkdir(exist_ok=True)
    path.rename(target)
    path.symlink_to(target)
    return target


@pytest.mark.parametrize("name", READ)
def test_what_is_linked_from_outside_is_not_read(run, tmp_path, name):
    target = link(run / name, tmp_path / "outside")
    before = bytes_of(target)
    said = call(READ[name])
    assert said.exit_code == 3, said.output
    assert "leads out of 'run'" in said.stderr or "leads out of 'run/" in said.stderr
    assert bytes_of(target) == before


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_is_written_through_a_link(run, tmp_path, name):
    target = link(run / name, tmp_path / "outside")
    before = bytes_of(target)
    if name in ("predictions", "logits"):
        (run / "predictions" / "part-00001.parquet").unlink()
        before.pop(str(tmp_path / "outside" / "predictions" / "part-00001.parquet"), None)
    said = call(WRITTEN[name])
    assert said.exit_code == 3, said.output
    assert "leads out of" in said.stderr
    assert bytes_of(target) == before


def test_starting_afresh_removes_a_link_and_not_what_it_leads_to(run, tmp_path):
    target = link(run / "predictions", tmp_path / "outside")
    before = bytes_of(target)
    ends("evaluate photos/list.csv --model tiny:colours --img-size 8 -o run --overwrite -q")
    assert bytes_of(target) == before
    assert not (run / "predictions").is_symlink()


@pytest.mark.parametrize("linked", [True, False])
def test_a_picture_outside_is_not_put_on_the_page(run, tmp_path, linked):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (40, 40), (1, 200, 3)).save(secret)
    index = run / "explain" / "index.csv"
    table = pd.read_csv(index)
    if linked:
        picture = run / "explain" / table["file"][0]
        picture.unlink()
        picture.symlink_to(secret)
    else:
        names = {table["file"][0]: "../../secret.png", table["file"].iloc[-1]: str(secret)}
        table.assign(file=table["file"].map(lambda name: names.get(name, name))).to_csv(
            index, index=False
        )
    remove(run / "report.html")
    said = call("report run")
    assert said.exit_code == 3
    assert "leads out of 'run/explain'" in said.stderr
    assert not (run / "report.html").exists()


def test_a_linked_thumbnail_is_made_anew(run, tmp_path):
    for path in (run / ".thumbnails").iterdir():
        Image.new("RGB", (144, 144), (1, 200, 3)).save(tmp_path / "secret.webp", "WEBP")
        path.unlink()
        path.symlink_to(tmp_path / "secret.webp")
    secret = (tmp_path / "secret.webp").read_bytes()
    said = ends("report run --json")
    assert json.loads(said.stdout)["n_pictures"] > 0
    assert base64.b64encode(secret).decode() not in (run / "report.html").read_text()
    assert (tmp_path / "secret.webp").read_bytes() == secret
    for path in (run / ".thumbnails").iterdir():
        assert not path.is_symlink()
        assert Image.open(io.BytesIO(path.read_bytes())).format == "WEBP"


def test_the_run_itself_and_what_stays_inside_may_be_links(run, tmp_path):
    elsewhere = tmp_path / "real"
    run.rename(elsewhere)
    run.symlink_to(elsewhere)
    (elsewhere / "kept").mkdir()
    (elsewhere / "metrics.json").rename(elsewhere / "kept" / "metrics.json")
    (elsewhere / "metrics.json").symlink_to("kept/metrics.json")
    for arguments in ("confusion run --no-figures", "check run --fail-under n=1", "report run"):
        ends(arguments)


@pytest.mark.parametrize("target", ["/dev/zero", "/proc/self/mem", "/dev/stdin", "loop"])
def test_links_to_what_never_ends_end_at_once(run, target):
    for name in ("run.json", "metrics.json", "plan.parquet", "classes.csv", "gates.json"):
        kept = (run / name).read_bytes()
        (run / name).unlink()
        (run / name).symlink_to(run / name if target == "loop" else target)
        assert call(READ[name]).exit_code in HARMLESS
        (run / name).unlink()
        (run / name).write_bytes(kept)


def test_a_table_names_no_file_that_is_copied_for_an_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret.txt"
    lines = ["path,label,pred", f"{secret},cat,dog", "../secret.txt,cat,dog", "a.png,cat,dog"]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "table.csv").write_text("\n".join([*lines, "b.png,dog,dog"]))
    ends("import photos/table.csv -o run -q")
    secret.write_text("a key")
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.png")
    ends("misclassified run --no-figures --copy wrong")
    assert [path.name for path in (tmp_path / "wrong").rglob("*.*")] == ["a.png"]
    ends("report run")
    assert base64.b64encode(b"a key").decode() not in (tmp_path / "run" / "report.html").read_text()
