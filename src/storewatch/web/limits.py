"""How many requests a caller may send: by account, without one by address."""

from __future__ import annotations

import math
import time

from flask import Flask, Response, request
from flask_limiter import Limiter

from storewatch.web.access import FILES, address, caller_or_none

_LIMITS = ["100/second", "60000/hour"]


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
    limiter.request_filter(lambda: request.endpoint in (*FILES, "health.healthz"))
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
