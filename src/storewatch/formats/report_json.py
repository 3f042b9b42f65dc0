"""Rows and fleet figures of a report as JSON: times in seconds, exact to the microsecond."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storewatch.domain.clock import SECOND


def row_object(row: Mapping[str, Any], windows: list[str]) -> dict[str, Any]:
    """A row with an object a window. `row` holds what storage gives: texts, and a list a figure."""
    return {
        "store_id": row["store_id"],
        "name": row["name"],
        "location": row["location"],
        "hours_given": row["hours_given"],
        "zone_given": row["zone_given"],
        "windows": {name: _of_store(row, at) for at, name in enumerate(windows)},
    }


def _of_store(row: Mapping[str, Any], at: int) -> dict[str, Any]:
    up = row["up_seen_us"][at] + row["up_inferred_us"][at]
    down = row["down_seen_us"][at] + row["down_inferred_us"][at]
    seen = row["up_seen_us"][at] + row["down_seen_us"][at]
    old = row["outages"] is None  # made before outages were counted
    excluded = (row["excluded_us"] or [0] * (at + 1))[at]  # reports of older versions have none
    least, most = (None if row[name] is None else row[name][at] for name in ("down_min_us", "down_max_us"))
    return window_object(up, down, row["unknown_us"][at], seen, excluded, least, most) | {
        "outages": None if old else row["outages"][at],
        "longest_outage_seconds": None if old else row["longest_outage_us"][at] / SECOND,
        "raw": _raw(row.get("raw_us"), at),
    }


def _raw(totals: list[int] | None, at: int) -> dict[str, float] | None:
    """Of the window's five totals; None if exceptions change nothing of the store."""
    if totals is None:
        return None
    up_seen, up_inferred, down_seen, down_inferred, unknown = totals[5 * at : 5 * at + 5]
    return {
        "up_seconds": (up_seen + up_inferred) / SECOND,
        "down_seconds": (down_seen + down_inferred) / SECOND,
        "unknown_seconds": unknown / SECOND,
        "open_seconds": sum(totals[5 * at : 5 * at + 5]) / SECOND,
    }


def window_object(
    up: int,
    down: int,
    unknown: int,
    seen: int,
    excluded: int,
    down_min: int | None,
    down_max: int | None,
) -> dict[str, Any]:
    """The figures that a store and the fleet have, from microseconds; old reports have no bounds."""
    known = up + down
    opened = known + unknown + excluded
    return {
        "open_seconds": opened / SECOND,
        "up_seconds": up / SECOND,
        "down_seconds": down / SECOND,
        "down_min_seconds": None if down_min is None else down_min / SECOND,
        "down_max_seconds": None if down_max is None else down_max / SECOND,
        "unknown_seconds": unknown / SECOND,
        "excluded_seconds": excluded / SECOND,
        "seen_seconds": seen / SECOND,
        "inferred_seconds": (known - seen) / SECOND,
        "coverage": seen / opened if opened else None,
        "availability": up / known if known else None,
    }
