"""Parts of a page that follow what happens: `static/live.js` asks for them again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, make_response, request

from storewatch.domain.clock import parse_instant


def part(of: object, render: Callable[[], str]) -> Response:
    """A part as it is rendered; without a body (304) if the browser has it of the same things. `of` is all
    that it shows, as something whose repr tells it apart: words, numbers, dataclasses of them.
    """
    tag = hashlib.sha256(repr(of).encode()).hexdigest()[:32]
    response = Response(status=304) if tag in request.if_none_match else make_response(render())
    response.set_etag(tag)
    return response


def shown(as_of: int) -> int:
    """The moment that the figures of the page are of, in microseconds: `as_of`, if the page is made now."""
    text = request.args.get("shown", "")
    try:
        found = parse_instant(text) if text else None
    except (OverflowError, ValueError):
        found = None
    return as_of if found is None else int(found)
