"""/: start a report, see it run, the latest reports."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from storewatch.domain.permissions import READ, WRITE
from storewatch.errors import NoPollsError
from storewatch.services import report_figures, reporting
from storewatch.storage.db import Database
from storewatch.storage.tables import Report
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request, now_us
from storewatch.web.words import age, assumptions, figure_rows, instant, stores

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class Line:
    """A report in the list of the latest."""

    report: Report
    made: str
    as_of: str
    stores: str
    classic: bool


@blueprint.get("/")
@needs(READ)
def home() -> str:
    """The page. While a report runs it looks again every second, without a script."""
    found = reporting.latest(database(), caller())
    shown = found[0] if found else None
    summary = report_figures.seen(database(), caller(), shown) if shown else None
    counts = report_figures.stores(database(), caller(), found)
    return render_template(
        "home.html",
        state=_state(database(), shown),
        shown=shown,
        counted=stores(summary.stores) if summary else "",
        lines=[_line(report, counts.get(report.report_no)) for report in found],
        figures=figure_rows(summary.windows) if summary else None,
        assumed=assumptions(summary, shown.default_zone) if summary and shown else [],
        as_of=instant(shown.as_of) if shown and shown.as_of else "",
        data_age=age(shown.as_of, datetime.now(UTC)) if shown and shown.as_of else "",
    )


def _state(found: Database, shown: Report | None) -> str:
    """Which of its faces the page shows: empty, ready, running, complete, failed, cancelled."""
    if shown is not None:
        return "running" if shown.status == "queued" else shown.status
    return "ready" if reporting.has_polls(found) else "empty"


@blueprint.post("/")
@needs(WRITE)
def start() -> Response:
    """Starts a report as it is by default, and goes back to the page to watch it."""
    with suppress(NoPollsError):  # then the page itself says what to do
        reporting.trigger(database(), caller(), default_request(), now_us())
    return redirect(url_for("home.home"), 303)


def _line(report: Report, count: int | None) -> Line:
    shown = "" if count is None else f"{count:,}"
    as_of = instant(report.as_of) if report.as_of else ""
    return Line(report, instant(report.created_at), as_of, shown, reporting.is_classic(report))
