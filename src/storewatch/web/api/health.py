"""/healthz: whether the service and its database answer."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from storewatch import __version__
from storewatch.domain.permissions import PUBLIC
from storewatch.web.access import needs
from storewatch.web.context import database

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@needs(PUBLIC)
def healthz() -> Response:
    """200 if the database answers; the error handler makes it 503 if not."""
    with database().session() as session:
        session.execute(text("SELECT 1"))
    return jsonify(status="ok", version=__version__)
