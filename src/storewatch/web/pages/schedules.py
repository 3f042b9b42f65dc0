"""/schedules: what is mailed by itself, when next, and what went out; made, changed, paused, tried."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain import alert_rule
from storewatch.domain.permissions import READ, WRITE
from storewatch.domain.schedules import clock_of
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import groups, schedules
from storewatch.services.schedules import Found, Wanted
from storewatch.web import schedule_words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request, mail_on, now_us
from storewatch.web.limits import check_tries
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("schedules_page", __name__)

_LISTED, _LOGGED, _GROUPS = 100, 25, 200
_FIELDS = (
    *("name", "what", "every", "weekday", "month_day", "at", "zone", "format", "only_if_missed"),
    *("group_id", "to_group"),
)
_SAME = {"on_day": "month_day"}
_DONE = {
    "made": "It comes by itself from now on.",
    "changed": "It is changed.",
    "on": "It comes again from its next time on; nothing is made up.",
    "off": "It comes no more.",
    "removed": "It is removed.",
    "sent": "It is on its way to you.",
}


@blueprint.get("/schedules")
@needs(READ)
def page() -> str:
    """One's own, and those of one's groups."""
    return _page()


def _page(wrong: Wrong = NOTHING_WRONG) -> str:
    after = _number("after")
    found = schedules.page(database(), caller(), after, _LISTED + 1, default_request())
    return render_template(
        "schedules.html",
        found=found[:_LISTED],
        next=found[_LISTED - 1].schedule.schedule_no if len(found) > _LISTED else None,
        later=bool(after),
        groups=groups.page(database(), caller(), "", _GROUPS),
        zone=schedules.usual_zone(database(), caller(), default_request()),
        **_told(wrong),
    )


def _told(wrong: Wrong) -> dict[str, Any]:
    return {
        "say": schedule_words,
        "mail_on": mail_on(),
        "wrong": wrong,
        "done": _DONE.get(request.args.get("done", ""), ""),
    }


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@blueprint.post("/schedules")
@needs(WRITE)
def create() -> Response | tuple[str, int]:
    """Makes one."""
    try:
        for_all = request.form.get("to_group") == "yes"
        wanted = Wanted(**_wanted())
        schedules.create(
            database(), caller(), _group_id(), wanted, default_request(), now_us(), for_all=for_all
        )
    except StorewatchError as error:
        told, status = _wrong("new", error)
        return _page(told), status
    return redirect(url_for("schedules_page.page", done="made"), 303)


def _wanted() -> dict[str, Any]:
    form = request.form
    every = form.get("every", "")
    days = {"week": ("weekday", form.get("weekday", "")), "month": ("month_day", form.get("month_day", ""))}
    minute = alert_rule.minutes_of(form.get("at", ""))
    if minute is None:
        raise UsageError("Write a time like 08:00", field="at")
    return {
        "name": forms.line("name", "The name"),
        "what": form.get("what", ""),
        "every": every,
        "on_day": _day(*days[every]) if every in days else None,
        "minute": minute,
        "zone": form.get("zone", "").strip() or None,
        "format": form.get("format", ""),
        "only_if_missed": form.get("only_if_missed") == "yes",
    }


def _day(name: str, text: str) -> int:
    if not (text.isdecimal() and len(text) < 3):
        raise UsageError("Say on which day", field=name)
    return int(text)


def _group_id() -> UUID | None:
    text = request.form.get("group_id", "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise UsageError("Choose one of the list", field="group_id") from None


def _wrong(form: str, error: StorewatchError) -> tuple[Wrong, int]:
    if isinstance(error, UsageError) and error.field in _SAME:
        error = UsageError(str(error), field=_SAME[error.field])
    return forms.wrong(form, error, *_FIELDS)


# --- one of them ----------------------------------------------------------------------------------


@blueprint.get("/schedules/<uuid:schedule_id>")
@needs(READ)
def one(schedule_id: UUID) -> str:
    """One, and what it sent."""
    return _one(schedule_id)


def _one(schedule_id: UUID, wrong: Wrong = NOTHING_WRONG) -> str:
    found = schedules.get(database(), caller(), schedule_id, default_request())
    run, delivery = _number("run"), _number("delivery")
    place = (run, delivery) if run else None
    log = schedules.log(database(), caller(), schedule_id, place, _LOGGED + 1)
    last = log[_LOGGED - 1] if len(log) > _LOGGED else None
    return render_template(
        "schedule.html",
        found=found,
        usual=_entered(found),
        log=log[:_LOGGED],
        next=last and {"run": last.run.run_no, "delivery": last.delivery.delivery_no if last.delivery else 0},
        later=bool(run),
        **_told(wrong),
    )


def _entered(found: Found) -> dict[str, str]:
    """The fields of its form as it is now."""
    one = found.schedule
    day = "" if one.on_day is None else str(one.on_day)
    return {
        "name": one.name,
        "what": one.what,
        "every": one.every,
        "weekday": day if one.every == "week" else "0",
        "month_day": day if one.every == "month" else "1",
        "at": clock_of(one.minute),
        "zone": one.zone or "",
        "format": one.format,
        "only_if_missed": "yes" if one.only_if_missed else "",
    }


@blueprint.post("/schedules/<uuid:schedule_id>")
@needs(WRITE)
def change(schedule_id: UUID) -> Response | tuple[str, int]:
    """Changes what is sent, and when."""
    schedules.get(database(), caller(), schedule_id, default_request())
    try:
        _update(schedule_id, _wanted())
    except UsageError as error:
        told, status = _wrong("change", error)
        return _one(schedule_id, told), status
    return _to(schedule_id, "changed")


def _update(schedule_id: UUID, values: dict[str, Any]) -> None:
    schedules.update(database(), caller(), schedule_id, values, lambda _: None, default_request(), now_us())


def _to(schedule_id: UUID, done: str) -> Response:
    return redirect(url_for("schedules_page.one", schedule_id=schedule_id, done=done), 303)


@blueprint.post("/schedules/<uuid:schedule_id>/switch")
@needs(WRITE)
def switch(schedule_id: UUID) -> Response:
    """Pauses it, or lets it go on."""
    on = request.form.get("on") == "yes"
    _update(schedule_id, {"enabled": on})
    return _to(schedule_id, "on" if on else "off")


@blueprint.post("/schedules/<uuid:schedule_id>/mine")
@needs(WRITE)
def mine(schedule_id: UUID) -> Response:
    """Whether one gets it."""
    on = request.form.get("on") == "yes"
    schedules.set_own(database(), caller(), schedule_id, default_request(), now_us(), on=on)
    return _to(schedule_id, "on" if on else "off")


@blueprint.post("/schedules/<uuid:schedule_id>/send")
@needs(WRITE)
def send(schedule_id: UUID) -> Response:
    """Sends it to oneself now."""
    check_tries()
    schedules.send_now(database(), caller(), schedule_id, default_request(), now_us())
    return _to(schedule_id, "sent")


@blueprint.post("/schedules/<uuid:schedule_id>/remove")
@needs(WRITE)
def remove(schedule_id: UUID) -> Response:
    """Removes it, and its log."""
    schedules.remove(database(), caller(), schedule_id, default_request())
    return redirect(url_for("schedules_page.page", done="removed"), 303)
