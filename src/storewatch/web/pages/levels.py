"""/levels: service levels, how each stands, what used its budget up; made, changed and ended."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from storewatch.domain.clock import from_us
from storewatch.domain.permissions import READ, WRITE, GroupRole, Scope
from storewatch.domain.service_levels import Status
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import groups, level_pages, reporting, service_levels
from storewatch.services.chosen import Chosen
from storewatch.services.level_pages import Line
from storewatch.storage.access_tables import StoreGroup
from storewatch.web import level_words, times, words
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.service_levels import NewLevel, Terms
from storewatch.web.context import database, default_request
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong
from storewatch.web.pages.store import figures_of

blueprint = Blueprint("levels", __name__)

_LISTED = 20
_GROUPS = 200
_EPOCH = date(1970, 1, 1).toordinal()
_CHANGED = ("name", "target", "unknown_as", "minutes")
_FIELDS = (*_CHANGED, "measure", "period", "group_id", "store_id")
_DONE = {
    "made": "The service level is set.",
    "changed": "The service level is changed, and every period is judged by it.",
    "deleted": "The service level is ended.",
}


@blueprint.get("/levels")
@needs(READ)
def page() -> str:
    """Those that one may see, in the period that runs."""
    return _page()


def _page(wrong: Wrong = NOTHING_WRONG) -> str:
    found = level_pages.page(database(), caller(), _after(), _LISTED + 1, default_request())
    lines = found[:_LISTED]
    return render_template(
        "levels.html",
        lines=lines,
        next=lines[-1].found.level if len(found) > _LISTED else None,
        later=bool(request.args.get("after")),
        headline=_headline(lines, more=len(found) > _LISTED),
        groups=_own_groups(),
        may_make=_may_make(),
        has_polls=bool(lines) or reporting.has_polls(database()),
        wrong=wrong,
        **_told(lines),
    )


def _headline(lines: list[Line], *, more: bool) -> str:
    """The answer first."""
    if not lines:
        return "There is no service level yet."
    judged = [line.standings.items[-1].verdict.status for line in lines if line.standings]
    missed, risk = judged.count(Status.MISSED), judged.count(Status.AT_RISK)
    if more or not judged:
        return "Service levels"
    if not missed and not risk:
        return "No service level is missed or at risk."
    return f"{missed} of {len(lines)} service levels missed, {risk} at risk."


def _told(lines: list[Line]) -> dict[str, Any]:
    """What both templates need: the present, and how to say things."""
    as_of = next((line.standings.as_of for line in lines if line.standings), None)
    moment = None if as_of is None else from_us(as_of)
    return {
        "as_of": moment and words.instant(moment),
        "age": moment and words.age(moment, datetime.now(UTC)),
        "month": f"{moment or datetime.now(UTC):%Y-%m}",
        "done": _DONE.get(request.args.get("done", ""), ""),
        "say": level_words,
        "times": times,
        "share": words.share,
        "figures_of": figures_of,
    }


def _after() -> tuple[str, UUID] | None:
    """The last one of the page before."""
    name, text = request.args.get("after", "").replace("\0", ""), request.args.get("id", "")
    try:
        return (name, UUID(text)) if name else None
    except ValueError:
        raise UsageError("id is none that this page gave", field="id") from None


def _own_groups() -> list[StoreGroup]:
    found = groups.page(database(), caller(), "", _GROUPS) if _may_make() else []
    return [group for group in found if caller().manages(group.group_no)]


def _may_make() -> bool:
    asks = caller()
    return asks.scope is Scope.WRITE and (asks.sees_all or GroupRole.MANAGER in asks.groups.values())


@blueprint.post("/levels")
@needs(WRITE)
def create() -> Response | tuple[str, int]:
    """Sets one, by the API's rules."""
    try:
        wanted = _wanted()
        said = wanted.values() | {"period": wanted.period, "measure": wanted.measure}
        found = service_levels.create(database(), caller(), Chosen(wanted.store_id, wanted.group_id), said)
    except StorewatchError as error:
        told, status = forms.wrong("new", error, *_FIELDS)
        return _page(told), status
    return redirect(url_for("levels.one", level_id=found.level.level_id, done="made"), 303)


def _wanted() -> NewLevel:
    """The form as a body of the API. UsageError that names the field."""
    said = _entered(_FIELDS)
    return _checked(NewLevel, _with_numbers(said), said)


def _entered(fields: tuple[str, ...]) -> dict[str, str]:
    said = {name: request.form.get(name, "").strip() for name in fields}
    return {name: value for name, value in said.items() if value or name == "name"}


def _with_numbers(said: dict[str, str]) -> dict[str, Any]:
    """The fields that are numbers as such."""
    values: dict[str, Any] = dict(said)
    try:
        values["target"] = float(said.get("target", "").replace(",", "."))
    except ValueError:
        raise UsageError("Write the target as a number, like 99.5", field="target") from None
    try:
        minutes = values.pop("minutes", None)
        return values if minutes is None else values | {"min_outage_seconds": int(minutes) * 60}
    except ValueError:
        raise UsageError("Write a whole number of minutes, like 10", field="minutes") from None


_Terms = TypeVar("_Terms", bound=Terms)


def _checked(kind: type[_Terms], values: dict[str, Any], said: dict[str, str]) -> _Terms:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "name"
        told = "The name is missing" if field == "name" and not said["name"] else first["msg"]
        named = "minutes" if field == "min_outage_seconds" else field
        raise UsageError(told.removeprefix("Value error, "), field=named) from None


# --- one ------------------------------------------------------------------------------------------


@blueprint.get("/levels/<uuid:level_id>")
@needs(READ)
def one(level_id: UUID) -> str:
    """Its last periods, newest first, and what used the budget of one of them: `first` is its first day."""
    return _one(level_id)


def _one(level_id: UUID, wrong: Wrong = NOTHING_WRONG) -> str:
    asked = _day(request.args.get("first", ""))
    line = level_pages.one(database(), caller(), level_id, asked, default_request())
    items = list(reversed(line.standings.items)) if line.standings else []
    while len(items) > 1 and not items[-1].period.open:
        items.pop()  # from before there was anything to count
    picked = next((item for item in items if item.first_day == asked), None)
    return render_template(
        "level.html",
        line=line,
        level=line.found.level,
        items=items,
        picked=picked or (items[0] if items else None),
        may_change=_may_change(line),
        wrong=wrong,
        **_told([line]),
    )


def _day(text: str) -> int | None:
    """A date of an address, counted from 1970; None if it is none."""
    try:
        return date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        return None


def _may_change(line: Line) -> bool:
    """Whether to show the forms; the service decides again."""
    group_no = line.found.level.group_no
    return _may_make() and (group_no is None or caller().manages(group_no))


@blueprint.post("/levels/<uuid:level_id>")
@needs(WRITE)
def update(level_id: UUID) -> Response | tuple[str, int]:
    """Changes its name, its target and how it counts, by the API's rules: for all its periods."""
    try:
        said = _entered(_CHANGED)
        wanted = _checked(Terms, _with_numbers(said), said)
        service_levels.update(database(), caller(), level_id, wanted.values(), lambda _: None)
    except StorewatchError as error:
        told, status = forms.wrong("edit", error, *_CHANGED)
        return _one(level_id, told), status
    return redirect(url_for("levels.one", level_id=level_id, done="changed"), 303)


@blueprint.post("/levels/<uuid:level_id>/delete")
@needs(WRITE)
def delete(level_id: UUID) -> Response:
    """Deletes one."""
    service_levels.remove(database(), caller(), level_id)
    return redirect(url_for("levels.page", done="deleted"), 303)
