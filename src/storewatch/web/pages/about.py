"""/numbers: how the numbers are counted. /theme: light, dark, or as the system."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from storewatch.domain.permissions import PUBLIC, READ
from storewatch.web.access import needs
from storewatch.web.places import page_before

blueprint = Blueprint("about", __name__)

THEMES = ("light", "dark")
_COOKIE = "theme"
_YEAR_S = 365 * 24 * 3600


@blueprint.app_context_processor
def _theme() -> dict[str, str]:
    """For base.html: the theme that the reader chose; empty: as the system."""
    chosen = request.cookies.get(_COOKIE, "") if request else ""
    return {"theme": chosen if chosen in THEMES else ""}


@blueprint.get("/numbers")
@needs(PUBLIC)
def numbers() -> str:
    """The rules in short."""
    return render_template("numbers.html")


@blueprint.post("/theme")
@needs(READ)
def theme() -> Response:
    """Keeps the chosen theme in the browser, and leads back to where it was chosen."""
    chosen = request.form.get("theme", "")
    if chosen not in (*THEMES, "system"):
        abort(400, "The theme is light, dark or system.")
    response = redirect(page_before(), 303)
    if chosen == "system":
        response.delete_cookie(_COOKIE)
    else:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(_COOKIE, chosen, _YEAR_S, secure=secure, httponly=True, samesite="Lax")
    return response
