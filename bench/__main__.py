"""`python -m bench`: measures all in one run and writes docs/benchmarks.md whole.

--quick shows in less than a minute that everything works and agrees; its figures mean nothing.
STOREWATCH_BENCH_DATABASE_URL names a server to measure on, by a user who may create databases; without
it storewatch starts its own in a temporary home.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import data, growth, imports, live, load, machine, pages, reports, startup
from bench.measure import ROOT, keep_compiled, module, say
from bench.server import Server, open_folder, running
from bench.service import serving
from bench.sizes import FULL, LENGTHS, MAX_GAP, QUICK, SEED, SEEN_WITHIN, Sizes

_DOCUMENT = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, into a temporary file")
    parser.add_argument("--output", type=Path, help=f"by default {_DOCUMENT.relative_to(ROOT)}")
    asked = parser.parse_args()
    sizes = QUICK if asked.quick else FULL
    text = _measured(sizes, quick=asked.quick)
    output = asked.output or (_temporary() if asked.quick else _DOCUMENT)
    output.write_text(text, encoding="utf-8")
    print(text)
    say(f"written to {output}")


def _temporary() -> Path:
    return Path(tempfile.mkdtemp(prefix="storewatch-bench-quick-")) / "benchmarks.md"


def _measured(sizes: Sizes, *, quick: bool) -> str:
    began, load_before = time.monotonic(), machine.load()
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        say(f"a fleet of {sizes.stores:,} stores is made up")
        made = _data(folder, sizes)
        _warm_up(server, folder)
        given = _given(server.url(imports.DATABASE), folder)
        imported = imports.measure(server, folder, sizes, given)
        server.settle()
        reported = reports.measure(given["url"], folder, sizes, given)
        loaded = load.measure(server, folder, sizes)
        server.drop(imports.DATABASE)
        shown = pages.measure(server, folder, sizes)
        lived = live.measure(server, folder, sizes)
        fleets = growth.measure(server, folder, sizes)
        started = startup.measure(folder, sizes)
        about = machine.described(server, load_before, (time.monotonic() - began) / 60)
    sections = (
        _head(sizes, made, about, quick=quick),
        imports.written(imported, sizes, made),
        reports.written(reported, sizes),
        load.written(loaded),
        pages.written(shown),
        live.written(lived),
        growth.written(fleets, sizes),
        startup.written(started),
    )
    return "\n".join(sections)


def _data(folder: Path, sizes: Sizes) -> dict[str, Any]:
    made, _ = module(
        "data",
        {
            "folder": str(folder),
            "stores": sizes.stores,
            "days": sizes.days,
            "seed": SEED,
            "polls": sizes.polls,
            "hourly_files": sizes.hourly_files,
            "hourly_polls": sizes.hourly_polls,
        },
    )
    return made


def _warm_up(server: Server, folder: Path) -> None:
    """Runs each command once: Python keeps its modules compiled, and the system its files in memory."""
    say("warming up")
    url = server.make(imports.DATABASE)
    imports.load(url, [folder / "hourly0.csv", folder / "menu_hours.csv", folder / "store_timezone.csv"])
    with serving(url, folder / "serve.log") as service:
        _, report_id = service.report()
        service.download(report_id)


def _given(url: str, folder: Path) -> dict[str, Any]:
    """What peers are given, but for the number of runs and the part."""
    return {
        "url": url,
        "folder": str(folder),
        "lengths": LENGTHS,
        "max_gap": MAX_GAP,
        "seen_within": SEEN_WITHIN,
        "as_of": data.newest_us(folder),
        "runs": 1,
        "part": 0,
    }


def _head(sizes: Sizes, made: dict[str, Any], about: str, *, quick: bool) -> str:
    warning = "**A quick pass at small sizes: these figures mean nothing.**\n\n" if quick else ""
    return f"""# Benchmarks

{warning}Measured by `make bench`, which writes this page whole: no figure here is typed by hand. The figure
is the median, in brackets the quickest and the slowest run. Bounds are those of the project's plan; a bound
that is missed says so. Every command runs in a process of its own, whose peak memory is what the kernel says
(MB = 10⁶ bytes). Bounds are held as they stand, however quick the machine is: what is measured on another one
is compared by the rows in which storewatch has no part, the floors, DuckDB, Polars and pandas.

{about}

The data: an invented fleet of {sizes.stores:,} stores (`storewatch simulate`, seed {SEED}) over {sizes.days}
days up to {data.END}, for a report on a week reads a day more; no zone of the fleet changed its clocks then.
Hours in which nobody was polled are cut out as they occur in the field, which leaves {made["polls"]:,} polls.
"""


if __name__ == "__main__":
    main()
