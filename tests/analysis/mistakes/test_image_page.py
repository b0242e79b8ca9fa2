import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity
from typer.testing import CliRunner

import errlens
from errlens.analysis.mistakes.image_page import image_page
from errlens.cli import app
from errlens.errors import IncompleteRun


@pytest.fixture
def run(photos, tiny):
    """Twelve photos of three colours in parts of five, one of them wrong, with a manifest."""
    rows = [(path.relative_to(photos), path.parent.name) for path in sorted(photos.rglob("*.png"))]
    lines = [f"{path},{label},camera {number % 2}" for number, (path, label) in enumerate(rows)]
    manifest = photos / "all.csv"
    manifest.write_text("\n".join(["path,label,camera", *lines]))
    options = f"--model {tiny} --img-size 8 --part-size 5 --keep features -o run -q"
    said = CliRunner().invoke(app, ["evaluate", str(manifest), *options.split()])
    assert said.exit_code == 0, said.output
    return errlens.open_run("run")


def test_a_page_says_what_the_files_say(run):
    frame = run.predictions.frame
    for row in (0, 4, 5, 11):  # first and last of their parts
        page, expected = image_page(run, row), frame.iloc[row]
        for name in ("row", "path", "label_name", "pred_name", "confidence", "loss", "label_rank"):
            assert page.facts[name] == expected[name]
        assert page.extra == {"camera": f"camera {row % 2}"}
        assert [prob for _, prob in page.top] == list(expected["topk_prob"])[:5]
        assert page.top[0][0] == expected["pred_name"]
        assert page.size_bytes == (run.path.parent / "photos" / page.facts["path"]).stat().st_size


def test_the_nearest_are_right_others_and_scikit_learns(run):
    frame = run.predictions.frame
    features = np.concatenate(list(run.read_sidecars("features"))).astype(float)
    similarity = cosine_similarity(features)
    for row in range(len(frame)):
        alike = image_page(run, row).alike
        right = [one for one in frame.loc[frame["correct"], "row"] if one != row]
        best = sorted(right, key=lambda other, row=row: -similarity[row, other])[:5]
        np.testing.assert_allclose(
            [one.similarity for one in alike], similarity[row, best], atol=1e-9
        )
        for one in alike:
            assert one.row in right
            assert (one.path, one.label_name) == tuple(frame.loc[one.row, ["path", "label_name"]])


def test_without_features_nothing_is_said_to_be_alike(photos, tiny):
    options = f"--model {tiny} --img-size 8 --keep none -o plain -q"
    assert CliRunner().invoke(app, ["evaluate", str(photos), *options.split()]).exit_code == 0
    page = image_page(errlens.open_run("plain"), 0)
    assert page.alike is None
    assert page.extra == {}


def test_an_image_that_could_not_be_read_has_a_page(photos, tiny):
    (photos / "red" / "0.png").write_bytes(b"<html>")
    options = f"--model {tiny} --img-size 8 --keep features --max-bad 9 -o bad -q"
    assert CliRunner().invoke(app, ["evaluate", str(photos), *options.split()]).exit_code == 0
    run = errlens.open_run("bad")
    (row,) = run.predictions.frame.query("status == 'unreadable'")["row"]
    page = image_page(run, row)
    assert page.facts["error"] == "not an image but an HTML page"
    assert page.top == []
    assert page.alike is None
    assert page.as_dict()["alike"] is None


@pytest.mark.parametrize("damage", [b"", b"no array", None])
def test_damaged_features_are_told(run, damage):
    path = run.sidecar_file("features", 1)
    if damage is None:
        np.save(path, np.load(path)[:2])
    else:
        path.write_bytes(damage)
    with pytest.raises(IncompleteRun, match="is damaged"):
        image_page(run, 0)
