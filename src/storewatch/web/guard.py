"""The network's edge: which hosts we are, whose pages may send requests here, who may say who asks.

A web page from elsewhere can make a browser send requests to a server on loopback, directly or by a
name of its own that resolves to 127.0.0.1 (DNS rebinding). So the Host must be a loopback name or that
of STOREWATCH_URL, and a request that a browser says comes from another site is refused, with logins and
without. Nothing is ever built from the Host header.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import structlog
from flask import Flask, Response, current_app, g, request

from storewatch.web.errors import problem
from storewatch.web.problem_words import OTHER_HOST, OTHER_SITE
from storewatch.web.request_log import told_path

log = structlog.get_logger()

LOOPBACK = ("localhost", "127.0.0.1", "::1")

Address = IPv4Address | IPv6Address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def register(app: Flask, url: str) -> None:
    """Checks every request, and sends the headers that keep pages to themselves.

    `url` is where we are reached from outside, as browsers write an origin; empty for loopback alone.
    """
    app.extensions["storewatch.url"] = urlsplit(url)
    app.before_request(_check)
    app.after_request(_harden)
    app.after_request(_note_refusal)


def _check() -> Response | None:
    outside: SplitResult = current_app.extensions["storewatch.url"]
    ours = bool(outside.netloc) and request.host.lower() == outside.netloc
    if not ours and _host_name(f"//{request.host}") not in LOOPBACK:
        return problem(400, OTHER_HOST)
    if _is_foreign(request.headers.get("Origin"), outside if ours else None):
        return problem(403, OTHER_SITE)
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not _reads_page():
        return problem(403, OTHER_SITE)
    return None


def _is_foreign(origin: str | None, outside: SplitResult | None) -> bool:
    """Whether a page is not ours. With https at our address, the same address by http is another site."""
    if origin is None:
        return False
    return origin != outside.geturl() if outside else _netloc(origin) != request.host


def _netloc(url: str) -> str | None:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return None


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _reads_page() -> bool:
    """Following a link to a page is harmless; starting a report is not."""
    return request.method in ("GET", "HEAD") and request.endpoint != "reports.trigger_report"


_REFUSALS = (401, 403, 429)


def _note_refusal(response: Response) -> Response:
    """A line in the log for each request that was refused for want of a right, so that who tries is seen."""
    if response.status_code in _REFUSALS:
        found = g.get("caller")
        log.warning(
            "refused",
            status=response.status_code,
            method=request.method,
            path=told_path(),
            address=request.remote_addr,
            account_id=str(found.account_id) if found and found.account_id else None,
        )
    return response


def _harden(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if current_app.extensions["storewatch.url"].scheme == "https":
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
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
    """Sets the peer and the scheme of a request that a trusted proxy hands on; others stay as they come."""

    def __init__(self, plain: WSGIApplication, trusted: list[IPv4Network | IPv6Network]) -> None:
        self._plain, self._trusted = plain, trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = _address(environ.get("REMOTE_ADDR", ""))
        if peer is not None and self._is_trusted(peer):
            environ["REMOTE_ADDR"] = str(self._client(peer, environ.get("HTTP_X_FORWARDED_FOR", "")))
            proto = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip()
            if proto in ("http", "https"):
                environ["wsgi.url_scheme"] = proto
        return self._plain(environ, start_response)

    def _client(self, peer: Address, forwarded: str) -> Address:
        """The last address that is not a proxy of ours: what stands before it, anybody may have written."""
        for text in reversed(forwarded.split(",")):
            before = _address(text.strip())
            if before is None:
                return peer
            peer = before
            if not self._is_trusted(peer):
                return peer
        return peer

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
