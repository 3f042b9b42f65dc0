"""Idempotency-Key: a POST that is sent again makes nothing twice, and gets the answer of the first.

A blueprint that is registered here takes the header on every POST. Answers of 2xx are kept, together with
what was done, in one transaction (see `services.idempotency`); a request that failed did nothing, so its
key is free again. What is shown once is not kept: in the answer to a repeated request it is null. Of a body
that is read as a stream (`takes`) the length and the type are compared, of any other every byte.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, g, request

from storewatch.errors import ConflictError, UsageError
from storewatch.services.idempotency import Attempt
from storewatch.storage.access_tables import IdempotencyKey
from storewatch.web.access import caller
from storewatch.web.context import database
from storewatch.web.errors import problem

View = TypeVar("View", bound=Callable[..., Any])

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PATTERN = r"^[!-~]{1,255}$"

PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": PATTERN, "maxLength": 255},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "description": (
        "A text of your own, best a random UUID. The same request with the same key within 24 hours does "
        f"nothing again and gets the first answer, with the header `{REPLAYED}: true`; what is shown once is "
        "null in it. 409: the first is still running. 422: the key was used for another request. After an "
        "error the key is free again."
    ),
}
"""As the OpenAPI document tells it, for every POST."""

_KEPT_HEADERS = ("Content-Type", "ETag", "Location")
_USED = "This Idempotency-Key was used for another request: take a new key for each"


def register(blueprint: Blueprint) -> None:
    """Takes the header on every POST of the blueprint. After its checks of the body."""
    blueprint.before_request(_begin)
    blueprint.after_request(_end)
    blueprint.teardown_request(_give_up)


def shows_once(*fields: str) -> Callable[[View], View]:
    """Says which fields of a view's answer hold secrets, which no table may keep."""

    def mark(view: View) -> View:
        view.shows_once = frozenset(fields)  # type: ignore[attr-defined]
        return view

    return mark


def _begin() -> Response | None:
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not re.fullmatch(PATTERN, key):
        raise UsageError(f"{HEADER} must be 1 to 255 letters, digits and marks, without spaces", field=HEADER)
    fingerprint = _fingerprint()
    attempt = Attempt(database(), caller().account_no or 0, key, fingerprint)
    try:
        found = attempt.begin()
    except ConflictError as error:
        return _wait(str(error))
    if found is None:
        g.attempt = attempt
        return None
    return _again(found) if found.fingerprint == fingerprint else problem(422, _USED, HEADER)


def _wait(why: str) -> Response:
    response = problem(409, why, HEADER)
    response.headers["Retry-After"] = "1"
    return response


def _fingerprint() -> bytes:
    kind = request.headers.get("Content-Type", ""), request.headers.get("Content-Encoding", "")
    told = json.dumps([request.method, request.full_path, *kind, request.content_length]).encode()
    body = b"" if hasattr(_view(), "takes") else request.get_data(cache=True)
    return hashlib.sha256(told + b"\n" + body).digest()


def _view() -> Callable[..., Any]:
    return current_app.view_functions[request.endpoint or ""]


def _again(found: IdempotencyKey) -> Response:
    response = Response(found.body, found.status, found.headers)
    response.headers[REPLAYED] = "true"
    return response


def _end(response: Response) -> Response:
    attempt: Attempt | None = g.pop("attempt", None)
    if attempt is None:
        return response
    if not 200 <= response.status_code < 300:
        attempt.give_up()
        return response
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    try:
        attempt.keep(response.status_code, headers, _kept(response))
    except Exception as error:
        attempt.give_up()
        return current_app.make_response(current_app.handle_user_exception(error))
    return response


def _give_up(_: BaseException | None) -> None:
    attempt: Attempt | None = g.pop("attempt", None)
    if attempt is not None:
        attempt.give_up()


def _kept(response: Response) -> bytes:
    secret: frozenset[str] = getattr(_view(), "shows_once", frozenset())
    return json.dumps(_without(response.get_json(), secret)).encode() if secret else response.get_data()


def _without(value: Any, secret: frozenset[str]) -> Any:
    """A JSON value with null for each secret in it."""
    if isinstance(value, list):
        return [_without(item, secret) for item in value]
    if isinstance(value, dict):
        return {name: None if name in secret else _without(item, secret) for name, item in value.items()}
    return value
