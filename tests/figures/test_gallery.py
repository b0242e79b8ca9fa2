from io import BytesIO

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image

from errlens.figures.gallery import (
    COLOURS,
    FRAME,
    SIDE,
    Column,
    Line,
    Tile,
    draw_gallery,
)
from errlens.figures.paper.places import places_in
from errlens.figures.paper.writing import Writing

HARD = ("x" * 300, "$a_b^c$", "two\nlines", "", "猫", "\ud800", "staffordshire_bull_terrier" * 2)


def picture(seed, *, width=SIDE, height=150):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def tile(seed=0, *, name="cat", correctness="wrong", **options):
    lines = (Line(name), Line(f"→ {name}", " 0.93"), Line("", f"row {seed}", dim=True))
    return Tile((picture(seed, **options),), lines, correctness)


def pixels_of(figure):
    file = BytesIO()
    figure.savefig(file)
    return np.asarray(Image.open(file).convert("RGB"))


def texts_of(figure):
    """Return all texts with their boxes in pixels."""
    pixels_of(figure)
    renderer = figure.canvas.get_renderer()
    found = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_text()
    ]
    for writing in figure.findobj(Writing):
        offsets = writing.get_offset_transform().transform(writing.get_offsets())
        for text, path, offset in zip(writing.texts, writing.get_paths(), offsets, strict=True):
            if len(path.vertices):
                found.append((text, path.get_extents().transformed(_scaled(figure, offset))))
    return found


def _scaled(figure, offset):
    return Affine2D().scale(figure.dpi / 72).translate(*offset)


def where(pixels, wanted):
    """Return the row and column at which a picture stands in another, once."""
    first = wanted[0, 0]
    for y, x in np.argwhere((pixels == first).all(axis=2)):
        part = pixels[y : y + wanted.shape[0], x : x + wanted.shape[1]]
        if part.shape == wanted.shape and (part == wanted).all():
            return y, x
    return None


def test_every_picture_is_there_pixel_by_pixel_in_its_frame_and_reading_order():
    tiles = [
        tile(seed, height=90 + 7 * seed, correctness=("wrong", "right")[seed % 2])
        for seed in range(5)
    ]
    page = pixels_of(draw_gallery([Column("", tiles, across=3)], title="worst"))
    places = [where(page, one.pictures[0]) for one in tiles]
    assert None not in places
    rows = [place[0] + one.pictures[0].shape[0] for place, one in zip(places, tiles, strict=True)]
    assert rows[0] == rows[1] == rows[2] < rows[3] == rows[4]
    assert [place[1] for place in places[:2]] == [place[1] for place in places[3:]]
    assert places[0][1] < places[1][1] < places[2][1]
    for (y, x), one in zip(places, tiles, strict=True):
        frame = page[y - FRAME, x - FRAME : x + SIDE]
        assert (frame == COLOURS[one.correctness]).all()


def test_the_file_says_where_photos_are_so_that_a_dark_page_does_not_invert_them():
    tiles = [tile(seed) for seed in range(3)]
    tiles.append(Tile(("no such file",), (Line("cat"),), "wrong"))
    file = BytesIO()
    draw_gallery([Column("", tiles, across=2)], title="worst").savefig(file)
    page = np.asarray(Image.open(file).convert("RGB"))
    places, _ = places_in(file)
    for at, (left, top, right, bottom) in enumerate(places):
        framed = page[top:bottom, left:right]
        assert (framed[FRAME:-FRAME, FRAME:-FRAME] == tiles[at].pictures[0]).all()
    assert len(places) == 3


def test_columns_have_headings_and_say_where_nothing_is():
    columns = [Column("A taken for B", [tile(0), tile(1)]), Column("B taken for A", [])]
    figure = draw_gallery(columns, title="A ~ B", legend="left: the photo", remarks=["idea: crop"])
    words = [text for text, _ in texts_of(figure)]
    for expected in (
        "A ~ B",
        "A taken for B",
        "B taken for A",
        "none",
        "left: the photo",
        "idea: crop",
    ):
        assert expected in words


@pytest.mark.parametrize("pictures", [1, 2])
@pytest.mark.parametrize("across", [1, 4])
def test_no_text_is_cut_and_none_lies_on_another(across, pictures):
    tiles = [
        Tile(
            (picture(seed, width=60 + seed),) * (pictures - 1)
            + ("a file that is not an image " * 9,),
            (Line(name), Line(f"→ {name}", " 0.93"), Line("row ", str(seed), dim=True)),
            remark="what a person says of it, at length" * (seed % 2),
        )
        for seed, name in enumerate(HARD)
    ]
    columns = [
        Column("a long heading " * 5, tiles, across=across),
        Column("a short one", tiles[:across]),
    ]
    figure = draw_gallery(
        columns, title="a title " * 40, legend="a legend " * 30, remarks=["idea " * 99]
    )
    width, height = figure.get_size_inches() * figure.dpi
    boxes = texts_of(figure)
    assert len(boxes) > 20
    for text, box in boxes:
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0, text
    for at, (text, box) in enumerate(boxes):
        for other, its in boxes[at + 1 :]:
            apart = box.shrunk(0.98, 0.7), its.shrunk(0.98, 0.7)
            assert not apart[0].overlaps(apart[1]), (text, other)


def test_probability_and_row_stay_when_a_name_is_too_long():
    figure = draw_gallery([Column("", [tile(17, name="n" * 300)])], title="worst")
    words = [text for text, _ in texts_of(figure)]
    assert "row 17" in words
    written = "".join(words)
    assert "→n" in written.replace(" ", "")
    assert "…" in written
    assert any(text.endswith("0.93") for text in words)


def test_names_of_sixty_letters_are_whole_and_no_part_of_one_is_broken():
    name = "_".join(["american", "staffordshire", "bull", "terrier", "of", "northern", "yorkshire"])
    assert len(name) >= 55
    tiles = [tile(1, name=name), tile(2, name="cat")]
    words = [text for text, _ in texts_of(draw_gallery([Column("", tiles, across=2)], title="w"))]
    assert name in "".join(words)
    parts = set(name.split("_")) | {"cat", "→", "0.93", "row", "1", "2", "w", ""}
    assert {part for word in words for part in word.replace("_", " ").split(" ")} <= parts


def test_a_name_that_fits_is_whole_though_it_has_escaped_letters():
    figure = draw_gallery([Column("", [tile(name="two\nlines")])], title="worst")
    assert "two\\nlines" in [text for text, _ in texts_of(figure)]


def test_no_word_of_a_remark_is_lost():
    remark = "what a person says of it, in many a word, some WWWWWW wide and mmmmm long; " * 9
    figure = draw_gallery([Column("", [tile()._replace(remark=remark)])], title="worst")
    written = " ".join(text for text, _ in texts_of(figure))
    assert remark.strip() in written


def test_a_picture_that_is_not_there_has_its_reason():
    figure = draw_gallery([Column("", [Tile(("no such file",), (Line("cat"),))])], title="worst")
    assert "no such file" in [text for text, _ in texts_of(figure)]


def test_the_users_settings_do_not_matter():
    columns = [Column("", [tile(seed) for seed in range(2)], across=2)]
    expected = pixels_of(draw_gallery(columns, title="worst"))
    with plt.style.context("dark_background"):
        found = pixels_of(draw_gallery(columns, title="worst"))
    np.testing.assert_array_equal(found, expected)
