"""/api: the page to read about the API and to try it; /api/openapi.json: its description."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import flask_openapi_swagger
from flask import Blueprint, Response, current_app, render_template
from flask_openapi.models.info import Info
from pydantic.json_schema import models_json_schema

from storewatch import __version__
from storewatch.domain.permissions import PUBLIC
from storewatch.web import idempotency
from storewatch.web.access import needs
from storewatch.web.api.v1.common import MODELS, Problem
from storewatch.web.errors import invalid
from storewatch.web.pages.api_examples import EXAMPLES
from storewatch.web.pages.api_intro import IF_MATCH, INTRO, METHODS, paragraphs

_FILES = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

DOCUMENT: dict[str, Any] = {
    "info": Info(
        title="storewatch",
        version=__version__,
        description=INTRO,
    ),
    "security_schemes": {
        "token": {"type": "http", "scheme": "bearer", "description": "a token of yours, made at /account"},
        "session": {"type": "apiKey", "in": "cookie", "name": "storewatch", "description": "a login"},
    },
    "validation_error_callback": invalid,
    "validation_error_model": Problem,
}
"""What flask-openapi is told of the whole API."""

_KEPT = "storewatch.document"
_REMOVED_BY_TAG = ("/api/v1/hours/", "/api/v1/zones/", "/api/v1/polls/", "/api/v1/groups/{group_id}/members/")

blueprint = Blueprint("api_page", __name__, static_folder=_FILES, static_url_path="/api/swagger")


@blueprint.get("/api")
@needs(PUBLIC)
def api() -> Response:
    """The page. It asks nothing of any other host."""
    response = Response(render_template("api.html"))
    response.headers["Content-Security-Policy"] = _CSP
    return response


@blueprint.get("/api/openapi.json")
@needs(PUBLIC)
def document() -> Response:
    """The description, for programs. It is made once."""
    kept = current_app.extensions
    if _KEPT not in kept:
        kept[_KEPT] = json.dumps(described(current_app), default=str).encode()
    return Response(kept[_KEPT], mimetype="application/json")


def described(app: Any) -> dict[str, Any]:
    """The OpenAPI document, with the models' schemas whole: flask-openapi drops what it does not know."""
    found: dict[str, Any] = copy.deepcopy(app.api_doc)
    models = [(model, "serialization") for model in sorted(MODELS, key=lambda model: model.__name__)]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    found.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    base = app.extensions["storewatch.base"]
    found["info"]["description"] = found["info"]["description"].replace("{base}", base)
    found["components"]["parameters"] = {"IdempotencyKey": idempotency.PARAMETER, "IfMatch": IF_MATCH}
    for path, operations in found["paths"].items():
        found["paths"][path] = {
            method: _finished(path, method, operations[method]) for method in METHODS if method in operations
        }
    return found


def _finished(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """With whole sentences, an example that works, and the headers that it looks at."""
    header = "IdempotencyKey" if method == "post" else "IfMatch" if _looks(path, method) else None
    told = operation | paragraphs(operation)
    if "requestBody" in told and operation["operationId"] in EXAMPLES:
        told["requestBody"]["content"]["application/json"]["example"] = EXAMPLES[operation["operationId"]]
    if header:
        reference = {"$ref": f"#/components/parameters/{header}"}
        told["parameters"] = [*operation.get("parameters", []), reference]
    return told


def _looks(path: str, method: str) -> bool:
    """Whether an operation looks at If-Match: those that change one thing, and some that remove one."""
    if method == "delete":
        return path.startswith(_REMOVED_BY_TAG)
    return method in ("put", "patch") and "{" in path
