"""Waiting that tells the user about it and ends some time."""

from __future__ import annotations

import time
from collections.abc import Callable

Say = Callable[[str], None]

_STEP_S = 0.01
_SILENT_S = 2.0


def wait_for(condition: Callable[[], bool], say: Say, message: str, limit_s: float = 600.0) -> bool:
    """Poll until `condition()` holds; say `message` after two seconds; False once `limit_s` are over."""
    began = time.monotonic()
    told = False
    while not condition():
        waited = time.monotonic() - began
        if waited > limit_s:
            return False
        if waited > _SILENT_S and not told:
            say(message)
            told = True
        time.sleep(_STEP_S)
    return True
