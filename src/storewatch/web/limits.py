"""How many requests a caller may send: by account, without one by address."""

from __future__ import annotations

import math
import time

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from storewatch.errors import SlowDownError
from storewatch.web.access import FILES, address, caller_or_none
from storewatch.web.pages import shared

_LIMITS = ["100/second", "60000/hour"]
_OF_STRANGERS = "120/minute"
"""Of pages that are worth some work and are open to whoever has a link; by address, whoever asks."""


_TRIES = parse("10/minute")


def check_tries() -> None:
    """SlowDownError if the caller tried too much within a minute: each try sends something to the outside."""
    tries = current_app.extensions["storewatch.tries"]
    if not tries.hit(_TRIES, _key()):
        wait_s = math.ceil(tries.get_window_stats(_TRIES, _key()).reset_time - time.time())
        raise SlowDownError("At most ten tries a minute: wait a moment, then try again", max(1, wait_s))


def register(app: Flask, *, on: bool) -> None:
    """Counts every request, once it is known who sends it."""
    limiter = Limiter(
        _key,
        app=app,
        storage_uri="memory://",
        strategy="moving-window",
        application_limits=list(_LIMITS),
        enabled=on,
    )
    limiter.limit(_OF_STRANGERS, key_func=address)(shared.blueprint)
    limiter.request_filter(lambda: request.endpoint in (*FILES, "health.healthz"))
    app.extensions["storewatch.tries"] = MovingWindowRateLimiter(MemoryStorage())
    app.after_request(lambda response: _told(response, limiter))


def _key() -> str:
    """Never the token itself: each made-up token would have limits of its own."""
    found = caller_or_none()
    return f"account {found.account_no}" if found and found.account_no else f"address {address()}"


def _told(response: Response, limiter: Limiter) -> Response:
    """Tells who was refused when they are heard again."""
    limit = limiter.current_limit
    if response.status_code == 429 and limit is not None and "Retry-After" not in response.headers:
        response.headers["Retry-After"] = str(max(1, math.ceil(limit.reset_at - time.time())))
    return response
