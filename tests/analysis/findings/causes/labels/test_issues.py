"""Swapped labels are found, sound ones are left alone, and tools take the list as it is."""

import json
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import softmax

from errlens.analysis.accuracy.mended_labels import read_labels
from errlens.analysis.findings.causes.labels.exports import fiftyone_samples, label_studio_tasks
from errlens.analysis.findings.causes.labels.issues import (
    LABEL_ISSUE_COLUMNS,
    SURE,
    search_label_issues,
)
from errlens.run.csv_tables import read_declared, write_csv
from tests.analysis.findings.causes.images import NAMES, scored_images


def judged(n=1500, *, swapped=0, seed=0):
    """Images of a calibrated model whose features are its logits; which labels were swapped."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, n)
    features = 4 * np.eye(4)[truth] + rng.normal(size=(n, 4))
    logits = 4 * features
    label = truth.copy()
    bad = rng.choice(n, swapped, replace=False)
    label[bad] = (label[bad] + rng.integers(1, 4, swapped)) % 4
    probability = softmax(logits, axis=1)
    own = np.arange(n)
    pred = logits.argmax(axis=1)
    images = scored_images(
        label, pred, confidence=probability[own, pred], label_prob=probability[own, label]
    )
    return images, features, logits, set((100 + bad).tolist())


@pytest.mark.parametrize("known", ["all", "no features", "confidence alone"])
def test_swapped_labels_are_found_whatever_is_known(known):
    images, features, logits, bad = judged(swapped=45)
    features = features if known == "all" else None
    logits = None if known == "confidence alone" else logits
    outcome = search_label_issues(images, features, logits)
    table = outcome.tables["label_issues"]
    sure = set(table.loc[table["list"] == SURE, "row"])
    assert len(sure & bad) >= 0.9 * len(sure)
    assert len(sure & bad) >= 0.4 * len(bad)
    assert len({*table["row"]} & bad) >= 0.8 * len(bad)
    (finding,) = outcome.findings
    assert set(finding.rows) == sure
    assert outcome.searches[0].found == 1


def test_sound_labels_are_no_finding():
    listed = 0
    for seed in range(8):
        images, features, logits, _ = judged(seed=seed)
        outcome = search_label_issues(images, features, logits)
        assert not outcome.findings
        listed += (outcome.tables["label_issues"]["list"] == SURE).sum()
    assert listed <= 0.002 * 8 * 1500


def test_a_model_ten_times_too_sure_of_itself_is_not_believed():
    images, features, logits, _ = judged()
    assert not search_label_issues(images, features, 10 * logits).findings
    cautious = search_label_issues(*judged(swapped=45)[:2], judged(swapped=45)[2] / 10)
    assert len(cautious.findings) == 1


def test_neighbours_with_the_label_speak_for_it():
    images, _, logits, _ = judged(swapped=45)
    as_labelled = np.eye(4)[images.label]  # in feature space every image is like its label
    outcome = search_label_issues(images, as_labelled, logits)
    assert not outcome.findings
    assert SURE not in set(outcome.tables["label_issues"]["list"])


def test_the_sentence_and_its_gain_follow_from_the_list():
    images, features, logits, _ = judged(swapped=45)
    outcome = search_label_issues(images, features, logits)
    (finding,), table = outcome.findings, outcome.tables["label_issues"]
    sure = table[table["list"] == SURE]
    share = 100 * len(sure) / images.wrong.sum()
    assert f"labels of {len(sure)} images" in finding.statement
    assert f"({share:.1f} % of all errors)" in finding.statement
    assert "about 3.0 would be so" in finding.statement
    (pair, times), *_ = sure[["label_name", "looks_like"]].value_counts().items()
    assert f"labelled {pair[0]}, but {pair[1]} ({times})." in finding.statement
    assert finding.excess_errors == pytest.approx(len(sure) - 3.0)
    assert finding.gain.value == pytest.approx((len(sure) - 3.0) / 1500)
    assert finding.n_errors == len(sure) == len(finding.rows)
    assert finding.command_line("a run", 1).endswith(
        "what-if 'a run' --relabel 'a run/diagnosis/label_issues.csv'"
    )


def test_what_if_takes_the_file_and_mends_what_is_sure(tmp_path):
    images, features, logits, _ = judged(swapped=45)
    table = search_label_issues(images, features, logits).tables["label_issues"]
    assert {*table["list"]} == {"sure", "worth a look"}
    path = tmp_path / "label_issues.csv"
    write_csv(path, table)
    assert list(read_declared(path, LABEL_ISSUE_COLUMNS)) == list(LABEL_ISSUE_COLUMNS)
    ids = [f"unknown {row}" for row in range(100)] + list(images.sample_id)
    label = np.concatenate([np.zeros(100, int), images.label])
    plan = pa.table({"sample_id": ids, "label_name": [NAMES[index] for index in label]})
    mended = read_labels(path, plan, images.classes, label).labels
    sure = table[table["list"] == SURE]
    assert mended == dict(
        zip(sure["row"], [NAMES.index(name) for name in sure["looks_like"]], strict=True)
    )


@pytest.mark.parametrize("n", [0, 12])
def test_too_few_images_are_said_to_be_so(n):
    images, features, logits, _ = judged(n=n)
    outcome = search_label_issues(images, features, logits)
    assert len(outcome.tables["label_issues"]) == 0
    assert outcome.searches[0].enough == 100 or outcome.searches[0].absent


def test_labels_without_probabilities_are_not_doubted():
    images, *_ = judged(n=200)
    nothing = np.full(200, np.nan)
    hard = replace(images, confidence=nothing, label_prob=nothing)
    assert "no probabilities" in search_label_issues(hard, None, None).searches[0].absent


@pytest.mark.parametrize("right", [True, False])
def test_all_right_and_all_wrong_are_no_findings(right):
    images, features, logits, _ = judged(n=400)
    label = images.pred if right else (images.pred + 1) % 4
    labelled = replace(images, label=label, wrong=label != images.pred)
    outcome = search_label_issues(labelled, features, logits)
    assert not outcome.findings


def test_label_studio_gets_tasks_with_predictions():
    images, features, logits, _ = judged(swapped=45)
    table = search_label_issues(images, features, logits).tables["label_issues"]
    table.loc[0, "path"] = "a b/ä#?.jpg"
    tasks = json.loads(json.dumps(label_studio_tasks(table)))
    assert len(tasks) == len(table)
    assert unquote(tasks[0]["data"]["image"]) == "/data/local-files/?d=a b/ä#?.jpg"
    assert "#" not in tasks[0]["data"]["image"]
    (prediction,) = tasks[3]["predictions"]
    assert prediction["result"][0]["value"] == {"choices": [table["looks_like"][3]]}
    assert 0 <= prediction["score"] <= 1


def test_fiftyone_gets_samples_with_both_classes():
    images, _, logits, _ = judged(swapped=45)
    table = search_label_issues(images, None, logits).tables["label_issues"]
    tree = json.loads(json.dumps(fiftyone_samples(table, data_root=PurePosixPath("/photos"))))
    first = tree["samples"][0]
    assert first["filepath"] == f"/photos/{table['path'][0]}"
    assert first["ground_truth"] == {"_cls": "Classification", "label": table["label_name"][0]}
    assert first["prediction"]["label"] == table["looks_like"][0]
    assert first["tags"] == ["sure"]
