"""What is said and answered about reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema

from storewatch.domain.availability import Policy
from storewatch.domain.clock import DAY, SECOND, parse_instant
from storewatch.domain.windows import CLASSIC, Elapsed
from storewatch.outbound import webhooks
from storewatch.services import reporting
from storewatch.services.reporting import Request
from storewatch.web.api.v1.common import Body, Number, PageQuery, Query, StoreId
from storewatch.web.context import default_request

Status = Literal["queued", "running", "complete", "failed", "cancelled"]


def _instant(text: str) -> str:
    if parse_instant(text) is None:
        raise ValueError("write it like 2023-01-25T18:13:22Z")
    return text


AsOf = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _seconds(least: int, most: int, **more: Any) -> Any:
    """A number of seconds, between bounds in microseconds."""
    return Field(ge=least // SECOND, le=most // SECOND, **more)


class Window(Body):
    name: str = Field(pattern=reporting.WINDOW_NAME, examples=["last_month"])
    length_seconds: Number = _seconds(
        reporting.MIN_WINDOW,
        reporting.MAX_WINDOW,
        description="elapsed time, up to `as_of`",
        examples=[2592000],
    )


_USUAL = [Window(name=window.name, length_seconds=window.length_us / SECOND) for window in CLASSIC]


class NewReport(Body):
    """All of it may be left out."""

    store_ids: list[StoreId] | None = Field(
        default=None, min_length=1, max_length=reporting.MOST_STORES, description="left out: every store"
    )
    group_ids: list[UUID] | None = Field(
        default=None,
        min_length=1,
        max_length=reporting.MOST_GROUPS,
        description="beside those of `store_ids`",
    )
    as_of: AsOf | None = Field(
        default=None,
        description="the end of the windows, UTC without an offset; left out: the newest poll",
        examples=["2023-01-25T18:13:22Z"],
    )
    policy: Literal["nearest", "previous"] = Field(
        default="nearest",
        description="whose state holds between two polls: the nearest one's, or the one before's",
    )
    max_gap_seconds: Number = _seconds(
        reporting.MIN_GAP, reporting.MAX_GAP, default=DAY / SECOND, description="so far does a poll speak"
    )
    windows: list[Window] = Field(default=_USUAL, min_length=1, max_length=reporting.MOST_WINDOWS)
    webhook: str | None = Field(
        default=None,
        max_length=webhooks.MAX_URL,
        description="an http or https address that gets a POST when the report is finished",
        examples=["https://example.com/storewatch"],
    )

    def request(self) -> Request:
        """As the service takes it."""
        return replace(
            default_request(),
            as_of=None if self.as_of is None else parse_instant(self.as_of),
            policy=Policy(self.policy),
            max_gap=round(self.max_gap_seconds * SECOND),
            windows=tuple(Elapsed(w.name, round(w.length_seconds * SECOND)) for w in self.windows),
            store_ids=None if self.store_ids is None else tuple(self.store_ids),
            group_ids=None if self.group_ids is None else tuple(self.group_ids),
            webhook=self.webhook,
        )


class ReportPath(BaseModel):
    report_id: UUID


class ReportQuery(PageQuery):
    status: Literal["", "queued", "running", "complete", "failed", "cancelled"] = ""
    pinned: Literal["", "true", "false"] = ""


class WaitQuery(Query):
    wait: int = Field(
        default=0,
        ge=0,
        le=60,
        description="so many seconds the answer may take, if it is not finished before",
    )


class Pin(Body):
    pinned: bool = Field(strict=True, description="true: kept whatever its age")


class FleetFigures(BaseModel):
    open_seconds: float
    up_seconds: float
    down_seconds: float
    down_min_seconds: float | None = Field(description="at least; null in reports of older versions")
    down_max_seconds: float | None = Field(description="at most")
    unknown_seconds: float
    excluded_seconds: float = Field(description="open time that an exception takes out")
    seen_seconds: float
    inferred_seconds: float
    coverage: float | None = Field(description="seen, of open; 0 to 1")
    availability: float | None = Field(description="up, of up and down; 0 to 1")


class ReportLine(BaseModel):
    report_id: str
    status: Status
    progress: int = Field(description="per cent")
    pinned: bool
    as_of: str | None = Field(description="null: not known yet")
    policy: str
    max_gap_seconds: float
    seen_within_seconds: float
    default_zone: str
    windows: list[Window]
    webhook: str | None
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class ReportException(BaseModel):
    exception_id: str
    effect: str
    note: str


class Report(ReportLine):
    store_ids: list[str] | None = Field(description="as asked for, those that you may see; null: every store")
    group_ids: list[str] | None
    stores: int | None = Field(description="how many rows you may see; null: not complete")
    assumed_open_24x7: int | None = Field(description="stores of those that gave no opening hours")
    assumed_default_zone: int | None = Field(description="stores of those that gave no zone")
    figures: dict[str, FleetFigures] | None = Field(description="all those stores together, by window")
    raw_figures: dict[str, FleetFigures] | None = Field(
        description="the same without exceptions; null: none had a part in it"
    )
    exceptions: list[ReportException] = Field(description="those that had a part in it, and that you may see")


class ReportPage(BaseModel):
    items: list[ReportLine]
    next_cursor: str | None


class WebhookSecret(BaseModel):
    secret: str
