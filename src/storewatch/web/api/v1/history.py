"""Availability by day, week and month of the stores' own calendars, and by hour of the week."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from flask import Response, jsonify
from pydantic import AfterValidator, Field, StringConstraints

from storewatch.domain.permissions import READ
from storewatch.services import periods
from storewatch.services.periods import Asked, ByPeriod
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import answer, database, resource
from storewatch.web.api.v1.figures import (
    ChosenQuery,
    Costs,
    Figures,
    FiguresQuery,
    Present,
    Times,
    currency,
    told_bounds,
    told_lost,
    told_present,
    told_times,
    told_totals,
)

blueprint = resource("History", "Availability by day, week and month of the stores' own calendars.")

_EPOCH = date(1970, 1, 1)


def _day_of(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _checked(text: str) -> str:
    day = _day_of(text)
    if day is not None and not date(2000, 1, 1) <= day <= date(2100, 1, 1):
        raise ValueError("write a day from 2000 to 2100")
    return text


DayText = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", max_length=10),
    AfterValidator(_checked),
]


class DaysQuery(ChosenQuery, FiguresQuery):
    """Which local days of the stores."""

    first_day: DayText = Field(default="", description="left out: 30 days in all", examples=["2023-01-01"])
    last_day: DayText = Field(default="", description="included; left out: that of as_of in UTC")

    def asked(self) -> Asked:
        """As the services take it."""
        days = (_day_of(self.first_day), _day_of(self.last_day))
        return Asked(*(None if day is None else (day - _EPOCH).days for day in days))


class HistoryQuery(DaysQuery):
    by: Literal["day", "week", "month", "quarter"] = Field(default="day", description="weeks begin on Monday")


class Period(Figures, Costs):
    first_day: date = Field(description="of the period, as far as it was asked for")
    last_day: date
    complete: bool = Field(description="false: it was not over everywhere at as_of")
    longest_outage_seconds: float | None = Field(description="within a day; null for longer periods")


class History(Present):
    by: str
    stores: int = Field(description="of how many stores a day is counted")
    currency: str
    stores_without_revenue: int = Field(description="of these, how many `lost` leaves out")
    items: list[Period] = Field(description="in order; those of which no store has a day are left out")


class WeekHour(Times):
    weekday: int = Field(description="0 Monday … 6 Sunday")
    hour: int = Field(description="0 … 23, on the store's clock")


class WeekHours(Present):
    stores: int = Field(description="of how many stores a day is counted")
    first_day: date
    last_day: date
    complete: bool = Field(description="false: the last day was not over everywhere at as_of")
    items: list[WeekHour] = Field(description="168, from Monday 0 to Sunday 23")


@blueprint.get(
    "/history", operation_id="getHistory", responses={"200": answer("The periods in order", History)}
)
@needs(READ)
def get_history(query: HistoryQuery) -> Response:
    """By day, week, month or quarter of each store's own calendar, added up over the stores.

    A store is counted from the day on in which its first poll speaks. At most 3,660 days, and 500,000 stores
    x days, may be asked for at once. An outage over midnight is one in a week or month that holds it.
    """
    found = periods.by_period(database(), caller(), query.chosen(), query.by, query.asked(), query.usual())
    return jsonify(
        **told_present(found.as_of),
        by=query.by,
        stores=found.stores,
        currency=currency(),
        stores_without_revenue=found.unpriced,
        items=_shown(found, query.by == "day"),
    )


@blueprint.get(
    "/history/week",
    operation_id="getHistoryByHourOfWeek",
    responses={"200": answer("168 hours of the week", WeekHours)},
)
@needs(READ)
def get_week(query: DaysQuery) -> Response:
    """By weekday and hour, as the stores' own clocks show it; bounds as for the days."""
    found = periods.by_week_hour(database(), caller(), query.chosen(), query.asked(), query.usual())
    items = [
        {"weekday": hour // 24, "hour": hour % 24, **told_times(*told[:5])}
        for hour, told in enumerate(found.told.tolist())
    ]
    return jsonify(
        **told_present(found.as_of),
        stores=found.stores,
        first_day=_day(found.first_day),
        last_day=_day(found.last_day),
        complete=found.complete,
        items=items,
    )


def _shown(found: ByPeriod, with_longest: bool) -> list[dict[str, Any]]:
    sums = found.sums
    figures = (sums.totals, sums.outages, sums.longest, sums.down_min, sums.down_max, sums.days)
    columns = (found.first, found.last, found.complete, *figures)
    rows = zip(*(column.tolist() for column in columns), found.lost, strict=True)
    return [
        {
            "first_day": _day(first),
            "last_day": _day(last),
            "complete": complete,
            **told_totals(totals),
            **told_bounds(down_min, down_max),
            "outages": outages,
            "longest_outage_seconds": longest / 1_000_000 if with_longest else None,
            **told_lost(lost),
        }
        for first, last, complete, totals, outages, longest, down_min, down_max, days, lost in rows
        if days
    ]


def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).isoformat()
