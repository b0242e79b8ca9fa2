import base64
import hashlib
import re
from html import unescape
from typing import get_args
from urllib.parse import parse_qs

from errlens.choices import Rank
from errlens.report import filling
from errlens.run.folder import open_run
from tests.conftest import call
from tests.report.pages import EVIL, data_of, make, report, section, text_of


def sections_of(text):
    return re.findall(r'<section id="([^"]+)"', text)


def test_sections_with_nothing_in_them_are_gone_and_what_makes_them_is_named():
    make(superclasses=False)
    report()
    text = text_of()
    assert sections_of(text) == [
        "verdict", "why", "metrics", "matrix", "class-table", "calibration", "images",
        "marks", "health", "absent", "provenance",
    ]  # fmt: skip
    assert re.findall('<li><a href="#([^"]+)"', text) == sections_of(text)
    assert "errlens check" not in section("verdict", text)
    absent = section("absent", text)
    for command in ("confusion run", "compare OLD run", "misclassified run --notes FILE"):
        assert f"errlens {command}" in absent
    assert "explain" not in absent  # there is no model to explain with
    assert call("confusion run --no-figures -q").exit_code == 0
    report()
    text = text_of()
    assert "--superclasses FILE" in section("absent", text)
    assert "pairs" in sections_of(text)
    assert "exceptional" not in sections_of(text)


def test_names_that_are_html_or_script_stay_text():
    run = make(EVIL, superclasses=False, images=False)
    assert call("confusion run --no-figures -q").exit_code == 0
    assert call("misclassified run --no-figures -q").exit_code == 0
    report()
    text = text_of()
    assert text.count("<script") == 3
    assert "<img src=x" not in text
    assert data_of(text)["matrix"]["names"] == list(run.info.classes.names)
    # What stands in code, as the commands do, is shown as it is.
    summary = re.sub(r"(`+).*?\1", "", text_of("summary.md"))
    assert "<script" not in summary
    assert "<img" not in summary


def test_the_policy_allows_this_script_and_style_and_nothing_else():
    make()
    report()
    text = text_of()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert len(content) == 1
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert " style=" not in text


def test_the_page_never_grows_beyond_its_limit():
    make(each=30)
    report()
    whole = data_of(text_of(), "pictures")
    assert not whole["absent"]
    report("run --images 0")
    limit = len(text_of().encode()) + 40_000
    report(f"run --max-mb {limit / 1e6}")
    cut = data_of(text_of(), "pictures")
    assert 0 < len(cut["uris"]) < len(whole["uris"])
    assert len(text_of().encode()) <= limit
    assert "the page is full" in section("health", text_of())


def test_photos_without_labels_have_no_mark_of_right_or_wrong():
    facts = {
        "path": "a.jpg", "label_name": None, "pred_name": "cat", "correct": None, "status": "ok",
        "confidence": "0.900", "label_prob": None,
    }  # fmt: skip
    template = "{% from 'parts.html.j2' import shot %}{{ shot(7, facts) }}"
    shown = filling.environment().from_string(template).render(facts={"7": facts})
    assert "no label → cat" in shown.replace("<wbr>", "")
    assert "a.jpg: no label, predicted cat" in shown
    assert not {"✗", "✓"} & {*shown}
    facts |= {"label_name": "dog", "correct": False}
    wrong = filling.environment().from_string(template).render(facts={"7": facts})
    assert "✗&nbsp;dog → cat" in wrong.replace("<wbr>", "")


def test_calibration_tells_too_much_confidence_from_too_little():
    make()
    report()
    bins = [each for each in open_run("run").metrics["reliability"] if each["n"]]
    drawn = re.findall(r'<rect class="gap (\w+)" x="\d{2,}', section("calibration", text_of()))
    assert drawn == ["sure" if e["confidence"] > e["accuracy"] else "cautious" for e in bins]
    assert {*drawn} == {"sure", "cautious"}
    assert "solid outline above a bar: too much confidence" in section("calibration", text_of())


def test_what_shows_fewer_images_than_it_has_links_to_all_of_them():
    shown = filling.environment().from_string(
        "{% from 'parts.html.j2' import all_images %}"
        "{{ all_images(112, 6, true='a&b', pred=['<c>', 'd\\x1b']) }}"
        "{{ all_images(6, 6, true='a') }}"
    )
    link = re.fullmatch(r'<p class="all"><a href="([^"]*)">all 112</a></p>', shown.render().strip())
    fields = parse_qs(unescape(link[1]).removeprefix("#images?"))
    assert fields == {"true": ["a&b"], "pred": ["<c>", r"d\x1b"]}
    make(each=60)
    assert call("confusion run --no-figures -q").exit_code == 0
    report()
    assert re.search(r"#images\?true=cat&amp;pred=lion\">all \d+</a>", section("pairs", text_of()))


def test_a_finding_at_a_glance_links_to_all_of_its_images():
    shown = filling.environment().from_string(
        "{% from 'parts.html.j2' import glance %}{{ glance([0], total, {'0': image}, 3) }}"
    )
    image = {"path": "0.png", "label_name": "cat", "pred_name": "dog", "correct": False}
    assert '<a class="more" href="#images?finding=3">7 more</a>' in shown.render(
        total=15, image=image
    )
    assert "more" not in shown.render(total=8, image=image)


def test_names_of_classes_break_between_their_words_only():
    make(("german_shorthaired", "english_setter", "basset_hound", "beagle"), superclasses=False)
    assert call("confusion run --no-figures -q").exit_code == 0
    report()
    shown = section("pairs", text_of())
    assert "<h3>german_<wbr>shorthaired ~ english_<wbr>setter " in shown
    assert "german_<wbr>shorthaired, right" in shown


def test_each_ranking_of_errors_has_a_name_for_its_first_images():
    assert {*filling.RANKED_AS} == {*get_args(Rank)}
