"""The network's edge: which hosts we are, whose pages may send requests here, who may say who asks.

A web page from elsewhere can make a browser send requests to a server on loopback, directly or by a
name of its own that resolves to 127.0.0.1 (DNS rebinding). So the Host must be a loopback name or that
of STOREWATCH_URL, and a request that a browser says comes from another site is refused, with logins and
without. Nothing is ever built from the Host header.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from storewatch.web.errors import problem

LOOPBACK = ("localhost", "127.0.0.1", "::1")


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def register(app: Flask, url: str) -> None:
    """Checks every request, and sends the headers that keep pages to themselves."""
    app.extensions["storewatch.netloc"] = urlsplit(url).netloc.lower()
    app.before_request(_check)
    app.after_request(_harden)


def _check() -> Response | None:
    ours = current_app.extensions["storewatch.netloc"]
    if _host_name(f"//{request.host}") not in LOOPBACK and not (ours and request.host.lower() == ours):
        return problem(
            400, "This address is not served here: use that of STOREWATCH_URL, or http://127.0.0.1."
        )
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


# --- behind a proxy -------------------------------------------------------------------------------


def behind(app: Flask, networks: Iterable[str]) -> None:
    """Believes what proxies in these networks say about who asks, by X-Forwarded-For and -Proto."""
    trusted = [ip_network(network) for network in networks]
    if trusted:
        app.wsgi_app = _Behind(app.wsgi_app, trusted)  # type: ignore[method-assign]


class _Behind:
    """ProxyFix for requests of trusted proxies; others are taken as they come."""

    def __init__(self, plain: WSGIApplication, trusted: list[IPv4Network | IPv6Network]) -> None:
        self._plain, self._trusted = plain, trusted
        self._fixed = ProxyFix(plain, x_for=1, x_proto=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        chosen = self._fixed if self._is_trusted(environ.get("REMOTE_ADDR", "")) else self._plain
        return chosen(environ, start_response)

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._trusted)
