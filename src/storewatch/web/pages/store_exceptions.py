"""/exceptions: an exception of a store made or undone from its page, after a look at what changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from uuid import UUID

import numpy as np
from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from storewatch.domain import exception_rows, rrules, zones
from storewatch.domain.clock import to_us
from storewatch.domain.exception_rows import Wanted
from storewatch.domain.permissions import WRITE
from storewatch.errors import ConflictError, UsageError
from storewatch.services import exceptions, stores, what_if
from storewatch.services.exceptions import Changed, Clock
from storewatch.storage.store_pages import Found
from storewatch.web import store_words, times, what_if_words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request, now_us
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("store_exceptions", __name__)

EFFECTS = {
    "closed": "Closed: the time is not open",
    "other_hours": "Other opening hours on these days",
    "excluded": "Left out: open time counts neither as up nor as down",
    "up": "Up, whatever the polls say",
    "down": "Down, whatever the polls say",
    "ignore_polls": "Polls made in it do not count",
}
AGAIN = {
    "": "No, it is once",
    "FREQ=DAILY": "Every day",
    "FREQ=WEEKLY": "Every week, on the same weekday",
    "FREQ=MONTHLY": "Every month, on the same date",
    "FREQ=YEARLY": "Every year, on the same date",
}
_FIELDS = ("effect", "start", "end", "hours", "rrule", "until", "note")
_NEXT = 5
_NEVER = datetime(2100, 1, 1)  # noqa: DTZ001 - on any clock


@blueprint.get("/exceptions/new")
@needs(WRITE)
def new() -> str:
    """The form; `start`, `end` and `effect` fill it."""
    entered = {name: request.args[name][:100] for name in ("start", "end", "effect") if name in request.args}
    return _new(forms.store_to_edit(), Wrong("exception", entered=entered))


@blueprint.post("/exceptions/new")
@needs(WRITE)
def add() -> Response | str | tuple[str, int]:
    """Shows what an exception would change; with `do` makes it."""
    store = forms.store_to_edit()
    try:
        wanted = exception_rows.read(_said(store))
        if request.form.get("do"):
            exceptions.add_new(database(), caller(), wanted, _clock())
            return forms.to_store(store, "exception")
        found = forms.previewed(store, lambda: exceptions.add_new(database(), caller(), wanted, _clock()))
    except (UsageError, ConflictError) as error:
        told, status = forms.wrong("exception", error, *_FIELDS)
        return _new(store, told), status
    entered = {name: request.form.get(name, "") for name in _FIELDS}
    return _new(store, Wrong("exception", entered=entered), found, wanted)


def _said(store: Found) -> dict[str, str]:
    said = {name: request.form.get(name, "").strip() for name in _FIELDS}
    until = said.pop("until")
    if until:
        said["rrule"] = _ended(said["rrule"], said["start"], until)
    return said | {"store_id": store.store.store_id}


def _ended(rule: str, start: str, until: str) -> str:
    """A rule with its last day. UsageError if there is none, or it has an end already."""
    try:
        last = date.fromisoformat(until)
    except ValueError:
        raise UsageError("Write the last day like 2026-12-31", field="until") from None
    if not rule:
        raise UsageError("Say how often it comes again, or leave the last day empty", field="rrule")
    if "UNTIL" in rule or "COUNT" in rule:
        raise UsageError("The rule says already when it ends: leave this empty", field="until")
    if last.isoformat() < start[:10]:
        raise UsageError("The last day is before the first", field="until")
    return f"{rule};UNTIL={last:%Y%m%d}"


def _clock() -> Clock:
    return Clock(now_us(), default_request().default_zone)


def _new(
    store: Found,
    wrong: Wrong = NOTHING_WRONG,
    found: what_if.Preview[Changed] | None = None,
    wanted: Wanted | None = None,
) -> str:
    zone = store.zone or default_request().default_zone
    today = datetime.now(zones.load(zone)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return render_template(
        "exception_new.html",
        store=store.store,
        zone=zone,
        effects=EFFECTS,
        again=AGAIN,
        start=today.isoformat(timespec="minutes"),
        end=(today + timedelta(days=1)).isoformat(timespec="minutes"),
        fields=_FIELDS,
        wrong=wrong,
        told=None if found is None else what_if_words.told(found),
        says=None if found is None else store_words.exception(found.made.found, zone),
        clock=_clock_words(wanted, zone) if wanted else [],
    )


def _clock_words(wanted: Wanted, zone: str) -> list[str]:
    """When it is, in the store's zone; and what is done with times that the clocks skip or show twice."""
    if not wanted.local:
        return []
    walls = [to_us(each.replace(tzinfo=UTC)) for each in (wanted.start, wanted.end)]
    start, end = zones.local_to_utc(np.array(walls, np.int64), zone).tolist()
    first = "The first time: " if wanted.rrule else ""
    span = f"{first}{times.span(start, end, zone)}, {times.length(max(0, end - start))}."
    notes = filter(None, (what_if_words.clock_note(wall, zone) for wall in walls))
    return [span, *_to_come(wanted, zone), *notes]


def _to_come(wanted: Wanted, zone: str) -> list[str]:
    """The next dates of something that comes again."""
    if wanted.rrule is None:
        return []
    now = datetime.now(zones.load(zone)).replace(tzinfo=None)
    begins = rrules.times(wanted.rrule, wanted.start, _NEVER)
    later = list(islice((at for at in begins if at > max(now, wanted.start)), _NEXT + 1))
    if not later:
        return ["No further time is to come."]
    dates = [store_words.on_date(at) for at in later[:_NEXT]]
    return [f"The next times begin on {', '.join(dates)}{', and so on' if len(later) > _NEXT else ''}."]


# --- undoing --------------------------------------------------------------------------------------


@blueprint.get("/exceptions/<uuid:exception_id>/undo")
@needs(WRITE)
def ask_undo(exception_id: UUID) -> str:
    """Shows what would change without an exception."""
    return _undo(exception_id)


@blueprint.post("/exceptions/<uuid:exception_id>/undo")
@needs(WRITE)
def undo(exception_id: UUID) -> Response:
    """Takes it back."""
    store = _seen()
    exceptions.undo(database(), caller(), exception_id, _clock())
    return forms.to_store(store, "undone")


def _undo(exception_id: UUID) -> str:
    store = _seen()
    found = forms.previewed(store, lambda: exceptions.undo(database(), caller(), exception_id, _clock()))
    changed, zone = found.made, store.zone or default_request().default_zone
    gone = exceptions.get(database(), caller(), exception_id).row.undone_at is not None
    return render_template(
        "exception_undo.html",
        store=store.store,
        zone=zone,
        exception_id=exception_id,
        told=what_if_words.told(found),
        says=store_words.exception(changed.found, zone),
        scope=exceptions.told_scope(changed.found.row),
        past_days=changed.past_days,
        gone=gone,
    )


def _seen() -> Found:
    return stores.get(database(), caller(), forms.store_id())
