"""The table of docs/explanation/fuzzing.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/explanation/fuzzing.md"
_TABLE = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Stand:
    """How a target came through its time."""

    what: str
    executions: int
    seconds: float
    findings: list[str]


def write(stands: Sequence[Stand], minutes: float, seed: int) -> None:
    """Puts what was measured into the page, in place of what was there."""
    text = PAGE.read_text()
    PAGE.write_text(_TABLE.sub(lambda _: table(stands, minutes, seed), text))


def table(stands: Sequence[Stand], minutes: float, seed: int) -> str:
    """The table with its date."""
    total, seconds = sum(each.executions for each in stands), sum(each.seconds for each in stands)
    lines = [_line(each.what, each.executions, each.seconds, len(each.findings)) for each in stands]
    lines.append(_line("**together**", total, seconds, sum(len(each.findings) for each in stands)))
    return (
        f"\n`make fuzz MINUTES={minutes:g}` of {datetime.now(UTC):%Y-%m-%d}, seed {seed}:\n\n"
        "| target | executions | minutes | left to mend |\n| --- | --- | --- | --- |\n"
        + "\n".join(lines)
        + f"\n\nThat are {total / max(seconds, 1) * 3600:,.0f} executions in an hour.\n\n"
    )


def _line(what: str, executions: int, seconds: float, findings: int) -> str:
    return f"| {what} | {executions:,} | {seconds / 60:.1f} | {findings or 'nothing'} |"
