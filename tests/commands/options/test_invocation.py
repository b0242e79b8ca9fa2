import webbrowser
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ends, make_run


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """The addresses that a browser was asked to open, beside a run in the current folder."""
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"path": ["a.png", "b.png"], "label": [*"ab"], "pred": [*"aa"]})
    make_run(table, classes="ab", images=True).path.rename("my run")
    addresses = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) or True)
    return addresses


@pytest.mark.parametrize("command", ["report", "analyze"])
@pytest.mark.parametrize("how", ["", "-q", "--json"])
def test_the_page_is_opened_if_that_is_asked_for(opened, command, how):
    ends([command, "my run", *how.split()])
    assert opened == []
    ends([command, "my run", "--open", *how.split()])
    assert opened == [Path("my run/report.html").absolute().as_uri()]
    assert "my%20run" in opened[0]


def test_a_chain_opens_its_page(opened):
    Path("project.yaml").write_text("out: my run\nreport: {}\n")
    ends("run project.yaml --open")
    assert len(opened) == 1


def test_no_browser_is_a_sentence_and_no_failure(opened, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _address: False)
    said = ends(["report", "my run", "--open", "-q"])
    assert said.stderr.splitlines()[-1] == (
        "warning: no browser was found here to open 'my run/report.html' with"
    )
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    said = ends(["report", "my run", "--open"])
    assert "no browser was found here" in said.stderr
    assert opened == []  # not even one that shows text alone, in this terminal
