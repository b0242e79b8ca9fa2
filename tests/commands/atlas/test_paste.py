import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens.analysis.atlas.pasting.tables import RESULTS, SUMMARY, VERDICTS
from errlens.analysis.findings.known.collecting import known_findings
from errlens.run.csv_tables import read_declared
from errlens.run.folder import open_run
from errlens.run.results import renewed_folder
from tests.conftest import contents, ends, refused
from tests.planted.atlas_points import plant_points

NETS = """
import torch
from torch import nn


class Net(nn.Module):
    # By how light a photo is; red makes a shark of it.

    def __init__(self):
        super().__init__()
        self.num_classes = 3
        self.grey = nn.Parameter(torch.tensor([0.75, 0.5, 0.25]))

    def forward(self, images):
        pixels = images * 0.5 + 0.5
        red = (pixels[:, 0] - pixels[:, 1:].amax(dim=1)).clamp(min=0.5) - 0.5
        light = pixels[:, 1:].mean(dim=1).flatten(1).median(dim=1).values
        logits = -60 * (light[:, None] - self.grey) ** 2
        sharks = torch.tensor([0.0, 1.0, 0.0])
        return logits + 60 * red.mean(dim=(1, 2))[:, None] * sharks


class Broken(Net):
    def forward(self, images):
        return super().forward(images) * torch.nan


def sea(**kwargs):
    return Net()


def broken(**kwargs):
    return Broken()
"""
RED = "atlas paste seen --to shark --patch red.png --controls 8"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Photos of foxes, sharks and whales, in shades of grey; a network, and patches."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pasting_nets", raising=False)
    Path("pasting_nets.py").write_text(NETS)
    random = np.random.default_rng(0)
    for name, light in {"fox": 191, "shark": 128, "whale": 64}.items():
        folder = Path("photos", name)
        folder.mkdir(parents=True)
        for number in range(14):
            pixels = random.normal(light + random.normal(0, 4), 12, (24, 24, 1))
            pixels = np.clip(pixels, 0, 255).astype(np.uint8).repeat(3, axis=2)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    Image.new("RGB", (8, 8), (255, 0, 0)).save("red.png")
    Image.new("RGB", (8, 8), (0, 0, 255)).save("blue.png")


@pytest.fixture
def seen(here):
    del here
    ends("evaluate photos --model pasting_nets:sea --img-size 24 --crop-pct 1 -o seen -q")
    return Path("seen")


def test_what_the_network_was_made_to_mind_is_confirmed_and_another_colour_refuted(seen):
    before = contents(seen)
    printed = ends(f"{RED} --from whale").stdout
    assert max(map(len, printed.splitlines())) <= 80
    assert "confirmed" in printed
    folder = seen / "atlas/paste/whale__shark"
    verdict = read_declared(folder / "verdicts.csv", VERDICTS).iloc[0]
    assert (verdict["verdict"], verdict["n_images"]) == ("confirmed", 14)
    assert verdict["q_value"] <= 0.01
    assert (verdict["rate"], verdict["control_rate"]) == (1.0, 0.0)
    after = contents(seen)
    assert {name: after[name] for name in before} == before

    (finding,) = [each for each in known_findings(open_run(seen)) if each.kind == "patch_test"]
    assert finding.statement.startswith(
        "Patch red.png makes shark of 100.0 % of 14 photos of whale"
    )
    assert len(finding.rows) == 14
    words = finding.command_line("seen", 1).split()[1:]
    ends(" ".join([*words, "--limit", "3", "-q"]))

    blue = errlens.atlas_paste(seen, to="shark", patch="blue.png", from_class="whale")
    assert blue.verdicts["verdict"].tolist() == ["refuted"]
    assert not [each for each in known_findings(open_run(seen)) if each.kind == "patch_test"]


def test_tables_and_patches_are_there_and_say_the_same(seen):
    ends(f"{RED} --from whale --limit 4 --sizes 0:0.4:0.2 --at grid -q")
    folder = seen / "atlas/paste/whale__shark"
    results = read_declared(folder / "results.csv", RESULTS)
    summary = read_declared(folder / "summary.csv", SUMMARY)
    patches = json.loads((folder / "parameters.json").read_text())["patches"]
    assert len(results) == 4 * len(patches) * 3 * 9
    assert len(summary) == len(patches) * 3 * (9 + 1)
    assert {each["name"] for each in patches} == {"suspect", "other:fox"}  # red has no noise
    assert all((folder / each["file"]).is_file() for each in patches)
    with Image.open(folder / patches[0]["file"]) as patch:
        assert patch.convert("RGB").tobytes() == Image.open("red.png").tobytes()
    counted = results.groupby(["patch", "size", "position"])["flipped"].sum()
    told = summary[summary["position"] != "all"].groupby(["patch", "size", "position"])["flips"]
    pd.testing.assert_series_equal(counted, told.sum(), check_names=False, check_dtype=False)
    at_0 = results[results["size"] == 0]
    assert (at_0["to_after"] == at_0["to_before"]).all()
    assert (at_0["from_after"] == at_0["from_before"]).all()
    assert (at_0["pred_after"] == at_0["pred_before"]).all()
    assert not at_0["flipped"].any()


def test_images_as_they_are_have_the_probabilities_of_the_run(seen):
    images = errlens.atlas_paste(seen, to="shark", patch="red.png", sizes="0.2").images
    known = errlens.open_run(seen).predictions.frame.set_index("row")
    rows = images.drop_duplicates("row")
    np.testing.assert_allclose(
        rows["from_before"].astype(float), known.loc[rows["row"], "confidence"], atol=1e-5
    )
    assert "shark" not in set(images["own_class"])


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_crops(seen):
    asked = f"{RED} --limit 6 --sizes 0.3 -q"
    folder = seen / "atlas/paste/all__shark"
    ends(asked)
    first = contents(folder)
    ends(f"{asked} --workers 1 --batch-size 3")
    again = contents(folder)
    for name in first:
        if not name.endswith("csv"):  # of other batches, the last digits may be others
            assert first[name] == again[name], name
    ends(f"{asked} --seed 1")
    assert contents(folder)["patches/other-fox.png"] != first["patches/other-fox.png"]


def plant_suspects(seen, rows, *, layer="grey"):
    """The class atlas of sharks, whose cells lie in the upper left corner of some images."""
    run = open_run(seen)
    values = np.ones((2, 3), np.float32)
    collected = plant_points(run, values, values, [0, 1], [(1, 1)] * 2, grid=(4, 4), layer=layer)
    box = {"left": -2.0, "top": -2.0, "right": 6.0, "bottom": 6.0}
    suspects = pd.DataFrame(
        [
            {"rank": 1 + at, "cell": 7 + at, "other_class": "fox", "row": row, **box}
            for at, row in enumerate(rows)
        ]
    )
    folder = collected.folder / "class-shark"
    with renewed_folder(folder, run_hash=collected.identity, options={}) as results:
        results.csv("suspects.csv", suspects)


def test_auto_cuts_suspects_out_of_the_photos_as_they_are_fed(seen):
    frame = errlens.open_run(seen).predictions.frame
    foxes = frame.loc[frame["label_name"] == "fox", "row"].tolist()[:2]
    plant_suspects(seen, foxes)
    result = errlens.atlas_paste(seen, to="shark", suspects=2, sizes="0.3")
    assert result.verdicts["verdict"].tolist() == ["refuted", "refuted"]
    assert result.verdicts["patch_class"].tolist() == ["fox", "fox"]
    assert result.verdicts["cell"].tolist() == [7, 8]
    assert not set(foxes) & set(result.images["row"])
    with Image.open(result.folder / "patches/suspect-1.png") as patch:
        shown = np.asarray(patch.convert("RGB"))
    path = frame.set_index("row").loc[foxes[0], "path"]
    np.testing.assert_array_equal(shown, np.asarray(Image.open(Path("photos", path)))[:8, :8])
    # What was cut from a fox is held against no fox.
    assert result.verdicts["control"].str.contains("whale").all()


@pytest.mark.parametrize(
    "damage", [{"row": 999}, {"row": -1}, {"left": np.nan}, {"bottom": np.inf}, {"right": -2.0}]
)
def test_suspects_that_are_no_places_in_photos_are_damaged(seen, damage):
    plant_suspects(seen, [0])
    path = seen / "atlas/grey/class-shark/suspects.csv"
    pd.read_csv(path).assign(**damage).to_csv(path, index=False)
    said = refused("atlas paste seen --to shark", exit_code=3)
    assert "suspects.csv' is damaged" in said
    assert "errlens atlas class seen shark --layer grey makes it" in said


def test_a_class_without_suspects_has_no_patch_to_cut(seen):
    plant_suspects(seen, [0])
    path = seen / "atlas/grey/class-shark/suspects.csv"
    pd.read_csv(path).head(0).to_csv(path, index=False)
    said = refused("atlas paste seen --to shark", exit_code=2)
    assert "names no suspect" in said
    assert "--patch FILE tests a patch of your own" in " ".join(said.split())


def test_a_patch_of_the_class_itself_is_no_finding(seen):
    frame = errlens.open_run(seen).predictions.frame
    shark = frame.loc[frame["label_name"] == "shark", "row"].tolist()[:1]
    plant_suspects(seen, shark)
    result = errlens.atlas_paste(seen, to="shark", sizes="0.9", from_class="whale")
    assert "cut from a photo of shark itself" in result.sentences[0]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("seen --patch red.png", "--to CLASS is missing"),
        ("seen --patch red.png --to sharc", "did you mean shark?"),
        ("seen --patch red.png --to shark --from shark", "--from and --to both name 'shark'"),
        ("seen --patch red.png --to shark --sizes 1.2", "from 0 to 1"),
        ("seen --patch red.png --to shark --sizes nan", "says no sizes"),
        ("seen --patch red.png --to shark --sizes 0:1:0", "says no sizes"),
        ("seen --patch red.png --to shark --at 2,0", "lies outside of the image"),
        ("seen --patch red.png --to shark --at middle", "says no place"),
        ("seen --patch red.png --to shark --layer grey", "--layer is for --patch auto"),
        ("photos/fox/0.png --model pasting_nets:sea", "of photos, name a file"),
        ("photos/fox/0.png --patch red.png --model pasting_nets:sea --from fox", "--from is for"),
    ],
)
def test_what_cannot_be_meant_is_refused(seen, asked, said):
    del seen
    assert said in " ".join(refused(f"atlas paste {asked}", exit_code=2).split())


@pytest.mark.usefixtures("seen")
def test_what_is_not_there_is_refused():
    assert "patch 'no.png'" in refused("atlas paste seen --to fox --patch no.png", exit_code=3)
    said = refused("atlas paste seen --to fox", exit_code=3)
    assert "no suspects of fox" in " ".join(said.split())
    said = refused("atlas paste seen --to fox --layer grey", exit_code=3)
    assert "errlens atlas collect seen --layer grey" in " ".join(said.split())
    for photo in Path("photos").rglob("*.png"):
        photo.unlink()
    said = refused(f"{RED} --data-root photos", exit_code=3)
    assert "can be read" in said


@pytest.mark.parametrize("patch", ["", "--patch red.png"])
def test_predictions_made_elsewhere_have_no_model_to_be_misled(patch):
    table = pd.DataFrame({"path": ["a.png", "b.png"], "label": ["fox"] * 2, "pred": ["fox", "cat"]})
    table.to_csv("t.csv", index=False)
    ends("import t.csv -o imported -q")
    said = refused(f"atlas paste imported --to fox {patch}", exit_code=3)
    assert "it has no model" in " ".join(said.split())


def test_outputs_that_are_not_finite_are_no_answers():
    ends("evaluate photos --model pasting_nets:sea --img-size 24 --crop-pct 1 -o seen -q")
    asked = "atlas paste photos/fox/0.png --patch red.png --img-size 24 --crop-pct 1"
    said = refused(f"{asked} --model pasting_nets:broken", exit_code=3)
    assert "not finite" in " ".join(said.split())


def test_a_photo_is_drawn_before_and_after(seen):
    how = "--patch red.png --size 0.5 --at 1,0"
    own = "--model pasting_nets:sea --img-size 24 --crop-pct 1 --classes names.txt"
    Path("names.txt").write_text("fox\nshark\nwhale\n")
    printed = ends(f"atlas paste photos/whale/0.png {how} {own}").stdout
    assert "shark" in printed
    table = pd.read_csv("atlas/paste/photos.csv")
    assert table[["pred_before", "pred_after", "position"]].values.tolist() == [
        ["whale", "shark", "1,0"]
    ]
    assert table["confidence_after"][0] == pytest.approx(table["to_after"][0])
    assert Path("atlas/paste/whale_0.png").is_file()
    of_run = errlens.atlas_paste(
        [seen, "photos/whale/0.png"], patch="red.png", sizes="0.5", positions="1,0", into="own"
    )
    pd.testing.assert_frame_equal(
        of_run.images.drop(columns="sample_id"), table.drop(columns="sample_id"), rtol=1e-5
    )


def test_it_is_a_step_of_a_chain():
    Path("run.yaml").write_text(
        "out: made\nevaluate: {data: photos, model: 'pasting_nets:sea', img_size: 24}\n"
        "atlas_paste: {to: shark, from_class: [whale], patch: red.png, sizes: '0.3', limit: 8}\n"
    )
    ends("run run.yaml -q")
    verdicts = pd.read_csv("made/atlas/paste/whale__shark/verdicts.csv")
    assert verdicts["verdict"].tolist() == ["confirmed"]
