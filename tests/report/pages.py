"""Runs that were imported from small tables, and their pages, without a browser."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

from errlens.run.results import renewed_results
from tests.conftest import ends, make_run

EVIL = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a|b `c`", "=1+1")


CLASSES = ("cat", "lion", "dog", "wolf")


PARENTS = {"cat": "feline", "lion": "feline", "dog": "canine", "wolf": "canine"}


def report(arguments="run"):
    return ends(f"report {arguments}")


def make(classes=CLASSES, *, images=True, superclasses=True, each=12, label=True):
    """Import a run in which every third image is taken for the next class, some for another."""
    names = [name for name in classes for _ in range(each)]
    index = np.repeat(np.arange(len(classes)), each)
    wrong = np.arange(len(names)) % 3 == 0
    pred = np.where(wrong, index ^ 1, index)
    pred[1] = len(classes) - 1
    table = pd.DataFrame(
        {
            "path": [f"images/{row:03d}.png" for row in range(len(names))],
            "label": names,
            "pred": [classes[chosen] for chosen in pred],
            "confidence": np.linspace(0.95, 0.4, len(names)).round(3),
        }
    )
    if not label:
        table["label"] = None
    return make_run(
        table, classes=classes, superclasses=PARENTS if superclasses else None, images=images
    )


def add_parts():
    """Let the other commands write what the page is made of."""
    Path("notes.yaml").write_text(
        "cat~lion:\n  observation: both yawn\n  idea: more of them awake\n"
    )
    for command in (
        "confusion run --no-figures",
        "misclassified run --no-figures --notes notes.yaml",
    ):
        ends(f"{command} -q")


def make_page(*, parts=False, **how):
    """Make a run with its page, or with all that the other commands add to it."""
    make(**how)
    if parts:
        add_parts()
    report()


def text_of(name="report.html"):
    """Return a page with plain spaces only; those before a unit do not break a line."""
    return Path("run", name).read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


def data_of(text, name="data"):
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', text, re.DOTALL)[1])


def section(name, text):
    return re.search(rf'<section id="{name}">(.*?)</section>', text, re.DOTALL)[1]


def fake_explanations(run, *, more=()):
    """Write what `errlens explain` would; an imported run has no model."""
    index = pd.DataFrame(
        {
            "row": [0, 0, *[3] * len(more)],
            "method": "grad-cam",
            "target": ["predicted", "true", *["predicted"] * len(more)],
            "file": ["a/0.png", "a/0.png", *more],
            "status": "ok",
        }
    )
    with renewed_results(run, "explain", options={}) as results:
        results.csv("index.csv", index)
        results.pixels("a/0.png", np.full((40, 1200, 3), 200, np.uint8))
