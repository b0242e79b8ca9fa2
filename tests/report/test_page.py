import base64
import json
import re
from pathlib import Path

import pandas as pd

from errlens.report import page
from errlens.report.sources import Sources
from tests.conftest import call
from tests.report.pages import (
    CLASSES,
    add_parts,
    data_of,
    fake_explanations,
    make,
    report,
    section,
    text_of,
)


def test_the_page_is_plain_values():
    run = make()
    add_parts()
    from errlens.commands.report.options import ReportOptions

    selection = ReportOptions().choose(run)
    sources = Sources(run, selection.images, selection.among, selection.rank, Path())
    found = page.read_page(sources)
    assert found.pairs[0]["status"] == "mutual"
    assert found.pairs[0]["class_a"] in CLASSES
    json.dumps([found.pairs, found.collect, found.data], allow_nan=False)


def test_the_page_shows_what_other_commands_found():
    run = make()
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
    assert section("images", text).count('class="heat"') == 1
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


def test_a_comparison_is_shown_with_the_images_that_changed():
    run = make()
    Path("run/compare").mkdir()
    Path("run/compare/runs.csv").write_text("run,n,test,top1\nold,4,,0.5\nnew,4,paired,0.75\n")
    Path("run/compare/fixed.csv").write_text(
        "row,old_row,sample_id,path,label_name,old_pred,new_pred\n"
        "5,5,images/005.png,images/005.png,cat,dog,cat\n"
        "9,9,elsewhere.png,elsewhere.png,dog,cat,dog\n"
    )
    Path("run/compare/made_from.json").write_text(json.dumps({"run_hash": run.info.run_hash}))
    report()
    shown = section("comparison", text_of())
    assert "75.0 %" in shown
    assert 'data-row="5"' in shown
    assert "elsewhere.png" in shown


def test_a_run_without_labels_or_without_errors_has_a_page():
    make(label=False, superclasses=False)
    report()
    text = text_of()
    assert "nothing is right or wrong" in section("verdict", text)
    assert section("photos", text).count('<figure class="shot') == 48
    assert re.findall('<section id="([^"]+)"', text) == [
        "verdict",
        "photos",
        "images",
        "marks",
        "health",
        "provenance",
    ]
    assert re.findall('<li><a href="#([^"]+)"', text) == re.findall('<section id="([^"]+)"', text)
    table = pd.DataFrame({"path": ["a.png", "b.png"], "label": ["cat", "dog"]})
    table.assign(pred=table["label"]).to_csv("right.csv", index=False)
    assert call("import right.csv -o right -q").exit_code == 0
    report("right")
    told = "No errors in 2 images: no class was taken for another."
    for name in ("matrix", "images"):
        assert told in section(name, Path("right/report.html").read_text())
