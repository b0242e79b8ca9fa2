import os
from pathlib import Path

import pyarrow as pa
import pytest

from errlens.run.tables import open_parquet, read_columns, write_parquet

TABLE = pa.table({"row": [0, 1], "name": ["a", None]})


@pytest.mark.parametrize("name", [b"caf\xe9", b"a:b", b"s3://x", b"\n\x1b", "猫".encode()])
def test_a_file_may_lie_anywhere(name, tmp_path):
    path = tmp_path / Path(os.fsdecode(name)) / "table.parquet"
    path.parent.mkdir(parents=True)
    write_parquet(path, TABLE)
    assert read_columns(path).equals(TABLE)
    assert read_columns(path, ["name"]).equals(TABLE.select(["name"]))
    with open_parquet(path) as file:
        assert file.metadata.num_rows == 2


def test_what_is_no_table_is_an_error_of_arrow(tmp_path):
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    with pytest.raises(pa.ArrowException), open_parquet(tmp_path / "table.parquet"):
        pass
    with pytest.raises(OSError, match="directory"), open_parquet(tmp_path):
        pass
