"""What a page knows of images that do not exist, and which of them a view holds, by brute force."""

import json
import math
import re
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from jinja2.utils import htmlsafe_json_dumps


def made_images(names, n, *, seed=0, listed=None):
    """Return `data.images` of `n` images of which a third are wrong and a few have no label."""
    random = np.random.default_rng(seed)
    rows = None if listed is None else random.permutation(n)[:listed].tolist()
    label = random.integers(len(names), size=n)
    pred = np.where(random.random(n) < 0.33, random.integers(len(names), size=n), label)
    label[random.random(n) < 0.02] = -1
    correct = np.where(label < 0, -1, label == pred).astype(int)
    # Two digits, so that many images share a value.
    columns = {
        "confidence": unknown_at_times(random.random(n).round(2), random),
        "label_prob": unknown_at_times(random.random(n).round(4), random),
        "loss": unknown_at_times(random.exponential(3, n).round(1), random),
        "margin": unknown_at_times(random.random(n).round(6), random),
    }
    light = unknown_at_times(random.normal(size=n).round(3), random)
    among = range(n) if rows is None else rows
    return {
        "n": n,
        "rows": rows,
        "label": [int(label[row]) for row in among],
        "pred": [int(pred[row]) for row in among],
        "correct": [int(correct[row]) for row in among],
        "path": [f"{names[pred[row]][:20]}/{row % 997:03d}_{row}.jpeg" for row in among],
        **{name: [values[row] for row in among] for name, values in columns.items()},
        "label_text": {str(row): "lynx" for row in among if label[row] < 0 and row % 2},
        "status": {str(row): "label_unknown" for row in among if label[row] < 0 and row % 2},
        "measured": [
            {"name": "light", "title": "how light", "values": [light[row] for row in among]}
        ],
        "findings": [
            {"rank": 1, "title": "dark ones", "rows": [row for row in among if row % 7 == 3]},
            {"rank": 4, "title": "<b>odd</b> ones", "rows": [row for row in among if row % 2]},
        ],
    }


def unknown_at_times(values, random):
    missing = random.random(len(values)) < 0.05
    return [None if gone else float(value) for value, gone in zip(values, missing, strict=True)]


def brute_force(images, names, view):
    """Return the rows of a view, in order, the long way round."""
    rows = range(images["n"]) if images["rows"] is None else images["rows"]
    findings = {each["rank"]: set(each["rows"]) for each in images["findings"]}
    every = []
    for place, row in enumerate(rows):
        label, pred = images["label"][place], images["pred"][place]
        one = {
            "row": row,
            "true": names[label] if label >= 0 else images["label_text"].get(str(row)),
            "pred": names[pred] if pred >= 0 else None,
            "side": {1: "right", 0: "wrong", -1: "none"}[images["correct"][place]],
            "path": images["path"][place],
            "findings": {rank for rank, found in findings.items() if row in found},
            **{
                name: images[name][place] for name in ("confidence", "label_prob", "loss", "margin")
            },
            **{each["name"]: each["values"][place] for each in images["measured"]},
        }
        if is_in(one, view):
            every.append(one)
    sort = view.get("sort", "loss")
    down = view.get("down", "false" if sort == "path" else "true") != "false"
    every.sort(key=lambda one: one["row"])
    known = [one for one in every if one[sort] is not None]
    known.sort(key=lambda one: one[sort], reverse=False)
    if down:  # ties stay in the order of the rows
        known.sort(key=lambda one: one[sort], reverse=True)
    return [one["row"] for one in [*known, *(one for one in every if one[sort] is None)]]


def is_in(one, view):
    """Tell whether an image is in a view."""
    confidence = math.nan if one["confidence"] is None else one["confidence"]
    text = view.get("text", "").lower()
    words = [one["path"], one["true"] or "", one["pred"] or ""]
    return (
        all(one[name] in np.atleast_1d(view[name]) for name in ("true", "pred") if name in view)
        and view.get("side", one["side"]) == one["side"]
        and ("from" not in view or confidence >= float(view["from"]))
        and ("to" not in view or confidence <= float(view["to"]))
        and ("finding" not in view or int(view["finding"]) in one["findings"])
        and any(text in word.lower() for word in words)
    )


def address(view):
    return f"#images?{urlencode(view, doseq=True)}"


def put_into_page(name="report.html", **parts):
    """Put other data into a page that was written; its script and its policy stay as they are.

    The run had no losses; the images that are put in have some, and are ranked by them.
    """
    place = Path("run", name)
    text = place.read_text(encoding="utf-8").replace('data-rank="confidence"', 'data-rank="loss"')
    for key, changed in parts.items():
        found = re.search(rf'id="{key}">(.*?)</script>', text, re.DOTALL)
        tree = json.loads(found[1])
        changed(tree)
        text = text[: found.start(1)] + str(htmlsafe_json_dumps(tree)) + text[found.end(1) :]
    place.write_text(text, encoding="utf-8")
