"""An open loop of requests: sent by the clock, however long the answers take.

A request that must wait for a slow one before it is counted from when it was due, not from when it went
out: so a service that stalls does not get away with the requests that were not sent meanwhile.
"""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

_CONNECTIONS = 32
_PATIENCE_S = 10.0  # for one answer; then it is an error
_AFTER_S = 20.0  # what was not sent so long after the end is an error too


@dataclass(frozen=True)
class Asked:
    """A GET: what it is called in the figures, its path and its headers."""

    name: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Answered:
    """Seconds from when it was due to the last byte, and what went wrong, if anything did."""

    name: str
    seconds: float
    error: str = ""


def run(port: int, asked: Sequence[Asked], rate: float) -> list[Answered]:
    """Sends all, `rate` a second, over connections that are kept alive; returns what became of each."""
    answered: list[Answered] = []
    numbers = itertools.count()  # each number goes to one thread: its `next` is atomic
    began = time.perf_counter() + 0.2
    until = began + len(asked) / rate + _AFTER_S

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        while (number := next(numbers)) < len(asked):
            due = began + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            error = "was not sent" if time.perf_counter() > until else _get(connection, asked[number])
            answered.append(Answered(asked[number].name, time.perf_counter() - due, error))
        connection.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered


def _get(connection: http.client.HTTPConnection, asked: Asked) -> str:
    """What went wrong; empty if the answer is 200 and whole. Nothing is sent twice."""
    try:
        connection.request("GET", asked.path, headers=asked.headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # the next request opens it anew
        return type(error).__name__
    return "" if answer.status == 200 else str(answer.status)
