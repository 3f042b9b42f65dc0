"""Parquet files that are damaged: refused in words, whatever the reader beneath does with them."""

from __future__ import annotations

import io

import pytest

from storewatch.errors import FileRefusedError
from storewatch.formats.parquet_in import ParquetFile
from tests.fuzz.target import CORPUS


def test_a_file_by_which_polars_panics_is_refused() -> None:
    data = (CORPUS / "parquet/found-panic").read_bytes()
    file = ParquetFile(io.BytesIO(data), "a.parquet")
    columns = {name: at for at, name in enumerate(file.header) if name in ("store_id", "timestamp_utc")}
    with pytest.raises(FileRefusedError, match=r"^a\.parquet: the file is damaged"):
        list(file.blocks(columns))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\xff" * 40 + b"PAR1", b"store_id,status\n"])
def test_what_is_no_parquet_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefusedError, match=r"^a\.parquet: this is no Parquet file that can be read"):
        ParquetFile(io.BytesIO(data), "a.parquet")
