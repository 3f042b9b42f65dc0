"""/api: the page to read about the API and to try it; /api/openapi.json: its description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_openapi_swagger
from flask import Blueprint, Response, current_app, jsonify, render_template
from flask_openapi.models.info import Info
from pydantic.json_schema import models_json_schema

from storewatch import __version__
from storewatch.domain.permissions import PUBLIC
from storewatch.web import idempotency
from storewatch.web.access import needs
from storewatch.web.api.v1.common import MODELS, Problem
from storewatch.web.errors import invalid

_FILES = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

DOCUMENT: dict[str, Any] = {
    "info": Info(
        title="storewatch",
        version=__version__,
        description="How much was each store up or down during its opening hours?",
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
        kept[_KEPT] = jsonify(described(current_app)).get_data()
    return Response(kept[_KEPT], mimetype="application/json")


def described(app: Any) -> dict[str, Any]:
    """The OpenAPI document, with the models' schemas whole: flask-openapi drops what it does not know."""
    found: dict[str, Any] = app.api_doc
    models = [(model, "serialization") for model in sorted(MODELS, key=lambda model: model.__name__)]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    found.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    _take_keys(found)
    return found


def _take_keys(found: dict[str, Any]) -> None:
    """Tells of the header that every POST takes."""
    found["components"]["parameters"] = {"IdempotencyKey": idempotency.PARAMETER}
    key = {"$ref": "#/components/parameters/IdempotencyKey"}
    for operations in found["paths"].values():
        if "post" in operations:
            others = [other for other in operations["post"].get("parameters", []) if other != key]
            operations["post"]["parameters"] = [*others, key]
