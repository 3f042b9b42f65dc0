"""Every error as an RFC 9457 problem, or as a page for a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, jsonify, render_template, request
from gunicorn.http.errors import ParseException
from psycopg.errors import DeadlockDetected, ForeignKeyViolation, UniqueViolation
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from storewatch.errors import (
    BusyError,
    ConflictError,
    FileRefusedError,
    ForbiddenError,
    LoginRefusedError,
    NotFoundError,
    SlowDownError,
    StorewatchError,
    TooLargeError,
    UsageError,
)
from storewatch.web import problem_words

log = structlog.get_logger()

_STATUS = {
    UsageError: 400,
    NotFoundError: 404,
    ConflictError: 409,
    BusyError: 503,
    SlowDownError: 429,
    LoginRefusedError: 401,
    ForbiddenError: 403,
    TooLargeError: 413,
    FileRefusedError: 422,
}


def register(app: Flask) -> None:
    """Answers every exception of the app with its problem."""
    app.register_error_handler(StorewatchError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _no_database)
    app.register_error_handler(IntegrityError, _outrun)
    app.register_error_handler(ParseException, _no_http)
    app.register_error_handler(Exception, _unexpected)


def problem(status: int, detail: str, field: str | None = None) -> Response:
    """The problem as JSON, or as a page where a browser asks."""
    title = HTTPStatus(status).phrase
    if prefers_pages():
        told = problem_words.of(status, detail)
        response = Response(render_template("problem.html", status=status, title=title, told=told))
    else:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        response = jsonify(body | ({"field": field} if field else {}))
        response.mimetype = "application/problem+json"
    response.status_code = status
    return response


def prefers_pages() -> bool:
    """Whether a browser asks for a page, and not a program for data."""
    if request.path.startswith("/api/v1/"):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def invalid(error: ValidationError) -> Response:
    """What is wrong with a body, a path or a query, by the name of the field."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [(".".join(str(part) for part in each["loc"]), _said(each)) for each in found]
    detail = "; ".join(f"{field}: {message}" if field else message for field, message in told[:10])
    return problem(422, detail, told[0][0] if told else None)


_SAID = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field or parameter here; see /api for those that there are",
    "model_attributes_type": "send a JSON object, with Content-Type: application/json",
    "model_type": "send a JSON object, with Content-Type: application/json",
    "dict_type": "a JSON object is needed",
}
"""What to do about it, where pydantic says what it thinks."""


def _said(found: Any) -> str:
    return _SAID.get(found["type"], str(found["msg"]).removeprefix("Value error, "))


def status_of(error: StorewatchError) -> int:
    """The HTTP status of an error."""
    return next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)


def _ours(error: StorewatchError) -> Response:
    response = problem(status_of(error), str(error), getattr(error, "field", None))
    if isinstance(error, SlowDownError | BusyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _http(error: HTTPException) -> Response:
    response = problem(error.code or 500, error.description or "")
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _no_database(error: OperationalError) -> Response:
    if isinstance(error.orig, DeadlockDetected):
        return _quicker(error)
    log.warning("database cannot be reached", error=str(error.orig))
    response = problem(503, "The database cannot be reached just now. Try again in a moment.")
    response.headers["Retry-After"] = "2"
    return response


def _outrun(error: IntegrityError) -> Response:
    """Two looked at once whether it could be done, and the database let the quicker one do it."""
    if not isinstance(error.orig, UniqueViolation | ForeignKeyViolation):
        return _unexpected(error)
    return _quicker(error)


def _quicker(error: DBAPIError) -> Response:
    log.warning("outrun by another request", path=request.path, error=str(error.orig))
    return problem(409, "Somebody else changed the same just now: read it again, then decide anew.")


def _no_http(error: ParseException) -> Response:
    """The server takes a body in chunks apart while the app reads it."""
    return problem(400, f"The body is not in chunks as HTTP has them: {error}")


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected error", path=request.path, error=type(error).__name__)
    return problem(500, "Something went wrong on our side; the log has the details.")
