"""The page that the figures go to."""

from __future__ import annotations

from itertools import pairwise

from bench.million.fleets import FRONT_DOOR, Fleet
from bench.million.town import HOURS
from bench.table import Line, amount, bounded, of_runs, table

_MILLION = 1_000_000
_LINEAR = 1.0


def written(fleets: list[Fleet], about: str) -> str:
    sections = (_head(fleets, about), *(_fleet(fleet) for fleet in fleets), _growth(fleets), _disk(fleets))
    return "\n".join(sections)


def _head(fleets: list[Fleet], about: str) -> str:
    sizes = ", ".join(f"{fleet.stores:,}" for fleet in fleets)
    return f"""# Benchmarks of large fleets

Measured by `make bench-million`, which writes this page whole: no figure here is typed by hand. It measures
fleets of 14,092, of 100,000 and of 1,000,000 stores; `STORES=100000 make bench-million` leaves out what is
larger. This run: {sizes}. The figure is the median, in brackets the quickest and the slowest run. Every
command runs in a process of its own, whose peak memory is what the kernel says (MB = 10⁶ bytes). Bounds are
those of the project's plan, for 14,000 and for a million stores; a bound that is missed says so.

{about}

The data: invented stores, each polled once an hour for {HOURS} hours. Up to {FRONT_DOOR:,} stores the polls
come through `storewatch import`; above they are filled straight into the partitions by the same functions of
storage, for as a file they would be 10 GB. Hours and zones are always imported.
"""


def _fleet(fleet: Fleet) -> str:
    million = fleet.stores >= _MILLION
    small = fleet.stores < FRONT_DOOR
    report, read, memory = fleet.reports, fleet.floors["rows"], fleet.floors["memory"]
    lines = [
        of_runs("hours and zones, a file each: `storewatch import`", fleet.known.command),
        *_loaded(fleet),
        Line("polls packed, as the worker's job does after ten quiet minutes", fleet.packed[0], "s"),
        Line("… peak memory of the process", fleet.packed[1], "MB"),
        of_runs(
            "report of the week to CSV, polls packed: `storewatch report`", report, 15 if million else None
        ),
        of_runs("… of that the report itself, its rows in the database", fleet.work),
        Line("… against the floor: the server reads the polls' rows once", report.median / read.median, "×"),
        Line("… against the polls streamed through memory once", report.median / memory.median, "×"),
        Line("… peak memory of the process", report.peak_mb or 0, "MB", 800 if million else None),
        of_runs(
            f"an hour's {fleet.stores:,} polls on top: the work of `storewatch import`",
            fleet.hourly.work,
            15 if million else 0.4 if small else None,
        ),
        of_runs("… the command", fleet.hourly.command),
        Line(
            "… the work against the floor: COPY into an empty heap that nobody logs",
            fleet.hourly.work.median / fleet.floors["copy"].median,
            "×",
        ),
        Line("… peak memory of the process", fleet.hourly.command.peak_mb or 0, "MB"),
        *_lived(fleet),
    ]
    return f"""## {fleet.stores:,} stores, {fleet.polls:,} polls

{bounded(lines)}

Floors: the server reads the rows once in {amount(read.median, "s")}; the polls as one int64 each go through
memory in {amount(memory.median, "s")}; an hour's rows are copied in
{amount(fleet.floors["copy"].median, "s")}.

{_ways(fleet)}
"""


def _loaded(fleet: Fleet) -> list[Line]:
    if fleet.imported is None:
        seconds, peak = fleet.fill
        return [
            Line("polls filled in, not imported", seconds, "s"),
            Line("… peak memory of the process", peak, "MB"),
        ]
    return [
        of_runs("polls, a file: `storewatch import`", fleet.imported.command),
        Line("… peak memory of the process", fleet.imported.command.peak_mb or 0, "MB"),
    ]


def _lived(fleet: Fleet) -> list[Line]:
    lines = [Line("vacuum of polls, reports and history, as autovacuum does it at times", fleet.vacuum, "s")]
    if fleet.history is not None:
        seconds, peak = fleet.history
        lines.insert(0, Line("history of the week and of these hours, as the worker makes it", seconds, "s"))
        lines.insert(1, Line("… peak memory of the process", peak, "MB"))
    return lines


def _ways(fleet: Fleet) -> str:
    """The same report made in other ways, and whether the bytes are the same."""
    reference = fleet.ways[0]
    rows = [
        [
            made.way,
            amount(made.seconds, "s"),
            amount(made.command_mb, "MB"),
            ", ".join(amount(peak, "MB") for peak in made.others_mb) or "",
            "the same" if made.digest == reference.digest else "**OTHERS**",
        ]
        for made in fleet.ways
    ]
    head = ("the same report by", "the command", "its peak memory", "… of each Dask worker left", "bytes")
    return table(head, rows)


def _growth(fleets: list[Fleet]) -> str:
    rows = [
        [
            f"{fleet.stores:,}",
            f"{fleet.work.median / fleet.stores * 1e6:.1f} µs",
            f"{fleet.reports.median / fleet.stores * 1e6:.1f} µs",
            f"{fleet.hourly.work.median / fleet.stores * 1e6:.1f} µs",
            amount(fleet.reports.peak_mb or 0, "MB"),
        ]
        for fleet in fleets
    ]
    head = ("stores", "report, a store", "… the command", "hourly increment, a poll", "memory of the report")
    lines = [
        Line(
            f"report's time a store, {after.stores:,} against {before.stores:,} stores",
            (after.work.median / after.stores) / (before.work.median / before.stores),
            "×",
            _LINEAR,
        )
        for before, after in pairwise(fleets)
    ]
    return f"## Growth\n\n{table(head, rows)}\n" + (f"\n{bounded(lines)}\n" if lines else "")


def _disk(fleets: list[Fleet]) -> str:
    day = max((fleet.stores, fleet.disk.get("store_day", 0)) for fleet in fleets if fleet.history)[1]
    rows = [
        [
            f"{fleet.stores:,}",
            *(amount(fleet.disk[name] / 1e6, "MB") for name in ("polls", "index", "packs", "database")),
            f"{fleet.disk['packs'] / fleet.polls:.1f}",
            f"{(fleet.disk['polls'] + fleet.disk['index']) / fleet.polls:.1f}",
            *_month(fleet, fleet.disk.get("store_day", day)),
        ]
        for fleet in fleets
    ]
    head = (
        "stores", "polls of the week", "their index", "their packs", "the database without packs",
        "bytes of pack a poll", "bytes of row and index a poll", "a month: polls", "packs", "history",
        "in all",
    )  # fmt: skip
    return f"""## Disk

{table(head, rows)}

A month is one of 30 days with a poll an hour; a store's day of history takes {day:,} bytes with its indexes.
History of fleets that were not imported was not made here: theirs is reckoned from that. Polls go after
`STOREWATCH_KEEP_POLLS`, history stays. Polls are hardly ever updated: vacuum has little to do there.
"""


def _month(fleet: Fleet, day: int) -> list[str]:
    days = 30 * 24 / HOURS
    parts = (
        (fleet.disk["polls"] + fleet.disk["index"]) * days,
        fleet.disk["packs"] * days,
        fleet.stores * 30.0 * day,
    )
    return [amount(each / 1e9, "GB") for each in (*parts, sum(parts))]
