"""/audit: who did what, when; for admins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from flask import Blueprint, render_template, request

from storewatch.domain.permissions import AUDIT
from storewatch.errors import NotFoundError, StorewatchError, UsageError
from storewatch.services import auditing, users
from storewatch.storage.access_tables import Audit
from storewatch.storage.audit import Filter
from storewatch.web.access import needs
from storewatch.web.context import database
from storewatch.web.words import instant

blueprint = Blueprint("audit_page", __name__)

_LISTED = 50
_FIELDS = ("person", "kind", "from", "to")
_VIA = {
    "session": "in the browser",
    "token": "by a token",
    "no-login": "without logins",
    "command": "by a command",
    "link": "by a link",
    "none": "not logged in",
}


@blueprint.get("/audit")
@needs(AUDIT)
def page() -> str | tuple[str, int]:
    """Entries, newest first, of a person, a kind and days in UTC."""
    asked = {name: request.args.get(name, "").strip().replace("\0", "") for name in _FIELDS}
    before = request.args.get("before", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None
    try:
        found = auditing.page(database(), _filter(asked), number, _LISTED + 1)
    except StorewatchError as error:
        return _shown(asked, [], wrong=str(error), field=str(getattr(error, "field", "person"))), 422
    return _shown(asked, found)


def _shown(asked: dict[str, str], found: list[Audit], **wrong: str) -> str:
    return render_template(
        "audit.html",
        entries=found[:_LISTED],
        more=len(found) > _LISTED,
        asked=asked,
        sifted=any(asked.values()),
        via=_VIA,
        instant=instant,
        **wrong,
    )


def _filter(asked: dict[str, str]) -> Filter:
    since, until = _day(asked, "from"), _day(asked, "to")
    return Filter(
        account_id=_person(asked["person"]) if asked["person"] else None,
        kind=asked["kind"] or None,
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


def _person(email: str) -> UUID:
    try:
        return users.id_of(database(), email)
    except NotFoundError:
        raise UsageError("Nobody has that address", field="person") from None


def _day(asked: dict[str, str], name: str) -> datetime | None:
    if not asked[name]:
        return None
    try:
        found = date.fromisoformat(asked[name])
    except ValueError:
        found = date.min
    if not 2000 <= found.year < 9999:
        raise UsageError("Write the day as 2026-01-31", field=name)
    return datetime(found.year, found.month, found.day, tzinfo=UTC)
