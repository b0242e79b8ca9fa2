"""What the page of an atlas holds, and what it says of maps that it cannot show."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from errlens.commands.view.options import ViewOptions
from errlens.commands.view.preparing import prepare
from errlens.report.atlas import pictures
from errlens.report.atlas.maps import read_maps
from errlens.report.atlas.page import write_atlas_page
from errlens.report.atlas.pastes import read_pastes
from errlens.run.folder import open_run
from tests.planted.atlas_maps import (
    plant_class_map,
    plant_layer,
    plant_map,
    plant_pair_map,
    plant_paste,
)
from tests.report.pages import data_of, make, report, section, text_of

PAGE = "atlas/atlas.html"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a run whose layer has a map of all classes and one of cats."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = make(images=False, superclasses=False)
        points = plant_layer(run)
        plant_map(run, points)
        plant_class_map(run, points, "cat")
    return folder


@pytest.fixture
def run(made):
    shutil.copytree(made, ".", dirs_exist_ok=True)
    return open_run("run")


def written(run):
    assert write_atlas_page(run) == run.path / PAGE
    return text_of(PAGE)


def missing(text):
    return re.findall(r'<p class="missing">\s*(.*?)</p>', text.partition("</noscript>")[2])


def test_without_an_atlas_there_is_no_page():
    run = make(images=False)
    assert write_atlas_page(run) is None
    report()
    assert not (run.path / "atlas").exists()
    assert 'id="network-atlas"' not in text_of()


def test_twice_the_same_bytes_whatever_was_kept(run):
    first = written(run)
    assert list(run.thumbnails_folder.glob("*-tiles.json"))
    assert written(run) == first
    for kept in run.thumbnails_folder.iterdir():
        kept.write_text('["no tile"]')
    assert written(run) == first


def test_the_page_loads_nothing_and_holds_all_maps(run):
    text = written(run)
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert "default-src 'none'" in text.replace("&#39;", "'")
    told = data_of(text)["maps"]
    assert [(each["kind"], each["title"]) for each in told] == [
        ("render", "all classes"), ("class", "cat"),
    ]  # fmt: skip
    assert not missing(text)
    shown = data_of(text, "pictures")["uris"]
    assert [len(each["patches"]) for each in shown] == [len(each["row"]) for each in told]


def test_maps_of_older_points_are_left_out_with_the_command_that_makes_them(run):
    plant_layer(run, n=500)  # as another call of collect would
    record = run.path / "atlas/layer4/made_from.json"
    made = json.loads(record.read_text())
    record.write_text(json.dumps({**made, "options": {"per_image": 2}}))
    maps = read_maps(run)
    assert maps.maps == []
    first, second = missing(written(run))
    assert "made of other points" in first
    assert "errlens atlas render run --layer layer4" in first
    assert "errlens atlas class run cat --layer layer4" in second


def test_points_of_other_predictions_are_left_out_whole(run):
    record = run.path / "atlas/layer4/made_from.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "run_hash": "0"}))
    (said,) = missing(written(run))
    assert "made of other predictions" in said
    assert "errlens atlas collect run --layer layer4" in said


def cut(path):
    path.write_bytes(path.read_bytes()[:40])


def small(path):
    Image.new("RGB", (9, 9)).save(path)


def change(name, **cells):
    def changed(folder):
        table = pd.read_csv(folder / name)
        table.assign(**cells).to_csv(folder / name, index=False)

    return changed


def save(**arrays):
    def saved(folder):
        np.savez(folder / "cells.npz", **arrays)

    return saved


def say(**parameters):
    def said(folder):
        place = folder / "parameters.json"
        place.write_text(json.dumps({**json.loads(place.read_text()), **parameters}))

    return said


N = 13  # cells of a map
DAMAGES = {
    **{
        f"{name} is cut": lambda folder, name=name: cut(folder / name)
        for name in ("cells.csv", "cells.npz", "sources.csv", "parameters.json", "made_from.json")
    },
    **{
        f"{name} is gone": lambda folder, name=name: (folder / name).unlink()
        for name in ("cells.csv", "cells.npz", "sources.csv", "parameters.json")
    },
    "cells in another order": change("cells.csv", cell=np.arange(N)[::-1]),
    "cells at one place": change("cells.csv", cell_row=1, cell_column=1),
    "cells far away": change("cells.csv", cell_row=10**9),
    "a class that nobody knows": change("cells.csv", top_class="unicorn"),
    "sources of no cell": change("sources.csv", cell=99),
    "sources of no image": change("sources.csv", row=-1),
    "sources all alike": change("sources.csv", rank=1),
    "arrays of other cells": save(
        activation=np.ones((3, 2), np.float32), attribution=np.ones((3, 4), np.float32)
    ),
    "not finite": save(
        activation=np.full((N, 2), np.nan, np.float32), attribution=np.ones((N, 4), np.float32)
    ),
    "objects": save(activation=np.array([{}] * N), attribution=np.ones((N, 4), np.float32)),
    "a kind that is none": say(kind="globe"),
    "of a class that is none": say(kind="class", **{"class": "unicorn"}),
    "a pair of one": say(kind="compare", classes=["cat"]),
    "icons of no size": say(icon_size=0),
    "sentences that are none": say(sentences=[{"a": 1}]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_map_is_left_out_with_a_sentence(run, damage):
    damage(run.path / "atlas/layer4/render")
    text = written(run)
    (said,) = missing(text)
    assert "atlas/layer4/render" in said
    assert "<code>errlens atlas render run --layer layer4</code> makes it" in said
    assert [each["kind"] for each in data_of(text)["maps"]] == ["class"]


def test_the_report_shows_the_maps_that_are_whole(run):
    cut(run.path / "atlas/layer4/render/cells.csv")
    report()
    said = section("network", text_of())
    assert "class-cat/atlas.png" in said
    assert "render/atlas.png" not in said


@pytest.mark.parametrize("name", ["patches.png", "sources.png", "atlas.png"])
@pytest.mark.parametrize("damage", [cut, Path.unlink, small])
def test_a_picture_that_is_damaged_is_named_and_all_else_shown(run, name, damage):
    damage(run.path / "atlas/layer4/render" / name)
    text = written(run)
    told = data_of(text)["maps"]
    assert len(told) == 2
    is_small = name == "atlas.png" and f"{name} is not shown" not in text  # it may have any size
    assert is_small or f"{name} is not shown: " in text


def test_damaged_suspects_are_a_damaged_class_map(run):
    change("suspects.csv", other_class="unicorn")(run.path / "atlas/layer4/class-cat")
    (said,) = missing(written(run))
    assert "errlens atlas class run cat --layer layer4" in said


def test_verdicts_belong_to_the_cells_of_their_class(run):
    suspects = pd.read_csv(run.path / "atlas/layer4/class-cat/suspects.csv")
    cells = suspects["cell"].head(2).tolist()
    plant_paste(run, "dog", "cat", layer="layer4", cells=cells)
    (of_render, of_cat) = data_of(written(run))["maps"]
    assert of_render["pasted"] == {}
    assert {*of_cat["pasted"]} == {*map(str, cells)}
    place = run.path / "atlas/paste/dog__cat/verdicts.csv"
    change("verdicts.csv", rate=7)(place.parent)
    assert read_pastes(run).problems
    (said,) = missing(written(run))
    assert "verdicts.csv' is damaged" in said.replace("&#39;", "'")


def test_a_verdict_is_not_that_of_a_cell_of_a_newer_map_that_has_its_number(run):
    suspects = pd.read_csv(run.path / "atlas/layer4/class-cat/suspects.csv")
    of_other_photo = int(suspects["row"][0]) + 1
    cells = [int(suspects["cell"][0])]
    plant_paste(run, "dog", "cat", layer="layer4", cells=cells, row=of_other_photo)
    assert [each["pasted"] for each in data_of(written(run))["maps"]] == [{}, {}]


def test_a_link_that_leads_out_of_the_run_is_not_followed(run, tmp_path):
    (run.path / "atlas/layer4/render").rename(tmp_path / "elsewhere")
    (run.path / "atlas/layer4/render").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="leads out"):
        write_atlas_page(run)


def test_a_page_without_room_says_which_pictures_it_leaves_out(run, monkeypatch):
    monkeypatch.setattr(pictures, "LARGEST", 100)
    text = written(run)
    assert "sources.png is not shown: the page is full" in text
    assert len(data_of(text)["maps"]) == 2


def test_icons_that_were_optimised_come_with_their_fidelity(run):
    plant_map(run, plant_layer(run), icons=True)
    text = written(run)
    assert "Of 13 optimised icons, 90.0 % (60.0 to 99.0 %) are nearest to the cell" in text
    assert "by chance 7.7 % would be" in text


def test_the_section_of_the_report_names_suspects(run):
    plant_pair_map(run, plant_layer(run), "cat", "dog")
    plant_class_map(run, plant_layer(run), "cat")
    suspects = pd.read_csv(run.path / "atlas/layer4/class-cat/suspects.csv")
    plant_paste(run, "dog", "cat", layer="layer4", cells=[int(suspects["cell"][0])])
    report()
    said = section("network", text_of())
    assert 'href="atlas/atlas.html"' in said
    assert "600 points of layer4 in 13 cells." in said
    assert "confirmed: pasted into photos of dog" in said
    address = f"#layer=layer4&amp;map=class-cat&amp;cell={suspects['cell'][0]}"
    assert f'<a href="atlas/atlas.html{address}">' in said
    for name in ("render", "class-cat", "compare-cat__dog"):
        assert f'data-picture="atlas/layer4/{name}/atlas.png"' in said
    # The report was not there before: the page of the atlas leads to it all the same.
    assert 'href="../report.html"' in text_of(PAGE)


def test_a_served_page_has_no_link_to_what_is_not_served(run):
    text = prepare(run, ViewOptions(run=run.path)).page.text
    said = section("network", text)
    assert "600 points of layer4 in 13 cells." in said
    assert "atlas.html" not in said


def test_images_need_no_labels():
    run = make(images=False, superclasses=False, label=False)
    plant_map(run, plant_layer(run))
    told = data_of(written(run))["images"]
    assert {label for _, label, _ in told.values()} == {-1}
    assert {pred for _, _, pred in told.values()} == {0, 1, 2, 3}
    report()
    assert "600 points of layer4" in section("network", text_of())
