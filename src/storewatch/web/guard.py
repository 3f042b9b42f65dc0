"""Who may talk to us before there are logins: this machine's own browser and tools, nobody else's page.

A web page from elsewhere can make a browser send requests to a server on loopback, directly or by a
name of its own that resolves to 127.0.0.1 (DNS rebinding). So the Host must be a loopback name, and
a request that a browser says comes from another site is refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from storewatch.web.errors import problem

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def register(app: Flask) -> None:
    """Checks every request, and sends the headers that keep pages to themselves."""
    app.before_request(_check)
    app.after_request(_harden)


def _check() -> Response | None:
    host = _host_name(f"//{request.host}")
    if host not in LOOPBACK:
        return problem(400, "This address is not served here: use http://127.0.0.1 or http://localhost.")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return problem(403, "A page of another site may not send requests here.")
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not _reads_page():
        return problem(403, "A page of another site may not send requests here.")
    return None


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _reads_page() -> bool:
    """Following a link to a page is harmless; starting a report is not."""
    return request.method in ("GET", "HEAD") and request.endpoint != "reports.trigger_report"


def _harden(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
