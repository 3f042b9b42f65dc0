"""/account: one's own password, tokens and sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain.clock import parse_duration
from storewatch.domain.permissions import READ, WRITE, Role, Scope
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import alert_rules, people, tokens, users
from storewatch.web import access
from storewatch.web.access import caller, needs
from storewatch.web.context import database
from storewatch.web.errors import status_of
from storewatch.web.words import age, day

blueprint = Blueprint("own", __name__)

SCOPES = {
    Scope.READ: "Read",
    Scope.IMPORT: "Load polls and files, nothing else",
    Scope.WRITE: "All that you may",
}
LIVES = {"30d": "In 30 days", "90d": "In 90 days", "365d": "In a year", "": "Never"}

_SEES = {
    Role.ADMIN: "You are an administrator: you may do everything.",
    Role.OPERATOR: "You are an operator: you see every store, and load and change all data.",
    Role.MEMBER: "You see the stores of your groups.",
}
_DONE = {
    "password": "Your password is changed, and your other sessions have ended.",
    "token": "It is revoked.",
    "alerts": "It is as you want it.",
}


@blueprint.get("/account")
@needs(READ)
def account() -> str:
    """The page."""
    return _page(done=_DONE.get(request.args.get("done", ""), ""))


@blueprint.post("/account/password")
@needs(WRITE)
def change_password() -> Response | tuple[str, int]:
    """Sets a new password; the person's other sessions end."""
    old, new = request.form.get("old", ""), request.form.get("password", "")
    try:
        secret = people.change_password(database(), caller(), old, new)
    except StorewatchError as error:
        return _page(wrong_password=str(error)), status_of(error)
    access.begin(secret)
    return redirect(url_for("own.account", done="password"), 303)


@blueprint.post("/account/tokens")
@needs(WRITE)
def make_token() -> str | tuple[str, int]:
    """Makes a token, and shows its secret this once."""
    name = request.form.get("name", "")
    try:
        made, secret = tokens.create(database(), caller(), _checked(name), _scope(), _end())
    except StorewatchError as error:
        return _page(wrong_token=str(error), name=name), status_of(error)
    return _page(made=made.name, secret=secret)


@blueprint.post("/account/tokens/<uuid:token_id>/revoke")
@needs(WRITE)
def revoke_token(token_id: UUID) -> Response:
    """Ends a token."""
    tokens.revoke(database(), caller(), token_id)
    return redirect(url_for("own.account", done="token"), 303)


@blueprint.post("/account/sessions/end")
@needs(WRITE)
def end_sessions() -> Response:
    """Logs out everywhere, here too."""
    users.end_sessions(database(), caller())
    access.end()
    return access.left()


def _page(**more: str) -> str:
    who = caller()
    found = None if who.account_id is None else users.get(database(), who, who.account_id)
    return render_template(
        "account.html",
        person=found,
        sees=_SEES[who.role],
        tokens=tokens.own(database(), who),
        alerts=alert_rules.own(database(), who),
        scopes=SCOPES,
        lives=LIVES,
        day=day,
        age=lambda moment: age(moment, datetime.now(UTC)),
        **more,
    )


def _checked(name: str) -> str:
    if len(name) > 200 or any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise UsageError("The name may have 200 characters at most, all of them printable", field="name")
    return name


def _scope() -> Scope:
    try:
        return Scope(request.form.get("scope", ""))
    except ValueError:
        raise UsageError("Say what the token may do", field="scope") from None


def _end() -> datetime | None:
    life = request.form.get("life")
    if life not in LIVES:
        raise UsageError("Say when the token ends", field="life")
    return datetime.now(UTC) + timedelta(microseconds=parse_duration(life) or 0) if life else None
