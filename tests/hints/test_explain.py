"""Hints about explanations: methods, layers, targets, and photos without a run."""

from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
PHOTO = "photos/red/3.png"
SEEN = "explain seen -q"

ROWS = [
    Row(
        "attribution.methods.load_method:hint2",
        f"{SEEN} --method grad-cma",
        "grad-cam",
        f"{SEEN} --method {{}}",
    ),
    Row(
        "attribution.methods.load_method:hint2",
        f"{SEEN} --method zebra",
        "occlusion",
        f"{SEEN} --method {{}}",
    ),
    Row(
        "attribution.methods.load_method:hint",
        f"{SEEN} --method HiResCAM",
        "--method layer-cam --layer-weights elementwise",
        f"{SEEN} {{}}",
    ),
    Row(
        "attribution.targets.Wanted._index:hint",
        f"{SEEN} --target gren",
        "green",
        f"{SEEN} --target {{}}",
    ),
    Row(
        "attribution.targets.Wanted._index:hint",
        f"{SEEN} --target zebra",
        "blue",
        f"{SEEN} --target {{}}",
    ),
    Row(
        "attribution.targets.Wanted._index:hint",
        f"explain {PHOTO} --model tiny:spatial -o new -q --target zebra",
        "--classes FILE",
        f"explain {PHOTO} --model tiny:spatial -o new -q --target blue {{}}",
        fill={"FILE": "names.txt"},
    ),
    Row("model.layers.places._named:hint", f"{SEEN} --layer covn", "conv", f"{SEEN} --layer {{}}"),
    Row("model.layers.places._named:hint", f"{SEEN} --layer zebra", "conv", f"{SEEN} --layer {{}}"),
    Row(
        "errors.usage.UnfitMethod.__init__:hint",
        f"explain {PHOTO} --model tiny:colours -o new -q",
        "--method occlusion",
        f"explain {PHOTO} --model tiny:colours -o new -q {{}}",
    ),
    Row(
        "errors.usage.UnfitMethod.__init__:hint",
        f"explain {PHOTO} --model tiny:colours -o new -q",
        "--list",
        "explain {} --model tiny:colours",
    ),
    Row(
        "commands.explain.refusals.refuse_what_does_not_fit:hint",
        f"{SEEN} --colormap virids",
        "viridis",
        f"{SEEN} --colormap {{}}",
    ),
    Row(
        "commands.explain.refusals.refuse_what_does_not_fit:hint2",
        f"explain {PHOTO}",
        f"errlens explain {PHOTO} --model NAME",
        "{} -o new",
        fill={"NAME": "tiny:spatial"},
    ),
    Row(
        "commands.explain.refusals._refuse_run:hint",
        "explain --model tiny:spatial",
        "errlens explain IMAGE... --model NAME",
        "{} -o new",
        fill={"IMAGE...": PHOTO, "NAME": "tiny:spatial"},
    ),
    Row(
        "errors.runs.NoModel.__init__:hint",
        "explain told",
        "errlens evaluate DATA --model NAME -o ANOTHER_RUN",
        "{}",
        fill={"DATA": "photos", "NAME": "tiny:spatial", "ANOTHER_RUN": "new"},
    ),
    Row(
        "errors.runs.NoLabels.__init__:hint",
        "confusion bare",
        "errlens explain bare --select pred:CLASS",
        "{} -q",
        fill={"pred:CLASS": "pred:red"},
    ),
    Row(
        "errors.runs.NoLabels.__init__:hint",
        "confusion bare",
        "errlens evaluate DATA --model NAME -o ANOTHER_RUN",
        "{}",
        fill={"DATA": "photos", "NAME": "tiny:spatial", "ANOTHER_RUN": "new"},
    ),
    Row("errors.runs.NoLabels.__init__:hint", "confusion failed", "errlens report failed", "{}"),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    if "told" in row.typed:
        Path("told.csv").write_text("path,label,pred\na.png,red,blue\nb.png,blue,blue\n")
        walk.ends("import told.csv -o told -q")
    if "confusion" in row.typed:
        run = row.typed.split()[1]
        for number, photo in enumerate(sorted(Path("photos").rglob("*.png"))):
            if run == "bare":
                photo.rename(f"photos/{number}.png")
            else:
                photo.write_bytes(b"no image")
        options = "--classes names.txt --max-bad 100%"
        walk.call(f"evaluate photos --model tiny:spatial -o {run} {options} -q")
    row.follow(walk)


def test_what_was_explained_before_is_explained_anew(walk: Walk):
    walk.ends(SEEN)
    said = walk.ends("explain seen", says="--overwrite explains them anew")
    assert "1 of 1" in said.text, "commands.explain.view.show:text"
    assert "before" not in walk.ends("explain seen --overwrite").text


def test_more_steps_bring_a_sum_nearer(walk: Walk):
    typed = f"explain {PHOTO} --model tiny:bent -o new --method integrated-gradients"
    said = walk.ends(f"{typed} --steps 1", says="--steps")
    assert "more --steps" in said.text, "commands.explain.view._warn:text"
    assert "more --steps" not in walk.ends(f"{typed} --steps 50 --overwrite").text


def test_a_photo_too_large_to_draw_on_is_drawn_as_the_input(walk: Walk):
    walk.monkeypatch.setattr("errlens.attribution.photos.MOST_PIXELS", 50)
    typed = f"explain {PHOTO} --model tiny:spatial -o new --on original --overlay-only"
    said = walk.call(typed)
    assert "--on input" in said.output, "attribution.photos.shown_photo:text"
    walk.ends(typed.replace("--on original", "--on input"))


def test_what_is_left_out_is_given_by_an_option_of_another_method(walk: Walk):
    said = walk.call(f"{SEEN} --method hirescam")
    instead = "--method layer-cam --layer-weights elementwise"
    assert instead in said.output, "attribution.methods._names:text"
    walk.ends(f"{SEEN} {instead}")
