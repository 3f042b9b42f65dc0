"""A report that another program made, as CSV -> cells. It need not look like ours, and says where not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from storewatch.domain.axis import Int64
from storewatch.domain.clock import HOUR, MINUTE, SECOND
from storewatch.domain.likely_causes import Cells
from storewatch.domain.other_weeks import Bools
from storewatch.errors import FileRefusedError
from storewatch.formats.csv_in import CsvFile, shown

COLUMNS = tuple((state, window) for state in ("uptime", "downtime") for window in ("hour", "day", "week"))
"""The six columns beside store_id, in their order in a report."""

NAMES = tuple(f"{state}_last_{window}" for state, window in COLUMNS)
UNITS = (MINUTE, HOUR, HOUR)
"""Of the three windows."""

_MS = 1_000
_ID = re.compile(r"(?:store|shop|restaurant)?_?id|store")
_CELL = re.compile(
    r"(?P<state>up|down)_?(?:time)?_?(?:in_)?(?:the_)?(?:last|past|prev|previous)?_?"
    r"(?P<window>hour|day|week|1h|24h|168h|1d|7d|60m)_?(?:in_)?(?P<unit>s|sec|secs|seconds|m|min|mins|minutes|h|hrs|hours)?"
)
_WINDOWS = {"1h": "hour", "60m": "hour", "24h": "day", "1d": "day", "168h": "week", "7d": "week"}
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR}
_NOTHING = ("", "nan", "null", "none", "na", "n/a", "-", "<na>")


@dataclass(frozen=True)
class TheirReport:
    """Rows in the order of the file: `ids`, the `texts` of cells by `NAMES`, and `cells`, the same as times.
    `notes` say what was not understood.
    """

    ids: pl.Series
    texts: pl.DataFrame
    cells: Cells
    notes: tuple[str, ...]


def read(stream: BinaryIO, name: str, tolerance_us: int | None = None) -> TheirReport:
    """Reads the file, plain or gzip. `tolerance_us` is how far a cell may be off; None: half a unit of the
    last digit that its column has. FileRefusedError if it is no such report.
    """
    file = CsvFile(stream, name)
    found, notes = _positions(file)
    at = {"store_id": found["store_id"][0]} | {name: found[name][0] for name in NAMES if name in found}
    blocks = list(file.blocks(at, tuple(name for name in NAMES if name not in at)))
    bad = sum(len(block.bad) for block in blocks)
    if bad:
        first = next(block.bad.row(0) for block in blocks if len(block.bad))
        notes.append(f"{bad:,} lines can't be read; the first is line {first[0]:,}: {first[1]}")
    rows = pl.concat([block.rows for block in blocks]) if blocks else pl.DataFrame(schema=_SCHEMA)
    rows = rows.with_columns(pl.col("store_id", *NAMES).cast(pl.String).str.strip_chars())
    rows = rows.with_columns(pl.col("store_id").str.replace(r"^'([=+\-@])", "$1"))  # as we write them
    nameless = int((rows["store_id"].fill_null("") == "").sum())
    if nameless:
        notes.append(f"{nameless:,} rows have no store_id and are not compared")
    rows = _once(rows.filter(pl.col("store_id").fill_null("") != ""), notes)
    texts = rows.select(NAMES)
    units = {name: unit for name, (_, unit) in found.items() if name != "store_id"}
    return TheirReport(rows["store_id"], texts, _cells(rows, units, tolerance_us, notes), tuple(notes))


_SCHEMA = {"line": pl.Int64, "store_id": pl.String, **dict.fromkeys(NAMES, pl.String)}


def _positions(file: CsvFile) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """Where each column stands, and its unit; and what of the header was not understood."""
    found: dict[str, tuple[int, int]] = {}
    unknown = []
    for number, title in enumerate(file.header):
        meant = _meant(title)
        if meant is None:
            unknown.append(shown(title))
        elif meant[0] in found:
            raise FileRefusedError(f"{file.name}: two columns are {meant[0]}; the second is '{shown(title)}'")
        else:
            found[meant[0]] = (number, meant[1])
    if "store_id" not in found or len(found) == 1:
        raise FileRefusedError(
            f"{file.name}: this is no report: needed are store_id and {', '.join(NAMES)}; "
            f"found: {', '.join(shown(title) for title in file.header[:20])}"
        )
    lacking = [name for name in NAMES if name not in found]
    notes = [f"Columns that are not understood: {', '.join(unknown[:20])}"] if unknown else []
    return found, notes + ([f"Columns that are not there: {', '.join(lacking)}"] if lacking else [])


def _meant(title: str) -> tuple[str, int] | None:
    """The column of ours that a title stands for, and its unit."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", title.strip())
    plain = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    if _ID.fullmatch(plain):
        return "store_id", 0
    match = _CELL.fullmatch(plain)
    if match is None:
        return None
    window = _WINDOWS.get(match["window"], match["window"])
    unit = _UNITS[match["unit"][0]] if match["unit"] else UNITS[("hour", "day", "week").index(window)]
    return f"{match['state']}time_last_{window}", unit


def _once(rows: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Each store once: its last row."""
    single = rows.unique("store_id", keep="last", maintain_order=True)
    if len(single) < len(rows):
        notes.append(
            f"{len(rows) - len(single):,} rows are of stores that come again; the last of each counts"
        )
    return single


def _cells(rows: pl.DataFrame, units: dict[str, int], tolerance_us: int | None, notes: list[str]) -> Cells:
    numbers = rows.select(pl.col(NAMES).cast(pl.Float64, strict=False))
    empty = rows.select(pl.col(NAMES).str.to_lowercase().fill_null("").is_in(_NOTHING))
    finite = numbers.select(pl.col(NAMES).is_finite().fill_null(False))
    unreadable = (~empty.to_numpy()) & ~finite.to_numpy()
    _tell(rows, unreadable, notes)
    lacking = unreadable | np.array([name not in units for name in NAMES])
    unit = np.array([units.get(name, MINUTE) for name in NAMES], np.float64)
    known = np.nan_to_num(numbers.to_numpy(), nan=0.0, posinf=0.0, neginf=0.0)
    times = np.rint(np.clip(known * unit, -(2.0**52), 2.0**52)).astype(np.int64)
    half = np.maximum(np.rint(unit * 0.5 * 10.0 ** -_decimals(rows.select(NAMES))), _MS).astype(np.int64) + 1
    allowed = half if tolerance_us is None else np.full_like(half, tolerance_us)
    return Cells(*map(_folded, (times, empty.to_numpy(), lacking, half, allowed)))


def _folded(cells: NDArray[Any]) -> NDArray[Any]:
    """[..., 6] as [..., windows, 2]."""
    return np.stack([cells[..., :3], cells[..., 3:]], axis=-1)


def _decimals(texts: pl.DataFrame) -> Int64:
    """How many digits the columns have behind the point, 6 at most. A column of whole numbers with a `.0` is
    what programs make of numbers that they did not round: it has as many as the others.
    """
    fraction = pl.col(NAMES).str.extract(r"\.(\d+)$")
    count = texts.select(fraction.str.len_chars().max().fill_null(0)).to_numpy()[0].astype(np.int64)
    only_zero = texts.select((fraction == "0").all()).to_numpy()[0]
    count = np.where((count == 1) & only_zero, count.max(), count)
    return np.asarray(np.minimum(count, 6))


def _tell(rows: pl.DataFrame, unreadable: Bools, notes: list[str]) -> None:
    """Says which cells are no numbers."""
    if unreadable.any():
        row, column = (int(first) for first in np.argwhere(unreadable)[0])
        notes.append(
            f"{int(unreadable.sum()):,} cells are no numbers and are not compared; the first is in line "
            f"{rows['line'][row]:,}, {NAMES[column]}: '{shown(rows[NAMES[column]][row])}'"
        )
