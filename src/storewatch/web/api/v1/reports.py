"""Reports: asked for, listed, read, pinned, cancelled, removed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, url_for

from storewatch.domain.clock import SECOND
from storewatch.domain.permissions import ADMINISTER, READ, WRITE
from storewatch.errors import UsageError
from storewatch.formats.report_json import window_object
from storewatch.services import announcing, reporting, reports
from storewatch.services.report_figures import WindowFigures
from storewatch.services.reports import Found
from storewatch.storage import tables
from storewatch.storage.reports import Which
from storewatch.web.access import caller, needs
from storewatch.web.api.reports import waited_for
from storewatch.web.api.v1.common import (
    answer,
    check_tag,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tagged,
)
from storewatch.web.api.v1.report_models import (
    NewReport,
    Pin,
    Report,
    ReportPage,
    ReportPath,
    ReportQuery,
    WaitQuery,
    WebhookSecret,
)
from storewatch.web.context import now_us

blueprint = resource("Reports", "Up and down of many stores in windows of time that end at one instant.")


def _link(operation: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"report_id": "$response.body#/report_id"}}


_LINKS = {
    "read": _link("getReport"),
    "pin": _link("pinReport"),
    "cancel": _link("cancelReport"),
    "rows": _link("listReportRows"),
    "file": _link("getReportFile"),
    "remove": _link("deleteReport"),
}


@blueprint.get("/reports", operation_id="listReports", responses={"200": answer("Newest first", ReportPage)})
@needs(READ)
def list_reports(query: ReportQuery) -> Response:
    """The reports that you made; everybody's for operators."""
    which = Which(query.status or None, {"true": True, "false": False}.get(query.pinned))
    found = reports.page(database(), caller(), which, _after(query.cursor), query.limit + 1)
    return page(
        [_line(report) for report in found],
        query.limit,
        lambda last: cursor_of(last["created_at"], last["report_id"]),
    )


@blueprint.post(
    "/reports",
    operation_id="createReport",
    responses={"202": answer("It waits to be made", Report, links=_LINKS)},
)
@needs(WRITE)
def create_report(body: NewReport) -> Response:
    """Ask for a report. It is made in the background: read it with `wait`, or give a `webhook`."""
    report_id = reporting.trigger(database(), caller(), body.request(), now_us())
    response = tagged(_shown(reports.get(database(), caller(), report_id)), 202)
    response.headers["Location"] = url_for("api_reports.get_report", report_id=report_id)
    return response


@blueprint.get(
    "/reports/<report_id>",
    operation_id="getReport",
    responses={"200": answer("The report", Report, links=_LINKS)},
)
@needs(READ)
def get_report(path: ReportPath, query: WaitQuery) -> Response:
    """How a report stands, and when it is complete what it says of all its stores together."""
    waited_for(path.report_id, query.wait)
    return tagged(_shown(reports.get(database(), caller(), path.report_id)))


@blueprint.patch(
    "/reports/<report_id>", operation_id="pinReport", responses={"200": answer("The report", Report)}
)
@needs(WRITE)
def pin_report(path: ReportPath, body: Pin) -> Response:
    """Pin a report, so that it is kept whatever its age, or unpin it."""

    def check(present: Found) -> None:
        check_tag(_shown(present))

    return tagged(_shown(reports.pin(database(), caller(), path.report_id, body.pinned, check)))


@blueprint.post(
    "/reports/<report_id>/cancel",
    operation_id="cancelReport",
    responses={"200": answer("The report", Report)},
)
@needs(WRITE)
def cancel_report(path: ReportPath) -> Response:
    """Cancel a report that waits or runs: its rows will never be seen. 409 if it is finished."""
    return tagged(_shown(reports.cancel(database(), caller(), path.report_id)))


@blueprint.delete(
    "/reports/<report_id>",
    operation_id="deleteReport",
    responses={"204": answer("It is gone, with its rows")},
)
@needs(WRITE)
def delete_report(path: ReportPath) -> tuple[str, int]:
    """Delete a report and its rows, in whatever state it is."""
    reports.delete(database(), caller(), path.report_id)
    return "", 204


@blueprint.get(
    "/webhook-secret",
    operation_id="getWebhookSecret",
    responses={"200": answer("The secret that every announcement is signed with", WebhookSecret)},
)
@needs(ADMINISTER)
def webhook_secret() -> dict[str, str]:
    """The key of the HMAC-SHA256 in Storewatch-Signature, by which a receiver knows that it was us."""
    return {"secret": announcing.secret(database(), caller())}


def _after(cursor: str) -> tuple[datetime, UUID] | None:
    values = read_cursor(cursor, str, str)
    if values is None:
        return None
    try:
        return datetime.fromisoformat(values[0]), UUID(values[1])
    except ValueError as error:
        raise UsageError("cursor is none that this list gave", field="cursor") from error


def _line(report: tables.Report) -> dict[str, Any]:
    """A report as a list has it."""
    windows = zip(report.window_names, report.window_us, strict=True)
    return {
        "report_id": str(report.report_id),
        "status": report.status,
        "progress": report.progress,
        "pinned": report.pinned,
        "as_of": instant(report.as_of or report.as_of_asked),
        "policy": report.policy,
        "max_gap_seconds": report.max_gap_us / SECOND,
        "seen_within_seconds": report.seen_within_us / SECOND,
        "default_zone": report.default_zone,
        "windows": [{"name": name, "length_seconds": length / SECOND} for name, length in windows],
        "webhook": report.webhook,
        "error": report.error,
        "created_at": instant(report.created_at),
        "started_at": instant(report.started_at),
        "finished_at": instant(report.finished_at),
    }


def _shown(found: Found) -> dict[str, Any]:
    """A report as it is answered alone."""
    summary = found.summary
    return _line(found.report) | {
        "store_ids": found.store_ids,
        "group_ids": None if found.group_ids is None else [str(one) for one in found.group_ids],
        "stores": summary.stores if summary else None,
        "assumed_open_24x7": summary.open_24x7 if summary else None,
        "assumed_default_zone": summary.default_zone if summary else None,
        "figures": {window.name: _figures(window) for window in summary.windows} if summary else None,
        "raw_figures": {window.name: _figures(window) for window in summary.raw_windows}
        if summary and summary.raw_windows
        else None,
        "exceptions": [
            {"exception_id": str(row.exception_id), "effect": row.effect, "note": row.note}
            for row in found.exceptions
        ],
    }


def _figures(window: WindowFigures) -> dict[str, Any]:
    bounds = (window.down_min, window.down_max)
    return window_object(window.up, window.down, window.unknown, window.seen, window.excluded, *bounds)
