import unicodedata

import numpy as np
import pandas as pd
import pytest

from errlens.imported.table import PredictionColumns, read_predictions

NAMES = ("grey cat", "b\u00e4r", "fox")


def random_table(n: int = 300) -> pd.DataFrame:
    """Return a table of labels and predictions of which four in five are right."""
    random = np.random.default_rng(0)
    label = random.integers(0, len(NAMES), n)
    wrong = (label + random.integers(1, len(NAMES), n)) % len(NAMES)
    pred = np.where(random.random(n) < 0.8, label, wrong)
    text = np.array(NAMES, object)
    return pd.DataFrame({"path": range(n), "label": text[label], "pred": text[pred]})


SPELLINGS = {
    "case": str.title,
    "capitals": str.upper,
    "trailing blank": lambda name: name + " ",
    "blank that does not break": lambda name: name.replace(" ", "\u00a0") + "\u00a0",
    "underscore": lambda name: name.replace(" ", "_"),
    "hyphen": lambda name: name.replace(" ", "-"),
    "accents apart": lambda name: unicodedata.normalize("NFD", name),
    "mark of no width": lambda name: "\ufeff" + name,
    "quotes": lambda name: f'"{name}"',
    "wide letters": lambda name: name.replace("fox", "\uff46\uff4f\uff58"),
}


@pytest.mark.parametrize("column", ["label", "pred"])
@pytest.mark.parametrize("rows", ["all rows", "one class", "every third row"])
@pytest.mark.parametrize("how", SPELLINGS)
def test_a_column_that_spells_names_otherwise_has_the_same_accuracy(how, rows, column, tmp_path):
    table = random_table()
    right = (table["label"] == table["pred"]).mean()
    where = {
        "all rows": np.ones(len(table), bool),
        "one class": (table[column] == "grey cat").to_numpy(),
        "every third row": np.arange(len(table)) % 3 == 0,
    }[rows]
    spelt = table.assign(**{column: table[column].map(SPELLINGS[how]).where(where, table[column])})
    spelt.to_csv(tmp_path / "table.csv", index=False)
    found = read_predictions(tmp_path / "table.csv", PredictionColumns())
    assert (found.label == found.pred).mean() == right
    assert len(found.classes) == 3
    differing = int(
        (spelt["label"] != spelt["pred"]).sum() - (table["label"] != table["pred"]).sum()
    )
    assert found.spelling.labels or found.spelling.preds or not differing
