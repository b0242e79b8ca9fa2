from tests.report.pages import data_of, make, report, text_of


def test_beyond_six_images_of_a_cell_there_are_names(monkeypatch):
    make(each=30, images=False)
    report()
    matrix = data_of(text_of())["matrix"]
    rows, names = matrix["images"][0]
    assert (len(rows), len(names)) == (6, matrix["cells"][2] - 6)
    monkeypatch.setattr("errlens.report.cells.PICTURED", 1)
    monkeypatch.setattr("errlens.report.cells.NAMES_BUDGET", 300)
    report()
    matrix = data_of(text_of())["matrix"]
    assert matrix["images"][1][0] == []
    assert len(matrix["images"]) < len(matrix["cells"]) // 3
