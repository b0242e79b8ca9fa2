"""The figures and questions of the published atlas that the guide lists: each is answered."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

import errlens.commands.atlas
from errlens.analysis.atlas import layout
from tests.conftest import COLOURS, call, ends, paint
from tests.guides import require_pictures, steps_of

GUIDE = Path(errlens.commands.atlas.__file__).parent / "README.md"
STEPS = steps_of(GUIDE)
CLASSES = ("great white shark", "grey whale", "snorkel")  # blue, green, red
EACH = 6  # photos of a class
MODULE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer3 = nn.Conv2d(3, 6, 1)
        self.layer4 = nn.Conv2d(6, 6, 2, stride=2)
        self.head = nn.Linear(6, 3)
        with torch.no_grad():
            for weights in self.parameters():
                steps = torch.arange(weights.numel()).reshape(weights.shape)
                weights.copy_(0.05 * torch.sin(1.0 + steps))
            for channel in range(3):  # red, green, blue
                self.layer3.weight[channel, channel] += 1
                self.layer4.weight[channel, channel] += 0.25
                self.head.weight[2 - channel, channel] += 10

    def forward(self, images):
        places = self.layer4(self.layer3(images).relu()).relu()
        return self.head(places.mean(dim=(2, 3)))


def net():
    return Net()
"""


@pytest.fixture(scope="module")
def sea(tmp_path_factory):
    """A folder with the run, photos, outlines and patch of the guide."""
    folder = tmp_path_factory.mktemp("sea")
    (folder / "guide_nets.py").write_text(MODULE)
    outlines = {}
    for number, (name, colour) in enumerate(zip(CLASSES, COLOURS, strict=True)):
        for index in range(EACH):
            # The last shark looks like a whale, and the last whale like a shark.
            is_mixed_up = index == EACH - 1 and number < 2
            shown = COLOURS[1 - number] if is_mixed_up else colour
            photo = folder / "photos" / name / f"{index}.png"
            paint(photo, shown, size=(24, 24), seed=50 * number + index)
            half = {"width": 24, "height": 24, "polygons": [[0, 0, 12, 0, 12, 24, 0, 24]]}
            outlines[f"{name}/{index}.png"] = half
    (folder / "outlines.json").write_text(json.dumps(outlines))
    paint(folder / "whale.png", COLOURS[1], size=(24, 24), seed=998)
    paint(folder / "baseball.png", COLOURS[0], size=(8, 8), seed=999)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        # Principal components are enough here, and many times as fast.
        patch.setattr(layout, "is_installed", lambda: False)
        seen = "--img-size 24 --mean 0 0 0 --std 1 1 1"
        ends(f"evaluate photos --model guide_nets:net {seen} -o runs/first -q")
        ends("confusion runs/first -q")
        yield folder


@pytest.fixture(scope="module")
def answers(sea):
    """Type the commands of the guide, in order, each once: what they say, and the files then."""
    typed = {}
    for step in STEPS:
        if step.command not in typed:
            said = call(_words(step.command))
            typed[step.command] = said, [*(sea / "runs/first/atlas").rglob("*")]
    return typed


def _words(command: str) -> list[str]:
    """Return a command with options that suit few photos, and a cell to frame that is drawn."""
    words = shlex.split(command)
    if words[:2] == ["atlas", "collect"]:
        words += ["--per-image", "60"]
    if "--icons" in words:
        words += ["--grid", "2", "--steps", "2"]
    if "--mark" in words:
        cell = pd.read_csv("runs/first/atlas/layer4/render/cells.csv").iloc[0]
        place = f"{cell['cell_row']},{cell['cell_column']}"
        words = [re.sub(r"^\d+,\d+=", f"{place}=", word) for word in words]
    return words


def test_the_guide_asks_every_command():
    asked = {" ".join(shlex.split(step.command)[:2]) for step in STEPS}
    assert asked - {"report runs/first"} == {
        f"atlas {name}" for name in ("collect", "render", "class", "compare", "paste")
    }


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.question)
def test_each_question_is_answered(answers, step):
    said, files = answers[step.command]
    assert said.exit_code == 0, said.output
    named = re.findall(r"`(.+?)`", step.shown)
    assert named
    for pattern in named:
        made = [file for file in files if file.match(f"runs/first/atlas/{pattern}")]
        assert made, pattern
        require_pictures([file for file in made if file.exists()])


@pytest.mark.usefixtures("answers")
def test_what_the_guide_says_stands_in_the_files(sea):
    of_class = sea / "runs/first/atlas/layer4/class-great_white_shark"
    columns = {
        "concepts.csv": {"angle_spread", "wavelength_low", "wavelength_high"},
        "senses.csv": {"n_shared", "separate"},
        "suspects.csv": {"other_class", "attribution", "attribution_other"},
    }
    for name, expected in columns.items():
        assert expected <= {*pd.read_csv(of_class / name).columns}
    parameters = json.loads((of_class / "parameters.json").read_text())
    assert parameters["kind"] == "class"
