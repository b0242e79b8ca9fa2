from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from errlens.terminal import Names, Verdict
from errlens.terminal.tables import fitted

HEADS = ("pair", ">A as B", ">95 % interval", ">lifts", ">q")
ROW = (Names(("Egyptian_Mau", "Bengal"), " ~ "), "40.0 % (2 of 5)", "11.8 to 76.9 %", "9.0", "0.01")
GIVES_WAY = (">lifts", ">95 % interval")


def lines(heads, rows, width, **asked):
    return [
        "".join(span.text for span in line) for line in fitted(heads, rows, width, **asked).lines
    ]


def test_where_there_is_room_nothing_is_changed():
    assert lines(HEADS, [ROW], 200, gives_way=GIVES_WAY) == [
        "pair                             A as B    95 % interval   lifts      q",
        "Egyptian_Mau ~ Bengal   40.0 % (2 of 5)   11.8 to 76.9 %     9.0   0.01",
    ]


def test_columns_move_together_before_one_goes_and_the_least_important_goes_first():
    for width, gone, most in (
        (67, [], 67),
        (66, ["lifts"], 66),
        (58, ["lifts", "95 % interval"], 58),
    ):
        table = fitted(HEADS, [ROW], width, gives_way=GIVES_WAY)
        assert table.left_out == gone
        text = "\n".join("".join(span.text for span in line) for line in table.lines)
        assert "Egyptian_Mau ~ Bengal" in text
        assert max(map(len, text.splitlines())) <= most


def test_columns_with_one_head_go_together():
    heads, row = ("", ">value", ">95 %", ">what if", ">95 %"), ("a", "1", "2 to 3", "4", "5 to 6")
    table = fitted(heads, [row], 18, gives_way=(">95 %", ">not there"))
    assert table.left_out == ["95 %"]
    assert [span.text for span in table.lines[-1] if span.text.strip()] == ["a", "1", "4"]


def test_a_head_takes_three_lines_at_most_and_stands_just_above_its_column():
    heads = ("class", ">mean probability of the class")
    assert lines(heads, [("a", "0.5")], 26) == [
        "        mean probability",
        "class       of the class",
        "a                    0.5",
    ]
    assert len(lines(heads, [("a", "0.5")], 20)) == 4


def test_sentences_take_several_lines_and_the_next_row_starts_below():
    rows = [("a.jpg", "an image that nobody can read"), ("b.jpg", "gone")]
    assert lines(("file", "reason"), rows, 30, prose=("reason",)) == [
        "file   reason",
        "a.jpg  an image that nobody",
        "       can read",
        "b.jpg  gone",
    ]


def test_a_cell_with_a_number_is_broken_only_between_its_parts():
    row = (Names(("Egyptian_Mau", "Bengal"), " ~ "), "12.34 % (100,000 of 800,000)")
    shown = lines(("pair", ">A as B"), [row], 45)
    assert [line.split()[-1] for line in shown[1:]] == ["%", "800,000)"]
    assert "Egyptian_Mau ~ Bengal" in shown[1]


def test_a_name_has_the_same_short_form_in_every_row():
    rows = [(Names((name, "Staffordshire_Bull_Terrier"), " -> "),) for name in ("cat", "x" * 40)]
    first, second = lines(("kind",), rows, 50)[1:]
    assert first.split(" -> ")[1] == second.split(" -> ")[1]
    assert cell_len(second) <= 50


def test_verdicts_and_heads_have_their_styles():
    table = fitted(("", "gate"), [(Verdict("PASS", True), "a"), (Verdict("FAIL", False), "b")], 80)
    styles = [{span.text: span.style for span in line} for line in table.lines]
    assert styles[0]["gate"] == "dim"
    assert (styles[1]["PASS"], styles[2]["FAIL"]) == ("green", "bold red")


@given(
    st.lists(st.text("ab_猫", min_size=1, max_size=40), min_size=1, max_size=6), st.integers(12, 60)
)
def test_names_alone_always_fit(names, width):
    shown = lines(("class",), [(name,) for name in names], width)
    assert max(map(cell_len, shown)) <= width


def test_what_is_copied_is_never_shortened_others_give_way():
    path = "Staffordshire_Bull_Terrier__American_Pit_Bull_Terrier/17_0001_grad-cam.png"
    row = ("17", Names(("Staffordshire_Bull_Terrier", "Bengal"), " -> "), "grad-cam", path)
    heads = (">row", "pair", "method", "picture")
    for width in (200, 120, 80, 40):
        table = lines(heads, [row], width, gives_way=("method", "pair"), whole=("picture",))
        assert table[-1].endswith(f"  {path}")
        assert len(table) == 2
    assert table[-1] == f" 17  {path}"
