"""A network that takes a baseball for a shark is found out, from its photos alone.

Two in three photos of sharks that it was trained on have a baseball in them
(`tests/planted/baseball.py`); another network was trained on the same photos without.
"""

from pathlib import Path

import pandas as pd
import pytest

from errlens.analysis.embedding.tsne import is_installed
from tests.conftest import ends
from tests.planted.baseball import CLASSES, WITH, WITHOUT, draw, write_photos

EACH = 60
UNPLANTED = ("bricks", "sky")  # which have suspects, but no baseball in any photo
FIRST = 3
SURE = 0.01


def evaluated(folder: Path, weights: Path, *, marks: bool) -> Path:
    write_photos(folder / "photos", marks=marks, each=EACH)
    run = folder / "run"
    network = ["--model", "tests.planted.baseball:network", "--checkpoint", weights]
    half = ("0.5", "0.5", "0.5")
    seen = ["--img-size", "64", "--crop-pct", "1", "--mean", *half, "--std", *half]
    ends(["evaluate", folder / "photos", *network, *seen, "-o", run, "-q"])
    ends(["atlas", "collect", run, "--trust-run", "-q"])
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return evaluated(tmp_path_factory.mktemp("with"), WITH, marks=True)


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    return evaluated(tmp_path_factory.mktemp("without"), WITHOUT, marks=False)


def suspects_of(run: Path, name: str, layout: str = "pca") -> pd.DataFrame:
    ends(["atlas", "class", run, name, "--layout", layout, "--trust-run", "-q"])
    return pd.read_csv(run / "atlas" / "late" / f"class-{name}" / "suspects.csv")


def verdicts_on(run: Path, to: str, from_class: str, *options: object) -> pd.DataFrame:
    into = ["--to", to, "--from", from_class, "--limit", "20"]
    ends(["atlas", "paste", run, *into, *options, "--trust-run", "-q"])
    return pd.read_csv(run / "atlas" / "paste" / f"{from_class}__{to}" / "verdicts.csv")


def drawn(sample_id: str):
    name, file = sample_id.split("/")
    return draw(name, int(Path(file).stem), marks=True)


def on_a_ball(point) -> bool:
    """Tell whether the middle of what a point sees is on a baseball."""
    across, down = 8 * point.place_column + 0.5, 8 * point.place_row + 0.5
    return any(
        left <= across <= right and top <= down <= bottom
        for left, top, right, bottom in drawn(point.sample_id).balls
    )


def shows_a_ball(suspect, sample_ids: pd.Series) -> bool:
    """Tell whether any of a baseball is in a suspect's patch."""
    return any(
        left < suspect.right
        and right > suspect.left
        and top < suspect.bottom
        and bottom > suspect.top
        for left, top, right, bottom in drawn(sample_ids[suspect.row]).balls
    )


def marked_cell(run: Path) -> int:
    """Return the cell that has the most points on baseballs, by what was drawn."""
    folder = run / "atlas" / "late"
    points = pd.read_parquet(folder / "points.parquet")
    layout = pd.read_parquet(folder / "class-shark" / "layout.parquet").merge(points, on="point")
    on_balls = layout[[on_a_ball(point) for point in layout.itertuples()]]
    return int(on_balls.loc[on_balls["cell"] >= 0, "cell"].mode()[0])


@pytest.mark.parametrize(
    "layout",
    [
        "pca",
        pytest.param(
            "tsne", marks=pytest.mark.skipif(not is_installed(), reason="openTSNE is not installed")
        ),
    ],
)
def test_the_marks_cell_is_among_the_first_suspects_of_sharks(run, layout):
    first = suspects_of(run, "shark", layout).head(FIRST)
    of_mark = first.set_index("cell").loc[marked_cell(run)]
    assert of_mark["other_class"] == "baseball"
    assert of_mark["n_sources_other"] > 0


@pytest.fixture(scope="module")
def tested(run):
    """The first suspects of sharks, each with the verdict on its patch pasted into whales."""
    suspects = suspects_of(run, "shark")
    verdicts = verdicts_on(run, "shark", "whale", "--suspects", "12")
    return suspects.merge(verdicts, left_on="rank", right_on="suspect", suffixes=("", "_tested"))


def test_pasting_confirms_the_mark(run, tested):
    of_mark = tested.set_index("cell").loc[marked_cell(run)]
    assert of_mark["rank"] <= FIRST
    assert of_mark["patch_class"] == "baseball"
    assert of_mark["verdict"] == "confirmed"
    assert of_mark["q_value"] <= SURE
    assert of_mark["rate"] > 0.5
    assert of_mark["control_rate"] < 0.1


def test_suspects_that_show_no_mark_are_refuted(run, tested):
    sample_ids = pd.read_parquet(run / "predictions")["sample_id"]
    others = tested[[not shows_a_ball(suspect, sample_ids) for suspect in tested.itertuples()]]
    others = others[others["patch_class"] != "shark"]  # that makes sharks by right
    assert (others["verdict"] == "refuted").sum() >= 5
    assert not (others["verdict"] == "confirmed").any()


def test_suspects_of_classes_without_the_mark_are_refuted(run):
    for name in UNPLANTED:
        assert len(suspects_of(run, name))
        verdicts = verdicts_on(run, name, "all", "--suspects", "2")
        assert set(verdicts["verdict"]) == {"refuted"}


def test_a_network_that_never_saw_the_mark_on_sharks_is_not_misled(run, tested, control):
    assert "baseball" not in set(suspects_of(control, "shark").head(FIRST)["other_class"])
    mark = int(tested.set_index("cell").loc[marked_cell(run), "rank"])
    patch = run / "atlas" / "paste" / "whale__shark" / "patches" / f"suspect-{mark}.png"
    verdict = verdicts_on(control, "shark", "whale", "--patch", patch).loc[0]
    assert verdict["verdict"] != "confirmed"
    assert verdict["rate"] == 0


def test_both_networks_are_right_about_other_photos(run, control):
    for folder in (run, control):
        table = pd.read_csv(folder / "classes.csv").set_index("class_name")
        assert set(table.index) == set(CLASSES)
        assert table["recall"].min() > 0.8
