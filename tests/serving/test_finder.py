"""Views against what the plainest loop over the same images finds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.serving.finder import COLUMNS, Finder, Verdicts
from errlens.serving.views import View
from tests.conftest import make_run

CLASSES = ("cat", "Großer Hund", "cow\x1b")
MARKED = {3: "ambiguous", 5: "ambiguous", 7: "bad image"}
FINDINGS = {1: [2, 3, 11], 2: []}
N = 40


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("finder"))
        random = np.random.default_rng(0)
        label = random.choice([*CLASSES, None], N)
        table = pd.DataFrame(
            {
                "path": [f"{random.choice(['A', 'b', 'É'])}/{row % 7}.png" for row in range(N)],
                "label": label,
                "pred": random.choice(CLASSES, N),
                "confidence": random.choice([0.4, 0.5, 0.9, None], N),
            }
        )
        run = make_run(table, classes=CLASSES)
        yield run.read_predictions(COLUMNS)


@pytest.fixture
def finder(images):
    size = np.where(np.arange(N) % 3 == 0, np.nan, np.arange(N) % 5)
    return Finder(
        images,
        measured={"size": lambda: size.astype(float)},
        findings=FINDINGS,
        verdicts=lambda: Verdicts(0, MARKED),
    )


def plainly(images, view):
    """Filter and sort as `View` says, one image after the other."""
    table = images.table.to_pylist()
    size = [None if row % 3 == 0 else row % 5 for row in range(N)]
    names = {name: name.replace("\x1b", "\\x1b") for name in CLASSES}
    shown = [*names.values()]
    sides = {None: "none", True: "right", False: "wrong"}

    def fits(row, image):
        label, pred = names.get(image["label_name"]), shown[image["pred"]]
        confidence = image["confidence"]
        text = "\n".join([image["path"], label or "", pred or ""]).lower()
        return all(
            [
                not view.true or label in view.true,
                not view.pred or pred in view.pred,
                view.side in (None, sides[image["correct"]]),
                view.lowest is None or (confidence is not None and confidence >= view.lowest),
                view.highest is None or (confidence is not None and confidence <= view.highest),
                view.finding is None or row in FINDINGS.get(view.finding, ()),
                view.marked in (None, MARKED.get(row, "")),
                view.text is None or view.text.lower() in text,
            ]
        )

    found = [row for row in range(N) if fits(row, table[row])]
    if view.sort is None:
        return found
    values = size if view.sort == "size" else [image[view.sort] for image in table]
    known = [row for row in found if values[row] is not None]
    known.sort(key=lambda row: values[row], reverse=view.down)  # a stable sort, either way
    return known + [row for row in found if values[row] is None]


some = st.sampled_from(["cat", "Großer Hund", "cow\\x1b", "zebra"])
views = st.builds(
    View,
    true=st.lists(some, max_size=2).map(tuple),
    pred=st.lists(some, max_size=2).map(tuple),
    side=st.sampled_from([None, None, "right", "wrong", "none"]),
    lowest=st.sampled_from([None, None, 0.45, 0.5]),
    highest=st.sampled_from([None, None, 0.5, 0.89]),
    finding=st.sampled_from([None, None, None, 1, 2, 9]),
    text=st.sampled_from([None, None, "CAT", "é/", "grosser", "großer", "3.PNG", "\\X1B", "zz"]),
    marked=st.sampled_from([None, None, None, "ambiguous", "interesting"]),
    sort=st.sampled_from([None, "confidence", "path", "size"]),
    down=st.booleans(),
)


@settings(max_examples=300)
@given(view=views)
def test_views_are_what_a_plain_loop_finds(images, view):
    size = np.where(np.arange(N) % 3 == 0, np.nan, np.arange(N) % 5).astype(float)
    finder = Finder(
        images,
        measured={"size": lambda: size},
        findings=FINDINGS,
        verdicts=lambda: Verdicts(0, MARKED),
    )
    assert finder.find(view).tolist() == plainly(images, view)


def test_classes_may_be_called_as_they_are_or_as_they_are_shown(finder):
    found = finder.find(View(true=("cow\x1b",)))
    assert len(found)
    assert found.tolist() == finder.find(View(true=("cow\\x1b",))).tolist()


def test_there_is_nothing_to_sort_by_that_nobody_knows(finder):
    assert finder.sorts == ["confidence", "path", "size"]
    with pytest.raises(KeyError):
        finder.find(View(sort="colour"))


def test_a_new_mark_is_found(images):
    said = {"now": Verdicts(0, {})}
    finder = Finder(images, measured={}, findings={}, verdicts=lambda: said["now"])
    view = View(marked="ambiguous")
    assert finder.find(view).tolist() == []
    said["now"] = Verdicts(1, {4: "ambiguous"})
    assert finder.find(view).tolist() == [4]
