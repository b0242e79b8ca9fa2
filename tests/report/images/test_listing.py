import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.findings.finding import Finding
from errlens.commands.report.options import ReportOptions
from errlens.report.images.listing import by_worth, list_images
from errlens.report.images.properties import image_properties
from errlens.run.folder import open_run
from tests.conftest import ends
from tests.report.pages import EVIL, make

ENOUGH = 1_000_000


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def listed(run, *, budget=ENOUGH, findings=()):
    chosen = ReportOptions().choose(run)
    properties = image_properties(run, chosen.images)
    return list_images(chosen.images, by_worth(chosen.among), properties, findings, budget=budget)


def test_every_image_is_listed_as_the_predictions_have_it():
    run = make(images=False)
    data, table = listed(run), run.predictions.frame
    assert (data["n"], data["rows"]) == (48, None)
    for name in ("label", "pred", "path"):
        assert data[name] == table[name].tolist()
    assert data["correct"] == table["correct"].astype(int).tolist()
    np.testing.assert_allclose(data["confidence"], table["confidence"].astype(float), rtol=5e-6)
    assert data["loss"] == [None] * 48  # the table had no probabilities of all classes
    assert data["status"] == dict.fromkeys(data["status"], "missing")
    assert data["label_text"] == {}
    json.dumps(data, allow_nan=False)


def test_a_run_that_is_too_large_lists_its_errors_first_then_the_others_in_order():
    run = make(images=False)
    ranking = ReportOptions().choose(run).among.ranking.tolist()
    whole = len(json.dumps(listed(run), separators=(",", ":")))
    data = listed(run, budget=whole // 2)
    assert len(ranking) < len(data["rows"]) < 48
    assert data["rows"][: len(ranking)] == ranking
    rest = data["rows"][len(ranking) :]
    assert rest == sorted(set(range(48)) - set(ranking))[: len(rest)]
    assert data["path"] == [f"images/{row:03d}.png" for row in data["rows"]]
    assert data["n"] == 48
    for budget in (0, 500, whole // 2, whole):
        size = len(json.dumps(listed(run, budget=budget), separators=(",", ":")))
        assert size <= budget + 400  # the names of the columns


def test_findings_keep_the_images_that_are_listed():
    run = make(images=False)
    finding = Finding(kind="slice", statement="<b>Dark\u202e images", rows=(3, 47, 5))
    general = Finding(kind="calibration", statement="It is too sure.")
    whole = listed(run, findings=[general, finding])["findings"]
    assert whole == [{"rank": 2, "title": "<b>Dark\\u202e images", "rows": [3, 47, 5]}]
    few = listed(run, budget=2_000, findings=[finding])
    assert few["findings"][0]["rows"] == [row for row in (3, 47, 5) if row in few["rows"]]


def test_labels_that_the_model_lacks_and_what_was_not_predicted_are_said():
    table = pd.DataFrame({"path": ["a.png", "b.png"], "label": ["cat", "<fox>"]})
    table.assign(pred="cat").to_csv("table.csv", index=False)
    Path("classes.json").write_text('["cat", "dog"]')
    ends("import table.csv -o run --classes classes.json --allow-unknown -q")
    data = listed(open_run("run"))
    assert data["label"] == [0, -1]
    assert data["correct"] == [1, -1]
    assert data["label_text"] == {"1": "<fox>"}
    assert data["status"]["1"] == "label_unknown"


def test_numbers_of_the_manifest_are_listed_and_texts_are_not():
    table = pd.DataFrame(
        {
            "path": [f"{row}.png" for row in range(4)],
            "label": ["cat", "dog"] * 2,
            "pred": "cat",
            "age": [1, 2, None, 40],
            "loss": [0.123456, 2, 3, 4],
            "site": ["A", "B", "A", "C"],
        }
    )
    table.to_csv("table.csv", index=False)
    ends("import table.csv -o run -q")
    measured = {each["name"]: each for each in listed(open_run("run"))["measured"]}
    assert measured["age"]["values"] == [1, 2, None, 40]
    assert "site" not in measured
    assert measured["loss (manifest)"]["values"] == [0.1235, 2, 3, 4]


def test_names_that_cannot_be_seen_are_escaped():
    run = make(EVIL, superclasses=False, images=False)
    assert listed(run)["path"][0] == "images/000.png"
    table = pd.DataFrame({"path": ["a\u202eb.png"], "label": ["cat"], "pred": ["cat"]})
    table.to_csv("odd.csv", index=False)
    ends("import odd.csv -o odd -q")
    assert listed(open_run("odd"))["path"] == ["a\\u202eb.png"]


def test_findings_about_nearly_all_images_leave_room_for_these():
    run = make(each=200, images=False)
    everything = Finding(kind="slice", statement="Many", rows=tuple(range(800)))
    data = listed(run, budget=12_000, findings=[everything] * 4)
    assert 50 < len(data["rows"]) < 800
    assert len(json.dumps(data, separators=(",", ":"))) < 12_500
    assert all(set(each["rows"]) <= set(data["rows"]) for each in data["findings"])
