"""`python -m bench.others`: what plain pandas scripts say of the same data, held against ours.

Writes the measured part of docs/explanation/other-ways.md. It makes the fleet of the benchmarks, runs the two
ways of `bench.peers.pandas_script` on its files and storewatch on the same, and asks `storewatch compare`.
--quick takes a small fleet and prints the part instead.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bench import data, imports, machine
from bench.measure import ROOT, STOREWATCH, child, keep_compiled, say
from bench.server import Server, open_folder, running
from bench.sizes import FULL, QUICK, SEED, Sizes
from bench.table import amount, table

_PAGE = ROOT / "docs" / "explanation" / "other-ways.md"
_BEGIN, _END = "<!-- measured by python -m bench.others -->\n", "<!-- end of what was measured -->\n"
_WAYS = {"counting": "counts polls as hours", "between": "adds up the time between polls"}
_MOST_CAUSES = 8


@dataclass(frozen=True)
class Compared:
    """What `storewatch compare` said of one way."""

    way: str
    script_s: float
    compare_s: float
    stores: int
    same: int
    cells: pl.DataFrame


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.others", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small fleet, to see that it works")
    quick = parser.parse_args().quick
    part = _measured(QUICK if quick else FULL)
    if quick:
        print(part)
        return
    page = _PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    assert after, f"{_PAGE} lacks its marks"
    _PAGE.write_text(before + _BEGIN + part + _END + after, encoding="utf-8")
    say(f"written to {_PAGE}")


def _measured(sizes: Sizes) -> str:
    began, load_before = time.monotonic(), machine.load()
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        say(f"a fleet of {sizes.stores:,} stores is made up")
        made = data.make(folder, sizes.stores, sizes.days, SEED)
        polls = data.cut(folder, sizes.polls)
        url = _loaded(server, folder)
        found = [_compared(way, folder, url) for way in _WAYS]
        twice = _twice(folder)
        about = machine.described(server, load_before, (time.monotonic() - began) / 60)
    head = (
        f"The data: the invented fleet of [the benchmarks](../benchmarks.md), {sizes.stores:,} stores over "
        f"{sizes.days} days up to {data.END}, {polls:,} polls, {made['hours']:,} rows of hours, "
        f"{made['zones']:,} zones. No clock changed in that time.\n"
    )
    parts = [head, _table(found), *(_causes(each, twice) for each in found), about]
    return "\n".join(parts) + "\n"


def _twice(folder: Path) -> set[str]:
    """The stores of which a poll comes twice in the file."""
    polls = pl.read_csv(folder / "store_status.csv", infer_schema=False)
    again = pl.struct("store_id", "timestamp_utc").is_duplicated()
    return set(polls.filter(again)["store_id"])


def _loaded(server: Server, folder: Path) -> str:
    url = server.make(imports.DATABASE)
    files = [folder / f"{name}.csv" for name in ("store_timezone", "menu_hours", "store_status")]
    imports.load(url, files)
    return url


def _compared(way: str, folder: Path, url: str) -> Compared:
    say(f"{way}: the script, then the comparison")
    theirs, cells = folder / f"{way}.csv", folder / f"{way}.cells.csv"
    script = child([sys.executable, "-m", "bench.peers.pandas_script", way, str(folder), str(theirs)])
    command = [STOREWATCH, "compare", str(theirs), "--csv", str(cells)]
    done = child(command, fine=(0, 1), STOREWATCH_DATABASE_URL=url)
    said = re.search(r"^([\d,]+) stores? in both: ([\d,]+) cells are the same", done.output, re.MULTILINE)
    assert said, done.output
    stores, same = (int(number.replace(",", "")) for number in said.groups())
    texts = dict.fromkeys(("store_id", "theirs", "ours"), pl.String)
    frame = pl.read_csv(cells, schema_overrides=texts)
    return Compared(way, script.seconds, done.seconds, stores, same, frame)


def _table(found: list[Compared]) -> str:
    rows = [
        [
            f"a script that {_WAYS[each.way]}",
            f"{each.same + len(each.cells):,}",
            f"{each.same:,}",
            f"{len(each.cells):,}",
            f"{100 * len(each.cells) / (each.same + len(each.cells)):.1f} %",
            _typical(each),
            f"{len(each.cells.filter(pl.col('cause') == 'not explained')):,}",
            amount(each.script_s, "s"),
            amount(each.compare_s, "s"),
        ]
        for each in found
    ]
    head = (
        *("", "cells", "the same", "differ", "share", "half of those differ by more than"),
        *("not explained", "time of the script", "time of `compare`"),
    )
    return table(head, rows) + "\n"


def _typical(each: Compared) -> str:
    """The median difference of the cells of the last week that differ."""
    week = each.cells.filter(pl.col("column").str.ends_with("week"))
    hours = week["difference_seconds"].abs().median()
    assert isinstance(hours, float)
    return f"{hours / 3600:.1f} h (of the last week)"


def _causes(each: Compared, twice: set[str]) -> str:
    """The cells by cause and rule, the most frequent first."""
    by = each.cells.group_by("cause", "rule").agg(
        cells=pl.len(), stores=pl.col("store_id").n_unique(), biggest=pl.col("difference_seconds").abs().max()
    )
    by = by.sort("cells", "cause", "rule", descending=[True, False, False])
    rows = [
        [cause, rule or "", f"{cells:,}", f"{stores:,}", "" if biggest is None else f"{biggest / 3600:.1f} h"]
        for cause, rule, cells, stores, biggest in by.head(_MOST_CAUSES).iter_rows()
    ]
    if len(by) > _MOST_CAUSES:
        rest = by[_MOST_CAUSES:]
        rows.append([f"{len(rest)} more", "", f"{rest['cells'].sum():,}", "", ""])
    head = ("cause", "what the script does", "cells", "stores", "the biggest difference")
    lines = [f"The script that {_WAYS[each.way]}:\n", table(head, rows), *_unexplained(each, twice)]
    return "\n".join(lines) + "\n"


def _unexplained(each: Compared, twice: set[str]) -> list[str]:
    stores = set(each.cells.filter(pl.col("cause") == "not explained")["store_id"])
    if not stores:
        return []
    count = len(stores & twice)
    return [
        f"\nOf the {len(stores):,} stores with cells that are not explained, {count:,} have a poll that "
        "comes twice in the file. The script counts it twice; storewatch keeps it once, and can't see it "
        "any more."
    ]


if __name__ == "__main__":
    main()
