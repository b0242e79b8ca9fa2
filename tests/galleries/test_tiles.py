"""What is on each tile, before anything is drawn."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from errlens.analysis.mistakes.image_page import Likeness
from errlens.analysis.selection.notes import Note
from errlens.analysis.selection.parsing import Term
from errlens.classes.names import ClassNames
from errlens.data.photos.images import ImageFile
from errlens.errors import MissingInput, UnfitOption
from errlens.galleries.choice import Gallery, Section
from errlens.galleries.drawing import LONGEST, draw_posters, posters
from errlens.galleries.tiles import TRAINING_SHOWN, TileMaker, training_images
from errlens.predictions.table import SCHEMA, Predictions
from tests.conftest import paint

CLASSES = ClassNames(("cat", "dog"))
COLUMNS = (
    "row", "path", "status", "content_hash", "label", "pred", "label_name", "pred_name", "correct",
    "confidence", "label_prob",
)  # fmt: skip
ROWS = [  # label, pred, confidence, label_prob
    (0, 1, 0.9, 0.05), (0, 0, 0.8, 0.8), (None, 1, 0.7, None), (1, None, None, None),
    (1, 0, None, None),
]  # fmt: skip


@pytest.fixture
def maker(tmp_path):
    """Five images of two classes: wrong, right, without a label, unread, without probabilities."""
    listed = []
    for row, (label, pred, confidence, label_prob) in enumerate(ROWS):
        paint(tmp_path / f"{row}.png", "red", seed=row)
        listed.append(
            {
                "row": row,
                "path": f"{row}.png",
                "status": "ok" if pred is not None else "unreadable",
                "content_hash": None,
                "label": label,
                "pred": pred,
                "label_name": None if label is None else CLASSES[label],
                "pred_name": None if pred is None else CLASSES[pred],
                "correct": None if None in (label, pred) else label == pred,
                "confidence": confidence,
                "label_prob": label_prob,
            }
        )
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS])
    return TileMaker(Predictions(pa.Table.from_pylist(listed, schema=schema), CLASSES), tmp_path)


def sequence(*rows, about=None):
    return Gallery("some", "some", (Section("", rows, len(rows)),), about)


def words(shot):
    return [line.text + line.tail for line in shot.tile.lines]


def test_a_tile_carries_true_name_predicted_name_probability_and_row(maker):
    shots = maker.sequence(sequence(0, 1, 2, 3, 4))
    assert [words(shot) for shot in shots] == [
        ["cat", "→ dog 0.900", "row 0 · p(true) 0.050"],
        ["cat", "✓ right 0.800", "row 1"],
        ["no label", "→ dog 0.700", "row 2"],
        ["dog", "unreadable", "row 3"],
        ["dog", "→ cat", "row 4"],
    ]
    assert [shot.tile.correctness for shot in shots] == [
        "wrong",
        "right",
        "other",
        "other",
        "wrong",
    ]
    assert [shot.file.path.name for shot in shots] == [f"{row}.png" for row in range(5)]


def test_training_images_stand_beside_errors_or_below_their_class(maker):
    cat, dog = ImageFile(Path("c.png")), ImageFile(Path("d.png"))
    maker = TileMaker(maker.images, maker.root, {0: [cat, cat], 1: [dog]})
    beside = [shot.beside for shot in maker.sequence(sequence(0, 1, 2))]
    assert beside == [(cat, dog), (cat,), (None, dog)]
    below = maker.section(Section("cat, right", (1,), 1, trained=0))
    assert [shot.file for shot in below[1:]] == [cat, cat]
    assert words(below[1]) == ["cat", "training", "c.png"]
    assert len(maker.section(Section("cat taken for dog", (0,), 1))) == 1


def test_remarks_stand_below_their_image_or_at_the_end_of_their_gallery(maker):
    of_row = Note("row:0", Term("row", number=0), "asleep", "")
    of_pair = Note("dog~cat", Term("~", (1, 0)), "both grey", "crop less")
    maker = TileMaker(maker.images, maker.root, notes=[of_row, of_pair])
    shots = maker.sequence(sequence(0, 1))
    assert [shot.tile.remark for shot in shots] == ["observation: asleep", ""]
    pair = sequence(0, about=Term("~", (0, 1)))
    assert maker.remarks(pair) == ["observation: both grey", "idea: crop less"]
    assert maker.remarks(sequence(0, about=Term("row", number=0))) == []
    assert maker.remarks(sequence(0)) == []


def test_what_looks_alike_follows_with_its_similarity(maker):
    row = sequence(0, about=Term("row", number=0))._replace(title="row 0")
    (poster,) = posters([row], maker, {0: [Likeness(1, "1.png", "cat", 0.87654)]})
    assert words(poster.shots[0][1])[-1] == "similarity 0.8765"
    assert poster.title == "row 0, and the nearest that are right"
    (other,) = posters([sequence(0)], maker, {0: [Likeness(1, "1.png", "cat", 0.9)]})
    assert len(other.shots[0]) == 1


def draw(wanted, **options):
    absent, steps = {}, []
    drawn = dict(draw_posters(wanted, as_fed=None, absent=absent, progress=steps.append, **options))
    return drawn, absent, sum(steps)


def test_a_gallery_without_a_single_image_is_not_drawn_and_the_others_are(maker):
    (maker.root / "0.png").unlink()
    galleries = [sequence(0), sequence(0, 1)._replace(name="both"), sequence(), sequence(0)]
    drawn, absent, steps = draw(posters(galleries, maker, {}))
    assert list(drawn) == ["gallery/both.png"]
    assert absent == {str(maker.root / "0.png"): "no such file"}
    assert steps == 4


def test_a_sequence_has_no_heading_and_sections_do(maker, monkeypatch):
    seen = []

    def watched(columns, **_options):
        seen.append([column.heading for column in columns])
        return

    monkeypatch.setattr("errlens.galleries.drawing.draw_gallery", watched)
    sections = tuple(Section(name, (0,), 1) for name in ("cat, right", "dog " * 99))
    draw(posters([sequence(0), Gallery("two", "two", sections)], maker, {}))
    assert seen[0] == [""]
    assert seen[1][0] == "cat, right"
    assert len(seen[1][1]) <= LONGEST


@pytest.mark.parametrize(
    ("sections", "longest", "across"), [(1, 60, 6), (4, 2, 1), (4, 15, 2), (2, 30, 4), (10, 6, 1)]
)
def test_pages_have_a_good_shape(maker, sections, longest, across):
    one = Section("class", (0,) * longest, longest)
    (poster,) = posters([Gallery("some", "some", (one,) * sections)], maker, {})
    assert poster.across(as_fed=False) == across


def test_training_images_are_spread_over_the_files_of_a_class(tmp_path):
    for number in range(10):
        paint(tmp_path / "train" / "Cat" / f"{number}.png", "red")
    paint(tmp_path / "train" / "dog" / "0.png", "red")
    paint(tmp_path / "train" / "fox" / "0.png", "red")
    found = training_images(tmp_path / "train", CLASSES)
    assert [file.path.stem for file in found[0]] == ["0", "3", "6", "9"]
    assert len(found[0]) == TRAINING_SHOWN
    assert [file.path.stem for file in found[1]] == ["0"]
    assert set(found) == {0, 1}
    assert all(file.path.exists() for files in found.values() for file in files)


def test_training_images_may_be_listed(tmp_path):
    paint(tmp_path / "a.png", "red")
    (tmp_path / "train.csv").write_text("path,label\na.png,dog\n")
    found = training_images(tmp_path / "train.csv", CLASSES)
    np.testing.assert_equal([file.path for file in found[1]], [tmp_path / "a.png"])


def test_training_images_of_other_classes_are_a_usage_error(tmp_path):
    paint(tmp_path / "train" / "fox" / "0.png", "red")
    with pytest.raises(UnfitOption, match="no image of a class"):
        training_images(tmp_path / "train", CLASSES)
    with pytest.raises(MissingInput):
        training_images(tmp_path / "none", CLASSES)
