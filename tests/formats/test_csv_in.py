"""Files as they come: what is a row, what is a problem, what is refused whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from collections.abc import Callable

import pytest

from storewatch.errors import FileRefusedError
from storewatch.formats import csv_block, csv_in
from storewatch.formats.csv_in import CsvFile

COLUMNS = {"id": 0, "state": 1}
Row = tuple[str | None, str | None]


def read(data: bytes, columns: dict[str, int] = COLUMNS) -> tuple[dict[int, Row], dict[int, str]]:
    """Rows and problems by line of a file with the columns id and state."""
    rows: dict[int, Row] = {}
    problems: dict[int, str] = {}
    for block in CsvFile(io.BytesIO(data), "a.csv").blocks(columns):
        rows |= {line: (i, s) for line, i, s in block.rows.select("line", "id", "state").iter_rows()}
        problems |= dict(block.bad.iter_rows())
    return rows, problems


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b"1,on", ("1", "on")),
        (b'"1","on"', ("1", "on")),
        (b'"1",on', ("1", "on")),
        (b'"a,b",on', ("a,b", "on")),
        (b'"say ""no""",on', ('say "no"', "on")),
        (b'"""a""",on', ('"a"', "on")),
        (b'1,5" pipe', ("1", '5" pipe')),
        (b"1,on\r", ("1", "on")),
        (b'"1","on"\r', ("1", "on")),
        (b" 1 , on ", (" 1 ", " on ")),
        ("é,日本".encode(), ("é", "日本")),
        (b"1", ("1", None)),
        (b'"a",\xc3\xa9', ("a", "é")),
    ],
)
@pytest.mark.parametrize("neighbour", [b"", b'"x",y\n'])
def test_a_line_is_one_row_whatever_its_neighbours(line: bytes, row: Row, neighbour: bytes) -> None:
    rows, problems = read(b"id,state\n" + neighbour + line + b"\n")
    assert rows[3 if neighbour else 2] == row
    assert problems == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'1,"on', "a quote is opened and not closed on this line"),
        (b'"1,on', "a quote is opened and not closed on this line"),
        (b'"1"2,on', "a quote is closed before its field ends"),
        (b"1,on,", "too many fields: 3 where the header has 2"),
        (b"1,on,2", "too many fields: 3 where the header has 2"),
        (b'"1","on","2"', "too many fields: 3 where the header has 2"),
        (b'"1"', "too few fields: 1 where the header has 2"),
        (b"1,\xff", "the line is not text in UTF-8"),
        (b"1,o\0n", "the line holds NUL bytes"),
        (b"1," + b"x" * 70_000, "the line is longer than 65,536 bytes"),
        (b"1," + "é".encode() * 40_000, "the line is longer than 65,536 bytes"),
    ],
)
def test_a_line_that_is_no_row_spoils_itself_alone(line: bytes, reason: str) -> None:
    rows, problems = read(b"id,state\n1,on\n" + line + b"\n2,off\n")
    assert rows == {2: ("1", "on"), 4: ("2", "off")}
    assert problems == {3: reason}


def test_a_short_line_with_all_wanted_columns_is_still_too_short() -> None:
    _, problems = read(b"id,state,more\n1,on\n2,off,x\n")
    assert problems == {2: "too few fields: 2 where the header has 3"}


def test_lines_of_which_one_has_what_another_lacks_are_told_apart() -> None:
    rows, problems = read(b"id,state,more\n1,on,x\n\n2,off,x,y,z\n3,on,x\n")
    assert rows == {2: ("1", "on"), 5: ("3", "on")}
    assert problems == {4: "too many fields: 5 where the header has 3"}


def test_blank_lines_are_no_rows_but_count_as_lines() -> None:
    assert read(b"id,state\n\n1,on\r\n\r\n  \n2,off") == ({3: ("1", "on"), 6: ("2", "off")}, {})


def test_columns_are_taken_by_position_and_lacking_ones_are_null() -> None:
    file = CsvFile(io.BytesIO(b"x,state,id\nX,on,1\n"), "a.csv")
    (block,) = file.blocks({"id": 2, "state": 1}, ("note",))
    assert block.rows.select("id", "state", "note").rows() == [("1", "on", None)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_every_packing_reads_the_same(pack: Callable[[bytes], bytes], bom: bytes, end: bytes) -> None:
    data = pack(bom + end.join([b"id, state", b"1,on", b"2,off"]))
    assert CsvFile(io.BytesIO(data), "a.csv").header == ["id", "state"]
    assert read(data) == ({2: ("1", "on"), 3: ("2", "off")}, {})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n\n", "the file is empty"),
        ("id,state\n1,on\n".encode("utf-16"), "the file is UTF-16; save it as CSV in UTF-8"),
        (b"id;state\n1;on\n", "its columns are separated by semicolons; save it with commas between them"),
        (b"id\tstate\n1\ton\n", "its columns are separated by tabs"),
        (b"id|state\n", "its columns are separated by bars"),
        (b"id,state\r1,on\r2,off\r", "its lines end in a carriage return alone"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "its first line is not text in UTF-8"),
        (b"PK\x03\x04\0\0\n", "its first line is not text in UTF-8"),
        (b"x" * 70_000, "its first line is not text in UTF-8"),
        (b'id,"state\n1,on\n', "in its first line a quote is opened and not closed on this line"),
        (gzip.compress(b"id,state\n1,on\n", mtime=0)[:-9], "the gzip file is damaged or cut off"),
        (gzip.compress(b"id,state\n1,on\n", mtime=0) + b"junk", "the gzip file is damaged or cut off"),
        (b"\x1f\x8b nonsense", "the gzip file is damaged or cut off"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(FileRefusedError, match=rf"^a\.csv: .*{message}"):
        read(data)


def test_trouble_in_reading_refuses_the_file() -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(FileRefusedError, match=r"a\.csv: it cannot be read \(Input/output error\)"):
        CsvFile(Broken(), "a.csv")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"1,o\0n\xff\r", "1,o\\x00n\\xff"),
        ("1,é,日".encode(), "1,é,日"),
        (b"y" * 70_000, "y" * 65_536 + "…"),
    ],
)
def test_a_rejected_row_is_kept_as_it_was(line: bytes, text: str) -> None:
    (block,) = CsvFile(io.BytesIO(b"id,state\n\n" + line + b"\n"), "a.csv").blocks({"id": 0, "state": 1})
    assert block.row_text(3) == text


def test_a_file_is_read_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)  # noqa: S311 - a test is to repeat itself
    lines = [b"1,on", b'"a,b",off', b"", b'"open,x', b"few", b"too,many,x", b"\xff,a", b"u\0,a", b"x" * 300]
    data = b"id,state\n" + b"\n".join(chance.choice(lines) for _ in range(200))
    expected = read(data)
    assert len(expected[0]) + len(expected[1]) > 150
    for size, pieces in ((1, 1), (7, 2), (64, 3), (1000, 100)):
        monkeypatch.setattr(csv_in, "BLOCK_BYTES", size)
        monkeypatch.setattr(csv_block, "PIECE_LINES", pieces)
        assert read(data) == expected


def test_a_line_longer_than_a_block_is_rejected_and_the_next_one_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_in, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(csv_block, "MAX_LINE_BYTES", 256)
    rows, problems = read(b"id,state\n" + "1,é".encode() * 9999 + b"\n2,off\n3," + b"z" * 9999)
    assert rows == {3: ("2", "off")}
    assert problems == dict.fromkeys((2, 4), "the line is longer than 256 bytes")


def test_a_file_of_thousands_of_columns_is_read() -> None:
    names = b",".join(b"c%d" % number for number in range(3000))
    row = b"1," + b"x," * 2998 + b'"on"'
    assert read(names + b"\n" + row, {"id": 0, "state": 2999}) == ({2: ("1", "on")}, {})


def test_size_and_hash_are_those_of_the_file_as_it_lies_there() -> None:
    data = gzip.compress(b"id,state\n1,on\n", mtime=0)
    file = CsvFile(io.BytesIO(data), "a.csv")
    list(file.blocks(COLUMNS))
    assert file.source.size == len(data)
    assert file.source.sha256 == hashlib.sha256(data).hexdigest()
