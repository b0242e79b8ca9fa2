"""Images that do not count are told with their number, their reasons and the first of them."""

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.findings.known.collecting import known_findings
from tests.conftest import call, make_run

CLASSES = ("cat", "dog")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(n=40):
    names = np.array(CLASSES)[np.arange(n) % 2]
    return pd.DataFrame({"path": [f"{row}.jpg" for row in range(n)], "label": names, "pred": names})


def found(run):
    return {finding.kind: finding for finding in known_findings(run)}


def test_labels_that_the_model_lacks_are_counted_by_name():
    strange = table()
    strange.loc[[3, 8, 9], "label"] = ["<b>cow</b>", "emu", "emu"]
    lost = found(make_run(strange, classes=CLASSES, options="--allow-unknown"))["unknown_label"]
    assert lost.rows == (3, 8, 9)
    assert lost.excess_errors is None
    assert lost.statement.startswith("3 of 40 images have a label that the model lacks: 'emu'")
    assert lost.evidence == "emu: 2; <b>cow</b>: 1"


def test_images_that_were_not_predicted_are_told_with_their_reasons():
    holes = table().astype({"pred": object})
    holes.loc[[5, 6], "pred"] = None
    lost = found(make_run(holes, classes=CLASSES, options="--max-bad 2"))["unreadable"]
    assert lost.rows == (5, 6)
    assert lost.statement.startswith("2 of 40 images could not be predicted, such as 5.jpg (")
    assert lost.evidence.startswith("2: ")


def test_a_run_that_is_whole_has_nothing_lost():
    assert not {"unreadable", "unknown_label"} & found(make_run(table(), classes=CLASSES)).keys()


def test_the_rows_of_lost_images_can_be_looked_at_by_the_command():
    holes = table().astype({"pred": object})
    holes.loc[[5, 6], "pred"] = None
    lost = found(make_run(holes, classes=CLASSES, options="--max-bad 2"))["unreadable"]
    words = lost.command_line("run", 1).split()[1:]
    assert call(words).exit_code == 0


def test_nobody_is_sent_to_explain_a_run_without_a_model():
    wrong = table()
    wrong.loc[[0, 2, 4], "pred"] = "dog"
    (threshold,) = [f for f in known_findings(make_run(wrong, classes=CLASSES)) if f.n_errors]
    assert threshold.command[0] == "misclassified"


def test_a_group_is_selected_by_its_table_where_there_is_one():
    names = np.array([*"abcdefgh"])
    label, place = np.repeat(np.arange(8), 40), np.arange(320) % 40
    pred = label.copy()
    pred[(label < 2) & (place < 16)] ^= 1  # a and b are taken for one another, and for c
    pred[(label < 2) & (place >= 37)] = 2
    pred[(label == 2) & (place < 6)] = place[(label == 2) & (place < 6)] % 2
    pred[(label > 2) & (place < 3)] = 7 - (label + place)[(label > 2) & (place < 3)] % 5
    rows = {"path": [f"{row}.jpg" for row in range(320)]}
    run = make_run(pd.DataFrame(rows | {"label": names[label], "pred": names[pred]}), classes=names)
    before = [finding.selector for finding in known_findings(run) if finding.kind == "group"]
    assert call("confusion run --no-figures").exit_code == 0
    after = [finding.selector for finding in known_findings(run) if finding.kind == "group"]
    assert before == [None] * len(after)
    assert after
    assert all(selector.startswith("group:") for selector in after)
