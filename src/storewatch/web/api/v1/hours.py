"""The opening hours of a store, as a whole week."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import polars as pl
from flask import Response, jsonify
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from storewatch.domain import weekly
from storewatch.domain.permissions import READ, WRITE
from storewatch.services import weeks
from storewatch.services.hours_from import HoursFrom
from storewatch.services.weeks import Course, Week
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import Body, Whole, answer, check_tag, database, resource, tag_of, tagged
from storewatch.web.api.v1.history import DayText
from storewatch.web.api.v1.stores import StorePath
from storewatch.web.context import default_request, now_us

blueprint = resource("Opening hours", "When a store is open, week by week, in its own local time.")

Time = Annotated[str, StringConstraints(pattern=weekly.TIME_OF_DAY)]


def _a_day(valid_from: str) -> str:
    if valid_from:
        weekly.since_of(valid_from)
    return valid_from


ValidFrom = Annotated[
    str,
    StringConstraints(pattern=r"^(always|[0-9]{4}-[0-9]{2}-[0-9]{2})?$", max_length=10),
    AfterValidator(_a_day),
]
"""A local day from which on hours hold, or `always`; empty: not said."""


class Opening(Body):
    day: Whole = Field(ge=0, le=6, description="0 Monday … 6 Sunday")
    opens: Time = Field(examples=["09:00"])
    closes: Time = Field(
        examples=["17:30"],
        description="before `opens`: on the next day; from 23:59 on, and 24:00: midnight at the day's end",
    )


class NewWeek(Body):
    """Days that are left out are closed; an empty list is closed throughout."""

    hours: list[Opening] = Field(max_length=500)
    valid_from: ValidFrom = Field(
        default="",
        examples=["2023-11-01", "always"],
        description="the local day from which on this week holds, in place of all that begin on it or later; "
        "`always`: for all time, in place of all others; left out: from today on, if it is another week than "
        "today's. A store's first week counts for all its past",
    )

    @field_validator("hours")
    @classmethod
    def _by_the_rules_of_files(cls, hours: list[Opening]) -> list[Opening]:
        bad = weekly.read_hours(_frame(hours)).bad
        if len(bad):
            index, reason = bad.select("line", "reason").row(0)
            told = str(reason).replace("start_time_local", "opens").replace("end_time_local", "closes")
            raise ValueError(f"{index}: {told}")
        return hours


class OpeningHoursSpecification(BaseModel):
    """As schema.org has it."""

    model_config = ConfigDict(populate_by_name=True)
    type: str = Field(alias="@type")
    dayOfWeek: str  # noqa: N815 - their name
    opens: str
    closes: str


class HeldWeek(BaseModel):
    valid_from: date | None
    valid_until: date | None
    hours: list[Opening]


class Hours(BaseModel):
    store_id: str
    hours_given: bool = Field(description="false: no hours were ever given, the store is open 24 x 7")
    hours: list[Opening]
    openingHoursSpecification: list[OpeningHoursSpecification]  # noqa: N815 - their name
    valid_from: date | None = Field(description="the first local day of this week; null: it held ever since")
    valid_until: date | None = Field(description="the first local day of the next week; null: there is none")
    weeks: list[HeldWeek] = Field(description="all weeks of the store, in order")


class HoursSet(Hours):
    past_days_changed: int = Field(
        description="local days before today, since the store's first poll, that have other hours now"
    )


class HoursQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")
    on: DayText = Field(
        default="",
        examples=["2023-11-01"],
        description="the week in force on this local day, in place of the week of today",
    )


@blueprint.get("/hours/<id:store_id>", operation_id="getHours", responses={"200": answer("The week", Hours)})
@needs(READ)
def get_hours(path: StorePath, query: HoursQuery) -> Response:
    """The week of a store that is in force today, and all its weeks."""
    course = weeks.course(database(), caller(), path.store_id, now_us(), _hold())
    on = date.fromisoformat(query.on) if query.on else course.today
    return tagged(_shown(path.store_id, course, on))


@blueprint.put(
    "/hours/<id:store_id>", operation_id="setHours", responses={"200": answer("The week of today", HoursSet)}
)
@needs(WRITE)
def set_hours(path: StorePath, body: NewWeek) -> Response:
    """Give a store another week: from today on, unless `valid_from` says otherwise. For operators, and
    managers of its groups.
    """
    rows = weekly.read_hours(_frame(body.hours)).good.select("day", "start_s", "end_s").rows()
    since = weekly.since_of(body.valid_from) if body.valid_from else weekly.NOT_SAID
    return _set(path.store_id, rows, since)


@blueprint.delete(
    "/hours/<id:store_id>", operation_id="deleteHours", responses={"200": answer("No hours", HoursSet)}
)
@needs(WRITE)
def delete_hours(path: StorePath) -> Response:
    """Take the hours of a store away, those of its past too: without hours it is open 24 x 7."""
    return _set(path.store_id, None, weekly.ALWAYS)


def _set(store_id: str, wanted: Week, since: int) -> Response:
    def check(present: Course) -> None:
        check_tag(_shown(store_id, present, present.today))

    course, past = weeks.set_week(database(), caller(), store_id, wanted, check, now_us(), _hold(since))
    shown = _shown(store_id, course, course.today)
    response = jsonify(shown | {"past_days_changed": past})
    response.set_etag(tag_of(shown))
    return response


def _hold(since: int = weekly.NOT_SAID) -> HoursFrom:
    return HoursFrom(since, default_request().default_zone)


def _frame(hours: list[Opening]) -> pl.DataFrame:
    """A week as rows of a file; `line` is the index."""
    columns = [
        range(len(hours)),
        ["-"] * len(hours),  # the store's id is in the path
        [str(opening.day) for opening in hours],
        [opening.opens for opening in hours],
        [opening.closes for opening in hours],
    ]
    schema = {"line": pl.Int64} | dict.fromkeys(weekly.HOURS_COLUMNS, pl.String)
    return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema)


def _shown(store_id: str, course: Course, on: date) -> dict[str, Any]:
    held = course.on(on)
    rows = _openings(held.openings) if held else []
    told = rows if held else [{"day": day, "opens": "00:00", "closes": "24:00"} for day in range(7)]
    return {
        "store_id": store_id,
        "hours_given": held is not None,
        "hours": rows,
        "openingHoursSpecification": [_specification(**row) for row in told],
        **_held(held.valid_from if held else None, held.until if held else None),
        "weeks": [
            _held(week.valid_from, week.until) | {"hours": _openings(week.openings)} for week in course.weeks
        ],
    }


def _held(first: date | None, until: date | None) -> dict[str, str | None]:
    return {"valid_from": _day(first), "valid_until": _day(until)}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _openings(rows: list[tuple[int, int, int]]) -> list[dict[str, Any]]:
    return [
        {"day": day, "opens": weekly.clock(start), "closes": weekly.clock(end)} for day, start, end in rows
    ]


def _specification(day: int, opens: str, closes: str) -> dict[str, str]:
    """schema.org has no 24:00: midnight at the end of a day is 23:59 there, as readers take it."""
    return {
        "@type": "OpeningHoursSpecification",
        "dayOfWeek": f"https://schema.org/{weekly.WEEKDAYS[day]}",
        "opens": opens,
        "closes": "23:59" if closes == "24:00" else closes,
    }
