"""Every error as an RFC 9457 problem, or as a page for a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from gunicorn.http.errors import ParseException
from psycopg.errors import (
    DeadlockDetected,
    ForeignKeyViolation,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
    UniqueViolation,
)
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException

from storewatch.errors import (
    BusyError,
    ConflictError,
    FileRefusedError,
    ForbiddenError,
    GoneError,
    LoginRefusedError,
    NotFoundError,
    SlowDownError,
    StorewatchError,
    TooLargeError,
    UsageError,
)
from storewatch.storage.db import disk_is_full, fits
from storewatch.web import problem_words, words
from storewatch.web.context import database
from storewatch.web.places import asked_for, page_before
from storewatch.web.request_log import told_path

log = structlog.get_logger()

_STATUS = {
    UsageError: 400,
    GoneError: 410,
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
    app.register_error_handler(psycopg.OperationalError, _no_database)  # of COPY
    app.register_error_handler(ProgrammingError, _no_such_table)
    app.register_error_handler(IntegrityError, _outrun)
    app.register_error_handler(ParseException, _no_http)
    app.register_error_handler(Exception, _unexpected)
    app.log_exception = lambda _: _last_resort(app)  # type: ignore[assignment, method-assign]


def problem(status: int, detail: str, field: str | None = None, *, by_library: bool = False) -> Response:
    """The problem as JSON, or as a page where a browser asks. `by_library`: the detail is not our own."""
    title = HTTPStatus(status).phrase
    if prefers_pages():
        response = Response(_page(status, title, detail, by_library=by_library))
    else:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        response = jsonify(body | ({"field": field} if field else {}))
        response.mimetype = "application/problem+json"
    response.status_code = status
    return response


def _page(status: int, title: str, detail: str, *, by_library: bool) -> str:
    reads = request.method in ("GET", "HEAD")
    here, back = asked_for(), page_before()
    return render_template(
        "problem.html",
        status=status,
        title=title,
        told=problem_words.of(status, detail, reads=reads, by_library=by_library),
        here=here if reads else back,
        back=back if back not in ("/", here) else "",
        number=g.get("request_id", ""),
        moment=words.instant(datetime.now(UTC)),
    )


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
    plain = error.code == 429 or error.description == type(error).description
    response = problem(error.code or 500, error.description or "", by_library=plain)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _no_database(error: OperationalError | psycopg.OperationalError) -> Response:
    cause = error.orig if isinstance(error, OperationalError) else error
    if isinstance(cause, DeadlockDetected):
        return _quicker(cause)
    if disk_is_full(error):
        log.error("the database's disk is full", error=str(cause))
        return problem(507, _NO_ROOM)
    log.warning("database cannot be reached", error=str(cause))
    response = problem(503, "The database cannot be reached just now. Try again in a moment.")
    response.headers["Retry-After"] = "2"
    return response


_NO_ROOM = (
    "The disk of the database is full, and nothing of this was stored. "
    "Whoever runs storewatch has to make room there; then try again."
)


def _no_such_table(error: ProgrammingError) -> Response:
    if isinstance(error.orig, UndefinedTable | UndefinedColumn | UndefinedFunction) and not fits(database()):
        log.error("the database has another schema", error=str(error.orig))
        return problem(503, problem_words.OTHER_SCHEMA)
    return _unexpected(error)


def _outrun(error: IntegrityError) -> Response:
    """Two looked at once whether it could be done, and the database let the quicker one do it."""
    if not isinstance(error.orig, UniqueViolation | ForeignKeyViolation):
        return _unexpected(error)
    return _quicker(error.orig)


def _quicker(cause: BaseException | None) -> Response:
    log.warning("outrun by another request", path=told_path(), error=str(cause))
    return problem(409, "Somebody else changed the same just now: read it again, then decide anew.")


def _no_http(error: ParseException) -> Response:
    """The server takes a body in chunks apart while the app reads it."""
    return problem(400, f"The body is not in chunks as HTTP has them: {error}")


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected error", path=told_path(), error=type(error).__name__)
    return problem(500, "It is our fault, and nothing that you did. The log has the details.")


def _last_resort(app: Flask) -> None:
    """What answers errors has failed itself, maybe the log; Flask would tell the whole path."""
    app.logger.exception("An error could not be answered: %s %s", request.method, told_path())
