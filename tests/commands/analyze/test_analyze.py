"""`errlens analyze`: six commands in one, and what becomes of those that cannot be done."""

import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
import errlens.commands.explain.command as explaining
from errlens.commands.analyze.command import analyze
from errlens.commands.analyze.options import AnalyzeOptions
from errlens.commands.options.budget import seconds_of
from errlens.errors import UnfitMethod
from tests.conftest import REPOSITORY, contents, ends, make_run, paint, refused

DIGITS = REPOSITORY / "sample_data" / "digits"
EVALUATED = (
    f"{DIGITS / 'val'} --model test_resnet --checkpoint {DIGITS / 'test_resnet.digits.safetensors'}"
    " --model-kwargs output_stride=16 --img-size 64 --crop-pct 1 --crop-mode squash --limit 60"
    f" --superclasses {DIGITS / 'superclasses.csv'}"
)
TINY = "photos --model tiny:colours --img-size 8 --crop-pct 1"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A run that one command has made, and what it said."""
    out = tmp_path_factory.mktemp("analyzed") / "run"
    return out, ends(f"analyze {EVALUATED} -o {out} --top 2")


@pytest.fixture
def again(digits, tmp_path, monkeypatch):
    """The same command, for a copy of that run in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(digits[0], "run", copy_function=shutil.copy2)
    return f"analyze {EVALUATED} -o run --top 2"


def test_it_makes_the_files_of_six_commands(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ends(f"evaluate {EVALUATED} -o run -q")
    for command in ("confusion", "misclassified", "diagnose", "explain --top 2", "report"):
        ends(f"{command} run -q")
    by_six, by_one = contents("run"), contents(digits[0])
    assert by_six.keys() == by_one.keys()
    differ = {name for name in by_six if by_six[name] != by_one[name]}
    # Times, the path of the run, and the time that there was.
    named = {"run.json", "report.html", "summary.md", "diagnosis/findings.csv"}
    assert differ <= named | {"diagnosis/made_from.json"}


def test_it_ends_with_what_the_page_begins_with_and_suggests_nothing(digits):
    out, said = digits
    *_, verdict, page_line = said.stdout.split("\n\n")
    page = (out / "report.html").read_text(encoding="utf-8").replace("\xa0", " ")
    assert verdict.splitlines()
    for line in verdict.splitlines():
        sentence = re.sub(r"^\d+\. |^ +", "", line)
        if not sentence.startswith("errlens report "):  # which is the page
            assert f">{html.escape(sentence)}</" in page
        assert said.stdout.count(sentence) == 1
    assert page_line == f"The page: {out / 'report.html'}\n"
    assert "Next:" not in said.output
    assert len(said.stdout.splitlines()) < 32  # with findings and their commands


def test_a_second_call_predicts_and_explains_nothing_twice(again, monkeypatch):
    def never(*_args, **_kwargs):
        raise AssertionError("this has been done")

    kept = [*Path("run/explain").rglob("*.png"), *Path("run/predictions").iterdir()]
    times = {path: path.stat().st_mtime_ns for path in kept}
    monkeypatch.setattr(explaining, "_explain_images", never)
    said = ends(again)
    assert "60 of 60 are there from before" in said.stderr
    assert "2 images explained before" in said.stdout
    assert times == {path: path.stat().st_mtime_ns for path in kept}


def test_it_renews_what_is_missing(again):
    shutil.rmtree("run/confusion")
    Path("run/report.html").unlink()
    ends(f"{again} -q")
    assert Path("run/confusion/pairs.csv").exists()
    assert Path("run/report.html").exists()


def test_stopped_while_explaining_it_goes_on_from_there(again, monkeypatch):
    made = explaining.explanations

    def stopped(*args, **kwargs):
        yield next(iter(made(*args, **kwargs)))
        raise KeyboardInterrupt

    Path("run/report.html").unlink()
    more = f"{again} --top 5 --overwrite"
    with monkeypatch.context() as patch:
        patch.setattr(explaining, "explanations", stopped)
        said = ends(more, 130)
    assert "the same call goes on" in said.stderr
    assert not Path("run/report.html").exists()
    before = set(pd.read_csv("run/explain/index.csv")["row"])
    assert 0 < len(before) < 5
    said = ends(more.removesuffix(" --overwrite"))
    assert "explained before" in said.stdout
    assert len(set(pd.read_csv("run/explain/index.csv")["row"]) | before) == 5
    assert Path("run/report.html").exists()


def test_one_object_holds_those_of_all_steps(again):
    said = ends(f"{again} --json")
    tree = json.loads(said.stdout)
    assert (tree["schema_version"], tree["command"], tree["run"]) == (1, "analyze", "run")
    assert [*tree["steps"]] == [
        "evaluate", "confusion", "misclassified", "diagnose", "explain", "report",
    ]  # fmt: skip
    assert all(tree["steps"][name]["command"] == name for name in tree["steps"])
    assert tree["verdict"]
    assert tree["page"] == "run/report.html"
    assert tree["not_done"] == {}
    assert ends(f"{again} -q").output == ""


@pytest.mark.usefixtures("tiny", "photos")
def test_where_grad_cam_does_not_fit_occlusion_explains():
    said = ends(f"analyze {TINY}")
    assert "grad-cam cannot explain this network" in said.stderr
    assert "occlusion does" in said.stderr
    assert "explain        1 picture\n" in said.stdout
    index = pd.read_csv("runs/photos-tiny_colours/explain/index.csv")
    assert set(index["method"]) == {"occlusion"}


@pytest.mark.usefixtures("tiny", "photos")
def test_a_method_asked_for_that_does_not_fit_fails_when_all_else_is_done():
    said = ends(f"analyze {TINY} --method grad-cam -o run", 2)
    assert "explain        failed: see the error below" in said.stdout
    assert said.stderr.count("grad-cam cannot explain this network") == 1
    assert "91.7 % right" in said.stdout
    assert Path("run/report.html").exists()
    with pytest.raises(UnfitMethod):
        analyze(
            AnalyzeOptions(
                data=Path("photos"),
                model="tiny:colours",
                img_size=8,
                crop_pct=1.0,
                out=Path("run"),
                method=["grad-cam"],
                quiet=True,
            )
        )


def test_photos_without_labels_are_predicted_and_explained(tiny):
    for index in range(3):
        paint(Path(f"flat/{index}.png"), "red", seed=index)
    said = ends(f"analyze flat --model {tiny} --img-size 8 --crop-pct 1 --top 2")
    assert "both a label" not in said.stderr
    assert said.stdout.count("\nreport ") == 1
    assert "0.png" in said.stdout  # its most probable classes
    out = Path("runs/flat-tiny_colours")
    assert pd.read_csv(out / "explain/index.csv")["row"].nunique() == 2
    assert said.stdout.endswith(f"The page: {out / 'report.html'}\n")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h1>flat-tiny_colours</h1>" in page
    assert page.count('<figure class="shot') == 3
    assert page.count('<figure class="heat"') == 2
    for absent in ("both a label", "do not count", "no confidences"):
        assert absent not in page
    assert not (out / "confusion").exists()


@pytest.mark.usefixtures("tiny")
def test_no_errors_are_no_failure(photos):
    (photos / "red" / "3.png").unlink()
    said = ends(f"analyze {TINY}")
    for line in (
        "confusion      no errors",
        "misclassified  no errors",
        "explain        no errors to explain",
        "No errors in 11 images: no class was taken for another.",
    ):
        assert f"{line}\n" in said.stdout


@pytest.mark.usefixtures("tiny")
def test_too_many_bad_files_are_exit_code_3_and_on_the_page(photos):
    (photos / "red" / "bad.png").write_bytes(b"no picture")
    said = ends(f"analyze {TINY} -o run", 3)
    assert "1 of 13 inputs failed" in said.stderr
    assert "bad.png" in said.stdout
    assert Path("run/report.html").exists()


@pytest.mark.usefixtures("tiny")
def test_exchanged_labels_stop_it_with_a_command_that_goes_on(photos):
    for colour in ("red", "green"):
        for index in range(20):
            paint(photos / colour / f"more{index}.png", colour, seed=index)
    Path("names.txt").write_text("blue\nred\ngreen\n")
    said = refused(f"analyze {TINY} --classes names.txt -o run", exit_code=3)
    assert "seem exchanged" in said
    command = said.splitlines()[-1].strip()
    assert command.startswith("errlens analyze photos ")
    names = Path("run/suggested_classes.txt")
    names.write_text(names.read_text().replace("? ", ""))
    assert "98.1 % right" in ends(command.removeprefix("errlens ")).stdout


def test_a_run_in_place_of_photos_is_predicted_by_nobody(again):
    del again
    said = ends("analyze run --top 2")
    assert "evaluate" not in said.stdout
    assert "2 images explained before" in said.stdout
    assert "--img-size says how to make others" in refused("analyze run --img-size 32", exit_code=2)
    assert "none" in refused("analyze nowhere --data-root run", exit_code=2)


def test_an_imported_run_is_analyzed_but_for_its_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"path": ["a.png", "b.png", "c.png"], "label": [*"aab"], "pred": [*"aba"]})
    make_run(table, classes="ab", images=True)
    said = ends("analyze run")
    assert "it has no model" in said.stderr
    assert "2 errors, shown on 1 gallery" in said.stdout
    assert "1. b is missed in 1 of 1 image" in said.stdout
    Path("elsewhere").mkdir()
    for name in table["path"]:
        Path(name).rename(f"elsewhere/{name}")
    assert "--data-root" in ends("analyze run").stderr
    assert "--data-root" not in ends("analyze run --data-root elsewhere").stderr


@pytest.mark.parametrize(
    ("options", "exit_code", "sentence"),
    [
        ("--method grad-cm", 2, "did you mean grad-cam?"),
        ("--time-budget soon", 2, "'soon' is no time"),
        ("--masks nowhere.json", 3, "'nowhere.json' does not exist"),
        ("--train nowhere", 3, "'nowhere' does not exist"),
    ],
)
@pytest.mark.usefixtures("tiny", "photos")
def test_a_typo_is_found_before_the_work(options, exit_code, sentence):
    assert sentence in refused(f"analyze {TINY} {options}", exit_code=exit_code)
    assert not Path("runs").exists()


@pytest.mark.usefixtures("tiny", "photos")
def test_outlines_say_whether_the_evidence_is_on_the_object():
    for path in Path("photos").rglob("*.png"):
        target = Path("outlines") / path.relative_to("photos")
        target.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros((10, 12), np.uint8)
        mask[:, :6] = 255
        Image.fromarray(mask).save(target)
    said = ends(f"analyze {TINY} --masks outlines")
    assert "evidence for the predicted class" in said.stdout


@pytest.mark.usefixtures("tiny", "photos")
def test_images_that_were_trained_on_are_told():
    said = ends(f"analyze {TINY} --train photos -o run")
    assert "12 images (100.0 %) were trained on: 12 the very file" in " ".join(said.stdout.split())
    assert pd.read_csv("run/diagnosis/leakage.csv")["kind"].eq("exact").all()


@pytest.mark.usefixtures("tiny", "photos")
def test_in_python_it_returns_what_was_found():
    found = analyze(
        AnalyzeOptions(
            data=Path("photos"), model="tiny:colours", img_size=8, crop_pct=1.0, quiet=True
        )
    )
    assert found.run.metrics["n"] == 12
    assert found.page == Path("runs/photos-tiny_colours/report.html")
    assert found.verdict[0].startswith("91.7 % right (11 of 12 images")
    assert [*found.results] == [
        "evaluate", "confusion", "misclassified", "diagnose", "explain", "report",
    ]  # fmt: skip
    assert len(found.results["misclassified"].selected) == 1
    assert found.not_done == {}
    assert errlens.open_run(found.run.path).predictions.table.num_rows == 12


@pytest.mark.parametrize(("budget", "half"), [("2m", 60), ("90s", 45), ("3", 1.5), ("1h", 1800)])
def test_half_of_the_time_is_for_asking_why_and_half_to_explain(budget, half):
    options = AnalyzeOptions(data=Path("photos"), time_budget=budget)
    assert seconds_of(options.half_the_time) == half
