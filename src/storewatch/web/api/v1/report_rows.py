"""The rows of reports: by page, and as a file."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from storewatch.domain.clock import SECOND
from storewatch.domain.permissions import READ
from storewatch.errors import ConflictError, UsageError
from storewatch.formats.report_files import FORMATS
from storewatch.formats.report_json import row_object
from storewatch.services import reporting, reports
from storewatch.storage.report_rows import FIGURES, Asked
from storewatch.storage.tables import Report
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    PageQuery,
    Text,
    answer,
    cursor_of,
    database,
    page,
    read_cursor,
    resource,
)
from storewatch.web.api.v1.figures import FiguresQuery
from storewatch.web.api.v1.report_models import FleetFigures, ReportPath
from storewatch.web.streams import begun

blueprint = resource("Report rows", "What a report says of each store.")

_FIELDS = {
    f"{name}_seconds" if name not in ("coverage", "availability", "outages") else name: name
    for name in FIGURES
}
"""Figures by their names outside."""

Sort = Literal[
    "store_id",
    "name",
    "open_seconds",
    "up_seconds",
    "down_seconds",
    "down_min_seconds",
    "down_max_seconds",
    "unknown_seconds",
    "excluded_seconds",
    "seen_seconds",
    "inferred_seconds",
    "coverage",
    "availability",
    "outages",
    "longest_outage_seconds",
]
Seconds = float | SkipJsonSchema[None]
Share = float | SkipJsonSchema[None]


def _seconds() -> Any:
    return Field(default=None, ge=0, le=366 * 86_400, allow_inf_nan=False)


def _share() -> Any:
    return Field(default=None, ge=0, le=1, allow_inf_nan=False)


class RowsQuery(PageQuery):
    window: Text = Field(
        default="", description="whose figures sort and bounds are about; left out: the last one"
    )
    sort: Sort = Field(default="store_id", description="rows without such a figure come last")
    order: Literal["asc", "desc"] = "asc"
    q: Text = Field(default="", description="found in id, name or location, capitals or not")
    group_id: UUID | SkipJsonSchema[None] = None
    min_down_seconds: Seconds = _seconds()
    max_down_seconds: Seconds = _seconds()
    min_unknown_seconds: Seconds = _seconds()
    max_unknown_seconds: Seconds = _seconds()
    min_longest_outage_seconds: Seconds = _seconds()
    min_coverage: Share = _share()
    max_coverage: Share = _share()
    min_availability: Share = _share()
    max_availability: Share = _share()
    min_outages: int | SkipJsonSchema[None] = Field(default=None, ge=0, le=1_000_000)

    def bounds(self, side: str) -> dict[str, float]:
        """What `min_…` or `max_…` were given, as the storage has it."""
        said = {outside: getattr(self, f"{side}_{outside}", None) for outside in _FIELDS}
        return {_FIELDS[name]: _stored(name, value) for name, value in said.items() if value is not None}


class FileQuery(FiguresQuery):
    format: Literal["csv", "xlsx", "json", "parquet"] = "csv"
    form: Literal["classic", "extended"] = Field(
        default="classic",
        description="classic: the seven columns; extended: all figures of each window, in seconds",
    )


class RawFigures(BaseModel):
    up_seconds: float
    down_seconds: float
    unknown_seconds: float
    open_seconds: float


class StoreFigures(FleetFigures):
    outages: int | None = Field(description="null in reports that were made before outages were counted")
    longest_outage_seconds: float | None
    raw: RawFigures | None = Field(
        description="what it would be without exceptions; null: they change nothing of this store"
    )


class Row(BaseModel):
    store_id: str
    name: str | None
    location: str | None
    hours_given: bool | None = Field(description="false: taken as open 24 x 7")
    zone_given: bool | None = Field(description="false: taken to be in the default zone")
    windows: dict[str, StoreFigures]


class RowPage(BaseModel):
    items: list[Row]
    next_cursor: str | None


@blueprint.get(
    "/reports/<report_id>/rows",
    operation_id="listReportRows",
    responses={"200": answer("A page of rows", RowPage)},
)
@needs(READ)
def list_rows(path: ReportPath, query: RowsQuery) -> Response:
    """The rows of a complete report whose stores you may see now."""
    report = _complete(path.report_id)
    asked = Asked(
        _place(report, query.window),
        _FIELDS.get(query.sort, query.sort),
        query.order == "desc",
        query.q or None,
        query.group_id,
        query.bounds("min"),
        query.bounds("max"),
    )
    by_text = query.sort in ("store_id", "name")
    after = read_cursor(query.cursor, str if by_text else float, str)
    rows = reports.rows(database(), caller(), report, asked, after, query.limit + 1)
    keys = {row["store_id"]: row["key"] for row in rows}
    return page(
        [row_object(row, report.window_names) for row in rows],
        query.limit,
        lambda last: cursor_of(keys[last["store_id"]], last["store_id"]),
    )


_CONTENT = {
    kind.mimetype: {
        "schema": {"type": "object"} if name == "json" else {"type": "string", "format": "binary"}
    }
    for name, kind in FORMATS.items()
}


@blueprint.get(
    "/reports/<report_id>/file",
    operation_id="getReportFile",
    responses={"200": answer("The file", content=_CONTENT)},
)
@needs(READ)
def report_file(path: ReportPath, query: FileQuery) -> Response:
    """A complete report as a file, with the rows whose stores you may see now."""
    report = _complete(path.report_id)
    chunks = reports.file(
        database(),
        caller(),
        report,
        query.format,
        extended=query.form == "extended",
        raw=query.figures == "raw",
    )
    name = f'attachment; filename="{report.report_id}.{query.format}"'
    mimetype = FORMATS[query.format].mimetype
    return Response(begun(chunks), mimetype=mimetype, headers={"Content-Disposition": name})


def _complete(report_id: UUID) -> Report:
    report = reporting.get(database(), caller(), report_id)
    if report.status != "complete":
        raise ConflictError(f"The report is {report.status}: only a complete one has rows")
    return report


def _place(report: Report, window: str) -> int:
    if window and window not in report.window_names:
        raise UsageError(f"The report's windows are {', '.join(report.window_names)}", field="window")
    return report.window_names.index(window) if window else len(report.window_names) - 1


def _stored(name: str, value: float) -> float:
    """A bound in the units of storage: whole microseconds, shares and counts as they are."""
    return round(value * SECOND) if name.endswith("_seconds") else value
