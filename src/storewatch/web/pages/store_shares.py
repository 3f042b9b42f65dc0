"""/shares: links by which people without an account see some days of a store; made, listed, revoked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from storewatch.domain.permissions import WRITE
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import shares
from storewatch.storage.shares import Found as Share
from storewatch.storage.store_pages import Found
from storewatch.web import shared_words, times
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.shares import NewShare
from storewatch.web.context import database, default_request, now_us, share_url
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong
from storewatch.web.words import age, day

blueprint = Blueprint("store_shares", __name__)

LIVES = {7: "7 days", 30: "30 days", 90: "90 days"}
_FIELDS = ("first_day", "last_day", "days", "label")
_SAID = {
    "first_day": "Write the day as 2026-01-31",
    "last_day": "Write the day as 2026-01-31",
    "days": "Choose one of the list",
    "label": "Say in 1 to 200 characters, all of them printable, whom it is for",
}


@blueprint.get("/shares")
@needs(WRITE)
def page() -> str:
    """The form, for the days `from` and `to`, and the links that there are."""
    return _page(forms.store_to_edit(), done="revoked" if request.args.get("done") == "revoked" else "")


@blueprint.post("/shares")
@needs(WRITE)
def make() -> str | tuple[str, int]:
    """Makes a link, and shows it this once."""
    store = forms.store_to_edit()
    try:
        body = _body(store)
        lives = timedelta(days=body.days)
        made, secret = shares.create(
            database(), caller(), body.store_id, body.label, body.first_day, body.last_day, lives
        )
    except StorewatchError as error:
        told, status = forms.wrong("share", error, *_FIELDS)
        return _page(store, wrong=told), status
    return _page(store, made=made, link=share_url(secret))


def _body(store: Found) -> NewShare:
    said = {name: request.form.get(name, "").strip() for name in _FIELDS}
    if said["days"] not in map(str, LIVES):
        raise UsageError(_SAID["days"], field="days")
    try:
        return NewShare.model_validate(said | {"store_id": store.store.store_id, "days": int(said["days"])})
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise UsageError(_SAID.get(field, str(error)), field=field) from None


@blueprint.get("/shares/<uuid:share_id>/revoke")
@needs(WRITE)
def ask_revoke(share_id: UUID) -> str:
    """Asks whether the link is to end."""
    found = shares.get(database(), caller(), share_id)
    return render_template("share_revoke.html", found=found, days=_days(found), used=_used)


@blueprint.post("/shares/<uuid:share_id>/revoke")
@needs(WRITE)
def revoke(share_id: UUID) -> Response:
    """Ends the link."""
    store_id = shares.get(database(), caller(), share_id).store_id
    shares.revoke(database(), caller(), share_id)
    return redirect(url_for("store_shares.page", store=store_id, done="revoked"), 303)


def _page(
    store: Found, wrong: Wrong = NOTHING_WRONG, done: str = "", made: Share | None = None, link: str = ""
) -> str:
    store_id = store.store.store_id
    zone = store.zone or default_request().default_zone
    first, last = _usual_days(zone)
    return render_template(
        "shares.html",
        store=store.store,
        zone=zone,
        first=first,
        last=last,
        lives=LIVES,
        found=shares.page(database(), caller(), store_id, None, 100),
        made=made,
        link=link,
        wrong=wrong,
        done=done,
        days=_days,
        day=day,
        used=_used,
    )


def _usual_days(zone: str) -> tuple[str, str]:
    """The days in view where one came from, else the last seven."""
    today = times.on_clock(now_us(), zone).date()
    first, last = (_date(request.args.get(name, "")) for name in ("from", "to"))
    if first is None or last is None:
        first, last = today - timedelta(days=6), today
    return first.isoformat(), last.isoformat()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _days(found: Share) -> str:
    return shared_words.days(found.share.first_day, found.share.last_day)


def _used(found: Share) -> str:
    """`3 h ago`."""
    last = found.share.last_used_at
    return age(last, datetime.now(UTC)) if last else "Never"
