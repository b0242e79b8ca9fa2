"""`errlens explain` called again with other options: tables, pictures and maps of a row agree."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from errlens.run.csv_tables import read_csv
from tests.commands.explain.test_explain import QUICK, explain

TEXT = (
    "label_name", "pred_name", "method", "target", "file", "maps_file", "unit", "layer", "status",
    "error", "flag", "options", "baseline", "sample_id",
)  # fmt: skip
STUDIES = ("_cover.png", "_sweep.png", "_winners.png")


def index(folder):
    return read_csv(folder / "index.csv", text=TEXT)


def files(folder):
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if not name.endswith((".csv", ".json", *STUDIES))}


def assert_all_agrees(folder):
    """Hold the index against the files: each names what the other has."""
    table = index(folder)
    sheets = {name for name in files(folder) if name.rpartition("/")[2].startswith("sheet_")}
    assert {*table["file"].dropna(), *table["maps_file"].dropna()} == files(folder) - sheets
    assert (table["file"].notna() == (table["status"] == "ok")).all()
    for (row, method), maps in table.groupby(["row", "method"]):
        for column in ("options", "file", "maps_file", "unit"):
            assert maps[column].nunique(dropna=False) == 1, (row, method, column)
        for name in maps["maps_file"].dropna().unique():
            with np.load(folder / name) as saved:
                assert saved["_unit"] == maps["unit"].iloc[0]
                assert {*saved} == {*maps["target"], "_unit"}
                for target, low, high in maps[["target", "raw_min", "raw_max"]].to_numpy():
                    assert (saved[target].min(), saved[target].max()) == (low, high), (row, target)


COMPARED = "--compare --method gradient --method grad-cam"  # all take their time
PAIRS = [
    ("--top 2 --save-maps", "--top 1 --layer layer3"),
    ("--top 2 --layer layer3", "--top 1 --save-maps"),
    ("--top 1 --save-maps --target predicted", "--top 2 --target true --target green"),
    ("--top 2 --save-maps --method occlusion", "--top 1 --method occlusion --probability"),
    ("--top 2 --save-maps", "--top 1 --upsampling nearest --on original"),
    ("--top 2 --save-maps", "--top 1 --style matlab"),
    ("--top 2", "--top 1 --overlay-only --alpha 0.3"),
    (f"--top 2 {COMPARED} --save-maps", "--top 1 --method gradient"),
    ("--top 2 --method gradient --save-maps", f"--top 1 {COMPARED}"),
    ("--top 2 --cover --sweep --winners", "--top 1 --cover --value black"),
    ("--top 2 --save-maps", "--top 2 --save-maps --overwrite --colormap jet"),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_what_the_second_call_made_is_as_if_it_had_been_alone(first, second):
    shutil.copytree("run", "fresh")
    explain(f"run {first} {QUICK}")
    before = index(Path("run/explain"))
    assert_all_agrees(Path("run/explain"))
    explain(f"run {second} {QUICK.replace('4', '3')}")
    explain(f"fresh {second} {QUICK.replace('4', '3')}")
    assert_all_agrees(Path("run/explain"))
    now, alone = index(Path("run/explain")), index(Path("fresh/explain"))
    renewed = [*alone[["row", "method"]].itertuples(index=False, name=None)]
    keys = [*now[["row", "method"]].itertuples(index=False, name=None)]
    mine = now[[key in renewed for key in keys]].reset_index(drop=True)
    saved = mine.pop("maps_file")
    assert mine.equals(alone.drop(columns="maps_file"))
    for file in {*mine["file"]}:
        assert Path("run/explain", file).read_bytes() == Path("fresh/explain", file).read_bytes()
    # Maps that had been saved are saved again; what the second call did not ask for is as it was.
    known = before.dropna(subset="maps_file")[["row", "method"]].itertuples(index=False, name=None)
    assert {*known} <= {*zip(now["row"], now["method"], strict=True)}
    if "--save-maps" in first:
        assert now["maps_file"].notna().sum() >= saved.notna().sum() > 0
    others = now[[key not in renewed for key in keys]].reset_index(drop=True)
    old = [
        key not in renewed for key in before[["row", "method"]].itertuples(index=False, name=None)
    ]
    assert others.equals(before[old].reset_index(drop=True))


def test_rows_that_an_older_call_explained_otherwise_are_explained_again():
    explain("run --top 2 --layer layer3")
    explain("run --top 1")
    said = explain("run --top 2").stdout
    assert "were explained before" not in said
    assert set(index(Path("run/explain"))["layer"]) == {"layer4"}
    assert "2 of 2 images explained before" in explain("run --top 2").stdout
    assert "were explained before" not in explain("run --top 2 --save-maps").stdout
    assert "2 of 2 images explained before" in explain("run --top 2 --save-maps").stdout


def test_a_sheet_does_not_outlive_the_maps_on_it():
    explain("run --top 2")
    sheet = Path("run/explain/blue__green/sheet_grad-cam.png")
    assert sheet.exists()
    explain("run --top 1 --layer layer3")
    assert not sheet.exists()
    explain("run --top 2 --layer layer3")
    assert sheet.exists()
    explain("run --top 2 --layer layer3 --method gradient --overlay-only")
    assert sheet.exists()


def test_a_picture_does_not_outlive_its_photo(run, photos):
    explain("run --top 3 --save-maps")
    row = index(Path("run/explain"))["row"].iloc[0]
    (photos / run.predictions.frame.set_index("row")["path"][row]).unlink()
    explain("run --top 3 --overwrite")
    table = index(Path("run/explain"))
    assert set(table.loc[table["row"] == row, "status"]) == {"failed"}
    assert_all_agrees(Path("run/explain"))


def test_an_index_of_an_earlier_version_is_added_to(run):
    del run
    explain("run --top 2")
    place = Path("run/explain/index.csv")
    before = index(place.parent)
    new = ["object_area", "head_area", "unit", "maps_file", "options"]
    before.drop(columns=new).to_csv(place, index=False)
    explain("run --top 1 --method gradient")
    table = index(place.parent)
    assert list(table) == list(before)
    assert table["row"].nunique() == 2
    assert set(table["method"]) == {"grad-cam", "gradient"}


def test_a_class_may_be_called_like_an_option_of_numpy(photos):
    Path("names.txt").write_text("file\nallow_pickle\ncompress\n")
    model = "--model test_resnet --checkpoint weights.safetensors --img-size 64"
    options = f"{model} --classes names.txt --target file --target allow_pickle --save-maps"
    explain(f"{photos / 'red/0.png'} {options}")
    with np.load("explained/maps/0_0_grad-cam.npz") as saved:
        assert list(saved) == ["file", "allow_pickle", "_unit"]


def test_what_was_made_before_is_listed_with_its_evidence_as_if_it_were_new(run):
    left = {"width": 12, "height": 10, "polygons": [[0, 0, 5, 0, 5, 9, 0, 9]]}
    paths = run.predictions.frame["path"]
    Path("masks.json").write_text(json.dumps({f"photos/{path}": left for path in paths}))
    call = f"run --method gradient --masks masks.json {QUICK} --top"
    first = explain(f"{call} 2").stdout
    again = explain(f"{call} 2").stdout
    table, rest = first.split("\n\n", 1)
    assert again.startswith("2 of 2 images explained before; --overwrite explains them anew\n")
    assert table in again
    assert "evidence for the predicted class" in rest
    assert rest.partition("\n\n")[0] in again
    assert "Wrote run/explain: 2 pictures, 1 sheet, index.csv" in rest
    assert "picture" not in again.partition("Wrote")[2]
