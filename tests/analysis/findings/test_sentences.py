"""What was looked for in vain is said in a line, and what could not be in another."""

from errlens.analysis.findings.finding import Search
from errlens.analysis.findings.sentences import not_found


def test_many_searches_of_a_kind_are_counted():
    searches = [Search("slice", f"property {n}") for n in range(12)]
    searches += [Search("slice", "camera", absent="no image has a value")]
    searches += [Search("label_issue", "wrong labels"), Search("duplicate", "copies", found=1)]
    assert not_found(searches) == [
        "Looked for and not found: 12 properties of images and columns of the manifest; "
        "wrong labels."
    ]


def test_the_number_of_images_that_would_do_is_said():
    searches = [Search("slice", "dark images", enough=900), Search("label_issue", "labels")]
    (line,) = not_found(searches)
    assert line.startswith("Looked for and not found, at this sample size (900 images would do):")


def test_a_kind_that_could_not_be_looked_for_is_told_with_the_reason_once():
    searches = [
        Search("repair", "turns", absent="no model"),
        Search("place", "places", absent="no model"),
    ]
    assert not_found(searches) == ["Not looked for: turns, places (no model)."]


def test_where_everything_was_found_nothing_is_said():
    assert not_found([Search("slice", "dark images", found=2)]) == []
    assert not_found([]) == []


def test_what_there_was_time_for_is_said_once():
    part = "24 of 57 errors, changed"
    searches = [Search("repair", "turns", part=part), Search("repair", "crops", part=part)]
    searches.append(Search("place", "places", part="10 of 57 errors, with places hidden"))
    assert not_found(searches)[1] == (
        "Asked about until time was up: 24 of 57 errors, changed; 10 of 57 errors, with places "
        "hidden."
    )
