"""/samples/<name>: files to try storewatch with."""

from __future__ import annotations

from flask import Blueprint, Response

from storewatch.domain.permissions import READ
from storewatch.services.samples import sample
from storewatch.web.access import needs
from storewatch.web.context import now_us

blueprint = Blueprint("samples", __name__)


@blueprint.get("/samples/<name>")
@needs(READ)
def download(name: str) -> Response:
    """One of the three files of three made-up stores."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(sample(name, now_us()), mimetype="text/csv", headers=headers)
