"""What was made a moment ago, for others who ask for the same: many readers of one message cost as one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")

FOR_S = 60.0
_MOST = 20


class Remembered:
    """By what it was made from, for `FOR_S` seconds at most. Of threads, who asks for what is being made
    waits for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Hashable, tuple[float, Any]] = {}

    def of(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made of the key, or is made now."""
        with self._lock:
            now = time.monotonic()
            self._made = {key: made for key, made in self._made.items() if now - made[0] < FOR_S}
            if key not in self._made:
                while len(self._made) >= _MOST:
                    del self._made[next(iter(self._made))]
                self._made[key] = now, make()
            made: Made = self._made[key][1]
            return made
