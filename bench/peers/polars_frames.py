"""Polars: frames in memory. `join_asof` finds the cell in which each edge of open time lies."""

from __future__ import annotations

import numpy as np
import polars as pl

from bench.peers.given import Given, Totals, answer, from_rows, read

_SPAN = 1 << 42  # longer than the frame, so that store and time make one sorted key


def main() -> None:
    given = read()
    polls, opens = pl.read_parquet(given.polls), pl.read_parquet(given.opens)
    answer(given, "polars_frames", lambda: _totals(given, polls, opens))


def _totals(given: Given, polls: pl.DataFrame, opens: pl.DataFrame) -> Totals:
    cells = _cells(given, polls.lazy(), opens.lazy())
    sums = _sums(_placed(_edges(given, opens.lazy()), cells))
    return from_rows(given, sums.collect().to_numpy().astype(np.int64))


def _key(given: Given, at: str) -> pl.Expr:
    """Store and time as one number: a sorted column is joined faster than groups are."""
    frame = given.reach - given.max_gap
    return (pl.col("store_key").cast(pl.Int64) * _SPAN + pl.col(at) - frame).alias("key")


def _cells(given: Given, polls: pl.LazyFrame, opens: pl.LazyFrame) -> pl.LazyFrame:
    """The time that each in-hours poll speaks for, and what was up and down in the store before it."""
    begun = opens.select(_key(given, "start_us"), owner="store_key", end_us="end_us")
    polls = polls.with_columns(_key(given, "at_us")).set_sorted("key")
    polls = polls.join_asof(begun.set_sorted("key"), on="key", strategy="backward")
    polls = polls.filter((pl.col("owner") == pl.col("store_key")) & (pl.col("at_us") < pl.col("end_us")))
    at, store = pl.col("at_us"), pl.col("store_key")
    before = pl.when(store == store.shift(1)).then((at + at.shift(1)) // 2)
    after = pl.when(store == store.shift(-1)).then((at + at.shift(-1)) // 2)
    cells = polls.select(
        "store_key",
        "active",
        low=pl.max_horizontal(at - given.max_gap, before),
        high=pl.min_horizontal(at + given.max_gap, after),
        seen_low=at - given.seen_within,
        seen_high=at + given.seen_within,
    )
    whole = pl.col("high") - pl.col("low")
    seen = pl.min_horizontal("high", "seen_high") - pl.max_horizontal("low", "seen_low")
    active = pl.col("active").cast(pl.Int64)
    return cells.with_columns(
        _key(given, "low"),
        up_seen=_before(active * seen),
        up=_before(active * whole),
        down_seen=_before((1 - active) * seen),
        down=_before((1 - active) * whole),
    )


def _before(length: pl.Expr) -> pl.Expr:
    """Sum over all cells before this one. Of other stores too: differences within a store cancel them."""
    return length.cum_sum() - length


def _edges(given: Given, opens: pl.LazyFrame) -> pl.LazyFrame:
    """Both ends of each piece of open time in each window, by store and time."""
    pieces = [
        opens.with_columns(
            low=pl.max_horizontal("start_us", pl.lit(given.as_of - length)),
            high=pl.min_horizontal("end_us", pl.lit(given.as_of)),
            number=pl.lit(number, pl.Int64),
        ).filter(pl.col("low") < pl.col("high"))
        for number, length in enumerate(given.lengths)
    ]
    ends = [
        piece.select("store_key", "number", edge=pl.col(end), sign=pl.lit(sign, pl.Int64))
        for piece in pieces
        for end, sign in (("low", -1), ("high", 1))
    ]
    return pl.concat(ends).with_columns(_key(given, "edge")).sort("key")


def _placed(edges: pl.LazyFrame, cells: pl.LazyFrame) -> pl.LazyFrame:
    """How much of each kind lies before each edge."""
    joined = edges.join_asof(cells.rename({"store_key": "owner"}), on="key", strategy="backward")
    own = pl.col("owner") == pl.col("store_key")
    until = pl.min_horizontal("edge", "high")
    whole = pl.when(own).then((until - pl.col("low")).clip(0)).otherwise(pl.col("high") - pl.col("low"))
    first, last = pl.max_horizontal("low", "seen_low"), pl.col("seen_high")
    until_seen = pl.when(own).then(until).otherwise(pl.col("high"))
    seen = (pl.min_horizontal(until_seen, last) - first).clip(0)
    active = pl.col("active").cast(pl.Int64)
    return joined.select(
        "store_key",
        "number",
        "sign",
        "edge",
        up_seen=(pl.col("up_seen") + active * seen).fill_null(0),
        up=(pl.col("up") + active * whole).fill_null(0),
        down_seen=(pl.col("down_seen") + (1 - active) * seen).fill_null(0),
        down=(pl.col("down") + (1 - active) * whole).fill_null(0),
    )


def _sums(placed: pl.LazyFrame) -> pl.LazyFrame:
    total = {name: (pl.col("sign") * pl.col(name)).sum() for name in ("up_seen", "up", "down_seen", "down")}
    sums = placed.group_by("store_key", "number").agg(open=(pl.col("sign") * pl.col("edge")).sum(), **total)
    return sums.select(
        pl.col("store_key").cast(pl.Int64),
        "number",
        "up_seen",
        pl.col("up") - pl.col("up_seen"),
        "down_seen",
        pl.col("down") - pl.col("down_seen"),
        pl.col("open") - pl.col("up").alias("up_") - pl.col("down").alias("down_"),
    )


if __name__ == "__main__":
    main()
