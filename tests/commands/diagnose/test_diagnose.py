"""`errlens diagnose` on predictions that were imported, with photos painted for them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
import errlens.galleries.drawing as drawing
from errlens.analysis.findings.finding import CAUSES, FINDING_COLUMNS
from errlens.commands.diagnose import case as case_module
from errlens.data.photos.images import ImageFile, read_encoded
from errlens.errors import ErrlensError
from errlens.run.csv_tables import read_declared
from tests.conftest import call, contents, ends, make_run, refused

CLASSES = ("cat", "dog", "<b>cow</b>")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table_of(n=360, *, dark=0, seed=0, wrong=0.1):
    """Return predictions of which one in ten is wrong, and half of the first `dark` ones."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 3
    bad = rng.random(n) < np.where(np.arange(n) < dark, 0.6, wrong)
    pred = np.where(bad, (label + rng.integers(1, 3, n)) % 3, label)
    names = np.array(CLASSES)
    return pd.DataFrame(
        {
            "path": [f"photos/{row:03d}.png" for row in range(n)],
            "label": names[label],
            "pred": names[pred],
            "camera": rng.choice(["A", "B"], n),
        }
    )


def photograph(table, *, dark=0, seed=0):
    """Paint a photo for each row; the first `dark` ones are dark."""
    rng = np.random.default_rng(seed)
    Path("photos").mkdir(exist_ok=True)
    for row, path in enumerate(table["path"]):
        low, high = (10, 70) if row < dark else (80, 240)
        pixels = rng.integers(low, high, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(path)


def make(**how):
    return make_run(table_of(**how), classes=CLASSES)


@pytest.fixture(scope="module")
def diagnosed(tmp_path_factory):
    """Runs that are diagnosed once, each in a folder of its own with what was printed.

    Half of the `dark` photos are wrong; of the `plain` run there are no photos.
    """
    folder = tmp_path_factory.mktemp("diagnosed")
    for name, dark in (("dark", 72), ("plain", 0)):
        (folder / name).mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder / name)
            table = table_of(dark=dark)
            if dark:
                photograph(table, dark=dark)
            make_run(table, classes=CLASSES)
            Path("said.txt").write_text(ends("diagnose run").stdout, encoding="utf-8")
    return folder


@pytest.fixture
def dark(diagnosed, tmp_path):
    """A copy of the diagnosed run of dark photos, to be in."""
    shutil.copytree(diagnosed / "dark", tmp_path, dirs_exist_ok=True)


@pytest.fixture
def plain(diagnosed, tmp_path):
    """A copy of the diagnosed run without photos, to be in."""
    shutil.copytree(diagnosed / "plain", tmp_path, dirs_exist_ok=True)


def findings():
    return json.loads(Path("run/diagnosis/findings.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("dark")
def test_dark_photos_that_are_wrong_are_named_with_their_images():
    table, said = table_of(dark=72), Path("said.txt").read_text(encoding="utf-8")
    assert "1. Dark images" in said
    first = findings()["findings"][0]
    assert (first["kind"], first["subject"]["property"], first["subject"]["side"]) == (
        "slice", "brightness", "low",
    )  # fmt: skip
    assert len(set(first["rows"]) & set(range(72))) >= 0.8 * len(first["rows"])
    written = read_declared(Path("run/diagnosis/findings.csv"), FINDING_COLUMNS)
    assert written["statement"][0] == first["statement"]
    assert written["n_errors"][0] == sum(
        table["label"][row] != table["pred"][row] for row in first["rows"]
    )
    gallery = Path("run/diagnosis/gallery/finding-1-slice.png")
    with Image.open(gallery) as sheet:
        assert sheet.width > 400


@pytest.mark.usefixtures("dark")
def test_a_finding_is_selected_by_its_number():
    tree = json.loads(ends("misclassified run --select finding:1 --json --no-figures").stdout)
    first = findings()["findings"][0]
    assert {row["row"] for row in tree["selected"]} == set(first["rows"])
    assert "of findings there are" in refused("misclassified run --select finding:99", exit_code=2)


@pytest.mark.usefixtures("dark")
def test_page_summary_and_gate_know_the_findings():
    assert call("check run --fail-over finding:slice=0").exit_code == 1
    ends("check run --fail-over finding:slice=1 --fail-over finding:duplicate=0")
    ends("report run -q")
    summary, page = (Path(f"run/{name}").read_text() for name in ("summary.md", "report.html"))
    assert "1. Dark images" in summary
    assert 'id="finding-1"' in page
    assert "Looked for and not found" in page


def test_a_gate_on_findings_nobody_looked_for_fails_and_says_which_command_does():
    make()
    said = ends("check run --fail-over finding:slice=0", exit_code=1)
    assert "errlens diagnose run" in said.stdout
    assert "is no kind of finding" in refused("check run --fail-over finding:slise=0", exit_code=2)


def test_without_photos_the_predictions_are_diagnosed_all_the_same():
    make(dark=120)
    said = ends("diagnose run").stdout
    assert "Not looked for" in said
    assert not Path("run/diagnosis/properties.parquet").exists()
    assert findings()["searches"]


def test_findings_without_photos_have_no_sheet():
    make_run(table_of(wrong=0.3).assign(label="cat", pred="dog"), classes=("cat", "dog"))
    said = ends("diagnose run")
    assert "cat is missed in 360 of 360 images" in said.stdout
    assert not Path("run/diagnosis/gallery").exists()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("unique", lambda n: [f"u{row}" for row in range(n)]),
        ("constant", lambda n: ["one"] * n),
        ("missing", lambda n: [None] * n),
        ("mixed", lambda n: ["a", 1, None, "2026-01-01", 2.5, "nan"] * (n // 6)),
        ("brightness", lambda n: list(range(n))),
        ("row", lambda n: list(range(n))),
        ("<i>html</i>", lambda n: ["<script>"] * (n // 2) + ["b"] * (n - n // 2)),
        ("taken", lambda n: [f"2026-{1 + row % 12:02d}-01" for row in range(n)]),
        ("again", lambda n: [CLASSES[row % 3] for row in range(n)]),
        ("flag", lambda n: [row % 2 == 0 for row in range(n)]),
    ],
)
def test_any_column_of_the_manifest_is_no_failure_and_names_nothing_by_chance(name, values):
    table = table_of()
    table[name] = values(len(table))
    make_run(table, classes=CLASSES)
    ends("diagnose run -q --no-figures")
    assert not [finding for finding in findings()["findings"] if finding["kind"] in CAUSES]


@pytest.mark.parametrize(
    "table",
    [
        table_of(12),
        table_of(60, wrong=0),
        table_of(60, wrong=1.1),
        table_of(90).assign(label="cat", pred="cat"),
        table_of(90).assign(label="cat"),
        table_of(1),
        table_of(2),
    ],
    ids=["few", "all right", "all wrong", "one class", "one label", "one image", "two images"],
)
def test_runs_in_which_nothing_can_be_told_end_well(table):
    photograph(table)
    make_run(table, classes=CLASSES)
    ends("diagnose run")
    assert not [finding for finding in findings()["findings"] if finding["kind"] in CAUSES]
    ends("report run -q")


def test_photos_that_are_gone_or_others_now_are_left_out():
    table = table_of(dark=72)
    photograph(table, dark=72)
    make_run(table, classes=CLASSES)
    for row in (0, 100, 101):
        Path(table["path"][row]).unlink()
    Image.new("RGB", (10, 10)).save(table["path"][102])
    ends("diagnose run")
    assert findings()["findings"][0]["kind"] == "slice"


def test_a_sheet_without_photos_is_no_failure_and_they_are_looked_for_once():
    table = table_of(200).query("label != '<b>cow</b>' and pred != '<b>cow</b>'")
    make_run(table, classes=CLASSES[:2])
    said = ends("diagnose run")
    assert findings()["findings"][0]["kind"] == "threshold"
    assert said.stderr.count(f"looking at images {len(table)} of {len(table)}") == 1


def test_a_run_without_labels_says_so():
    table = table_of().assign(label=None)
    make_run(table, classes=CLASSES)
    assert "label" in refused("diagnose run", exit_code=3)


@pytest.mark.usefixtures("dark")
def test_two_calls_write_the_same():
    before = contents("run/diagnosis")
    ends("diagnose run -q")
    assert contents("run/diagnosis") == before


def test_what_was_measured_is_kept_when_stopped(monkeypatch):
    table = table_of(60)
    photograph(table)
    make_run(table, classes=CLASSES)
    whole = case_module.measured_parts

    def stopped(files, **how):
        yield from whole(files[:20], **how)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(case_module, "measured_parts", stopped)
        assert call("diagnose run").exit_code == 130
    kept = pd.read_parquet("run/diagnosis/properties.parquet")
    assert (kept["status"] == "ok").sum() == 20
    opened = []
    with monkeypatch.context() as patch:
        patch.setattr(
            ImageFile, "read", lambda file: opened.append(file.path) or read_encoded(file.path)
        )
        ends("diagnose run -q --no-figures")
    assert len(opened) == 40  # what is known is not opened again
    assert (pd.read_parquet("run/diagnosis/properties.parquet")["status"] == "ok").all()


def test_what_was_measured_is_kept_when_stopped_after_it(monkeypatch):
    table = table_of(60)
    photograph(table)
    make_run(table, classes=CLASSES)

    def stopped(_case):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.commands.diagnose.searches._repairs", stopped)
    assert call("diagnose run").exit_code == 130
    assert (pd.read_parquet("run/diagnosis/properties.parquet")["status"] == "ok").all()
    assert not Path("run/diagnosis/findings.json").exists()


@pytest.mark.parametrize("time", ["soon", "-1s", "0", "1d", "nan", "inf"])
def test_what_is_no_time_is_refused(time):
    make()
    assert "is no time" in refused(f"diagnose run --time-budget={time}", exit_code=2)


def test_json_is_one_object_with_every_finding():
    make(dark=120)
    tree = json.loads(ends("diagnose run --json").stdout)
    assert tree["command"] == "diagnose"
    assert {"findings", "searches", "n", "n_errors", "files"} <= tree.keys()
    assert tree["n_errors"] == sum(table_of(dark=120)["label"] != table_of(dark=120)["pred"])


def test_a_run_imported_has_no_model_and_says_so_once():
    make()
    said = ends("diagnose run").stdout
    assert said.count("there is no model") <= 1


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"run_hash": 1}', "\x00"])
@pytest.mark.usefixtures("plain")
def test_a_damaged_diagnosis_is_as_good_as_none(text):
    Path("run/diagnosis/findings.json").write_text(text)
    ends("report run -q")
    assert "errlens diagnose run" in Path("run/summary.md").read_text()
    ends("misclassified run -q --no-figures")


@pytest.mark.usefixtures("plain")
def test_findings_of_other_predictions_are_refused():
    stale = Path("run/diagnosis/findings.json").read_text()
    make_run(table_of(seed=5), out="other", classes=CLASSES)
    Path("other/diagnosis").mkdir()
    Path("other/diagnosis/findings.json").write_text(stale)
    ends("report other -q")
    assert "errlens diagnose other" in Path("other/summary.md").read_text()


def test_in_python_the_diagnosis_is_what_is_returned():
    make(dark=120)
    diagnosis = errlens.diagnose("run", no_figures=True)
    assert diagnosis.n_errors == sum(table_of(dark=120)["label"] != table_of(dark=120)["pred"])
    with pytest.raises(ErrlensError):
        errlens.diagnose("nowhere")


def test_labels_in_doubt_are_exported_on_demand():
    make()
    ends("diagnose run -q --no-figures --export label-studio")
    tasks = json.loads(Path("run/diagnosis/label_studio.json").read_text())
    ends("diagnose run -q --no-figures --export fiftyone")
    samples = json.loads(Path("run/diagnosis/fiftyone/samples.json").read_text())
    assert isinstance(tasks, list)
    assert len(samples["samples"]) == len(tasks)
    ends("diagnose run -q --no-figures")
    assert not Path("run/diagnosis/label_studio.json").exists()


@pytest.mark.parametrize("option", ["--train nowhere", "--masks nowhere.json"])
def test_a_typo_in_an_option_is_found_before_the_work(option):
    make()
    assert "does not exist" in refused(f"diagnose run {option}", exit_code=3)
    assert not Path("run/diagnosis").exists()


def test_what_it_could_not_look_for_is_said_without_the_paths_of_this_machine(tmp_path):
    make()
    said = ends("diagnose run --no-figures").stdout
    assert "(none of the images is there)" in said
    assert "(the run has no model)" in said
    assert str(tmp_path) not in said


def test_the_title_of_a_sheet_keeps_the_figures_of_its_finding(monkeypatch):
    titles = []
    whole = drawing.draw_gallery

    def noted(*columns, title, **how):
        titles.append(title)
        return whole(*columns, title=title, **how)

    monkeypatch.setattr(drawing, "draw_gallery", noted)
    monkeypatch.setattr(drawing, "LONGEST", 60)
    table = table_of(dark=72)
    photograph(table, dark=72)
    make_run(table, classes=CLASSES)
    ends("diagnose run -q")
    first = findings()["findings"][0]["statement"]
    assert len(first) > drawing.LONGEST
    assert titles[0] == f"1. {first}"


def test_a_configuration_may_hold_its_options():
    make(dark=120)
    Path("table.csv").rename("predictions.csv")
    config = "out: new\nimport:\n  table: predictions.csv\n  classes: classes.json\n"
    block = "diagnose:\n  no_model: true\n  no_figures: true\n  seed: 3\nreport: {}\n"
    Path("run.yaml").write_text(config + block)
    said = ends("run run.yaml").stdout
    assert "\ndiagnose       " in said
    found = json.loads(Path("new/diagnosis/findings.json").read_text())
    for finding in found["findings"][:1]:
        assert f"1. {finding['statement']}" in " ".join(said.split())
    assert not Path("new/diagnosis/gallery").exists()
    Path("run.yaml").write_text(config + "diagnose:\n  no_modle: true\n")
    assert "no_model" in refused("run run.yaml", exit_code=2)


def test_without_a_run_it_is_the_newest():
    make()
    Path("runs").mkdir()
    Path("run").rename("runs/newest")
    assert "newest" in ends("diagnose --no-figures").stderr
    assert Path("runs/newest/diagnosis/findings.csv").exists()
