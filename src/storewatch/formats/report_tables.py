"""Frames of a report's rows -> tables as files hold them: one column a figure and window.

The extended form has every figure, in seconds to the microsecond; the classic one has the seven columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
import polars as pl

from storewatch.domain.clock import SECOND
from storewatch.formats.csv_out import classic

Frames = Iterable[pl.DataFrame]
Shown = Callable[[pl.Series], pl.Series]

_TOTALS = ("up_seen_us", "up_inferred_us", "down_seen_us", "down_inferred_us", "unknown_us", "excluded_us")
_ARRAYS = (*_TOTALS, "outages", "longest_outage_us", "down_min_us", "down_max_us")
ABOUT = ("store_id", "name", "location", "hours_given", "zone_given")
TIMES = ("open", "up", "down", "unknown", "excluded", "seen", "inferred")


def classic_tables(frames: Frames, windows: list[str]) -> Iterator[pl.DataFrame]:
    """The seven columns with numbers as numbers; an empty table first, for its columns."""
    for frame in chain([_empty(windows)], frames):
        table = classic(frame, windows)
        yield table.with_columns(pl.exclude("store_id").cast(pl.Float64))


def extended_tables(frames: Frames, windows: list[str]) -> Iterator[pl.DataFrame]:
    """All that a report knows, times as numbers of seconds; an empty table first, for its columns."""
    return _extended(frames, windows, _seconds)


def extended_text_tables(frames: Frames, windows: list[str]) -> Iterator[pl.DataFrame]:
    """The same with times as text, exact: `5400.000000`."""
    return _extended(frames, windows, _text)


def _extended(frames: Frames, windows: list[str], shown: Shown) -> Iterator[pl.DataFrame]:
    for frame in chain([_empty(windows)], frames):
        columns = (column for at, name in enumerate(windows) for column in _columns(frame, at, name, shown))
        yield frame.select(ABOUT).hstack(list(columns))


def _columns(frame: pl.DataFrame, at: int, window: str, shown: Shown) -> Iterator[pl.Series]:
    """The columns of a window, in their order."""
    up_seen, up_inferred, down_seen, down_inferred, unknown, excluded, outages, *rest = (
        frame[name].arr.get(at) for name in _ARRAYS
    )
    up, down, seen = up_seen + up_inferred, down_seen + down_inferred, up_seen + down_seen
    known = up + down
    total = known + unknown + excluded
    times = (total, up, down, unknown, excluded, seen, up_inferred + down_inferred)
    for name, time in zip(TIMES, times, strict=True):
        yield shown(time).alias(f"{name}_seconds_{window}")
    yield _share(seen, total).alias(f"coverage_{window}")
    yield _share(up, known).alias(f"availability_{window}")
    yield outages.alias(f"outages_{window}")
    for name, time in zip(("longest_outage", "down_min", "down_max"), rest, strict=True):
        yield shown(time).alias(f"{name}_seconds_{window}")


# By numpy, which divides as IEEE 754 has it; Polars multiplies by the reciprocal.


def _seconds(time_us: pl.Series) -> pl.Series:
    return pl.Series(time_us.cast(pl.Float64).to_numpy() / SECOND, dtype=pl.Float64, nan_to_null=True)


def _share(part: pl.Series, whole: pl.Series) -> pl.Series:
    """Null where there is nothing to share."""
    parts, wholes = part.to_numpy(), whole.to_numpy()
    shares = np.divide(parts, wholes, out=np.full(len(parts), np.nan), where=wholes > 0)
    return pl.Series(shares, nan_to_null=True)


def _text(time_us: pl.Series) -> pl.Series:
    fraction = (time_us % SECOND).cast(pl.String).str.zfill(6)
    return (time_us // SECOND).cast(pl.String) + "." + fraction


def _empty(windows: list[str]) -> pl.DataFrame:
    """A frame as storage gives them, without rows."""
    texts = dict.fromkeys(ABOUT[:3], pl.String()) | dict.fromkeys(ABOUT[3:], pl.Boolean())
    arrays = dict.fromkeys(_ARRAYS, pl.Array(pl.Int64, len(windows)))
    return pl.DataFrame(schema={**texts, **arrays})
