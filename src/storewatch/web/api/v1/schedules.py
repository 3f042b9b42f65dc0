"""Digests and reports by timetable."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, Field, StrictBool

from storewatch.domain import alert_rule
from storewatch.domain.permissions import READ, WRITE
from storewatch.domain.schedules import clock_of
from storewatch.errors import UsageError
from storewatch.services import schedules
from storewatch.services.schedules import Found, Wanted
from storewatch.storage.schedule_log import Logged
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.alerts import Mine, MineNow, Status
from storewatch.web.api.v1.common import (
    Body,
    PageQuery,
    Text,
    Whole,
    answer,
    check_tag,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tag_of,
    tagged,
)
from storewatch.web.context import default_request, now_us
from storewatch.web.limits import check_tries

blueprint = resource(
    "Schedules",
    "Digests and reports that are mailed by themselves: one's own, and those of a group's people.",
)

What = Literal["digest", "report"]
Every = Literal["day", "week", "month"]
Format = Literal["none", "csv", "xlsx"]


class SchedulePath(BaseModel):
    schedule_id: UUID


class Terms(Body):
    """What may be changed later."""

    name: Text = Field(default="", min_length=1, examples=["Every week"])
    what: What = Field(default="digest", description="report: the seven columns as of the newest poll")
    every: Every = "week"
    on_day: Whole | None = Field(
        default=None,
        description="of a week 0 (Monday) to 6 (Sunday), of a month 1 to 31 (or its last day), "
        "of every day null; left out: 0 of a week, 1 of a month",
    )
    at: Text = Field(default="08:00", examples=["08:00"], description="on the clock of zone")
    zone: Text | None = Field(
        default=None, examples=["America/Chicago"], description="null: the zone of most of the stores"
    )
    format: Format = Field(default="xlsx", description="the attached file; a report is one")
    only_if_missed: StrictBool = Field(
        default=False, description="not if none of the targets was missed that one of the days belongs to"
    )
    enabled: StrictBool = True

    def values(self, every: str | None = None) -> dict[str, Any]:
        """What was said, as the service has it; `every` is what holds if it was not said."""
        said = self.model_dump(include=self.model_fields_set & Terms.model_fields.keys())
        if "at" in said:
            said["minute"] = _minute(said.pop("at"))
        if "every" in said and "on_day" not in said and said["every"] != every:
            said["on_day"] = {"week": 0, "month": 1}.get(said["every"])
        return said


def _minute(text: str) -> int:
    found = alert_rule.minutes_of(text)
    if found is None:
        raise UsageError("at is not a time like 08:00", field="at")
    return found


class NewSchedule(Terms):
    """To you; or to all people of a group whose manager you are."""

    name: Text = Field(min_length=1, examples=["Every week"])
    group_id: UUID | None = Field(default=None, description="about its stores; null: about all that you see")
    to_group: StrictBool = Field(default=False, description="to all people of the group, each by themselves")


class Schedule(BaseModel):
    schedule_id: UUID
    name: str
    what: What
    every: Every
    on_day: int | None
    at: str
    zone: str | None
    format: Format
    only_if_missed: bool
    enabled: bool
    group_id: UUID | None
    to_group: bool
    usual: bool = Field(description="every member has it: it can be switched off, not removed")
    on_clock_of: str = Field(description="the zone that it runs by")
    next_run_at: str | None = Field(description="null: it is switched off")
    last_run_at: str | None
    mine: bool = Field(description="false: you said that you do not want a group's one")
    created_at: str


class Schedules(BaseModel):
    items: list[Schedule]
    next_cursor: str | None


class Sent(BaseModel):
    run: int
    due_at: str
    asked_for: bool = Field(description="by somebody, to whom alone it went")
    email: str | None = Field(description="to whom; null: to nobody, or to somebody whom you do not see")
    key: UUID | None = Field(description="what comes with the same key is the same again")
    status: Status | None = Field(description="dropped: it was not to be sent; null: there was nobody")
    tries: int
    said: str | None = Field(description="why it was not sent, in words")
    sent_at: str | None


class SentPage(BaseModel):
    items: list[Sent]
    next_cursor: str | None


class OnItsWay(BaseModel):
    to: str


_OF = {"schedule_id": "$response.body#/schedule_id"}
_LINKS = {
    "read": {"operationId": "getSchedule", "parameters": _OF},
    "change": {"operationId": "updateSchedule", "parameters": _OF},
    "remove": {"operationId": "deleteSchedule", "parameters": _OF},
    "log": {"operationId": "listScheduleLog", "parameters": _OF},
}


@blueprint.get(
    "/schedules",
    operation_id="listSchedules",
    responses={"200": answer("In order of their making", Schedules)},
)
@needs(READ)
def list_schedules(query: PageQuery) -> Response:
    """Your own schedules, and those of the people of your groups."""
    after = read_cursor(query.cursor, int)
    found = schedules.page(database(), caller(), after[0] if after else 0, query.limit + 1, default_request())
    numbers = {str(each.schedule.schedule_id): each.schedule.schedule_no for each in found}
    items = [shown(each) for each in found]
    return page(items, query.limit, lambda last: cursor_of(numbers[last["schedule_id"]]))


@blueprint.post(
    "/schedules",
    operation_id="createSchedule",
    responses={"201": answer("The schedule", Schedule, links=_LINKS)},
)
@needs(WRITE)
def create_schedule(body: NewSchedule) -> Response:
    """Have a digest or report mailed to you, or to all people of a group whose manager you are."""
    values = body.values("week")
    enabled = values.pop("enabled", True)
    made = schedules.create(
        database(),
        caller(),
        body.group_id,
        Wanted(**values),
        default_request(),
        now_us(),
        for_all=body.to_group,
        enabled=enabled,
    )
    response = jsonify(shown(made))
    response.set_etag(tag_of(shown(made)))
    response.headers["Location"] = f"/api/v1/schedules/{made.schedule.schedule_id}"
    response.status_code = 201
    return response


@blueprint.get(
    "/schedules/<uuid:schedule_id>",
    operation_id="getSchedule",
    responses={"200": answer("The schedule", Schedule)},
)
@needs(READ)
def get_schedule(path: SchedulePath) -> Response:
    """One of them, with its next run."""
    return tagged(shown(schedules.get(database(), caller(), path.schedule_id, default_request())))


@blueprint.patch(
    "/schedules/<uuid:schedule_id>",
    operation_id="updateSchedule",
    responses={"200": answer("The schedule", Schedule)},
)
@needs(WRITE)
def update_schedule(path: SchedulePath, body: Terms) -> Response:
    """Change what is said of it; the rest stays. With `enabled` false it pauses; once it is on again it goes
    on with its next run, and nothing is made up.
    """

    def check(present: Found) -> None:
        check_tag(shown(present))

    present = schedules.get(database(), caller(), path.schedule_id, default_request())
    values = body.values(present.schedule.every)
    changed = schedules.update(
        database(), caller(), path.schedule_id, values, check, default_request(), now_us()
    )
    return tagged(shown(changed))


@blueprint.delete(
    "/schedules/<uuid:schedule_id>",
    operation_id="deleteSchedule",
    responses={"204": answer("It is gone, and its log")},
)
@needs(WRITE)
def delete_schedule(path: SchedulePath) -> tuple[str, int]:
    """Remove one. The usual one of a member can only be switched off."""
    schedules.remove(database(), caller(), path.schedule_id, default_request())
    return "", 204


@blueprint.put(
    "/schedules/<uuid:schedule_id>/mine",
    operation_id="setMySchedule",
    responses={"200": answer("What holds now", MineNow)},
)
@needs(WRITE)
def set_mine(path: SchedulePath, body: Mine) -> Response:
    """Say whether you get it. Of a group's one others' mails are not touched; your own is switched."""
    schedules.set_own(database(), caller(), path.schedule_id, default_request(), now_us(), on=body.on)
    return tagged({"on": body.on})


@blueprint.post(
    "/schedules/<uuid:schedule_id>/send",
    operation_id="sendScheduleNow",
    responses={"202": answer("It is on its way", OnItsWay)},
)
@needs(WRITE)
def send_now(path: SchedulePath) -> Response:
    """Have it sent to you now, beside its timetable and whether or not a target was missed."""
    check_tries()
    schedules.send_now(database(), caller(), path.schedule_id, default_request(), now_us())
    response = jsonify({"to": caller().email})
    response.status_code = 202
    return response


@blueprint.get(
    "/schedules/<uuid:schedule_id>/log",
    operation_id="listScheduleLog",
    responses={"200": answer("Newest first", SentPage)},
)
@needs(READ)
def list_log(path: SchedulePath, query: PageQuery) -> Response:
    """Its runs: to whom they went, and if one was not sent, why."""
    after = read_cursor(query.cursor, int, int)
    place = (after[0], after[1]) if after else None
    rows = schedules.log(database(), caller(), path.schedule_id, place, query.limit + 1)
    places = [
        cursor_of(row.run.run_no, row.delivery.delivery_no if row.delivery else 0)
        for row in rows[: query.limit]
    ]
    return page([_sent(row) for row in rows], query.limit, lambda _: places[-1])


def shown(found: Found) -> dict[str, Any]:
    """A schedule as it is told."""
    schedule = found.schedule
    return {
        "schedule_id": str(schedule.schedule_id),
        "name": schedule.name,
        "what": schedule.what,
        "every": schedule.every,
        "on_day": schedule.on_day,
        "at": clock_of(schedule.minute),
        "zone": schedule.zone,
        "format": schedule.format,
        "only_if_missed": schedule.only_if_missed,
        "enabled": schedule.next_run_at is not None,
        "group_id": None if found.group_id is None else str(found.group_id),
        "to_group": found.for_all,
        "usual": schedule.usual,
        "on_clock_of": found.zone,
        "next_run_at": instant(schedule.next_run_at),
        "last_run_at": instant(found.last_run_at),
        "mine": not found.muted,
        "created_at": instant(schedule.created_at),
    }


def _sent(row: Logged) -> dict[str, Any]:
    one = row.delivery
    return {
        "run": row.run.run_no,
        "due_at": instant(row.run.due_at),
        "asked_for": row.run.asked_for,
        "email": row.email,
        "key": None if one is None else str(one.key),
        "status": None if one is None else one.status,
        "tries": 0 if one is None else one.attempts,
        "said": None if one is None else one.said,
        "sent_at": None if one is None else instant(one.sent_at),
    }
