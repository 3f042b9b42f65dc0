"""Without Chromium these tests skip and say how to get it; where they are required they fail."""

from __future__ import annotations

import pytest

from tests.browser import chromium


@pytest.mark.parametrize(
    ("asked", "outcome"), [("", pytest.skip.Exception), ("required", pytest.fail.Exception)]
)
def test_a_lack_is_said(monkeypatch: pytest.MonkeyPatch, asked: str, outcome: type[BaseException]) -> None:
    monkeypatch.setattr(chromium, "NAMES", ("no-such-browser",))
    monkeypatch.setenv(chromium.REQUIRED, asked)
    with pytest.raises(outcome, match="apt-get install chromium"):
        chromium.executable()
