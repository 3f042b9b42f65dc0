"""/hours/edit, /zones/edit: a store's opening hours and its zone, after a look at what changes."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from storewatch.domain import exception_rows, weekly, zones
from storewatch.domain.permissions import WRITE
from storewatch.errors import ConflictError, UsageError
from storewatch.services import weeks, what_if
from storewatch.services.hours_from import HoursFrom
from storewatch.services.weeks import Course
from storewatch.storage.store_pages import Found
from storewatch.storage.weeks import Interval
from storewatch.web import store_words, what_if_words
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import tag_of
from storewatch.web.context import database, default_request, now_us
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("store_hours", __name__)

SINCE = {"": "from today on", "day": "from this day on", "always": "for all time, the past too"}
_DAYS = tuple(f"day{number}" for number in range(7))
_FIELDS = (*_DAYS, "since", "since_day", "none")
_CLOSED = ("", "closed")
_WHOLE = ("24 h", "24h", "all day", "day and night", "open all day")
_CHANGED = (
    "Somebody else changed {what} since you opened this form. As it is now: {now}. What you entered is still "
    "in the form: look it over, and preview it again."
)


# --- hours ----------------------------------------------------------------------------------------


@blueprint.get("/hours/edit")
@needs(WRITE)
def hours() -> str:
    """The form with the week of today."""
    return _hours(forms.store_to_edit())


@blueprint.post("/hours/edit")
@needs(WRITE)
def set_hours() -> Response | str | tuple[str, int]:
    """Shows what another week would change, or none at all; with `do` does it."""
    store = forms.store_to_edit()
    try:
        week, since = (None, weekly.ALWAYS) if request.form.get("none") else (_week(), _since())

        def change() -> tuple[Course, int]:
            hold = HoursFrom(since, default_request().default_zone)
            return weeks.set_week(
                database(), caller(), store.store.store_id, week, _check_hours, now_us(), hold
            )

        if request.form.get("do"):
            change()
            return forms.to_store(store, "hours")
        found = forms.previewed(store, change)
    except (UsageError, ConflictError) as error:
        told, status = forms.wrong("hours", error, *_FIELDS)
        return _hours(store, told), status
    entered = {name: request.form.get(name, "") for name in _FIELDS}
    return _hours(store, Wrong("hours", entered=entered), found, since)


def _week() -> list[Interval]:
    found: list[Interval] = []
    for number, name in enumerate(_DAYS):
        text = request.form.get(name, "").strip()
        text = "00:00-24:00" if text.lower() in _WHOLE else text.replace("–", "-").replace(" to ", "-")
        if text.lower() in _CLOSED:
            continue
        try:
            read = exception_rows.read_openings(text)
        except UsageError as error:
            raise UsageError(f"{weekly.WEEKDAYS[number]}: {error}", field=name) from None
        found += [(number, start, end) for start, end in zip(read[::2], read[1::2], strict=True)]
    return found


def _since() -> int:
    kind = request.form.get("since", "")
    if kind not in SINCE:
        raise UsageError("Choose one of the list", field="since")
    try:
        return {"": weekly.NOT_SAID, "always": weekly.ALWAYS}.get(kind) or weekly.since_of(
            request.form.get("since_day", "")
        )
    except ValueError:
        raise UsageError("Say from which day on, like 2026-12-01", field="since_day") from None


def _check_hours(present: Course) -> None:
    if request.form.get("tag", "") != _tag(present):
        now = "; ".join(f"{days} {openings}" for days, openings in store_words.hours(present))
        raise ConflictError(_CHANGED.format(what="the opening hours", now=now or "open day and night"))


def _tag(course: Course) -> str:
    """Another one for other weeks, so that nobody overwrites what they have not seen."""
    held = [[str(week.valid_from), [list(each) for each in week.openings]] for week in course.weeks]
    return tag_of({"weeks": held})


def _hours(
    store: Found,
    wrong: Wrong = NOTHING_WRONG,
    found: what_if.Preview[tuple[Course, int]] | None = None,
    since: int = weekly.NOT_SAID,
) -> str:
    hold = HoursFrom(default_zone=default_request().default_zone)
    course = weeks.course(database(), caller(), store.store.store_id, now_us(), hold)
    return render_template(
        "hours_edit.html",
        store=store.store,
        zone=store.zone or default_request().default_zone,
        days=list(zip(_DAYS, weekly.WEEKDAYS, _written(course), strict=True)),
        since=SINCE,
        today=course.today.isoformat(),
        tag=_tag(course),
        fields=_FIELDS,
        wrong=wrong,
        told=None if found is None else what_if_words.told(found),
        given=bool(course.weeks),
        week=[] if found is None else store_words.hours(Course(found.made[0].weeks, _on(since, course))),
        words=store_words,
        course=course,
    )


def _on(since: int, course: Course) -> date:
    """A day on which the new week holds."""
    if since in (weekly.NOT_SAID, weekly.ALWAYS):
        return course.today
    return date.fromordinal(date(1970, 1, 1).toordinal() + since)


def _written(course: Course) -> list[str]:
    """The week of today, as the form takes it."""
    held = course.on(course.today)
    if held is None:
        return ["00:00-24:00"] * 7
    by_day = [[time for day, *pair in held.openings if day == number for time in pair] for number in range(7)]
    return [exception_rows.told_openings(openings) or "closed" for openings in by_day]


# --- zone -----------------------------------------------------------------------------------------


@blueprint.get("/zones/edit")
@needs(WRITE)
def zone() -> str:
    """The form."""
    return _zone(forms.store_to_edit())


@blueprint.post("/zones/edit")
@needs(WRITE)
def set_zone() -> Response | str | tuple[str, int]:
    """Shows what another zone would change; with `do` sets it. An empty one is the default."""
    store = forms.store_to_edit()
    try:
        name = _name()

        def change() -> str | None:
            return weeks.set_zone(database(), caller(), store.store.store_id, name, _check_zone)

        if request.form.get("do"):
            change()
            return forms.to_store(store, "zone")
        found = forms.previewed(store, change)
    except (UsageError, ConflictError) as error:
        told, status = forms.wrong("zone", error, "zone")
        return _zone(store, told), status
    return _zone(store, Wrong("zone", entered={"zone": name or ""}), found)


def _name() -> str | None:
    name = request.form.get("zone", "").strip()
    if name and name not in zones.names():
        raise UsageError(f"'{name[:60]}' is not an IANA time zone like America/Chicago", field="zone")
    return name or None


def _check_zone(present: str | None) -> None:
    if request.form.get("tag", "") != (present or ""):
        now = present or f"the default, {default_request().default_zone}"
        raise ConflictError(_CHANGED.format(what="the zone", now=now))


def _zone(
    store: Found, wrong: Wrong = NOTHING_WRONG, found: what_if.Preview[str | None] | None = None
) -> str:
    present = weeks.zone(database(), caller(), store.store.store_id)
    return render_template(
        "zone_edit.html",
        store=store.store,
        present=present,
        default=default_request().default_zone,
        names=sorted(name for name in zones.names() if "/" in name and not name.startswith("Etc/")),
        wrong=wrong,
        told=None if found is None else what_if_words.told(found),
        after=None if found is None else found.zone,
    )
