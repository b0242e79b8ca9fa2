"""What a run answers when it is served: asked through sockets, without a browser."""

import base64
import hashlib
import io
import json
import os
import re
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from errlens.figures.maps.heatmaps import Panel, draw_heatmaps
from errlens.serving.answers import Refused
from errlens.serving.pictures import RunPictures
from tests.conftest import ends
from tests.report.pages import EVIL, data_of, fake_explanations, make
from tests.report.sections.network.made import write_channels


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def picture(answer):
    status, headers, content = answer
    assert status == 200, content
    assert headers["Content-Type"] == "image/webp"
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.format == "WEBP"
        return opened.size


def drawn(answer):
    """Check a picture that is dark on a dark page; return its size."""
    status, headers, content = answer
    assert status == 200, content
    assert headers["Content-Type"] == "image/svg+xml"
    svg = ElementTree.fromstring(content)
    style = svg.find("{*}style").text
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = headers["Content-Security-Policy"]
    assert policy.startswith(
        f"default-src 'none'; img-src data:; style-src 'sha256-{known}'; sandbox"
    )
    return int(svg.get("width")), int(svg.get("height"))


def listed(answer):
    status, _, content = answer
    assert status == 200, content
    return json.loads(content)


def refused(answer, status):
    found, headers, content = answer
    assert found == status, content
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    return content.decode()


def test_the_page_holds_only_what_it_cannot_ask_for(served):
    make()
    with served() as browser:
        status, headers, content = browser.ask()
    assert status == 200
    text = content.decode()
    data = data_of(text)
    assert data["facts"] == {}
    assert data["images"]["path"] == []
    assert data["matrix"]["images"] == []
    assert data["remote"]["n"] == 48
    assert data_of(text, "pictures")["uris"] == {}
    meta = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    assert headers["Content-Security-Policy"] == f"{meta}; frame-ancestors 'none'"
    assert "img-src 'self' data:; connect-src 'self'; style-src 'sha256-" in meta
    assert "unsafe" not in meta


def test_the_page_of_a_report_asks_for_nothing():
    make()
    ends("report run -q")
    policy = Path("run/report.html").read_text().partition("Content-Security-Policy")[2][:200]
    assert "connect-src" not in policy
    assert "self" not in policy


def test_images_are_found_by_names_that_mean_something_elsewhere(served):
    make(EVIL, superclasses=False, images=False)
    with served() as browser:
        for name in EVIL:
            found = listed(browser.ask(f"images?true={quote(name)}&most=100"))
            assert found["total"] == 12
        assert "sort" in refused(browser.ask("images?order=loss"), 400)
        assert refused(browser.ask("images?sort=colour"), 400) == "nothing is called colour"


def test_facts_of_many_and_of_one(served):
    make()
    with served() as browser:
        one = listed(browser.ask("facts?row=1"))["1"]
        assert one["path"] == "images/001.png"
        many = listed(browser.ask("facts?brief=true&row=1&row=2&row=2"))
        assert {*many} == {"1", "2"}
        assert many["1"] == {**one, "top": many["1"]["top"], "near": [], "fed": None}
        rows = "&".join(["row=1"] * 501)
        assert refused(browser.ask(f"facts?{rows}"), 400) == "at most 500 rows at a time"


@pytest.mark.parametrize("route", ["facts", "thumbnail", "photo", "map"])
def test_rows_that_there_are_not(served, route):
    make()
    with served() as browser:
        for row in ("48", "999999999999"):
            assert "the last row of the run is 47" in refused(
                browser.ask(f"{route}?row={row}"), 404
            )
        for row in ("-1", "9" * 400, "%00", "1.5", "../1", "images/000.png", "/etc/passwd", ""):
            refused(browser.ask(f"{route}?row={row}"), 400)
        refused(browser.ask(route), 400)


def test_photos_are_sent_encoded_anew_and_never_as_they_are(served):
    make()
    Image.new("RGB", (3000, 2000), (200, 10, 10)).save("images/003.png")
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    Image.new("RGB", (900, 600)).save("images/004.png", exif=exif)
    Path("table.csv").write_text(
        "path,label,pred\n"
        + "".join(f"images/{row:03d}.png,a,{'ab'[row % 2]}\n" for row in range(6))
    )
    ends("import table.csv -o now -q")  # as the files are now
    with served("now") as browser:
        assert picture(browser.ask("thumbnail?row=3")) == (144, 96)
        assert picture(browser.ask("photo?row=3")) == (512, 341)
        assert picture(browser.ask("photo?row=3&side=1600")) == (1600, 1067)
        assert b"where I live" not in browser.ask("photo?row=4&side=1600")[2]
        assert picture(browser.ask("photo?row=4&side=1600")) == (900, 600)  # and not enlarged
        assert refused(browser.ask("photo?row=3&side=9999"), 400) == "side is one of 512, 1600"
    assert {path.suffix for path in Path("now", ".thumbnails").iterdir()} == {".webp"}


def test_what_is_no_photo_by_now_is_said(served):
    make()
    Path("images/001.png").unlink()
    Path("images/002.png").write_text("secret")
    Path("images/003.png").unlink()
    Path("images/003.png").symlink_to("/etc/passwd")
    Path("images/004.png").unlink()
    os.mkfifo("images/004.png")
    Path("images/005.png").unlink()
    Path("images/005.png").symlink_to("/proc/self/environ")
    with served() as browser:
        for route in ("thumbnail", "photo"):
            assert refused(browser.ask(f"{route}?row=1"), 404) == "no such file"
            for row in (2, 3):
                assert refused(browser.ask(f"{route}?row={row}"), 404) == "another file now"
            assert refused(browser.ask(f"{route}?row=4"), 404) == "not a regular file"
            assert refused(browser.ask(f"{route}?row=5"), 404) == "not a file on a disk"


def test_only_pictures_that_the_index_names_are_sent_from_explain(served, tmp_path):
    run = make()
    fake_explanations(run)
    secret = tmp_path / "secret.png"
    Image.new("RGB", (40, 40)).save(secret)
    with served() as browser:
        assert picture(browser.ask("explained?file=a/0.png")) == (1000, 33)
        for name in ("index.csv", "../run.json", "a/../a/0.png", "a%2F..%2F..%2Frun.json", "a",
                     "../../secret.png", quote(str(secret)), "%00", ""):  # fmt: skip
            refused(browser.ask(f"explained?file={name}"), 400 if "%00" in name else 404)
        (run.path / "explain" / "a" / "0.png").unlink()
        (run.path / "explain" / "a" / "0.png").symlink_to(secret)
        assert refused(browser.ask("explained?file=a/0.png"), 404) == "it leads out of the run"


def test_what_explain_drew_is_dark_on_a_dark_page(served):
    run = make()
    fake_explanations(run)
    image = np.full((60, 60, 3), 90, np.uint8)
    panels = [Panel("the photo", None), Panel("a", np.eye(3, dtype=np.float32))]
    figure = draw_heatmaps(image, panels, title="A", unit="logits")
    figure.savefig(run.path / "explain" / "a" / "0.png")
    with served() as browser:
        width, height = drawn(browser.ask("explained?file=a/0.png"))
    assert 0 < height < width <= 1000


def test_figures_of_the_network_are_sent_by_their_names_alone(served):
    run = make()
    write_channels(run)
    with served() as browser:
        assert drawn(browser.ask("explained?file=network/channels/channels.png"))[0] == 120
        assert "no such picture" in refused(
            browser.ask("explained?file=network/channels/channels.csv"), 404
        )
        assert 'id="network-channels"' in browser.ask()[2].decode()


def test_what_an_index_names_and_lies_elsewhere_is_not_sent(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "secret.png")
    run = make()
    (run.path / "explain").mkdir()
    names = ("../../secret.png", str(tmp_path / "secret.png"), "gone.png")
    pictures = RunPictures(run, Mock(turns=True), names, {})
    for name in names:
        with pytest.raises(Refused, match=r"leads out|no such file"):
            pictures.drawn(name)


def test_without_a_model_the_sentence_says_why(served):
    make()
    with served() as browser:
        assert "were imported" in refused(browser.ask("map?row=1"), 404)
        assert data_of(browser.ask()[2].decode())["remote"]["methods"] == []


def test_heat_maps_of_a_run_with_a_model(served, photos, tiny):
    ends(f"evaluate {photos} --model {tiny} --img-size 8 -o run -q")
    with served() as browser:
        assert drawn(browser.ask("map?row=1&method=gradient"))[0] > 200
        assert "cannot explain this network" in refused(browser.ask("map?row=1"), 422)
        Path(photos, "blue", "1.png").unlink()
        assert "no map: no such file" in refused(browser.ask("map?row=1&method=occlusion"), 422)
    with served(no_model=True) as browser:
        assert "without a model" in refused(browser.ask("map?row=1"), 404)


def test_marks_are_found_at_once(served):
    run = make()
    with served() as browser:
        assert listed(browser.ask("images?marked=ambiguous"))["total"] == 0
        changes = {"changes": [[7, {"verdict": "ambiguous", "remark": "\u202eé"}]]}
        assert browser.write("marks", json.dumps(changes).encode())[0] == 200
        assert listed(browser.ask("images?marked=ambiguous"))["rows"] == [7]
        assert listed(browser.ask("marks"))["7"]["remark"] == "\u202eé"
    assert run.marks_file.exists()
