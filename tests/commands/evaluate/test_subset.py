"""`--classes-subset`: a model is left the classes of the data to choose among."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errlens
from errlens.data.photos.loading import load_input
from errlens.model.reload import reload_classifier
from tests.commands.evaluate.conftest import FAST, rows
from tests.conftest import ends, paint, refused

CLASSES = ("blue", "green", "red")


@pytest.fixture
def two_colours(tiny, tmp_path):
    """Class folders of blue and red photos, of which some are green rather; the model has green."""
    for name, shown in (("blue", ["blue", "green", "green"]), ("red", ["red", "red", "green"])):
        for index, colour in enumerate(shown):
            paint(tmp_path / "two" / name / f"{index}.png", colour, seed=index + 10 * len(name))
    Path("classes.txt").write_text("\n".join(CLASSES))
    return f"evaluate two --model {tiny} {FAST} --classes classes.txt"


def test_probabilities_are_the_softmax_over_the_classes_of_the_data(two_colours):
    ends(f"{two_colours} -o all")
    ends(f"{two_colours} -o some --classes-subset")
    for whole, part in zip(rows("all"), rows("some"), strict=True):
        prob = np.zeros(3)
        prob[whole["topk_index"]] = whole["topk_prob"]
        among = prob[[0, 2]] / prob[[0, 2]].sum()
        assert part["pred_name"] == ("blue", "red")[among.argmax()]
        assert part["label_name"] == whole["label_name"]
        assert part["confidence"] == pytest.approx(among.max(), rel=1e-5)
        assert np.sort(part["topk_prob"]) == pytest.approx(np.sort(among), rel=1e-4)
        right = among[("blue", "red").index(part["label_name"])]
        assert part["loss"] == pytest.approx(-np.log(right), rel=1e-4)
        assert part["brier"] == pytest.approx(2 * (1 - right) ** 2, rel=1e-3)
    greens = [row["pred_name"] == "green" for row in rows("all")]
    assert sum(greens) == 3


def test_metrics_are_those_of_what_if_only_on_the_run_with_all_classes(two_colours):
    ends(f"{two_colours} -o all")
    ends(f"{two_colours} -o some --classes-subset")
    said = json.loads(ends("what-if all --only blue --only red --json").stdout)
    run = errlens.open_run("some")
    assert said["new"]["top1"] == run.metrics["top1"]
    assert said["new"]["macro_f1"]["value"] == pytest.approx(run.metrics["macro_f1"]["value"])
    assert said["new"]["classes"] == ["blue", "red"]


def test_the_choice_is_recorded_and_part_of_what_the_run_is(two_colours):
    ends(f"{two_colours} -o all")
    said = ends(f"{two_colours} -o some --classes-subset").stderr
    assert "2 of 3 outputs count, the others are left out before the softmax" in said
    whole, part = (errlens.open_run(name).info for name in ("all", "some"))
    assert whole.run_hash != part.run_hash
    assert "outputs" not in json.loads(Path("all/run.json").read_text())
    assert part.settings.outputs == {"subset": [0, 2], "of": 3}
    assert part.settings.class_names == ["blue", "red"]
    ends(f"{two_colours} -o some --classes-subset")  # and again: there is nothing left to do
    assert "outputs unset -> {'subset': [0, 2], 'of': 3}" in refused(
        f"{two_colours} -o all --classes-subset", exit_code=3
    )
    assert "evaluate both with --classes-subset, or neither" in refused(
        "compare all some", exit_code=3
    )


def test_a_run_is_explained_by_the_scores_it_was_predicted_by(two_colours):
    ends(f"{two_colours} -o some --classes-subset --keep none")
    info = errlens.open_run("some").info
    classifier = reload_classifier(info)
    assert classifier.classes.names == ("blue", "red")
    photos = [row["path"] for row in rows("some")]
    inputs = [
        load_input(Path(info.data_root, path), classifier.preparation, max_mb=100).value
        for path in photos
    ]
    with classifier.ready() as outputs:
        logits = outputs(inputs).logits
    assert logits.shape == (6, 2)
    assert logits.argmax(axis=1).tolist() == [row["pred"] for row in rows("some")]
    np.testing.assert_allclose(
        np.logaddexp.reduce(logits, axis=1), [row["logsumexp"] for row in rows("some")], rtol=1e-5
    )
    ends("explain some --select worst:2 --method occlusion")
    index = pd.read_csv("some/explain/index.csv").set_index(["row", "target"])["score"]
    for row, _ in index.index:
        of_pred, of_label = (rows("some")[row][name] for name in ("pred", "label"))
        assert index[row, "predicted"] == pytest.approx(logits[row, of_pred], rel=1e-4)
        assert index[row, "true"] == pytest.approx(logits[row, of_label], rel=1e-4)
    ends("report some")
    assert "subset 2 of 3" in Path("some/report.html").read_text()


@pytest.mark.usefixtures("two_colours")
def test_numbers_of_outputs_are_those_of_the_model(tiny):
    table = pd.DataFrame({"path": [f"two/red/{index}.png" for index in range(3)]})
    table["label"] = [2, 2, 0]
    table.to_csv("table.csv", index=False)
    ends(f"evaluate table.csv --model {tiny} {FAST} -o run --classes-subset")
    assert errlens.open_run("run").info.settings.class_names == ["0", "2"]
    assert [row["label"] for row in rows("run")] == [1, 1, 0]
    assert [row["pred_name"] for row in rows("run")][:2] == ["2", "2"]


def test_an_empty_folder_is_a_class_of_the_data_and_a_limit_takes_none_away(tiny, two_colours):
    Path("two/green").mkdir()
    said = ends(f"{two_colours} -o run --classes-subset --limit 1").stderr
    assert "every class of the model: --classes-subset changes nothing" in said
    shutil.rmtree("two/green")
    table = pd.DataFrame({"path": ["two/red/0.png", "two/blue/0.png"], "label": ["red", "blue"]})
    table.to_csv("table.csv", index=False)
    options = f"--model {tiny} {FAST} --classes classes.txt"
    ends(f"evaluate table.csv {options} -o limited --classes-subset --limit 1")
    assert errlens.open_run("limited").info.settings.class_names == ["blue", "red"]


def test_where_the_data_have_every_class_the_run_is_the_same(photos, tiny):
    for options in ("-o all", "-o some --classes-subset"):
        ends(f"evaluate {photos} --model {tiny} {FAST} {options}")
    assert errlens.open_run("all").info.run_hash == errlens.open_run("some").info.run_hash


def test_superclasses_are_those_of_the_classes_left(two_colours):
    Path("parents.csv").write_text("class_name,superclass\nblue,cold\ngreen,cold\nred,warm\n")
    ends(f"{two_colours} -o run --classes-subset --superclasses parents.csv")
    assert errlens.open_run("run").info.settings.superclasses == {"blue": "cold", "red": "warm"}
    assert {row["super_pred"] for row in rows("run")} == {0, 1}


@pytest.mark.parametrize(
    ("data", "why"),
    [("two/blue", "the data have no labels"), ("one.csv", "all are 'red'")],
)
def test_data_that_leave_nothing_to_choose_are_refused(two_colours, data, why):
    Path("one.csv").write_text("path,label\ntwo/red/0.png,red\n")
    command = f"{two_colours} -o run --classes-subset".replace("two", data, 1)
    assert why in refused(command, exit_code=2)
    assert not Path("run").exists()


def test_evaluate_names_the_option_where_the_data_lack_classes(two_colours):
    said = ends(f"{two_colours} -o run").stderr
    assert "classes without an image here: 1 of 3; --classes-subset leaves them out" in said


def test_exchanged_labels_among_some_classes_get_names_for_all_outputs(shades):
    """The model calls its outputs bright, dark, middle; the folders dark and bright are swapped."""
    shutil.rmtree(shades / "middle")
    (shades / "dark").rename(shades / "x")
    (shades / "bright").rename(shades / "dark")
    (shades / "x").rename(shades / "bright")
    Path("names.txt").write_text("bright\ndark\nmiddle\n")
    command = f"evaluate {shades} --model shades:Shades --img-size 8 --classes names.txt"
    assert "exchanged" in refused(f"{command} -o run --classes-subset", exit_code=3)
    assert Path("run/suggested_classes.txt").read_text() == "dark\nbright\nmiddle\n"


@pytest.mark.parametrize(
    "outputs",
    [
        {"subset": [0, 3], "of": 3},
        {"subset": [0, 0], "of": 3},
        {"subset": [0, 2], "of": 2**40},
        {"subset": [0], "of": 3},
        {"subset": ["0", "2"], "of": 3},
    ],
)
def test_a_record_of_other_outputs_than_there_are_is_refused(two_colours, outputs):
    ends(f"{two_colours} -o run --classes-subset")
    tree = json.loads(Path("run/run.json").read_text())
    Path("run/run.json").write_text(json.dumps({**tree, "outputs": outputs}))
    said = refused("explain run --select worst:1 --trust-run", exit_code=3)
    assert "run.json" in said


def test_without_a_name_it_is_a_run_beside_that_of_all_classes(two_colours):
    for options in ("", "--classes-subset"):
        ends(f"{two_colours} {options}")
    whole, part = sorted(path.name for path in Path("runs").iterdir())
    assert part == f"{whole}-subset"


def test_a_better_preprocessing_is_looked_for_among_the_same_classes(shades):
    shutil.rmtree(shades / "middle")
    Path("names.txt").write_text("bright\ndark\nmiddle\n")
    command = f"evaluate {shades} --model shades:Shades --img-size 8 --classes names.txt"
    said = ends(f"{command} --classes-subset --mean 0.7 0.7 0.7 --expect top1=0.95 -o run")
    assert "these settings restore it" in said.stderr or "this setting restores it" in said.stderr
    assert "--classes-subset" in said.stdout.splitlines()[-1]
