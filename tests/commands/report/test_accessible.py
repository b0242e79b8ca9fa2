"""No serious hindrance for people with a screen reader, a keyboard or weak sight, says axe-core."""

import os
from pathlib import Path

import pytest

from tests.conftest import ends
from tests.report.pages import add_parts, fake_explanations, make, report

AXE = os.environ.get("ERRLENS_AXE", "")  # axe.min.js of the npm package axe-core


@pytest.mark.skipif(not AXE, reason="ERRLENS_AXE does not name the axe.min.js of axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_axe_finds_no_serious_hindrance(browser, scheme, width, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = make()
    add_parts()
    fake_explanations(run)
    ends("diagnose run --no-figures -q")
    report()
    context = browser.new_context(
        viewport={"width": width, "height": 1000}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto(Path("run/report.html").absolute().as_uri())
    page.wait_for_selector("#classes tbody tr:not(.space)")
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    whole = hindrances(page)
    page.locator("main .shot .picture").first.click()
    page.wait_for_selector("dialog[open]")
    of_an_image = hindrances(page)
    context.close()
    assert whole == of_an_image == []


def hindrances(page):
    """Return what axe-core calls serious or critical, each with the first place that has it."""
    said = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        (hindrance["id"], hindrance["nodes"][0]["html"])
        for hindrance in said["violations"]
        if hindrance["impact"] in ("serious", "critical")
    ]
