"""/reports/<report_id>: one report; its way, what it says, its rows, another one beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from storewatch.domain.permissions import READ, WRITE
from storewatch.errors import NotFoundError
from storewatch.services import report_pages, reporting, reports
from storewatch.services.report_pages import Comparison
from storewatch.services.reports import Found
from storewatch.storage.tables import Report
from storewatch.web import report_words, words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, now_us
from storewatch.web.pages.report_query import COVERAGE, DOWN, ROWS, Asking

blueprint = Blueprint("report_page", __name__)

_UNDER_WAY = ("queued", "running")


@blueprint.get("/reports/<uuid:report_id>")
@needs(READ)
def page(report_id: UUID) -> str:
    """The report as it stands: on its way, failed, cancelled, or complete with its rows."""
    found = _found(report_id)
    if found.report.status != "complete":
        return render_template("report_way.html", report=found.report, words=words, **_way(found.report))
    return render_template("report.html", **_complete(found))


@blueprint.get("/reports/<uuid:report_id>/progress")
@needs(READ)
def progress(report_id: UUID) -> Response:
    """How far it is, as a piece of the page, which is loaded anew once the report is finished."""
    report = _found(report_id).report
    response = make_response(
        render_template("_report_progress.html", report=report, words=words, **_way(report))
    )
    if report.status not in _UNDER_WAY:
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.get("/reports/<uuid:report_id>/late")
@needs(READ)
def late(report_id: UUID) -> str | BaseResponse:
    """How many polls of its time came after it: a piece of the page, asked for beside it, for to count them
    takes longer than the page.
    """
    report = _found(report_id).report
    if report.status != "complete":
        return redirect(url_for("report_page.page", report_id=report_id), 303)
    found = report_pages.late(database(), report)
    whole = "HX-Request" not in request.headers
    return render_template("report_late.html" if whole else "_report_late.html", report=report, late=found)


@blueprint.post("/reports/<uuid:report_id>/cancel")
@needs(WRITE)
def cancel(report_id: UUID) -> BaseResponse:
    """Cancels a report that waits or runs."""
    reports.cancel(database(), caller(), report_id)
    return redirect(url_for("report_page.page", report_id=report_id), 303)


@blueprint.post("/reports/<uuid:report_id>/again")
@needs(WRITE)
def again(report_id: UUID) -> BaseResponse:
    """Starts a report by the same request, and leads to it; `same_time`: as of the same instant."""
    same_time = request.form.get("same_time") == "1"
    made = report_pages.again(database(), caller(), report_id, now_us(), same_time=same_time)
    return redirect(url_for("report_page.page", report_id=made), 303)


def _found(report_id: UUID) -> Found:
    try:
        return reports.get(database(), caller(), report_id)
    except NotFoundError:
        raise NotFoundError(
            f"There is no report {report_id}, or not any more: reports that nobody pinned are removed after"
            " some time. Open another one on the page Reports, or start a new one there."
        ) from None


def _way(report: Report) -> dict[str, Any]:
    way = report_pages.way(database(), caller(), report) if report.status in _UNDER_WAY else None
    done = way.stores * report.progress // 99 if way else 0
    return {"way": way, "done": done, "under_way": way is not None}


def _complete(found: Found) -> dict[str, Any]:
    report, summary = found.report, found.summary
    assert summary is not None and report.as_of is not None  # noqa: S101, PT018 - it is complete
    shown = report_words.columns(report)
    email = report_pages.started_by(database(), caller(), report)
    asking = Asking.of_request(shown)
    sheet = report_pages.sheet(database(), caller(), report, asking.asked(), asking.offset, ROWS)
    other = _compared(report, asking)
    return {
        "report": report,
        "summary": summary,
        "columns": shown,
        "asking": asking,
        "choices": {"down": DOWN, "coverage": COVERAGE},
        "sheet": sheet,
        "rows": [report_words.row(row, shown) for row in sheet.rows],
        "classic": reporting.is_classic(report),
        "figures": words.figure_rows(summary.windows),
        "assumed": words.assumptions(summary, report.default_zone),
        "counted": report_words.counted(report, len(found.exceptions), email),
        "age": words.age(report.as_of, datetime.now(UTC)),
        "groups": report_pages.groups_of(database(), caller()),
        "others": report_pages.others(database(), caller(), report),
        "other": other,
        "changes": report_words.changes(other.before.windows, summary.windows) if other else [],
        "maybe_late": report_pages.may_be_late(database(), report),
        "say": report_words,
        "words": words,
    }


def _compared(report: Report, asking: Asking) -> Comparison | None:
    if asking.other is None:
        return None
    return report_pages.compared(database(), caller(), report, asking.other)
