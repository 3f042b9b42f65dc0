"""Every error as an RFC 9457 problem, or as a page for a browser."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, Response, jsonify, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from storewatch.errors import ConflictError, NotFoundError, StorewatchError, UsageError

log = structlog.get_logger()

_STATUS = {UsageError: 400, NotFoundError: 404, ConflictError: 409}


def register(app: Flask) -> None:
    """Answers every exception of the app with its problem."""
    app.register_error_handler(StorewatchError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _no_database)
    app.register_error_handler(Exception, _unexpected)


def problem(status: int, detail: str, field: str | None = None) -> Response:
    """The problem as JSON, or as a page where a browser asks."""
    title = HTTPStatus(status).phrase
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        response = Response(render_template("problem.html", status=status, title=title, detail=detail))
    else:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        response = jsonify(body | ({"field": field} if field else {}))
        response.mimetype = "application/problem+json"
    response.status_code = status
    return response


def _ours(error: StorewatchError) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    return problem(status, str(error), getattr(error, "field", None))


def _http(error: HTTPException) -> Response:
    response = problem(error.code or 500, error.description or "")
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _no_database(error: OperationalError) -> Response:
    log.warning("database cannot be reached", error=str(error.orig))
    response = problem(503, "The database cannot be reached just now. Try again in a moment.")
    response.headers["Retry-After"] = "2"
    return response


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected error", path=request.path, error=type(error).__name__)
    return problem(500, "Something went wrong on our side; the log has the details.")
