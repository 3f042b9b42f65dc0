"""Each request has a number, which its answer, its lines of the log and the page of an error tell.

A proxy or a program that numbers its requests itself sends `X-Request-Id`, and finds its number in our log.
Every line that is logged while a request is answered has it. Requests that change something, that fail by
our fault or that take long get a line of their own; what merely reads is counted, and leaves no line.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from secrets import token_hex

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger()

_NUMBER = re.compile(r"[A-Za-z0-9._-]{8,64}")
_READING = ("GET", "HEAD", "OPTIONS")
_SLOW_S = 2.0
_DOORS = ("/link/", "/shared/", "/alerts/")


def register(app: Flask) -> None:
    """Numbers every request from here on. To be the first."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if _NUMBER.fullmatch(sent) else token_hex(6)
    g.request_began = time.perf_counter()
    structlog.contextvars.clear_contextvars()  # a thread answers one request after another
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    took = time.perf_counter() - g.request_began
    if request.method not in _READING or response.status_code >= 500 or took > _SLOW_S:
        with suppress(OSError, ValueError):  # a log that cannot be written to, as on a full disk
            _tell(response.status_code, took)
    return response


def _tell(status: int, took: float) -> None:
    log.info("request", method=request.method, path=told_path(), status=status, seconds=round(took, 3))


def told_path() -> str:
    """The path for the log; what comes after /link/, /shared/ and /alerts/ opens a door."""
    door = next((door for door in _DOORS if request.path.startswith(door)), None)
    return f"{door}…" if door else request.path
