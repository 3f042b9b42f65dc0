"""The table of ASVS: the ids of level 1 are those of the standard, and what is named exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reference/asvs.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
LEVEL_1 = [
    "1.2.1",
    "1.2.2",
    "1.2.3",
    "1.2.4",
    "1.2.5",
    "1.3.1",
    "1.3.2",
    "1.5.1",
    "2.1.1",
    "2.2.1",
    "2.2.2",
    "2.3.1",
    "3.2.1",
    "3.2.2",
    "3.3.1",
    "3.4.1",
    "3.4.2",
    "3.5.1",
    "3.5.2",
    "3.5.3",
    "4.1.1",
    "4.4.1",
    "5.2.1",
    "5.2.2",
    "5.3.1",
    "5.3.2",
    "6.1.1",
    "6.2.1",
    "6.2.2",
    "6.2.3",
    "6.2.4",
    "6.2.5",
    "6.2.6",
    "6.2.7",
    "6.2.8",
    "6.3.1",
    "6.3.2",
    "6.4.1",
    "6.4.2",
    "7.2.1",
    "7.2.2",
    "7.2.3",
    "7.2.4",
    "7.4.1",
    "7.4.2",
    "8.1.1",
    "8.2.1",
    "8.2.2",
    "8.3.1",
    "9.1.1",
    "9.1.2",
    "9.1.3",
    "9.2.1",
    "10.4.1",
    "10.4.2",
    "10.4.3",
    "10.4.4",
    "10.4.5",
    "11.3.1",
    "11.3.2",
    "11.4.1",
    "12.1.1",
    "12.2.1",
    "12.2.2",
    "13.4.1",
    "14.2.1",
    "14.3.1",
    "15.1.1",
    "15.2.1",
    "15.3.1",
]
"""As ASVS 5.0.0 has them."""


def test_level_1_is_whole() -> None:
    first = PAGE.partition("## Level 2")[0]
    assert re.findall(r"^\| (\d+\.\d+\.\d+) \|", first, re.MULTILINE) == LEVEL_1
    assert len({row[0] for row in ROWS}) == len(ROWS)


def test_every_file_and_test_that_is_named_exists() -> None:
    named = re.findall(r"`((?:src|tests|docs)/[^`]+|SECURITY\.md)`", PAGE)
    assert len(named) > 100
    for one in named:
        file, _, test = one.partition("::")
        assert (ROOT / file).exists(), one
        assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), one


def test_what_is_open_is_told_as_open() -> None:
    still = set(re.findall(r"\d+\.\d+\.\d+", PAGE.partition("## Open")[2]))
    for number, _, state, _ in ROWS:
        assert state in ("met", "partly", "not met", "yours", "none here"), number
        assert (number in still) == (state in ("partly", "not met")), number
