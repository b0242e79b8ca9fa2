import json
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from errlens.data.photos.images import Unread
from errlens.figures.maps.heatmaps import Panel, draw_heatmaps
from errlens.figures.paper.places import PICTURES, places_in
from errlens.report.images.drawn import on_any_page
from errlens.report.images.pictures import Pictures, size_of, uri_of
from errlens.report.thumbnails import ThumbnailCache

PHOTO = (200, 120, 40)


@pytest.fixture
def png(tmp_path):
    """A picture of heat maps, wider than a page has them."""
    image = np.full((224, 224, 3), PHOTO, np.uint8)
    panels = [
        Panel("the photo", None),
        *(Panel(name, np.eye(3, dtype=np.float32)) for name in "abc"),
    ]
    file = tmp_path / "maps.png"
    draw_heatmaps(image, panels, title="A", unit="logits").savefig(file)
    return file


def shown(png):
    (made,) = on_any_page([png], ThumbnailCache(png.parent / "kept").pictures([png]))
    return made


def test_an_svg_shows_the_same_webp_whole_and_where_photos_are(png):
    svg = ElementTree.fromstring(shown(png))
    assert svg.get("width") == "1000"
    (path,) = svg.findall(".//{*}path")
    places, (width, _) = places_in(png)
    assert path.get("d").count("M") == len(places) == 5
    left, top = (float(edge) for edge in path.get("d")[1:].split("H")[0].split(","))
    assert 0 <= left - places[0][0] * 1000 / width < 1
    assert top > 0
    webp = svg.find(".//{*}image").get("href")
    assert webp.startswith("data:image/webp;base64,")


def test_a_data_uri_is_the_svg_again_and_counted_whole(png):
    svg = shown(png)
    uri = uri_of(svg)
    assert unquote_to_bytes(uri.removeprefix("data:image/svg+xml,")) == svg
    assert not set(uri) & set('<>"#& \n')
    assert len(uri) < 1.02 * len(svg) + 400
    pictures = Pictures(size_of("a", svg))
    assert pictures.add("a", svg)
    assert pictures.left == 0


@pytest.mark.parametrize(
    "text",
    [None, "", "null", "[]", "{}", "[[1, 2, 3]]", "[[0, 0, 1e999, 4]]", "[[5, 5, 2, 2]]", "7",
     "[[0, 0, 99999, 4]]", '[["<script>", 0, 1, 1]]', "[" * 100_000, "[[[1], 0, 1, 1]]"],
)  # fmt: skip
def test_a_picture_that_does_not_say_where_photos_are_stays_as_it_is(tmp_path, text):
    file, info = tmp_path / "some.png", PngInfo()
    if text is not None:
        info.add_text(PICTURES, text, zip=True)
    Image.new("RGB", (50, 40), "white").save(file, pnginfo=info)
    assert shown(file).startswith(b"RIFF")


def test_what_was_said_of_places_is_numbers_alone(tmp_path):
    file, info = tmp_path / "some.png", PngInfo()
    info.add_text(PICTURES, json.dumps([[1, 2, "30", 20.5], ["'/><a", 0, 1, 1]]))
    Image.new("RGB", (50, 40), "white").save(file, pnginfo=info)
    assert places_in(file) is None
    info = PngInfo()
    info.add_text(PICTURES, json.dumps([[1, 2, "30", 20.5]]))
    Image.new("RGB", (50, 40), "white").save(file, pnginfo=info)
    assert places_in(file) == ([(1, 2, 30, 20)], (50, 40))


def test_a_picture_that_is_not_there_is_told(tmp_path):
    assert isinstance(shown(tmp_path / "gone.png"), Unread)


def luminance(pixels):
    share = np.asarray(pixels, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]
