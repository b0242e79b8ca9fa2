import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import errlens
import errlens.run.reading
from errlens.errors import IncompleteRun, StaleRun
from errlens.predictions.table import SCHEMA
from errlens.run.folder import RunFolder
from errlens.run.tables import read_part
from tests.run.made import PLAN, make_info, make_part, write_parts


def test_columns_can_be_asked_for(run):
    found = run.read_predictions(("pred", "label_name")).table
    assert found.column_names == ["pred", "label_name"]


def test_a_part_that_is_gone_or_cut_is_made_anew(run, options):
    whole = run.predictions.table
    run.part_file(0).unlink()
    content = run.part_file(2).read_bytes()
    run.part_file(2).write_bytes(content[: len(content) // 2])
    assert run.unfinished() == [0, 2]
    with pytest.raises(IncompleteRun, match="2 parts"):
        _ = run.predictions
    assert errlens.evaluate(**options).predictions.table.equals(whole)


def test_a_part_without_its_sidecar_is_made_anew(run):
    run.sidecar_file("features", 1).unlink()
    assert run.unfinished() == [1]


def test_a_part_of_other_settings_is_refused(run, options, tmp_path):
    other = errlens.evaluate(**{**options, "img_size": 9, "out": tmp_path / "other"})
    run.part_file(1).write_bytes(other.part_file(1).read_bytes())
    with pytest.raises(StaleRun, match="other settings"):
        _ = run.predictions


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_part_cut_short_anywhere_is_unfinished(folder, share):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    content = folder.part_file(1).read_bytes()
    folder.part_file(1).write_bytes(content[: int(share * len(content))])
    assert folder.unfinished() == [1]
    with pytest.raises(IncompleteRun, match="1 part of"):
        folder.read_predictions()


def test_a_part_under_the_name_of_another_is_unfinished(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    folder.part_file(1).write_bytes(folder.part_file(0).read_bytes())
    assert folder.unfinished() == [1]


@pytest.mark.parametrize("kind", ["logits", "features"])
def test_a_part_without_what_is_to_be_kept_is_unfinished(folder, kind):
    info = make_info(keep=["logits", "features"])
    folder.begin(info, PLAN)
    values = np.arange(4, dtype=np.float16).reshape(2, 2)
    write_parts(folder, PLAN, info, logits=values, features=values)
    assert folder.unfinished() == []
    np.testing.assert_array_equal(np.load(folder.sidecar_file(kind, 0)), values)
    folder.sidecar_file(kind, 2).unlink()
    assert folder.unfinished() == [2]


def test_a_part_of_another_run_is_stale(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    write_parts(folder, PLAN, make_info(topk=1), shards=[2])
    for read in (folder.unfinished, folder.read_predictions):
        with pytest.raises(StaleRun, match=r"part-00002\.parquet"):
            read()


def test_a_part_somebody_else_wrote_is_stale(folder):
    folder.begin(make_info(), PLAN)
    pq.write_table(make_part(PLAN, 0), folder.part_file(0))
    with pytest.raises(StaleRun):
        folder.unfinished()


def test_a_part_remembers_what_was_counted_of_its_photos_and_an_older_one_nothing(folder):
    info = make_info()
    folder.begin(info, PLAN)
    counts = {"turned": {"n": 2, "examples": ["a.png"]}}
    folder.write_part(0, make_part(PLAN, 0), {}, info, photos=counts)
    write_parts(folder, PLAN, info, shards=[1, 2])
    assert list(folder.read_photo_counts()) == [counts, {}, {}]
    assert folder.read_predictions().table.schema.metadata is None
    older = pq.read_table(folder.part_file(0))
    made_by = json.loads(older.schema.metadata[b"errlens"])
    del made_by["photos"]
    pq.write_table(
        older.replace_schema_metadata({b"errlens": json.dumps(made_by)}), folder.part_file(0)
    )
    assert list(folder.read_photo_counts()) == [{}, {}, {}]
    assert folder.unfinished() == []


def test_predictions_come_in_plan_order_with_the_columns_as_asked(folder):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info, shards=[2, 0, 1])
    found = folder.read_predictions(["path", "row"])
    assert found.table.column_names == ["path", "row"]
    assert found.table["row"].to_pylist() == list(range(5))
    assert found.classes.names == ("a", "b")
    assert folder.predictions.table.schema.equals(SCHEMA, check_metadata=True)
    assert pd.read_parquet(folder.predictions_folder)["row"].tolist() == list(range(5))


def test_a_run_without_plan_or_metrics_is_incomplete(folder):
    folder.begin(make_info(), PLAN)
    with pytest.raises(IncompleteRun, match="no metrics"):
        _ = folder.metrics
    folder.plan_file.unlink()
    with pytest.raises(IncompleteRun, match="no plan"):
        folder.unfinished()


def test_run_json_is_parsed_again_only_where_somebody_wrote_it(folder):
    folder.begin(make_info(), PLAN)
    known = folder.info
    assert folder.info is known
    RunFolder(folder.path).write_info(replace(known, status="complete"))
    assert folder.info.status == "complete"


def test_rows_come_as_asked_and_each_part_is_read_once(folder, monkeypatch):
    info = make_info()
    folder.begin(info, PLAN)
    write_parts(folder, PLAN, info)
    parts = []

    def counted(path, *rest):
        parts.append(path.name)
        return read_part(path, *rest)

    monkeypatch.setattr(errlens.run.reading, "read_part", counted)
    rows = folder.read_rows([4, 0, 1, 0], ["path"])
    assert [row["path"] for row in rows] == ["4.png", "0.png", "1.png", "0.png"]
    assert parts == ["part-00000.parquet", "part-00002.parquet"]
