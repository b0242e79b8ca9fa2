"""`what-if --merge` of thousands of classes: the time grows with their number, not its square."""

import json
import time

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from errlens.cli import app


def test_three_thousand_of_fifty_thousand_classes_become_one_in_seconds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    k, n = 50_000, 20_000
    random = np.random.default_rng(0)
    label = random.integers(0, k, n)
    pred = np.where(random.random(n) < 0.7, label, random.integers(0, k, n))
    table = pd.DataFrame({"path": range(n), "label": label, "pred": pred})
    table.to_parquet("table.parquet")
    said = CliRunner().invoke(
        app, ["import", "table.parquet", "-o", "run", "-q", "--labels", "indices"]
    )
    assert said.exit_code == 0, said.output
    merged = np.arange(0, k, 16)[:3001]
    start = time.perf_counter()
    said = CliRunner().invoke(
        app, ["what-if", "run", "--merge", "+".join(map(str, merged)), "--json"]
    )
    assert time.perf_counter() - start < 30
    new = json.loads(said.stdout)["new"]
    of_class = np.arange(k)
    of_class[merged] = -1
    assert new["top1"]["value"] == np.mean(of_class[label] == of_class[pred])
