"""A real browser, and pages in it that say nothing and ask for nothing."""

import shutil
from pathlib import Path

import pytest

from errlens.run.folder import open_run
from tests.report.pages import make, report

WIDE = {"width": 1400, "height": 1000}


@pytest.fixture(scope="session")
def browser():
    """Chromium; tests that want it are skipped where it, or playwright, is not installed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser, tmp_path, monkeypatch):
    """Open a page, and in the end see that it said nothing and asked for nothing."""
    monkeypatch.chdir(tmp_path)
    pages, odd = [], []

    def opened(name="report.html", *, viewport=WIDE, to="", before="", **options):
        page = browser.new_page(viewport=viewport, **options)
        pages.append(page)
        page.add_init_script(before)
        page.set_default_timeout(5_000)
        page.on("console", lambda message: odd.append(message.text))
        page.on("pageerror", lambda error: odd.append(str(error)))
        page.on("dialog", lambda dialog: (odd.append(dialog.message), dialog.dismiss()))
        place = Path("run", name).absolute().as_uri()
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith("data:") or request.url.partition("#")[0] == place
                else odd.append(request.url)
            ),
        )
        page.goto(place + to)
        page.wait_for_selector("#classes tbody tr:not(.space)" if name == "report.html" else "main")
        return page

    yield opened
    for page in pages:
        page.close()
    assert odd == []


@pytest.fixture(scope="session")
def made_page(tmp_path_factory):
    """A run with its page."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make()
        report()
    return folder / "run"


@pytest.fixture
def run(made_page, visit):  # noqa: ARG001 - which goes to an empty folder
    """A copy of that run."""
    shutil.copytree(made_page, "run")
    return open_run("run")
