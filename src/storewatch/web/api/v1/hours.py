"""The opening hours of a store, as a whole week."""

from __future__ import annotations

from typing import Annotated, Any

import polars as pl
from flask import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from storewatch.domain import weekly
from storewatch.domain.permissions import READ, WRITE
from storewatch.services import weeks
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import Body, Whole, answer, check_tag, database, resource, tagged
from storewatch.web.api.v1.stores import StorePath

blueprint = resource("Opening hours", "When a store is open, week by week, in its own local time.")

Time = Annotated[str, StringConstraints(pattern=weekly.TIME_OF_DAY)]


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


class Hours(BaseModel):
    store_id: str
    hours_given: bool = Field(description="false: no hours were ever given, the store is open 24 x 7")
    hours: list[Opening]
    openingHoursSpecification: list[OpeningHoursSpecification]  # noqa: N815 - their name


@blueprint.get("/hours/<id:store_id>", operation_id="getHours", responses={"200": answer("The week", Hours)})
@needs(READ)
def get_hours(path: StorePath) -> Response:
    """The week of a store."""
    return tagged(_shown(path.store_id, weeks.week(database(), caller(), path.store_id)))


@blueprint.put("/hours/<id:store_id>", operation_id="setHours", responses={"200": answer("The week", Hours)})
@needs(WRITE)
def set_hours(path: StorePath, body: NewWeek) -> Response:
    """Replace the whole week of a store. For operators, and managers of its groups."""
    rows = weekly.read_hours(_frame(body.hours)).good.select("day", "start_s", "end_s").rows()
    return _set(path.store_id, rows)


@blueprint.delete(
    "/hours/<id:store_id>", operation_id="deleteHours", responses={"200": answer("No hours", Hours)}
)
@needs(WRITE)
def delete_hours(path: StorePath) -> Response:
    """Take the hours of a store away: without hours it is open 24 x 7."""
    return _set(path.store_id, None)


def _set(store_id: str, wanted: weeks.Week) -> Response:
    def check(present: weeks.Week) -> None:
        check_tag(_shown(store_id, present))

    return tagged(_shown(store_id, weeks.set_week(database(), caller(), store_id, wanted, check)))


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


def _shown(store_id: str, week: weeks.Week) -> dict[str, Any]:
    rows = [(day, weekly.clock(start), weekly.clock(end)) for day, start, end in week or []]
    told = rows if week is not None else [(day, "00:00", "24:00") for day in range(7)]
    return {
        "store_id": store_id,
        "hours_given": week is not None,
        "hours": [{"day": day, "opens": opens, "closes": closes} for day, opens, closes in rows],
        "openingHoursSpecification": [_specification(*row) for row in told],
    }


def _specification(day: int, opens: str, closes: str) -> dict[str, str]:
    """schema.org has no 24:00: midnight at the end of a day is 23:59 there, as readers take it."""
    return {
        "@type": "OpeningHoursSpecification",
        "dayOfWeek": f"https://schema.org/{weekly.WEEKDAYS[day]}",
        "opens": opens,
        "closes": "23:59" if closes == "24:00" else closes,
    }
