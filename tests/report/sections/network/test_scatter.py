"""The map that the page draws itself: what it holds, and what it leaves out."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errlens.report
from errlens.figures.network.embedding.feature_map import COLOURS
from errlens.report.sections.network.scatter import FARTHEST, MOST, POINT, scatter_of
from tests.report.pages import EVIL, data_of, make, report, text_of
from tests.report.sections.network.made import places, write_embed


def table(n, *, n_wrong=0, n_unjudged=0):
    chance = np.random.default_rng(3)
    right = np.array([False] * n_wrong + [None] * n_unjudged + [True] * (n - n_wrong - n_unjudged))
    return pd.DataFrame(
        {
            "row": np.arange(n), "x": chance.normal(size=n), "y": chance.normal(size=n),
            "right": chance.permutation(right), "colour": chance.choice(["b", "a", "c"], n),
            "group": chance.choice([1.0, 2.0, np.nan], n),
        }
    )  # fmt: skip


def test_points_are_where_the_table_has_them():
    given = table(50, n_wrong=10, n_unjudged=5)
    drawn = scatter_of(given, [["a", "b"], ["c"]], most=50)
    assert drawn.left_out == ""
    assert drawn.rows == [*range(50)]
    assert drawn.as_tree()["rows"] is None
    for name, whole, sign in (("x", drawn.x, 1), ("y", drawn.y, -1)):
        assert 0 < min(whole) < max(whole) < FARTHEST
        correlation = np.corrcoef(sign * given[name], whole)[0, 1]
        assert correlation == pytest.approx(1.0, abs=1e-6)
    assert [drawn.names[number] for number in drawn.colour] == given["colour"].tolist()
    assert drawn.side == [{True: 1, False: 0, None: -1}[right] for right in given["right"]]
    assert drawn.group == given["group"].fillna(0).tolist()
    assert drawn.groups == ["a ~ b", "c"]


def test_of_too_many_images_all_errors_are_shown_and_a_share_of_the_others():
    given = table(1_000, n_wrong=30, n_unjudged=10)
    drawn = scatter_of(given, [], most=100)
    assert len(drawn.rows) == 100
    assert drawn.side.count(0) == 30
    assert drawn.left_out == (
        "Of 1,000 images this map shows all 30 errors and 70 of 970 other images, drawn at random "
        "(seed 0)."
    )
    assert scatter_of(given, [], most=100) == drawn
    few = scatter_of(given, [], most=20)
    assert few.side == [0] * 20
    assert "20 of 30 errors and 0 of 970 other images" in few.left_out


def test_images_at_one_place_without_a_colour_are_drawn_in_the_middle():
    given = table(2).assign(x=2.0, y=-1.0, colour=None)
    drawn = scatter_of(given, [], most=5)
    assert (drawn.colour, drawn.names) == ([-1, -1], [])
    assert all(abs(place - FARTHEST / 2) <= 1 for place in (*drawn.x, *drawn.y))


def test_eight_thousand_points_take_less_than_300_kilobytes():
    drawn = scatter_of(table(8_000, n_wrong=900), [["a"], ["b"]], most=MOST)
    assert len(json.dumps(drawn.as_tree(), separators=(",", ":"))) < 8_000 * POINT < 300_000


def test_the_colours_are_those_of_the_picture():
    style = Path(errlens.report.__file__).parent / "templates/styles/scatter.css"
    light = re.findall(r"--hue-\d+: light-dark\((#\w+)", style.read_text())
    assert light == [*COLOURS]


def test_a_small_page_has_fewer_points_and_says_so(monkeypatch):
    monkeypatch.setattr("errlens.report.sections.network.embed.MOST", 20)
    run = make(images=False)
    write_embed(run)
    n_wrong = int((~places(run)["right"]).sum())
    assert len(scatter_in()["rows"]) == 20
    said = f"Of 48 images this map shows all {n_wrong} errors and {20 - n_wrong} of"
    assert said in text_of()


def scatter_in(arguments="run"):
    report(arguments)
    return data_of(text_of()).get("scatter")


def test_without_a_table_of_the_map_there_is_none():
    run = make(images=False)
    write_embed(run)
    files = run.path / "network/embed"
    made_from = json.loads((files / "made_from.json").read_text())
    made_from["files"].remove("map.csv")
    (files / "made_from.json").write_text(json.dumps(made_from))
    assert scatter_in() is None
    assert 'id="scatter"' not in text_of()
    assert 'id="network-embed"' in text_of()


@pytest.mark.parametrize(
    "change",
    [{"x": 1e200}, {"x": np.nan}, {"row": 3}, {"row": 99}, {"group": 7.0}, {"group": 0.5}],
    ids=str,
)
def test_a_damaged_map_is_told_as_such(change):
    run = make(images=False)
    write_embed(run, table=places(run).assign(**change))
    assert scatter_in() is None
    assert 'id="network-embed"' not in text_of()


def test_names_that_are_code_are_text():
    run = make(images=False)
    evil = ("</script><script>alert(1)</script>", *EVIL[:2], "<!--")
    write_embed(run, table=places(run, evil), groups=[evil])
    drawn = scatter_in()
    assert drawn["names"] == sorted(evil)
    assert "<script>alert" not in text_of()
    assert "<!--" not in text_of()


def test_the_picture_of_the_map_stands_in_the_page_itself():
    run = make(images=False)
    write_embed(run)
    report()
    name = "network/embed/map.png"
    assert re.search(rf'data-picture="{name}" alt="[^"]+" src="data:image/svg', text_of())
    assert name not in data_of(text_of(), "pictures")["uris"]
