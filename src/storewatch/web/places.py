"""Places of ours that a browser can be sent to; never another site."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect


def ours(place: str) -> str:
    """A place as it is if one of our pages is there, else the start."""
    try:
        parts = urlsplit(place)
    except ValueError:  # it has a bracket where a host would be
        return "/"
    elsewhere = parts.scheme or parts.netloc or place.startswith(("//", "/\\")) or not place.isprintable()
    return place if place.startswith("/") and not elsewhere and _shows(parts.path) else "/"


def asked_for() -> str:
    """The place that a request asks for, as an address has it."""
    query = request.query_string.decode("ascii", "replace")
    return quote(request.path) + (f"?{query}" if query else "")


def page_before() -> str:
    """The page whose form or link brought the request, if the browser says so; the start, if it does not.

    A form that was wrong is shown again at the address that it was sent to, which is no page by itself:
    then the page above it.
    """
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    path = parts.path if parts.netloc == request.host else "/"
    while not _shows(path):
        path = path.rpartition("/")[0] or "/"
    query = "&".join(each for each in parts.query.split("&") if not each.startswith("done="))  # it was
    return f"{path}?{query}" if path == parts.path and query else path


def _shows(path: str) -> bool:
    """Whether a page can be read there; of endpoints of logging in, none is a place to come back to."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(unquote(path), method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return str(endpoint) not in ("account.log_in", "account.forgot")
