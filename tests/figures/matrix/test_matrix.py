"""The three pictures, looked at as artists and as pixels."""

from io import BytesIO
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PatchCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image
from seaborn.utils import relative_luminance

from errlens.figures.matrix.cells import ERRORS, GREY, LOG_ERRORS, cell_texts
from errlens.figures.matrix.groups import Group, draw_groups
from errlens.figures.matrix.key import linear_scale, log_scale
from errlens.figures.matrix.marks import LIKELY, MUTUAL, ONE_WAY, OUTLINES, Mark
from errlens.figures.matrix.matrix import draw_matrix
from errlens.figures.matrix.overview import DIAGONAL, draw_overview
from errlens.figures.matrix.spans import Span
from errlens.figures.paper.letters import shown_name, shown_names
from errlens.figures.paper.packing import pack
from errlens.figures.paper.writing import Writing

HOSTILE = (
    "$\\alpha$", "a_b^c", "back\\slash", "two\nlines", "", "   ", "\t", "名前猫狗", "émoji 🐱",
    "$", "x" * 300 + "1", "x" * 150 + "2" + "x" * 150, "\u200b", "{}%s", "\ud800", "ÅẤqj" * 15,
)  # fmt: skip
UNIT = "share of the true class"


def confusion(k, *, seed=0, images=50):
    """Return counts of classes that are mostly right, else taken for their neighbour or any."""
    random = np.random.default_rng(seed)
    label = np.repeat(np.arange(k), images)
    other = np.where(random.random(len(label)) < 0.6, label ^ 1, random.integers(0, k, len(label)))
    pred = np.where(random.random(len(label)) < 0.8, label, np.minimum(other, k - 1))
    counts = np.zeros((k, k))
    np.add.at(counts, (label, pred), 1)
    return counts


def names_of(k):
    return tuple(f"a class_{number} of $some$ length"[: 8 + number % 20] for number in range(k))


def pixels_of(figure):
    file = BytesIO()
    figure.savefig(file, metadata={"Software": None})
    return np.asarray(Image.open(file).convert("RGB"))


def boxes_of(writing):
    """Return where each text of a writing is, in pixels."""
    figure = writing.figure
    offsets = writing.get_offset_transform().transform(writing.get_offsets())
    boxes = []
    for path, offset in zip(writing.get_paths(), offsets, strict=True):
        points = path.vertices[path.codes != path.CLOSEPOLY] * figure.dpi / 72 + offset
        boxes.append(Bbox([points.min(axis=0), points.max(axis=0)]))
    return boxes


def all_boxes(figure):
    written = [box for one in figure.findobj(Writing) for box in boxes_of(one)]
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    return written + [text.get_window_extent() for text in texts]


def assert_inside(figure):
    width, height = figure.canvas.get_width_height()
    boxes = all_boxes(figure)
    assert boxes
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def mesh_of(figure):
    (mesh,) = (one for one in figure.findobj(QuadMesh) if one.get_cmap().name == ERRORS.name
               and one.axes.get_xlim()[1] > 1 and one.axes.yaxis_inverted())  # fmt: skip
    return mesh


def writings(figure):
    """Return the numbers, if there are any, and the names at the rows and at the columns."""
    *numbers, rows, columns = figure.findobj(Writing)
    return numbers[0].texts if numbers else [], rows, columns


@pytest.mark.parametrize(
    ("k", "has_spans"),
    [
        (1, False),
        (2, False),
        (2, True),
        (3, True),
        (10, False),
        (37, True),
        (61, True),
        (200, False),
    ],
)
def test_everything_is_on_the_page_and_names_do_not_overlap(k, has_spans):
    spans = [Span("the first", 0, (k + 1) // 2), Span("the second of them", (k + 1) // 2, k)]
    spans = spans if has_spans else []
    title = "A title that is longer than what a picture of two classes has room for in one line"
    counts = confusion(k)
    figure = draw_matrix(counts, names_of(k), title=title, unit="images", spans=spans)
    assert_inside(figure)
    _, rows, columns = writings(figure)
    assert rows.texts == columns.texts == shown_names(names_of(k))
    below = sorted(boxes_of(rows), key=lambda box: box.y0)
    beside = sorted(boxes_of(columns), key=lambda box: box.x0)
    assert all(one.y1 <= two.y0 for one, two in pairwise(below))
    assert all(one.x1 <= two.x0 for one, two in pairwise(beside))


def test_hostile_names_are_shown_as_they_are():
    k = len(HOSTILE)
    spans = [Span("$x$", 0, 1), Span("猫\n" * 40, 1, k)]
    figure = draw_matrix(confusion(k), HOSTILE, title="$\\x$ 猫", unit="$%s", spans=spans)
    assert_inside(figure)
    pixels_of(figure)  # no warning
    shown = writings(figure)[1].texts
    assert len(set(shown)) == k
    assert shown[:3] == ["$\\alpha$", "a_b^c", "back\\slash"]
    assert shown[3:7] == ["two\\nlines", "''", "'   '", "'\\t'"]
    assert max(map(len, shown)) <= 64
    assert shown[9:11] == ["$", "x" * 32 + "…" + "x" * 30 + "1"]
    assert (shown[-4], shown[-2]) == ("\\u200b", "\\ud800")


def test_names_that_would_look_the_same_get_their_number():
    names = ["a" * 100 + "1" + "a" * 100, "b", "a" * 100 + "2" + "a" * 100]
    one, two, three = shown_names(names, longest=20)
    assert (one, two, three) == ("aaaaaaaa…aaaaaaa (1)", "b", "aaaaaaaa…aaaaaaa (3)")
    assert shown_name("long" * 9, longest=9) == "long…long"


@pytest.mark.parametrize("k", [2, 10, 60])
def test_numbers_are_those_of_the_cells_that_are_not_zero(k):
    counts = confusion(k, images=9)
    counts[0, 1] = 12_345
    numbers, _, _ = writings(draw_matrix(counts, names_of(k), title="", unit="images"))
    assert numbers == [f"{count:.0f}" for count in counts.ravel() if count]


def test_above_sixty_classes_there_are_no_numbers():
    numbers, _, _ = writings(draw_matrix(confusion(61), names_of(61), title="", unit="images"))
    assert numbers == []


def test_shares_are_percent_and_never_rounded_to_none_or_all():
    shares = np.array([0, np.nan, 1e-9, 0.0012, 0.0096, 0.084, 0.9949, 0.996, 1 - 1e-15])
    texts = cell_texts(shares, unit=UNIT).tolist()
    assert texts == ["", "", "<.1", ".1", "1", "8.4", "99.5", "99.6", "100"]
    assert linear_scale(0.21, unit=UNIT).unit == f"{UNIT}, %"
    assert [*linear_scale(0.21, unit=UNIT).ticks.values()] == ["0", "5", "10", "15", "20"]
    assert [*linear_scale(0.21, unit=UNIT).ticks] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])


def test_the_diagonal_is_grey_and_the_largest_error_darkest():
    counts = np.array([[900, 4, 0], [30, 900, 7], [0, 1, 0]])
    figure = draw_matrix(counts, "abc", title="", unit="images")
    figure.canvas.draw()
    colours = mesh_of(figure).get_facecolors().reshape(3, 3, 4)
    assert all(tuple(colours[i, i]) == to_rgba(GREY) for i in range(3))
    assert tuple(colours[1, 0]) == ERRORS(1.0)
    light = {at: relative_luminance(colours[at]) for at in [(2, 1), (0, 1), (1, 2), (1, 0)]}
    assert [*light] == sorted(light, key=light.get, reverse=True)
    assert colours[0, 2, 3] == 0  # no error, no colour


@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_not_known_is_hatched_not_white_or_grey(axis):
    values = confusion(4) / 50
    values[(2, slice(None)) if axis == 0 else (slice(None), 2)] = np.nan
    figure = draw_matrix(values, names_of(4), title="", unit=UNIT)
    (hatched,) = figure.findobj(PatchCollection)
    x0, y0, x1, y1 = hatched.get_datalim(hatched.axes.transData).extents
    assert (x0, y0, x1, y1) == ((0, 2, 4, 3) if axis == 0 else (2, 0, 3, 4))
    assert mesh_of(figure).get_array().mask.reshape(4, 4)[np.isnan(values)].all()
    assert "no data" in [text.get_text() for text in figure.findobj(Text)]
    image = pixels_of(figure)
    for row, column in np.argwhere(np.isnan(values)):
        box = hatched.axes.transData.transform([(column, row), (column + 1, row + 1)])
        (left, high), (right, low) = box.round().astype(int)
        cell = image[len(image) - high + 3 : len(image) - low - 3, left + 3 : right - 3]
        is_white = (cell == 255).all(axis=-1)
        assert 0.3 < is_white.mean() < 0.95


def test_nothing_known_at_all_is_drawn():
    figure = draw_matrix(np.full((3, 3), np.nan), "abc", title="", unit=UNIT)
    assert writings(figure)[0] == []
    assert_inside(figure)


@pytest.mark.parametrize("k", [1, 2, 12, 61])
def test_without_errors_there_is_no_colour_bar(k):
    figure = draw_matrix(90 * np.eye(k), names_of(k), title="", unit="images")
    assert len(figure.axes) == 2  # the margins and the matrix
    assert "no errors" in [text.get_text() for text in figure.findobj(Text)]
    assert_inside(figure)


@pytest.mark.parametrize("colours", [ERRORS, LOG_ERRORS])
def test_colours_get_darker_from_near_white(colours):
    light = relative_luminance(colours(np.linspace(0, 1, 256)))
    assert (np.diff(light) < 0).all()
    assert light[-1] < 0.05
    assert relative_luminance(ERRORS(0.0)) > 0.8


def test_colour_bars_have_round_numbers():
    assert [*linear_scale(1.0, unit="images").ticks.values()] == ["0", "1"]
    assert [*linear_scale(7000, unit="images").ticks.values()][-1] == "6,000"
    assert linear_scale(0.0, unit="images") is log_scale(0.0) is None
    assert [*log_scale(1.0).ticks] == [1, 2, 5, 10]
    assert [*log_scale(30.0).ticks] == [1, 2, 5, 10, 20]
    assert [*log_scale(12_345.0).ticks.values()] == ["1", "10", "100", "1,000", "10,000"]


def outlined(figure):
    """Return the cells that are outlined, as (row, column), by what that means."""
    found = {}
    for collection in figure.findobj(LineCollection):
        if collection.get_gid() in OUTLINES:
            middles = [np.mean(one[:4], axis=0) for one in collection.get_segments()]
            cells = sorted((int(row), int(column)) for column, row in middles)
            found[collection.get_gid()] = cells
    return found


def test_what_there_is_evidence_of_is_outlined_and_in_the_key():
    marks = [Mark(MUTUAL, 0, 1), Mark(MUTUAL, 1, 0), Mark(LIKELY, 2, 5), Mark(LIKELY, 5, 2)]
    figure = draw_matrix(confusion(8), names_of(8), title="t", unit="images", marks=marks)
    assert outlined(figure) == {MUTUAL: [(0, 1), (1, 0)], LIKELY: [(2, 5), (5, 2)]}
    shown = {text.get_text() for text in figure.findobj(Text)}
    assert shown >= {"correct", MUTUAL, LIKELY}
    assert ONE_WAY not in shown
    assert_inside(figure)
    plain = draw_matrix(confusion(8), names_of(8), title="t", unit="images")
    assert outlined(plain) == {}
    styles = [OUTLINES[kind].dashes for kind in (MUTUAL, LIKELY, ONE_WAY)]
    assert len(set(styles)) == 3  # told apart without colours


def test_a_page_of_groups_has_its_marks_once_in_the_key():
    groups = [
        Group(f"g {one}", ("a", "b"), confusion(2), [Mark(ONE_WAY, 0, 1)]) for one in range(3)
    ]
    figure = draw_groups(groups, title="t")
    assert len(outlined(figure)[ONE_WAY]) == 3
    assert [text.get_text() for text in figure.findobj(Text)].count(ONE_WAY) == 1


def test_borders_are_where_superclasses_end():
    spans = [Span("one", 0, 2), Span("two", 2, 5), Span("one", 5, 6)]
    figure = draw_matrix(confusion(6), names_of(6), title="", unit="images", spans=spans)
    axes = mesh_of(figure).axes
    border = [one for one in axes.collections if isinstance(one, LineCollection)][-1]
    lines = {tuple(map(tuple, segment.tolist())) for segment in border.get_segments()}
    assert lines == {((0, 2), (6, 2)), ((0, 5), (6, 5)), ((2, 0), (2, 6)), ((5, 0), (5, 6))}
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert (texts.count("one"), texts.count("two")) == (4, 2)


def test_a_superclass_of_one_class_is_named():
    spans = [Span(f"superclass {at}", at, at + 1) for at in range(61)]
    figure = draw_matrix(confusion(61), names_of(61), title="", unit="images", spans=spans)
    assert_inside(figure)
    named = [text for text in figure.findobj(Text) if text.get_text().startswith("superclass")]
    assert len(named) == 2 * 61
    boxes = [text.get_window_extent() for text in named]
    upright = sorted((box for box in boxes if box.height > box.width), key=lambda box: box.x0)
    level = sorted((box for box in boxes if box.height < box.width), key=lambda box: box.y0)
    assert len(upright) == len(level) == 61
    assert all(one.x1 <= two.x0 for one, two in pairwise(upright))
    assert all(one.y1 <= two.y0 for one, two in pairwise(level))


@pytest.mark.parametrize(("k", "has_spans"), [(201, False), (500, True)])
def test_a_cell_of_an_overview_is_a_pixel(k, has_spans):
    counts = confusion(k, images=40).astype(int)
    counts[3, 150] = 5000
    counts[5, 160] = 1
    spans = [Span("a superclass", 0, 60), Span("tiny", 60, 70), Span("rest", 70, k)]
    figure = draw_overview(counts, title="Overview", spans=spans if has_spans else ())
    assert_inside(figure)
    image = pixels_of(figure)
    expected = np.full((k, k, 3), 255, np.uint8)
    off_diagonal = (counts > 0) & ~np.eye(k, dtype=bool)
    share = np.log(counts[off_diagonal]) / np.log(5000)
    expected[off_diagonal] = LOG_ERRORS(share, bytes=True)[:, :3]
    expected[np.eye(k, dtype=bool)] = [round(255 * part) for part in to_rgb(DIAGONAL)]
    (drawn,) = figure.images
    left, top = drawn.ox, len(image) - drawn.oy - k
    assert np.array_equal(image[top : top + k, left : left + k], expected)
    frame = image[top - 1 : top + k + 1, left - 1]
    assert (frame == frame[0]).all()
    assert frame[0, 0] < 200
    assert relative_luminance(expected[5, 160] / 255) < 0.5  # of 1: one image is seen
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert "tiny" not in texts
    assert ("a superclass" in texts) == has_spans


def test_an_overview_without_errors_has_no_colour_bar():
    figure = draw_overview(np.eye(300), title="A title")
    assert "no errors" in [text.get_text() for text in figure.findobj(Text)]
    assert_inside(figure)


def test_a_page_of_groups_has_all_their_numbers():
    sizes = [2, 3, 2, 5, 30, 2, 4, 2]
    groups = [
        Group(f"$group$ {k} {seed}", names_of(k), confusion(k, seed=seed).astype(int))
        for seed, k in enumerate(sizes)
    ]
    groups.append(Group("t" * 300, HOSTILE, confusion(16).astype(int)))
    figure = draw_groups(groups, title="Groups")
    assert_inside(figure)
    pixels_of(figure)
    numbers = figure.findobj(Writing)[0].texts
    counts = np.concatenate([group.counts.ravel() for group in groups])
    assert numbers == [str(count) for count in counts if count]


def test_a_page_of_groups_has_the_colours_of_a_matrix():
    counts = np.array([[9, 0, 1], [4, 0, 0], [2, 7, 30]])
    page = draw_groups([Group("A", ("a", "b", "c"), counts)], title="")
    (cells,) = (one for one in page.findobj(PolyCollection) if one.get_cmap() is ERRORS)
    page.canvas.draw()
    mesh = mesh_of(draw_matrix(counts.astype(float), "abc", title="", unit="images"))
    mesh.figure.canvas.draw()
    expected = mesh.get_facecolors()
    assert np.array_equal(cells.get_facecolors(), expected[expected[:, 3] > 0])
    image = pixels_of(page)
    for path, colour in zip(cells.get_paths(), cells.get_facecolors(), strict=True):
        x, y = path.vertices.min(axis=0).astype(int) + 2  # beside the number
        assert image[y, x].tolist() == (255 * colour[:3]).round().astype(int).tolist()


def test_a_page_of_a_single_group_and_of_none():
    assert_inside(draw_groups([Group("pair", ("a", "b"), np.eye(2, dtype=int))], title="Page"))
    assert_inside(draw_groups([], title="Page"))


def test_tiles_do_not_overlap():
    random = np.random.default_rng(0)
    for n in range(1, 13):
        sizes = [tuple(size) for size in random.integers(50, 300, (n, 2)).tolist()]
        sizes[-1] = (1200, 1000)
        spots, width, height = pack(sizes)
        taken = np.zeros((height, width), int)
        for (x, y), (w, h) in zip(spots, sizes, strict=True):
            taken[y : y + h, x : x + w] += 1
        assert taken.max() == 1
        assert taken.sum() == sum(w * h for w, h in sizes)


DRAWN = {
    "matrix": lambda: draw_matrix(confusion(5), names_of(5), title="A", unit="images"),
    "overview": lambda: draw_overview(confusion(210), title="A"),
    "groups": lambda: draw_groups([Group("A", ("a", "b"), confusion(2))], title="A"),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_pictures_neither_heed_nor_change_the_settings_of_the_user(draw):
    before = pixels_of(draw())
    own = {"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 40, "text.usetex": True,
           "savefig.bbox": "tight", "figure.facecolor": "blue", "hatch.linewidth": 5}  # fmt: skip
    with mpl.rc_context(own):
        settings = dict(mpl.rcParams)
        assert np.array_equal(pixels_of(draw()), before)
        assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_the_same_picture_has_the_same_bytes(draw):
    files = [BytesIO(), BytesIO()]
    for file in files:
        draw().savefig(file, format="png", metadata={"Software": None})
    assert files[0].getvalue() == files[1].getvalue()


def test_names_are_seen():
    figure = draw_matrix(confusion(4), names_of(4), title="", unit="images")
    image = pixels_of(figure)
    _, rows, columns = writings(figure)
    for box in boxes_of(rows) + boxes_of(columns):
        x0, y0, x1, y1 = box.extents.round().astype(int)
        assert image[len(image) - y1 : len(image) - y0, x0:x1].min() < 100
