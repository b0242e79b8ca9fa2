from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from errlens.analysis.confusion.matrix import COLUMNS, confusion_matrix
from errlens.analysis.confusion.pairs import PAIR_COLUMNS
from errlens.analysis.selection.notes import NOTE_COLUMNS
from errlens.commands.report.options import ReportOptions
from errlens.report.parts import Part, read_part
from errlens.report.sections import confusions
from errlens.report.sources import Sources
from tests.report.pages import add_parts, make


@pytest.fixture
def sources():
    run = make(images=False)
    add_parts()
    selection = ReportOptions().choose(run)
    return Sources(run, selection.images, selection.among, selection.rank, Path())


def test_a_pair_has_its_images_both_ways_and_the_notes_about_it(sources):
    among, shots = sources.among, sources.shots()
    notes = confusions.read_notes(
        read_part(sources.run, "misclassified", {}, optional={"notes": NOTE_COLUMNS}), among
    )
    pairs = confusions.pairs(
        read_part(sources.run, "confusion", {"pairs": PAIR_COLUMNS}), among, shots, notes
    )
    cats = next(pair for pair in pairs if {pair["class_a"], pair["class_b"]} == {"cat", "lion"})
    assert cats["notes"] == ["observation: both yawn", "idea: more of them awake"]
    assert len(cats["there"]) == cats["a_as_b"]
    assert len(cats["back"]) == cats["b_as_a"]
    assert len(cats["right_a"]) == len(cats["right_b"]) == confusions.OF_A_RIGHT_CLASS
    assert set(cats["there"]) <= set(map(int, shots.facts()))


def test_a_note_about_a_class_that_is_no_more_is_left_out(sources):
    notes = pd.DataFrame(
        {"about": ["cat~fox", "cat~dog"], "observation": ["gone", "here"], "idea": [None, None]}
    )
    found = confusions.read_notes(Part({"notes": notes}), sources.among)
    assert [note.observation for note in found] == ["here"]


def test_without_tables_there_is_nothing_to_show(sources):
    matrix = confusion_matrix(sources.run.read_parts(COLUMNS), sources.run.info.classes, None)
    nothing, shots = Part({}), sources.shots()
    assert confusions.pairs(nothing, sources.among, shots, ()) == []
    assert confusions.groups(nothing, sources.among, shots, ()) == []
    assert confusions.one_way(nothing, matrix) == []
    assert confusions.exceptional(nothing, shots) is None


def test_a_pair_says_how_it_is_explained_if_there_is_a_model():
    def command(*, imported):
        info = SimpleNamespace(imported=imported)
        shots = SimpleNamespace(run=SimpleNamespace(info=info, path=Path("my run")))
        return confusions._to_explain(shots, "cat~dog")

    assert command(imported=False) == "errlens explain 'my run' --select 'cat~dog'"
    assert command(imported=True) is None
