import pytest

from errlens.analysis.selection.notes import notes_table, read_notes
from errlens.analysis.selection.parsing import Term
from errlens.errors import BadConfig, InputError, MissingInput, UnfitSelection
from tests.galleries.test_choice import selectable

PAIRS = [(0, 1), (0, 1), (1, 0), (2, 2), (1, 2), (0, 0)]


def read(tmp_path, text, pairs=PAIRS):
    path = tmp_path / "notes.yaml"
    path.write_text(text, encoding="utf-8")
    return read_notes(path, selectable(pairs))


def test_notes_say_what_they_are_about_and_what_there_is_to_gain(tmp_path):
    notes = read(
        tmp_path,
        "row:4: {observation: only the tail}\n"
        "dog~cat:\n  observation: |\n    both are\n    grey\n  idea: crop less\n"
        "cat~cow: {idea: nothing}\n",
    )
    table = notes_table(notes, selectable(PAIRS))
    assert table["about"].tolist() == ["dog~cat", "row:4", "cat~cow"]
    assert table["errors"].tolist() == [3, 1, 0]
    assert table["gain_if_solved"].tolist() == [3 / 6, 1 / 6, 0]
    assert table["observation"].tolist() == ["both are grey", "only the tail", ""]
    assert table["idea"].tolist() == ["crop less", "", "nothing"]
    assert notes[1].lines == ["observation: both are grey", "idea: crop less"]


def test_what_an_image_was_marked_as_begins_its_note(tmp_path):
    (note,) = read(
        tmp_path, "row:4: {verdict: wrong label, label: cow, observation: 'two  horns'}\n"
    )
    assert note.lines == ["observation: wrong label, cow: two horns"]
    assert note.block["observation"] == "two  horns"
    (bare,) = read(tmp_path, "row:4: {verdict: bad image}\n")
    assert bare.lines == ["observation: bad image"]


def test_a_pair_is_the_same_both_ways_round_and_one_way_is_not(tmp_path):
    both, way = read(tmp_path, "dog~cat: {idea: a}\ndog/cat: {idea: b}\n")
    assert both.is_about(Term("~", (0, 1)))
    assert both.is_about(Term("~", (1, 0)))
    assert not both.is_about(Term("/", (1, 0)))
    assert way.is_about(Term("/", (1, 0)))
    assert not way.is_about(Term("/", (0, 1)))
    assert not way.is_about(Term("row", number=0))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("cta~dog: {idea: a}", UnfitSelection, "notes.yaml: selector 'cta~dog': 'cta' names no"),
        ("row:99: {idea: a}", UnfitSelection, "last row of the run is 5"),
        ("group:9: {idea: a}", UnfitSelection, "groups.csv holds 1"),
        ("errors: {idea: a}", BadConfig, "'errors' is no A~B"),
        ("cat~dog+worst:3: {idea: a}", BadConfig, "is no A~B"),
        ("cat~dog: {ideas: a}", BadConfig, "unknown key 'ideas'"),
        ("cat~dog: {idea: 3}", BadConfig, "must be text, not 3"),
        ("cat~dog: crop less", BadConfig, "must hold an observation"),
        ("cat~dog:", BadConfig, "must hold an observation"),
        ("row:1: {idea: a}\nrow:1: {idea: b}", BadConfig, "of line 1 stands again in line 2"),
        ("- cat~dog", BadConfig, "must hold a block"),
        ("a: [", BadConfig, "cannot be read as YAML"),
        ("", BadConfig, "must hold a block"),
    ],
)
def test_what_is_no_note_is_a_sentence_and_a_usage_error(tmp_path, text, error, message):
    with pytest.raises(error, match=message) as failure:
        read(tmp_path, text)
    assert failure.value.exit_code == 2


def test_a_file_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingInput):
        read_notes(tmp_path / "none.yaml", selectable(PAIRS))


def test_a_folder_is_no_file_of_notes(tmp_path):
    with pytest.raises(MissingInput, match="is a folder, not a file"):
        read_notes(tmp_path, selectable(PAIRS))


def table_of(tmp_path, text, name="notes.csv"):
    (tmp_path / name).write_text(text)
    return read_notes(tmp_path / name, selectable(PAIRS))


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("rank,row,path,label_name,note\n1,4,x.jpg,cow,blurred\n2,1,y.jpg,cat,\n", "row:4"),
        ("row;observation\n4,0;blurred\n", None),
        ("row;observation;idea\n4.0;blurred;\n;;\n", "row:4"),
        ("class_a,class_b,a_as_b,observation\ndog,cat,3,blurred\ncat,cow,1,\n", "dog~cat"),
        ("true_class\tpred_class\tcount\tremark\ndog\tcat\t3\tblurred\n", "dog/cat"),
        ("group,size,classes,comment\n1,2,x,blurred\n", "group:1"),
        ("about,errors,gain_if_solved,observation,idea\ndog ~ cat,3,0.5,blurred,\n", "dog ~ cat"),
    ],
)
def test_a_table_that_a_command_wrote_takes_notes_in_a_column(tmp_path, text, about):
    if about is None:
        with pytest.raises(InputError, match="row '4,0'"):
            table_of(tmp_path, text)
        return
    (note,) = table_of(tmp_path, text)
    assert (note.about, note.observation, note.idea) == (about, "blurred", "")


def test_notes_that_were_written_are_read_again(tmp_path):
    notes = read(tmp_path, "row:4: {observation: only the tail}\ndog~cat: {idea: crop}\n")
    notes_table(notes, selectable(PAIRS)).to_csv(tmp_path / "notes.csv", index=False)
    again = read_notes(tmp_path / "notes.csv", selectable(PAIRS))
    assert sorted(again) == sorted(notes)


def test_a_note_may_name_an_image_by_its_path(tmp_path):
    path = selectable(PAIRS).table["path"][4].as_py()
    (note,) = read(tmp_path, f"'path:{path}': {{idea: a}}\n")
    assert note.is_about(Term("row", number=4))
    with pytest.raises(BadConfig, match="means 6 images, not one"):
        read(tmp_path, "'path:*': {idea: a}\n")


def test_a_table_without_a_column_for_notes_is_told_which(tmp_path):
    with pytest.raises(BadConfig, match="no column observation or idea; it has 'row'"):
        table_of(tmp_path, "row,why\n1,x\n")
