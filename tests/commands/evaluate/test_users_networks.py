"""Networks that raise, change their inputs, or have no gradients: evaluated and explained."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from errlens.errors import UnfitMethod
from tests.commands.evaluate.conftest import FAST, frame
from tests.conftest import paint


def test_threads_do_not_take_what_a_network_put_aside(cli, photos):
    command = f"evaluate {photos} --model nets:Aside -o run {FAST} --batch-size 1 --workers 4"
    assert cli(command).exit_code == 0
    assert frame("run")["correct"].tolist() == [True] * 11 + [False]


def test_a_table_that_a_network_makes_once_does_not_stop_gradients(cli, photos):
    assert cli(f"evaluate {photos} --model nets:Table -o run {FAST}").exit_code == 0
    assert cli("explain run --method gradient").exit_code == 0
    photo = photos / "red" / "3.png"
    command = f"explain {photo} --model nets:Table --method gradient -o there {FAST}"
    assert cli(command).exit_code == 0


def test_one_photo_at_a_time_works_as_the_hint_says(cli, photos):
    command = f"evaluate {photos} --model nets:Alone -o run {FAST}"
    result = cli(command)
    assert result.exit_code == 3
    assert "takes one image at a time, not" in result.stderr
    assert "hint: --batch-size 1\n" in result.stderr
    assert cli(f"{command} --batch-size 1").exit_code == 0
    assert frame("run")["correct"].tolist() == [True] * 11 + [False]
    assert cli("explain run --method occlusion").exit_code == 3
    assert cli("explain run --method occlusion --batch-size 1").exit_code == 0
    assert cli("explain run --list").exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--model nets:Later --batch-size 1", "the forward of nets:Later raised Own: no more of"),
        ("--model nets:Fewer --batch-size 1", "gives 2 scores an image now, and gave 3 before"),
        ("--model nets:failing", "the factory nets:failing raised Own: no weights today (nets.py"),
        ("--model nets:leaving", "the factory nets:leaving raised SystemExit: 0"),
        ("--model nets:Colours --transform nets:transform", "raised Own: no photos today"),
        ("--model broken:make", "broken.py, imported for the model factory broken:make, raised"),
    ],
)
def test_whatever_the_users_code_raises_is_bad_input_in_its_words(
    cli, photos, tmp_path, options, words
):
    (tmp_path / "broken.py").write_text("import no_such_module_anywhere\n")
    size = "" if "--transform" in options else FAST
    result = cli(f"evaluate {photos} -o run {options} {size} --workers 1")
    assert result.exit_code == 3
    assert words in result.stderr.replace("\n", " ")
    if "--transform" in options:
        photo = Path("photos", "blue", "0.png")
        assert f"it was given '{tmp_path / photo}'" in result.stderr


def test_a_transform_that_gives_several_shapes_says_what_helps(cli, photos):
    paint(photos / "red" / "large.png", "red", size=(20, 14))
    command = f"evaluate {photos} --model nets:Colours --transform nets:uneven -o run"
    result = cli(f"{command} --batch-size 16")
    assert (result.exit_code, "images of several shapes" in result.stderr) == (2, True)
    assert cli(f"{command} --batch-size 1").exit_code == 0


WITHOUT = ["NoGrad", "Inference", "Detached", "Numpy", "Arrays", "Spoilt", "OneWay"]


@pytest.mark.parametrize("name", WITHOUT)
def test_without_gradients_the_list_says_no_and_occlusion_works(cli, photos, name):
    assert cli(f"evaluate {photos} --model nets:{name} -o run {FAST}").exit_code == 0
    listed = cli("explain run --list").stdout.splitlines()
    fits = {line.split()[0]: line.split()[1] for line in listed[1:] if line.strip()}
    assert {name for name, fit in fits.items() if fit == "yes"} == {"lime", "occlusion", "rise"}
    (gradient,) = (line for line in listed if line.startswith("gradient "))
    assert "occlusion" in gradient
    result = cli("explain run --method gradient")
    assert result.exit_code == UnfitMethod("", "").exit_code
    assert "--method occlusion" in result.stderr
    assert cli("explain run --method occlusion").exit_code == 0
    if name == "Spoilt":  # another function of the pixels
        return
    assert cli(f"evaluate {photos} --model nets:Colours -o plain {FAST}").exit_code == 0
    assert cli("explain plain --method occlusion").exit_code == 0
    ours, theirs = (pd.read_csv(f"{run}/explain/index.csv") for run in ("run", "plain"))
    np.testing.assert_allclose(ours["raw_max"], theirs["raw_max"], atol=1e-4)


def test_an_error_in_the_way_back_is_told_in_its_words(cli, photos):
    assert cli(f"evaluate {photos} --model nets:OneWay -o run {FAST}").exit_code == 0
    (gradient,) = (
        line for line in cli("explain run --list").stdout.splitlines() if "gradient " in line[:9]
    )
    assert "with gradients it raises Own: no way back (nets.py, line" in gradient


def test_a_network_that_changes_its_input_is_explained_like_one_that_does_not(cli, photos):
    methods = ["gradient", "smooth-grad", "integrated-gradients", "gradient-x-input", "saliency"]
    methods.append("occlusion")
    for name in ("InPlace", "Ready"):
        assert cli(f"evaluate {photos} --model nets:{name} -o {name} {FAST}").exit_code == 0
        chosen = " ".join(f"--method {method}" for method in methods)
        assert cli(f"explain {name} {chosen}").exit_code == 0
    ours, theirs = (pd.read_csv(f"{run}/explain/index.csv") for run in ("InPlace", "Ready"))
    assert set(ours["method"]) == set(methods)
    assert (ours["status"] == "ok").all()
    for column in ("score", "raw_min", "raw_max"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-4, atol=1e-5)
