"""Heat maps on a dark page: no glaring paper, writing that is read, photos as they are."""

import io

import numpy as np
import pytest
from PIL import Image

from errlens.report.images.pictures import uri_of
from tests.report.images.test_drawn import PHOTO, luminance, png, shown  # noqa: F401 - a fixture

LOOKS = ":root[data-theme=%s] { color-scheme: %s } body { margin: 0 }"


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_writing_has_contrast_in_both_modes_and_photos_are_the_same(browser, png, system, theme):  # noqa: F811
    page = browser.new_page(color_scheme=system)
    page.set_content(
        f"<html data-theme={theme}><style>{LOOKS % (theme, theme)}</style>"
        f'<img src="{uri_of(shown(png))}">'
    )
    page.wait_for_function("document.images[0].complete")
    pixels = np.asarray(Image.open(io.BytesIO(page.locator("img").screenshot())).convert("RGB"))
    page.close()
    assert (abs(pixels.astype(int) - PHOTO).max(axis=2) <= 6).sum() > 150 * 150
    paper = luminance(pixels[2, 2])
    assert paper > 0.9 if theme == "light" else paper < 0.03
    title = luminance(pixels[10:40, 10:60]).ravel()
    ink = title.min() if theme == "light" else title.max()
    light, dark = max(ink, paper), min(ink, paper)
    assert (light + 0.05) / (dark + 0.05) >= 7
