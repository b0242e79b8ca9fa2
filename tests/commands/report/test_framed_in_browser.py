"""The page in a notebook, in a real browser."""

import errlens
from tests.report.pages import make

# Where the notebook is: nobody is asked for it.
NOTEBOOK = "http://notebook.test/"


def test_the_page_lives_in_the_frame_of_a_notebook(browser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(images=True)
    run = errlens.open_run("run")
    html = f"<title>notebook</title>{run.report()._repr_html_()}{run._repr_html_()}"
    page, said = browser.new_page(), []
    page.route(NOTEBOOK, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(NOTEBOOK)
    inside = page.frame_locator("iframe")
    inside.get_by_text("31 of 48 images").first.wait_for()
    frame = next(frame for frame in page.frames if frame.url.startswith("blob:"))

    # A link to a section stays in the frame, and moves it there.
    inside.locator('a[href="#metrics"]').first.click()
    frame.wait_for_function("scrollY > 0")
    assert frame.url.endswith("#metrics")
    assert frame.title() != "notebook"
    assert page.url == NOTEBOOK
    # The notebook is all that is loaded.
    assert [text for text in said if not text.startswith(("blob:", "data:"))] == [NOTEBOOK]
    page.close()
