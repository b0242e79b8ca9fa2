"""A real browser, and pages in it that say nothing and ask for nothing."""

import shutil
from functools import cache
from pathlib import Path

import pytest

from errlens.run.folder import open_run
from tests.report.pages import make_page

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
        page.set_default_timeout(20_000)  # a busy machine is slow
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
def kept_folder(tmp_path_factory):
    """Follow a recipe in a folder of its own, once for all tests that want the same."""

    @cache
    def follow(recipe, **options):
        folder = tmp_path_factory.mktemp("made")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            recipe(**options)
        return folder

    return follow


@pytest.fixture
def copy_of(kept_folder, visit):  # noqa: ARG001 - which goes to an empty folder
    """Copy what came of a recipe to the current folder, as if it had been followed here."""

    def copy(recipe, **options):
        shutil.copytree(kept_folder(recipe, **options), ".", dirs_exist_ok=True)

    return copy


@pytest.fixture
def run(copy_of):
    """A run with its page."""
    copy_of(make_page)
    return open_run("run")
