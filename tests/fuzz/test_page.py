"""The table that `make fuzz` writes, and processes of targets that end otherwise than they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz import page
from tests.fuzz.page import Stand
from tests.fuzz.target import Target


def test_the_page_has_what_was_measured_and_keeps_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "fuzzing.md"
    copy.write_text(page.PAGE.read_text())
    monkeypatch.setattr(page, "PAGE", copy)
    page.write([Stand("times", 1_000, 60.0, []), Stand("packs", 500, 120.0, ["broken"])], 3, 7)
    told = copy.read_text()
    assert "| times | 1,000 | 1.0 | nothing |" in told
    assert "| packs | 500 | 2.0 | 1 |" in told
    assert "| **together** | 1,500 | 3.0 | 1 |" in told
    assert "30,000 executions in an hour" in told
    assert told.startswith("# Fuzzing\n")
    assert told.count("<!-- measured -->") == told.count("## Found and mended") == 1


def test_a_process_that_does_not_come_to_its_end_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "KEPT", tmp_path)
    stand = command.run(Target("no-such-target", "none", lambda _: ""), 1.0, 1)
    assert stand.executions == 0
    assert "the process ended with 1" in stand.findings[0]
