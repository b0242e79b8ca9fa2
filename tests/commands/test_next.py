"""The commands that are suggested lead from the photos to the page."""

import shlex
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, call, ends, paint

DIGITS = REPOSITORY / "sample_data" / "digits"


def walk(first):
    """Type a command, and then whatever is suggested; return the words of all of them."""
    typed, words = [], shlex.split(first)
    while words:
        typed.append(words)
        assert len(typed) < 10, typed
        said = ends(words)
        suggested = [line for line in said.stdout.splitlines() if line.startswith("Next: ")]
        assert len(suggested) <= 1, said.stdout
        program, *words = shlex.split(suggested[0].removeprefix("Next: ")) if suggested else [""]
        assert program in ("", "errlens")
    return typed


def commands(typed):
    return [words[0] for words in typed]


def test_from_photos_to_the_page_by_typing_what_is_suggested(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    typed = walk(
        f"evaluate {DIGITS / 'val'} --model test_resnet --model-kwargs output_stride=16"
        f" --checkpoint {DIGITS / 'test_resnet.digits.safetensors'} --img-size 64 --crop-pct 1"
        " --crop-mode squash --limit 150 -o 'my runs/a run'"
    )
    assert commands(typed) == ["evaluate", "confusion", "misclassified", "explain", "report"]
    assert all(words[1] == "my runs/a run" for words in typed[1:])
    selected = [words[2:] for words in typed[2:4]]
    assert selected[0] == selected[1]  # what was shown is explained
    assert "data:image/webp" in Path("my runs/a run/report.html").read_text(encoding="utf-8")
    assert list(Path("my runs/a run/explain").rglob("*.png"))


@pytest.mark.usefixtures("tiny")
def test_without_errors_the_page_is_next(photos):
    (photos / "red" / "3.png").unlink()
    first = "evaluate photos --model tiny:colours --img-size 8 --crop-pct 1 -o run"
    assert commands(walk(first)) == ["evaluate", "report"]
    assert commands(walk("confusion run")) == ["confusion", "report"]
    assert commands(walk("misclassified run")) == ["misclassified", "report"]


@pytest.mark.usefixtures("tiny", "photos")
def test_what_was_imported_goes_to_the_page_without_a_model():
    ends("evaluate photos --model tiny:colours --img-size 8 --crop-pct 1 -o run -q")
    Path("table.csv").write_text(
        "path,label,pred\n"
        + "".join(f"red/{n}.png,red,{'green' * (n < 3)}red\n" for n in (3,))
        + "green/0.png,green,red\n"
    )
    typed = walk("import table.csv -o imported --root photos")
    assert commands(typed) == ["import", "confusion", "misclassified", "report"]


@pytest.mark.usefixtures("tiny", "photos")
def test_a_data_root_and_a_ranking_are_not_to_be_typed_again():
    ends("evaluate photos --model tiny:colours --img-size 8 --crop-pct 1 -o run -q")
    Path("photos").rename("their photos")
    said = ends(["misclassified", "run", "--data-root", "their photos", "--rank", "margin"])
    assert said.stdout.endswith(
        "Next: errlens explain run --rank margin --data-root 'their photos'\n"
    )
    said = call("explain run --method occlusion --data-root 'their photos'")
    assert said.stdout.endswith("Next: errlens report run --data-root 'their photos'\n")


def test_photos_without_labels_are_explained_next(tiny):
    for index in range(2):
        paint(Path(f"flat/{index}.png"), "red", seed=index)
    said = ends(f"evaluate flat --model {tiny} --img-size 8 --crop-pct 1 -o run")
    command = said.stdout.splitlines()[-1].removeprefix("Next: errlens ")
    assert command == "explain run --select 'path:*'"
    said = ends(f"{command} --method occlusion")
    assert "unlabelled__2" in said.stdout
    assert said.stdout.endswith("Next: errlens report run\n")
    assert "4 pictures" in ends("report run").stdout  # two photos, and their maps


@pytest.mark.usefixtures("tiny", "photos")
@pytest.mark.parametrize("how", ["-q", "--json"])
def test_nothing_is_suggested_where_nothing_is_printed(how):
    first = f"evaluate photos --model tiny:colours --img-size 8 --crop-pct 1 -o run {how}"
    for command in (first, f"confusion run {how}", f"misclassified run {how}", f"report run {how}"):
        assert "Next:" not in ends(command).output
