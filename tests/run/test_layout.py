import pandas as pd

from errlens.predictions.table import SCHEMA
from tests.run.made import PLAN, make_info


def test_pandas_reads_all_parts_and_no_temporary(run):
    (run.predictions_folder / ".part-00009.parquet.1.tmp").write_bytes(b"half")
    found = pd.read_parquet(run.predictions_folder)
    assert found["row"].tolist() == list(range(12))
    assert list(found) == SCHEMA.names


def test_what_an_evaluation_wrote_is_told_and_nothing_else(folder):
    folder.begin(make_info(), PLAN)
    folder.write_text(folder.summary_file, "later")
    assert {path.name for path in folder.written()} == {"predictions", "plan.parquet", "run.json"}
