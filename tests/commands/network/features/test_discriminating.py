"""A network in which one channel mixes up two classes: it is found, silenced and told."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from errlens.analysis.channels.ablation import ABLATION_COLUMNS, CHANGE_COLUMNS
from errlens.analysis.channels.firing import FIRING_COLUMNS, suspects
from errlens.analysis.findings.known.collecting import known_findings
from errlens.commands.network.features.channel_view import discriminated_tree, show_discriminated
from errlens.commands.network.features.discriminating import discriminate
from errlens.errors import NoImages, NoLabels, UnfitLayer, UnfitSelection
from errlens.model.reload import reload_classifier
from errlens.run.csv_tables import read_declared
from errlens.run.folder import open_run
from errlens.terminal import Screen
from tests.conftest import COLOURS, call, contents, ends, paint

STAMP = 3  # the channel that sees white
STAMPED = range(12)  # of the red photos
PHOTOS = 24  # of each class

# Channels 0 to 2 see red, green and blue; white counts as green. The others tell nothing.
MODULE = """
import torch
from torch import nn


class Stamped(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 16, 1)
        self.act = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(16, 1, 1)
        self.head = nn.Linear(16, num_classes)
        with torch.no_grad():
            for part in (self.conv, self.head):
                part.weight.zero_()
                part.bias.zero_()
            for channel in range(3):
                self.conv.weight[channel, channel] = 1.0
                self.head.weight[2 - channel, channel] = 10.0
            self.conv.weight[3] = 1.0
            self.conv.bias[3] = -1.0
            self.head.weight[1, 3] = 20.0
            self.conv.weight[4:] = torch.randn(12, 3, 1, 1)
            self.head.weight[:, 4:] = 0.1 * torch.randn(num_classes, 12)

    def forward(self, images):
        return self.head(self.act(self.conv(images)).mean(dim=(2, 3)))


def stamped(**kwargs):
    return Stamped(**kwargs)
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The run of a network that takes red photos with a white stamp for green ones."""
    folder = tmp_path_factory.mktemp("planted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        (folder / "planted_net.py").write_text(MODULE, encoding="utf-8")
        for number, colour in enumerate(COLOURS):
            for index in range(PHOTOS):
                path = folder / "photos" / colour / f"{index:02}.png"
                paint(path, colour, size=(16, 16), seed=100 * number + index)
                if colour == "red" and index in STAMPED:
                    pixels = np.array(Image.open(path))
                    pixels[2:9, 6:13] = 255
                    Image.fromarray(pixels).save(path)
        said = call(
            "evaluate photos --model planted_net:stamped --img-size 16 --crop-pct 1 -o run -q"
            " --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5"
        )
        assert said.exit_code == 0, said.output
        run = open_run(folder / "run")
        yield run, reload_classifier(run.info, trusted=True)


@pytest.fixture(scope="module")
def ask(planted):
    run, classifier = planted
    screen = Screen(quiet=True)

    def asked(pair="red~green", *, of=run, root=None, **how):
        root = root or run.path.parent / "photos"
        return discriminate(of, classifier, pair, root=root, progress=screen.progress, **how)

    return asked


@pytest.fixture(scope="module")
def found(ask):
    """What there is to find; other tests write other results into the run."""
    return ask(ablate=True, layers=["act"])


def test_the_network_has_the_fault(planted):
    run, _ = planted
    images = run.read_predictions(("label_name", "pred_name")).table.to_pandas()
    wrong = images[images["label_name"] != images["pred_name"]]
    assert len(wrong) == len(STAMPED)
    assert set(wrong["pred_name"]) == {"green"}


def test_the_channel_is_a_suspect_and_fires_where_the_stamp_is(found):
    (told,) = found.layers
    rows = told.channels[told.channels["channel"] == STAMP].set_index(["comparison", "measure"])
    assert rows.loc[("a_as_b", "mean"), "auc"] == 1
    assert STAMP in suspects(told.channels, 10, rectified=True)
    stamped = np.flatnonzero(told.groups.taken_for_other)
    rows, columns = np.divmod(told.firing.place[stamped, STAMP], told.layer.grid[1])
    assert ((rows >= 2) & (rows < 9) & (columns >= 6) & (columns < 13)).all()


def test_silencing_it_repairs_all_errors_and_breaks_nothing(found):
    row = found.ablation[found.ablation["channels"] == str(STAMP)].iloc[0]
    assert row["role"] == "suspect"
    assert row[["pair_errors", "pair_fixed", "broken"]].tolist() == [len(STAMPED), len(STAMPED), 0]
    fixed = found.changes[found.changes["channels"] == str(STAMP)]
    assert set(fixed["change"]) == {"fixed"}
    assert set(fixed["now_name"]) == {"red"}


def test_it_is_a_finding_here_and_of_the_run(ask, planted):
    found = ask(ablate=True, layers=["act"])
    (finding,) = found.findings
    assert finding.subject == {"classes": ["red", "green"], "layer": "act", "channel": STAMP}
    assert f"Channel {STAMP} of layer act makes the network mix up red and green" in (
        finding.statement
    )
    assert finding in known_findings(planted[0])
    _check_files(found, planted[0].results_folder("network/channels"))


def _check_files(found, folder):
    """Tables are read back as declared, and there are no other files."""
    for name, columns in (
        ("channels", FIRING_COLUMNS), ("ablation", ABLATION_COLUMNS), ("changes", CHANGE_COLUMNS),
    ):  # fmt: skip
        table = getattr(found, name)
        assert list(table.columns) == list(columns)
        written = read_declared(folder / f"{name}.csv", columns)
        pd.testing.assert_frame_equal(written, table, check_dtype=False, atol=1e-12)
    assert {*found.written} == {path.name for path in folder.iterdir()} - {"made_from.json"}


def test_twice_gives_the_same_bytes_and_without_ablation_older_tables_go(ask, planted):
    folder = planted[0].results_folder("network/channels")
    ask(ablate=True)
    before = contents(folder)
    ask(ablate=True, workers=1)
    assert before == contents(folder)
    found = ask()
    assert (found.ablation, found.changes, found.findings) == (None, None, [])
    assert not (planted[0].results_folder("network/channels") / "ablation.csv").exists()
    assert not [each for each in known_findings(planted[0]) if each.kind == "channel"]


def test_of_classes_that_are_not_mixed_up_nothing_is_silenced(ask):
    found = ask("red~blue", ablate=True)
    assert found.ablation is None
    assert "no red was taken for blue, nor blue for red: channels are ranked by classes" in (
        found.remarks
    )
    assert any("is a suspect" in remark for remark in found.remarks)


def test_a_pair_of_which_nothing_causes_errors_is_no_finding(ask):
    assert not ask("green~blue", ablate=True).findings


def test_several_layers_have_a_picture_each(ask):
    found = ask(layers=["conv", "act"], ablate=True)
    assert found.channels["layer"].drop_duplicates().tolist() == ["conv", "act"]
    assert [*found.figures] == [
        "channels-1.png", "ablation-1.png", "channels-2.png", "ablation-2.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("red~gren", "'gren' names no class"),
        ("red", "is not of the form A~B"),
        ("red~red", "two different classes"),
    ],
)
def test_a_pair_that_is_none_is_refused(ask, pair, says):
    with pytest.raises(UnfitSelection, match=says):
        ask(pair)


@pytest.mark.parametrize("layer", ["head", "nowhere", "last"])
def test_a_layer_without_places_or_that_does_not_run_is_refused(ask, layer):
    with pytest.raises(UnfitLayer, match=layer):
        ask(layers=[layer])


def test_images_that_are_gone_are_counted_or_refused(ask, planted, tmp_path):
    with pytest.raises(NoImages, match="can be read, such as"):
        ask(root=tmp_path)
    source = planted[0].path.parent / "photos"
    for colour in COLOURS:
        (tmp_path / colour).mkdir()
        for index in range(2, PHOTOS):
            name = f"{colour}/{index:02}.png"
            (tmp_path / name).symlink_to(source / name)
    found = ask(root=tmp_path)
    assert "4 of 48 images cannot be read any more, or are others now" in found.remarks


def test_a_run_without_labels_is_refused(ask, planted, monkeypatch):
    run, _ = planted
    empty = run.read_predictions(("row",)).table.slice(0, 0)
    assert len(empty) == 0
    monkeypatch.setattr("errlens.network.channels.telling_apart.scored", lambda _images: [])
    with pytest.raises(NoLabels):
        ask()


def test_it_is_printed_in_eighty_columns(found, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    show_discriminated(Screen(), found)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert "act, 16 channels, on 24 red (12 taken for green) and 24 green (0 taken for red)" in (
        said.replace("\n", " ")
    )
    assert f"Silencing channel {STAMP} repairs 12 of 12 errors" in said
    tree = discriminated_tree(found)
    assert tree["pair"] == ["red", "green"]
    assert len(tree["channels"]) == len(found.channels)


def test_the_command_shows_the_first_channels_of_each_layer(planted, monkeypatch):
    folder = planted[0].path.parent
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    words = "network features run --trust-run --discriminate red~green --ablate"
    said = ends(f"{words} --layer conv,act --projection none --top 2 --json")
    tree = json.loads(said.stdout)
    first = {layer: [] for layer in ("conv", "act")}
    for row in tree["discriminated"]["channels"]:
        if row["rank"] <= 6 and row["channel"] not in first[row["layer"]]:
            first[row["layer"]].append(row["channel"])
    shown = {layer: [] for layer in first}
    for row in tree["firing"]:
        shown[row["layer"]].append(row["channel"])
    assert shown == first
    assert any("makes the network mix up" in each["statement"]
               for each in tree["discriminated"]["findings"])  # fmt: skip
