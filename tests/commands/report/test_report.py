"""`errlens report` on runs that were imported from small tables, without a browser."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens import formats
from errlens.report import html as html_page
from errlens.report import markdown, page
from errlens.run.csv_tables import read_csv
from tests.conftest import call, ends, paint

EVIL = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a|b `c`", "=1+1")
CLASSES = ("cat", "lion", "dog", "wolf")
PARENTS = {"cat": "feline", "lion": "feline", "dog": "canine", "wolf": "canine"}
SECTIONS = (
    "verdict", "metrics", "pairs", "groups", "exceptional", "matrix", "class-table", "calibration",
    "worst", "collect", "comparison", "health", "provenance",
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def report(arguments="run"):
    return ends(f"report {arguments}")


def make_run(classes=CLASSES, *, images=True, superclasses=True, each=12, label=True):
    """Import a run in which every third image is taken for the next class, some for another."""
    names = [name for name in classes for _ in range(each)]
    index = np.repeat(np.arange(len(classes)), each)
    wrong = np.arange(len(names)) % 3 == 0
    pred = np.where(wrong, index ^ 1, index)
    pred[1] = len(classes) - 1
    table = pd.DataFrame(
        {
            "path": [f"images/{row:03d}.png" for row in range(len(names))],
            "label": names,
            "pred": [classes[one] for one in pred],
            "confidence": np.linspace(0.95, 0.4, len(names)).round(3),
        }
    )
    if not label:
        table["label"] = None
    for row, path in enumerate(table["path"] if images else ()):
        paint(Path(path), "red", size=(30 + row, 20), seed=row)
    table.to_csv("table.csv", index=False)
    Path("classes.json").write_text(json.dumps(classes))
    options = ""
    if superclasses:
        pd.Series(PARENTS, name="superclass").rename_axis("class_name").to_csv("parents.csv")
        options = " --superclasses parents.csv"
    ends(f"import table.csv -o run --classes classes.json --labels names -q{options}")
    return errlens.open_run("run")


def add_parts():
    """Let the other commands write what the page is made of."""
    Path("notes.yaml").write_text(
        "cat~lion:\n  observation: both yawn\n  idea: more of them awake\n"
    )
    for command in (
        "confusion run --no-figures",
        "misclassified run --no-figures --notes notes.yaml",
    ):
        ends(f"{command} -q")


def text_of(name="report.html"):
    return Path("run", name).read_text(encoding="utf-8")


def data_of(text, name="data"):
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', text, re.DOTALL)[1])


def section(name, text):
    return re.search(rf'<section id="{name}">(.*?)</section>', text, re.DOTALL)[1]


def fake_explanations(run, *, more=()):
    """Write what `errlens explain` would; an imported run has no model."""
    from errlens.run.results import renewed_results

    index = pd.DataFrame(
        {
            "row": [0, 0, *[3] * len(more)],
            "method": "grad-cam",
            "target": ["predicted", "true", *["predicted"] * len(more)],
            "file": ["a/0.png", "a/0.png", *more],
            "status": "ok",
        }
    )
    with renewed_results(run, "explain", options={}) as results:
        results.csv("index.csv", index)
        results.pixels("a/0.png", np.full((40, 1200, 3), 200, np.uint8))


def test_every_section_is_there_and_says_what_makes_its_part():
    make_run(superclasses=False)
    report()
    text = text_of()
    found = [re.search(rf'<section id="{name}">', text) for name in SECTIONS]
    assert all(found)
    assert [one.start() for one in found] == sorted(one.start() for one in found)
    assert "errlens check run" in section("verdict", text)
    for name in ("pairs", "groups", "exceptional"):
        assert "errlens confusion run" in section(name, text)
    assert "errlens misclassified run" in section("collect", text)
    assert "--notes FILE" in section("collect", text)
    assert "errlens compare OLD run" in section("comparison", text)
    assert "no model to explain with" in section("worst", text)
    ends("confusion run --no-figures -q")
    report()
    assert "--superclasses FILE" in section("exceptional", text_of())


def test_the_page_shows_what_other_commands_found():
    run = make_run()
    add_parts()
    fake_explanations(run)
    gate = {"name": "accuracy", "metric": "top1", "op": ">=", "threshold": 0.9, "value": 0.6}
    gate |= {"low": 0.5, "high": 0.7, "n": 48, "passed": False, "reason": "too low"}
    run.gates_file.write_text(json.dumps({"gates": [gate], "passed": False}))
    report()
    text = text_of()
    assert "✗ failed" in section("verdict", text)
    assert "Failed: 1 of 1 gate." in section("verdict", text)
    assert "cat ~ lion" in section("pairs", text)
    assert "observation: both yawn" in section("pairs", text)
    assert "idea" in section("collect", text)
    assert "more of them awake" in section("collect", text)
    assert 'data-row="1"' in section("exceptional", text)
    assert section("worst", text).count('class="heat"') == 1
    assert run.info.run_hash in section("provenance", text)
    uris = data_of(text, "pictures")["uris"]
    assert set(uris) >= {"a/0.png", "0", "3"}
    assert all(uri.startswith("data:image/webp;base64,") for uri in uris.values())
    assert base64.b64decode(uris["0"].partition(",")[2])[:4] == b"RIFF"
    cells = data_of(text)["matrix"]
    assert cells["marks"] == [
        ["mutual", 0, 1],
        ["mutual", 1, 0],
        ["mutual", 2, 3],
        ["mutual", 3, 2],
    ]
    assert "mutually confused" in section("matrix", text)
    assert "one way" not in section("matrix", text)
    assert sum(cells["cells"][2::3]) == len(run.predictions.frame.query("not correct"))


@pytest.mark.parametrize("name", ["../outside.png", "../../outside.png", "/outside.png"])
def test_a_picture_of_another_place_is_refused(name):
    fake_explanations(make_run(), more=[name])
    said = call("report run")
    assert said.exit_code == 3
    assert "leads out of 'run/explain'" in said.stderr
    assert not Path("run/report.html").exists()


@pytest.mark.parametrize("kind", ["confusion", "misclassified", "explain", "compare"])
def test_stale_parts_are_named_with_the_command_that_renews_them(kind):
    run = make_run()
    add_parts()
    fake_explanations(run)
    Path("run/compare").mkdir()
    Path("run/compare/runs.csv").write_text("run,top1\nold,0.5\n")
    Path("run/compare/made_from.json").write_text(json.dumps({"run_hash": run.info.run_hash}))
    record = Path("run", kind, "made_from.json")
    record.write_text(record.read_text().replace(run.info.run_hash, "0" * 64))
    report()
    wanted = {"explain": "no model", "compare": "errlens compare OLD run"}
    text = text_of()
    assert wanted.get(kind, f"errlens {kind} run") in text
    if kind != "explain":
        assert "was made of other predictions" in text


def test_a_stale_or_damaged_gate_is_no_verdict():
    run = make_run()
    for content in ('{"gates": [], "passed": true, "run_hash": "0"}', "{", "[]", '{"gates": [1]}'):
        run.gates_file.write_text(content)
        report()
        assert "errlens check run" in section("verdict", text_of())
        assert "passed." not in section("verdict", text_of())


@pytest.mark.parametrize("damage", ["junk\n", "", 'class_a,class_b\n"cat","fox"\n'])
def test_damaged_tables_are_named(damage):
    make_run()
    add_parts()
    for name in ("confusion/pairs.csv", "misclassified/collect.csv"):
        Path("run", name).write_text(damage)
    report()
    assert "is damaged" in section("pairs", text_of())
    assert "is damaged" in section("collect", text_of())


@pytest.mark.parametrize("column", ["status", "a_as_b", "n_b", "lift_ab", "q_value"])
def test_a_pair_without_its_figures_is_damaged(column):
    make_run()
    add_parts()
    path = Path("run/confusion/pairs.csv")
    pairs = pd.read_csv(path)
    assert pairs["status"][0] == "mutual"
    for value in (None, "strange" if column == "status" else None):
        pairs.loc[0, column] = value
        pairs.to_csv(path, index=False)
        report()
        assert "is damaged" in section("pairs", text_of())


def test_a_comparison_is_shown_with_the_images_that_changed():
    run = make_run()
    Path("run/compare").mkdir()
    Path("run/compare/runs.csv").write_text("run,top1\nold,0.5\nnew,0.75\n")
    Path("run/compare/fixed.csv").write_text(
        "sample_id,was\nimages/005.png,dog\nelsewhere.png,cat\n"
    )
    Path("run/compare/broken.csv").write_text("sample_id,was\n")
    Path("run/compare/made_from.json").write_text(json.dumps({"run_hash": run.info.run_hash}))
    report()
    shown = section("comparison", text_of())
    assert "75.0 %" in shown
    assert 'data-row="5"' in shown
    assert "elsewhere.png" in shown


def test_names_that_are_html_or_script_stay_text():
    run = make_run(EVIL, superclasses=False, images=False)
    ends("confusion run --no-figures -q")
    ends("misclassified run --no-figures -q")
    report()
    text = text_of()
    assert text.count("<script") == 3
    assert "<img src=x" not in text
    assert data_of(text)["matrix"]["names"] == list(run.info.classes.names)
    summary = text_of("summary.md")
    assert "<script" not in summary
    assert "<img" not in summary


def test_the_policy_allows_this_script_and_style_and_nothing_else():
    make_run()
    report()
    text = text_of()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert len(content) == 1
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert " style=" not in text


def test_two_calls_write_the_same_bytes():
    make_run()
    add_parts()
    report()
    first = text_of(), text_of("summary.md")
    report()
    assert first == (text_of(), text_of("summary.md"))
    info = errlens.open_run("run").info
    for text in first:
        assert info.started not in text
        assert info.finished not in text


def test_thumbnails_are_made_once_and_outlive_their_images():
    make_run()
    report()
    kept = {path: path.stat().st_mtime_ns for path in Path("run/.thumbnails").iterdir()}
    first = text_of()
    for path in Path("images").iterdir():
        path.unlink()
    said = report()
    assert text_of() == first
    assert "warning" not in said.stderr
    assert {path: path.stat().st_mtime_ns for path in Path("run/.thumbnails").iterdir()} == kept


def test_a_thumbnail_that_was_cut_off_is_made_again():
    make_run()
    report()
    first = text_of()
    for path in Path("run/.thumbnails").iterdir():
        path.write_bytes(path.read_bytes()[:20])
    report()
    assert text_of() == first


def test_images_that_are_gone_are_named():
    make_run()
    for path in Path("images").iterdir():
        path.unlink()
    said = report()
    assert "--data-root" in said.stderr
    assert "images/000.png: no such file" in section("health", text_of())
    Path("elsewhere/images").mkdir(parents=True)
    make_again = [f"elsewhere/images/{row:03d}.png" for row in range(48)]
    for row, path in enumerate(make_again):
        paint(Path(path), "red", size=(30 + row, 20), seed=row)
    assert "warning" not in report("run --data-root elsewhere").stderr
    ends("report run --data-root nowhere", 2)


def test_the_page_never_grows_beyond_its_limit(monkeypatch):
    make_run(each=30)
    report()
    whole = data_of(text_of(), "pictures")
    assert not whole["absent"]
    monkeypatch.setattr(html_page, "_SPARE", 20_000)
    limit = len(text_of().encode()) - 5_000
    monkeypatch.setattr(html_page, "LARGEST", limit)
    report()
    cut = data_of(text_of(), "pictures")
    assert 0 < len(cut["uris"]) < len(whole["uris"])
    assert len(text_of().encode()) <= limit
    assert "the page is full" in section("health", text_of())


def test_beyond_six_images_of_a_cell_there_are_names(monkeypatch):
    make_run(each=30, images=False)
    report()
    matrix = data_of(text_of())["matrix"]
    rows, names = matrix["images"][0]
    assert (len(rows), len(names)) == (6, matrix["cells"][2] - 6)
    monkeypatch.setattr("errlens.report.cells.PICTURED", 1)
    monkeypatch.setattr("errlens.report.cells.NAMES_BUDGET", 300)
    report()
    matrix = data_of(text_of())["matrix"]
    assert matrix["images"][1][0] == []
    assert len(matrix["images"]) < len(matrix["cells"]) // 3


def test_a_selection_has_a_page_of_its_own():
    make_run()
    add_parts()
    report()
    before = text_of()
    said = json.loads(report("run --select cat~lion --json").stdout)
    assert said["files"] == ["run/report-cat~lion.html"]
    text = text_of("report-cat~lion.html")
    assert "observation: both yawn" in text
    assert "cat taken for lion: 4 images" in text
    assert text_of() == before
    report("run --select row:1 --select 'true:dog+worst:2'")
    assert Path("run/report-row_1+true_dog+worst_2.html").exists()
    ends("report run --select fox~lion", 2)


def test_a_page_about_strange_names_lies_beside_the_others():
    make_run(("../up", "a/b", "c", "d"), superclasses=False, images=False)
    said = json.loads(report("run --select '../up~a/b' --json").stdout)
    assert [Path(one).parent for one in said["files"]] == [Path("run")]
    assert Path(said["files"][0]).exists()


def test_the_summary_goes_to_the_page_of_a_job(monkeypatch):
    make_run()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "job.md")
    Path("job.md").write_text("before\n")
    report()
    report("run --select cat~lion")
    assert Path("job.md").read_text() == f"before\n{text_of('summary.md')}\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "no/such/folder/job.md")
    assert "warning" in report().stderr


def test_the_summary_says_the_most_important_and_is_never_too_long(monkeypatch):
    make_run()
    report()
    assert "errlens confusion run" in text_of("summary.md")
    add_parts()
    report()
    summary = text_of("summary.md")
    for piece in ("# errlens: run", "64.6 % right", "| top-1 | 64.6 % |", "cat \\~ lion"):
        assert piece in summary
    monkeypatch.setattr(markdown, "LARGEST", 300)
    report()
    assert len(text_of("summary.md").encode()) <= 300


def test_a_run_without_labels_or_without_errors_has_a_page():
    make_run(label=False, superclasses=False)
    report()
    assert "nothing is right or wrong" in section("verdict", text_of())
    table = pd.DataFrame({"path": ["a.png", "b.png"], "label": ["cat", "dog"]})
    table.assign(pred=table["label"]).to_csv("right.csv", index=False)
    ends("import right.csv -o right -q")
    report("right")
    told = "No errors in 2 images: no class was taken for another."
    for name in ("matrix", "worst"):
        assert told in section(name, Path("right/report.html").read_text())


def test_what_is_odd_about_the_photos_is_said(tiny, photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 8), "red").save(photos / "red" / "turned.png", exif=exif)
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1040
    Image.fromarray(deep).save(photos / "red" / "deep.png")
    for options, said, unsaid in (
        ({}, ("to be turned", "--scale-16bit"), ()),
        ({"exif": True, "scale_16bit": True}, (), ("to be turned", "more than 8 bits")),
    ):
        errlens.evaluate(
            photos, model=tiny, out="run", img_size=8, overwrite=True, quiet=True, **options
        )
        report()
        shown = section("health", text_of())
        assert "1 photo (red/turned.png) is of one single value" in shown
        assert all(text in shown for text in said)
        assert not any(text in shown for text in unsaid)


def test_bad_rows_and_unknown_labels_are_listed(tiny, photos):
    (photos / "red" / "broken.png").write_bytes(b"no image")
    (photos / "mauve").mkdir()
    paint(photos / "mauve" / "m.png", "red", seed=99)
    errlens.evaluate(
        photos, model=tiny, out="run", img_size=8, allow_unknown=True, max_bad="100%",
        classes=_class_file(),
    )  # fmt: skip
    report()
    shown = section("health", text_of())
    assert "red/broken.png" in shown
    assert "unreadable" in shown
    assert "mauve →" in shown
    command = section("worst", text_of()) + section("pairs", text_of())
    assert "errlens explain run" in command


def _class_file():
    Path("classes.txt").write_text("blue\ngreen\nred\n")
    return Path("classes.txt")


def test_a_missing_run_is_named():
    said = call("report nowhere")
    assert said.exit_code == 3
    assert "errlens evaluate" in said.stderr


def test_a_place_that_cannot_be_written_is_named():
    make_run()
    Path("run/report.html").mkdir()
    ends("report run", 3)


def test_the_command_needs_no_torch():
    make_run()
    add_parts()
    code = (
        "import sys\nfrom errlens.cli import app\n"
        "try: app(['report', 'run', '-q'])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'torch', 'torchvision', 'timm', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_page_is_a_block_of_a_configuration():
    make_run()
    Path("config.yaml").write_text("out: run\nreport:\n  select: [cat~lion]\n")
    ends("run config.yaml -q")
    assert Path("run/report-cat~lion.html").exists()


def test_the_page_is_plain_values():
    run = make_run()
    add_parts()
    from errlens.commands.report.options import ReportOptions

    selection = ReportOptions().choose(run)
    sources = page.Sources(run, selection.images, selection.among, selection.rank, Path())
    found = page.read_page(sources)
    assert found.pairs[0]["status"] == "mutual"
    assert found.pairs[0]["class_a"] in CLASSES
    json.dumps([found.pairs, found.worst, found.collect, found.data], allow_nan=False)


def test_a_number_is_written_alike_on_terminal_page_and_summary():
    make_run(each=400, images=False)  # 1,600 images: a share has two decimals
    add_parts()
    terminal = call("import table.csv -o again --classes classes.json --labels names").stdout
    pairs = call("confusion run --no-figures").stdout
    report()
    page_text, summary = text_of(), Path("run/summary.md").read_text()
    top1 = errlens.open_run("run").metrics["top1"]
    written = formats.share(top1["value"], top1["n"])
    assert re.fullmatch(r"\d\d\.\d\d %", written)
    reach = formats.share_range(top1["low"], top1["high"], top1["n"])
    for text in (terminal, page_text, summary):
        assert written in text
        assert reach in text
    first = read_csv(Path("run/confusion/pairs.csv"), text=()).iloc[0]
    gain = formats.points(first["gain_if_solved"])
    assert gain.endswith(" pp")
    for text in (pairs, page_text, summary):
        assert gain in text
