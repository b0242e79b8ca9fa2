from errlens.classes.headers import read_header, tidied_headers


def test_headers_keep_what_is_wanted_and_what_would_be_a_twin():
    assert tidied_headers(["path", "label ", " label"], wanted=["label"]) == [
        "path", "label ", " label",
    ]  # fmt: skip
    assert tidied_headers([" label", "x "], wanted=[" label"]) == [" label", "x"]


def test_the_names_wanted_tell_the_delimiter_and_else_the_number_of_cells():
    assert read_header(["a,b;label\n"], wanted=["label"]).delimiter == ";"
    assert read_header(["a,b;c;d\n"], wanted=["label"]).delimiter == ";"
    assert read_header([" \n", "label\tsize, bytes\n"], wanted=["label"]).columns == [
        "label", "size, bytes",
    ]  # fmt: skip
    assert read_header([], wanted=["label"]).columns == []


def test_case_and_gaps_of_a_header_do_not_matter_where_one_column_is_meant():
    wanted = ["path", "label_name", "label"]
    assert tidied_headers(["PATH", "Label Name", "Label"], wanted=wanted) == wanted
    assert tidied_headers(["Path", "path"], wanted=["path"]) == ["Path", "path"]
    assert read_header(["Path;Label, all\n"], wanted=["path"]).delimiter == ";"
