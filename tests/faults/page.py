"""docs/reliability.md, written whole: the words, and the table of what was tried."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.table import table
from tests.faults.load import Answers
from tests.faults.suite import Tried

_HEAD = """\
# Reliability

Written by `make faults`, whole: no figure here is typed by hand; what a run had no time for, or cannot do,
says "not tried". [A short form of it](../tests/faults/test_short.py) runs in `make test`: cuts, a crash, a
full disk and a killed upgrade; [another test](../tests/acceptance/test_faults.py) there kills each process
ten times.

"""

_TABLE = """

## What was tried

Each fault was done at instants that dice say, while all of this went on without a pause: polls came by the
API,
files by upload and by `storewatch import`, reports were asked for, made and downloaded, pages were read,
storefronts were looked at, stores went down and came back and their people were told by mail, and history
and
packs were made of it all.

"""

_AFTER = """

**Lost** counts what the checks below found after it. **Until all is well**: from the end of the fault until
a poll
was acknowledged, a file that was uploaded and one that was given to `storewatch import` were taken in, a
report was
made and downloaded, a page was read and (where a probe runs) a storefront was looked at, each begun after
the fault;
what was under way when it came had been finished by then. In the first row there was no fault: so long the
load
itself takes on this machine. For commands that are started twice or anew it is how long these took.
"""

_REST = """
## What must hold

After each time the load stops and everything comes to rest: no report, upload, delivery, history or job may
be left
waiting. Then [tests/acceptance/invariants.py](../tests/acceptance/invariants.py) looks at everything:

- every poll that was acknowledged is there, none twice, and none that nobody sent;
- each file and each request is there whole or, if nobody was told that it was taken, not at all;
- packs hold the polls that the rows hold; history, how stores stand and the days of groups are what the
  engine says;
  and whatever else `storewatch db verify` proves;
- every report is complete, with all its rows and whole when downloaded, or failed with a reason; every
  upload too;
- every uploaded file is there byte by byte;
- no job is stuck with a dead worker, and none that had something to do was given up;
- of each outage and each end of one people were told; what came twice by mail has one key.

While it lasts a reader gets the page, no connection, or 503 or 507 with words; never 500, and never nothing
for a minute.

## Found by it

{findings}

## What is not tested here

- Loss of power, and disks that lie about what they have written: `fsync` is on, and PostgreSQL's own care
  is relied on.
- Damaged disks and memory: turn on PostgreSQL's data checksums, and back up.
- A standby that takes over. storewatch connects again to whatever its URL leads to; what the old server had
  committed
  and the new one has not is lost, as with any asynchronous standby.
- The clock of the machine jumping by more than an hour, or to before what is stored. What depends on the
  clock is handed it, and tests of alerts, schedules and packs hand over what they like.
- Networks that are slow or lose packets without a cut, beyond PostgreSQL that stands still.
- Faults that come together, but for those of a scripted day
  ([tests/acceptance/test_scripted_day.py](../tests/acceptance/test_scripted_day.py)), in which any may.
- File systems other than the machine's and one in memory; other systems than Linux.
"""

FINDINGS: tuple[str, ...] = (
    "Of two upgrades at once each made a backup, and in one second the second one's could take the place of "
    "the first one's. Now the second waits, finds the upgrade done, and makes none.",
    "A web process whose parent was killed answered 500 to a request that it had begun, for a process "
    "that ends is given no more threads. It does without now.",
    "When the clock was set back, the probe looked at no storefront until it had caught up. It begins anew "
    "by the clock of now.",
    "A job whose connection was cut while the same work was queued once more stayed in the queue as "
    "being done for as long as its worker lived: the library could not put it back. The queued one does its "
    "work now.",
    "A job whose connection was cut just as its end was noted stayed so as well. Its worker ends now, and "
    "the next one does it again.",
    "A full disk of the database was answered as a database that cannot be reached, and a connection that "
    "was lost while rows were copied as a fault of storewatch (500). Now 507 and 503, with words.",
    "A report or upload that met a full disk 20 times was given up as interrupted. Now it waits for room.",
    "The first poll of a store that came just as a job of history began was counted into its own day, and "
    "not into the evening before, for good. The job takes what is due before it looks how far it goes.",
    "A poll that was made while a store is closed kept the day before from being looked at again, so that "
    "its bounds of downtime could stay too narrow. Only polls that count do so now.",
)


def written(found: Sequence[Tried], answers: Answers, about: list[list[str]]) -> str:
    """The page."""
    findings = "\n".join(f"- {told}" for told in FINDINGS) or "Nothing so far."
    rows = [_row(tried) for tried in found]
    heads = ("fault", "tried", "lost", "until all is well: median", "worst")
    head, before, after, rest = map(_flowed, (_HEAD, _TABLE, _AFTER, _REST.format(findings=findings)))
    about_it, tried = table(("", ""), about), table(heads, rows)
    return "".join((head, about_it, before, tried, after, _answered(answers), rest))


def _flowed(words: str) -> str:
    """A paragraph or a point of a list is one line, as in all pages."""
    return re.sub(r"(?<=[^\n])\n *(?=[^\n#|-])", " ", words)


def _row(tried: Tried) -> list[str]:
    if tried.wrong:
        return [tried.name, str(tried.times + 1), f"**{tried.wrong.splitlines()[0]}**", "", ""]
    if not tried.seconds:
        return [tried.name, "not tried", "", "", ""]
    median, worst = tried.median_s, max(tried.seconds)
    return [tried.name, str(tried.times), "nothing", f"{median:.1f} s", f"{worst:.1f} s"]


def _answered(answers: Answers) -> str:
    told = ", ".join(
        f"{count:,} times {status}" if status else f"{count:,} times not at all"
        for status, count in sorted(answers.by_status.items(), key=lambda each: -each[1])
    )
    return (
        f"\nThe readers of pages, who asked without a pause through all of this, were answered {told}; "
        f"the slowest answer took {answers.slowest_s:.1f} s.\n"
    )
