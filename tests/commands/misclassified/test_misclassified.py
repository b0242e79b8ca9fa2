"""`errlens misclassified` on runs that were imported from small tables."""

import json
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from errlens.cli import app
from errlens.run.csv_tables import read_csv
from tests.conftest import COLOURS, call, contents, ends, make_run, paint, refused

CLASSES = ("cat", "lion", "dog", "wolf")
PARENTS = {"cat": "feline", "lion": "feline", "dog": "canine", "wolf": "canine"}
LABEL = ["cat"] * 8 + ["lion"] * 8 + ["dog"] * 8
PRED = (
    ["cat"] * 4 + ["lion"] * 3 + ["dog"]
    + ["lion"] * 6 + ["cat"] * 2
    + ["dog"] * 7 + ["wolf"]
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(
    label=LABEL,
    pred=PRED,
    *,
    classes=CLASSES,
    options="",
    superclasses=True,
    prob=True,
    images=False,
):
    """Import a table in which later rows are less certain of what they say."""
    paths = [f"images/{row:02d}.png" for row in range(len(label))]
    table = pd.DataFrame({"path": paths, "label": label, "pred": pred})
    table["subject"] = [f"s{row % 4}" for row in table.index]
    if prob:
        for name in classes:
            table[f"prob_{name}"] = 0.1
        for row, name in enumerate(pred):
            table.loc[row, f"prob_{name}"] = 0.9 - row / len(pred) / 5
        columns = [f"prob_{name}" for name in classes]
        table[columns] = table[columns].div(table[columns].sum(axis=1), axis=0)
    parents = PARENTS if superclasses else None
    return make_run(table, classes=classes, superclasses=parents, options=options, images=images)


def misclassified(arguments="run"):
    return ends(f"misclassified {arguments}")


def read(name, *, text=("label_name", "pred_name", "path", "about")):
    return read_csv(Path("run/misclassified", name), text=text)


def galleries():
    return sorted(path.name for path in Path("run/misclassified").glob("gallery/*"))


@pytest.mark.parametrize("rank", ["loss", "margin", "confidence", "entropy", "superclass"])
def test_the_table_holds_exactly_the_wrong_rows(rank):
    run = make()
    misclassified(f"run --rank {rank}")
    predictions = run.predictions.frame
    wrong = set(predictions.loc[~predictions["correct"], "row"])
    worst = read("worst.csv")
    assert set(worst["row"]) == wrong
    assert len(worst) == len(wrong)
    assert worst["rank"].tolist() == list(range(1, len(wrong) + 1))
    if rank == "superclass":
        assert worst["row"][0] == 7  # the cat that was called a dog


def test_a_selection_limits_what_is_shown_and_never_the_table():
    make()
    said = misclassified("run --select cat~lion --json")
    found = json.loads(said.stdout)
    assert {one["row"] for one in found["selected"]} == {4, 5, 6, 14, 15}
    assert len(read("worst.csv")) == found["n_errors"] == 7
    only = json.loads(misclassified("run --select row:0 --json").stdout)
    assert [(one["row"], one["rank"]) for one in only["selected"]] == [(0, None)]


def test_top_cuts_the_table_and_all_that_is_not_selected():
    make(images=True)
    found = json.loads(misclassified("run --top 3 --copy three --json").stdout)
    assert read("worst.csv")["rank"].tolist() == [1, 2, 3]
    assert [one["rank"] for one in found["selected"]] == [1, 2, 3]
    assert len(contents("three")) == 3
    found = json.loads(misclassified("run --top 1 --select cat~lion --json").stdout)
    assert len(found["selected"]) == 5
    assert found["collect"][0]["confused_with"] == ["lion", "dog"]


def test_pairs_are_those_of_confusion():
    make()
    assert "errlens confusion run" in refused("misclassified run --select pairs:1", exit_code=3)
    ends("confusion run --no-figures -q")
    found = json.loads(misclassified("run --select pairs:1 --json").stdout)
    assert {one["row"] for one in found["selected"]} == {4, 5, 6, 14, 15}


@pytest.mark.parametrize(
    "damage",
    ["junk\n", "", '"class_a","class_b"\n"cat","fox"\n', "class_a\ncat\n", "a,b\n1\n1,2,3\n"],
)
def test_damaged_confusions_are_made_again(damage):
    make()
    ends("confusion run --no-figures -q")
    for name in ("pairs.csv", "groups.csv", "exceptional.csv"):
        Path("run/confusion", name).write_text(damage)
    assert "errlens confusion run" in refused("misclassified run --select pairs:1", exit_code=3)
    assert "errlens confusion run" in refused("misclassified run --select group:1", exit_code=3)
    misclassified("run --select exceptional --no-figures")


def test_confusions_of_other_predictions_are_refused():
    make()
    ends("confusion run --no-figures -q")
    make(pred=["lion", *PRED[1:]], options="--overwrite")
    assert "made of other predictions" in refused("misclassified run --select pairs:1", exit_code=3)


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_the_table_in_another_format(kind):
    make()
    misclassified(f"run --format {kind}")
    path = Path(f"run/misclassified/worst.{kind}")
    same = (
        pd.read_parquet(path) if kind == "parquet" else pd.DataFrame(json.loads(path.read_text()))
    )
    table = read("worst.csv")
    assert same["row"].tolist() == table["row"].tolist()
    assert same["loss"].tolist() == pytest.approx(table["loss"].tolist(), rel=1e-6)


def test_what_is_wrong_the_same_way_by_a_column():
    make(pred=["lion", *PRED[1:4], "lion", *PRED[5:]])
    said = misclassified("run --by-column subject")
    assert "of one value more often than by chance; the strongest: s0, cat -> lion" in said.stdout
    table = read("systematic.csv")
    assert (table["value"][0], table["label_name"][0], table["pred_name"][0]) == (
        "s0",
        "cat",
        "lion",
    )
    assert (table["k"][0], table["n"][0], json.loads(table["rows"][0])) == (2, 2, [0, 4])
    assert "'subjct'" in refused("misclassified run --by-column subjct", exit_code=2)


def test_photos_of_one_mongrel_that_are_called_the_same_are_a_row():
    label = [*CLASSES * 10, *["mongrel"] * 5]
    pred = [*CLASSES * 10, *["wolf"] * 5]
    subjects = [*(f"s{row // 2}" for row in range(40)), *["Rex"] * 5]
    make(label, pred, options="--allow-unknown")
    table = pd.read_csv("table.csv").assign(subject=subjects)
    table.to_csv("table.csv", index=False)
    import_it = "import table.csv -o run --classes classes.json --labels names --allow-unknown"
    ends(f"{import_it} --overwrite -q")
    said = misclassified("run --by-column subject")
    table = read("systematic.csv")
    assert table[["value", "label_name", "pred_name"]].to_numpy().tolist() == [
        ["Rex", "mongrel", "wolf"]
    ]
    assert (table["k"][0], table["n"][0]) == (5, 5)
    assert table["q_value"][0] < 0.001
    assert re.search(r"Rex +mongrel -> wolf +5 of 5 +0.6 +<0.001", said.stdout)


def test_without_repeated_errors_that_is_said():
    make(LABEL, LABEL)
    said = misclassified("run --by-column subject")
    assert "No two images of one value are wrong in the same way." in said.stdout


def test_labels_the_model_lacks_are_counted_apart():
    make(["fox", *LABEL[1:]], ["dog", *PRED[1:]], options="--allow-unknown")
    said = misclassified()
    assert read("unknown.csv")[["label_name", "pred_name", "count"]].to_numpy().tolist() == [
        ["fox", "dog", 1]
    ]
    assert "fox -> dog" in said.stdout
    assert 0 not in read("worst.csv")["row"].tolist()


def test_without_errors_the_tables_have_headers_only():
    make(LABEL, LABEL)
    for selector in ("", "--select errors", "--select worst:5", "--select exceptional"):
        said = misclassified(f"run {selector}")
        assert "0 of 24 images wrong" in said.stdout
        assert len(read("worst.csv")) == 0
        assert "loss" in read("worst.csv").columns


@pytest.mark.parametrize("rank", ["loss", "margin", "entropy", "confidence"])
def test_a_ranking_the_run_has_no_numbers_for_is_refused(rank):
    make(prob=False)
    assert "no such numbers" in refused(f"misclassified run --rank {rank}", exit_code=2)


def test_a_run_that_knows_confidence_alone_is_ranked_by_it():
    table = pd.DataFrame({"path": list("abc"), "label": "cat", "pred": "dog"})
    table.assign(confidence=[0.3, 0.9, 0.5]).to_csv("t.csv", index=False)
    Path("names.txt").write_text("cat\ndog\n")  # that all is wrong must be meant
    ends("import t.csv -o run -q --classes names.txt")
    misclassified()
    assert read("worst.csv")["row"].tolist() == [1, 2, 0]


def test_a_run_without_probabilities_is_ranked_by_row():
    make(prob=False)
    misclassified()
    worst = read("worst.csv")
    assert worst["row"].tolist() == sorted(worst["row"])
    assert worst["loss"].isna().all()


def test_superclasses_must_be_known_to_rank_by_them():
    make(superclasses=False)
    assert "no superclasses" in refused("misclassified run --rank superclass", exit_code=2)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("cta~dog", "cat"),
        ("better", "errors, worst:N"),
        ("wolf/cat", "no 'wolf' was taken for 'cat'"),
    ],
)
def test_a_selector_that_means_nothing_is_a_usage_error(selector, message):
    make()
    before = misclassified()
    assert before.exit_code == 0
    assert message in refused(f"misclassified run --select {selector}", exit_code=2)


def test_a_missing_run_and_one_without_labels_are_bad_input():
    assert "run folder" in refused("misclassified nowhere", exit_code=3)
    pd.DataFrame({"path": ["a.jpg", "b.jpg"], "pred": ["cat", "dog"]}).to_csv("t.csv", index=False)
    assert call("import t.csv -o plain -q").exit_code in (0, 3)
    if Path("plain/metrics.json").exists():
        assert "both a label and a prediction" in refused("misclassified plain", exit_code=3)


def test_a_second_call_writes_the_same_bytes():
    make(images=True)
    misclassified("run --format json --by-column subject")
    files = contents("run/misclassified")
    misclassified("run --format json --by-column subject")
    assert contents("run/misclassified") == files
    assert set(files) == {
        "worst.csv", "worst.json", "collect.csv", "unknown.csv", "systematic.csv",
        "gallery/worst.png", "gallery/exceptional.png", "made_from.json",
    }  # fmt: skip


def test_it_reads_as_people_expect(golden):
    make(images=True)
    golden("misclassified.txt", misclassified().stdout)


def test_the_page_of_one_image_reads_as_people_expect(golden):
    make(images=True)
    golden("misclassified.row.txt", misclassified("run --select row:7").stdout)


def test_the_next_command_of_confusion_shows_its_first_pair():
    wrong = ["lion"] * 20 + ["cat"] * 20 + ["lion"] * 15 + ["cat"] * 25
    label = ["cat"] * 40 + ["lion"] * 40 + ["dog"] * 40 + ["wolf"] * 40
    make(label, wrong + ["dog"] * 40 + ["wolf"] * 40, superclasses=False)
    said = call("confusion run --no-figures").stdout.splitlines()[-1]
    assert said == "Next: errlens misclassified run --select 'cat~lion'"
    program, command, *arguments = shlex.split(said.removeprefix("Next: "))
    assert (program, command) == ("errlens", "misclassified")
    assert CliRunner().invoke(app, [command, *arguments]).exit_code == 0


def test_what_no_model_is_known_of_cannot_be_explained_next():
    make()
    assert "errlens explain" not in misclassified("run --select cat~lion --no-figures").stdout


def test_torch_is_never_imported():
    make(images=True)
    program = (
        "import sys\nfrom errlens.cli import app\n"
        "try:\n    app(['misclassified', 'run', '-q'])\nexcept SystemExit as end:\n"
        "    assert not end.code\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert galleries()


# Galleries


def width(name):
    with Image.open(f"run/misclassified/gallery/{name}") as image:
        return image.size[0]


def test_galleries_are_of_the_worst_of_the_exceptional_and_of_what_was_selected():
    make(images=True)
    misclassified()
    assert galleries() == ["exceptional.png", "worst.png"]
    ends("confusion run --no-figures -q")
    misclassified(
        "run --select cat~lion --select cat/dog --select pairs:1 --select true:cat+worst:2"
    )
    assert galleries() == [
        "cat-as-dog.png", "cat~lion.png", "exceptional.png", "true-cat+worst-2.png", "worst.png",
    ]  # fmt: skip
    for name in galleries():
        with Image.open(f"run/misclassified/gallery/{name}") as image:
            assert min(image.size) > 200


def test_galleries_of_other_predictions_go():
    make(images=True)
    misclassified("run --select cat~lion")
    make(pred=["lion", *PRED[1:]], images=True, options="--overwrite")
    misclassified()
    assert galleries() == ["exceptional.png", "worst.png"]


def test_no_figures_draws_nothing_and_imports_no_matplotlib():
    make(images=True)
    program = (
        "import sys\nfrom errlens.cli import app\n"
        "try:\n    app(['misclassified', 'run', '-q', '--no-figures'])\nexcept SystemExit as end:\n"
        "    assert not end.code\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert galleries() == []


def test_an_image_that_is_gone_is_told_and_the_rest_is_shown():
    make(images=True)
    Path("images/04.png").unlink()
    said = misclassified()
    assert "04.png' (no such file)" in said.stderr
    assert galleries() == ["exceptional.png", "worst.png"]


def test_a_run_whose_images_are_elsewhere_has_tables_and_says_what_to_do():
    make()
    said = misclassified()
    assert "no gallery was drawn" in said.stderr
    assert "--data-root" in said.stderr
    assert galleries() == []
    assert len(read("worst.csv")) == 7


def test_data_root_says_where_images_lie_and_others_of_the_same_name_are_not_shown():
    make(images=True)
    Path("images").rename("moved")
    Path("new").mkdir()
    Path("moved").rename("new/images")
    assert misclassified("run --data-root new").stderr.count("warning") == 0
    assert galleries() == ["exceptional.png", "worst.png"]
    paint(Path("new/images/04.png"), "blue", seed=99)
    assert "another file now" in misclassified("run --data-root new").stderr
    for row in range(24):
        paint(Path(f"new/images/{row:02d}.png"), "blue", seed=100 + row)
    assert "no gallery was drawn" in misclassified("run --data-root new").stderr
    assert "is no folder" in refused("misclassified run --data-root nowhere", exit_code=2)


def test_as_fed_takes_a_run_that_says_how_its_images_were_fed(photos, tiny):
    fit = "--img-size 8 --mean 0 0 0 --std 1 1 1"
    ends(f"evaluate {photos} --model {tiny} {fit} -o run -q")
    misclassified("run --as-fed")
    wide = width("worst.png")
    misclassified("run")
    assert width("worst.png") < wide
    misclassified(f"run --as-fed --train {photos} --select red~green --select row:0")
    assert galleries() == ["red~green.png", "row-0.png", "worst.png"]
    Path("feeding.py").write_text(
        "import torch, numpy\n"
        "def small(image):\n"
        "    pixels = numpy.asarray(image.resize((8, 8))) / 255\n"
        "    return torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)\n"
    )
    own = f"evaluate {photos} --model {tiny} --transform feeding:small -o own -q"
    ends(own)
    assert "--transform feeding:small" in refused("misclassified own --as-fed", exit_code=2)
    assert list(COLOURS) == ["blue", "green", "red"]


def test_an_imported_run_cannot_say_how_its_images_were_fed():
    make(images=True)
    before = contents("run")
    assert "no model" in refused("misclassified run --as-fed", exit_code=3)
    assert contents("run") == before


@pytest.mark.parametrize(
    ("prepare", "message", "exit_code"),
    [
        (lambda: None, "does not exist", 3),
        (lambda: paint(Path("train/fox/a.png"), "red"), "no image of a class", 2),
    ],
)
def test_training_images_must_be_of_the_classes(prepare, message, exit_code):
    make(images=True)
    prepare()
    assert message in refused("misclassified run --train train", exit_code=exit_code)


# Notes


def test_notes_are_kept_and_ideas_shown_by_gain():
    make(images=True)
    Path("notes.yaml").write_text(
        "cat/dog: {idea: look again}\nrow:4: {observation: 'asleep'}\n"
        "lion~cat: {observation: both yawn, idea: more manes}\n"
    )
    said = misclassified("run --notes notes.yaml --select cat~lion").stdout
    assert said.index("more manes") < said.index("look again")
    assert "asleep" not in said
    notes = read("notes.csv")
    assert notes["about"].tolist() == ["lion~cat", "cat/dog", "row:4"]
    assert notes["errors"].tolist() == [5, 1, 1]
    Path("notes.yaml").write_text("cat~dgo: {idea: none}\n")
    assert "did you mean dog" in refused("misclassified run --notes notes.yaml", exit_code=2)
    Path("notes.yaml").write_text("group:1: {idea: none}\n")
    assert "errlens confusion run" in refused("misclassified run --notes notes.yaml", exit_code=3)
    assert "does not exist" in refused("misclassified run --notes none.yaml", exit_code=3)


# Copies and hostile names

HOSTILE = (
    "../../outside", "/etc/passwd", "a/b", "a_b", "A_B", "two\nlines", ".hidden", "..",
    "=HYPERLINK(1)", "@x", "x" * 300, "x" * 299 + "y", "con",
)  # fmt: skip


@pytest.mark.parametrize("target", ["file/below", "x" * 300, "run/misclassified/worst.csv/a"])
def test_a_place_that_cannot_be_written_to_is_told(target):
    make(images=True)
    misclassified()
    Path("file").write_text("mine")
    assert "cannot be written" in refused(f"misclassified run --copy {target}", exit_code=3)


@pytest.mark.parametrize("name", ["gallery", "worst.csv"])
def test_what_stands_in_the_way_of_results_is_told(name):
    make(images=True)
    target = Path("run/misclassified", name)
    target.parent.mkdir()
    if name == "gallery":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")
    assert "cannot be written" in refused("misclassified run", exit_code=3)


def test_copying_what_is_right_copies_nothing_and_says_so():
    make(images=True)
    assert "Copied nothing" in misclassified("run --copy none --select correct:cat").stdout
    assert not Path("none").exists()


def test_copies_are_the_wrong_images_that_are_meant():
    make(images=True)
    assert "Copied 7 images to wrong" in misclassified("run --copy wrong").stdout
    assert {name.rpartition("/")[0] for name in contents("wrong")} == {
        "cat/lion", "cat/dog", "lion/cat", "dog/wolf",
    }  # fmt: skip
    assert "is not empty" in refused("misclassified run --copy wrong", exit_code=2)
    misclassified("run --copy two --select cat~lion --select correct:cat")
    assert {Path(name).name for name in contents("two")} == {
        f"{row:02d}.png" for row in (4, 5, 6, 14, 15)
    }
    Path("images/04.png").unlink()
    said = misclassified("run --copy three --select cat/lion")
    assert "Copied 2 images" in said.stdout
    assert "not copied" in said.stderr


def test_with_hostile_names_every_file_is_inside_and_none_is_lost():
    label = [name for name in HOSTILE for _ in range(3)]
    pred = [HOSTILE[(at + 1) % len(HOSTILE)] for at in range(len(HOSTILE)) for _ in range(3)]
    make(label, pred, classes=HOSTILE, superclasses=False, images=True)
    before = {path for path in Path().rglob("*") if not path.is_relative_to("run")}
    outside = set(Path("..").iterdir())
    selectors = [f"{a}~{b}" for a, b in pairwise(HOSTILE)]
    arguments = [word for one in selectors for word in ("--select", one)]
    said = CliRunner().invoke(app, ["misclassified", "run", "--copy", "copies", *arguments])
    assert said.exit_code == 0, said.output
    after = {path for path in Path().rglob("*") if not path.is_relative_to("run")}
    assert {path.parts[0] for path in after - before} == {"copies"}
    assert set(Path("..").iterdir()) == outside
    assert len(galleries()) == len({name.casefold() for name in galleries()}) == len(selectors)
    copies = contents("copies")
    chosen = [row for row in range(len(label)) if f"{label[row]}~{pred[row]}" in selectors]
    images = contents("images")
    assert sorted(copies.values()) == sorted(images[f"{row:02d}.png"] for row in chosen)
    worst = read("worst.csv")
    assert sorted(worst["label_name"]) == sorted(label)
    assert "'=HYPERLINK(1)" in Path("run/misclassified/worst.csv").read_text()


# Runs that are not as most


def test_a_run_of_labels_the_model_lacks_says_what_they_are_taken_for():
    make(["fox"] * 24, PRED, options="--allow-unknown", images=True)
    said = misclassified()
    assert "fox -> lion" in said.stdout
    assert read("unknown.csv")["count"].sum() == 24
    assert len(read("worst.csv")) == 0


def test_superclasses_given_to_confusion_alone_tell_what_is_exceptional():
    make(superclasses=False, images=True)
    assert "errlens confusion" in refused("misclassified run --select exceptional", exit_code=2)
    pd.Series(PARENTS, name="superclass").rename_axis("class_name").to_csv("parents.csv")
    said = call("confusion run --no-figures -q --superclasses parents.csv")
    assert said.exit_code == 0
    found = json.loads(misclassified("run --select exceptional --json").stdout)
    assert [one["row"] for one in found["selected"]] == [7]


def test_a_configuration_goes_on_with_the_run_it_made():
    make(images=True)
    Path("notes.yaml").write_text("cat~lion: {idea: none}\n")
    Path("config.yaml").write_text(
        "out: run\nmisclassified: {select: [cat~lion, 'worst:3'], notes: notes.yaml, tiles: 8}\n"
    )
    ends("run config.yaml")
    assert galleries() == ["cat~lion.png", "worst-3.png"]
    Path("config.yaml").write_text("out: run\nmisclassified: {tiles: 401}\n")
    ends("run config.yaml", 2)


def test_ctrl_c_while_drawing_keeps_what_was_there(monkeypatch):
    make(images=True)
    misclassified()
    before = contents("run")

    def stop(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.galleries.drawing.draw_gallery", stop)
    ends("misclassified run --select cat~lion", 130)
    assert contents("run") == before
