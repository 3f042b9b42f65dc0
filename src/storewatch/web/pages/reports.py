"""/reports: start a report, the latest reports."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain.availability import Policy
from storewatch.domain.clock import parse_duration, parse_instant
from storewatch.domain.permissions import READ, WRITE
from storewatch.domain.windows import Elapsed
from storewatch.errors import NoPollsError, NotFoundError, UsageError
from storewatch.services import report_figures, report_pages, reporting, reports
from storewatch.services.reporting import MAX_WINDOW, MIN_WINDOW, Request
from storewatch.storage.db import Database
from storewatch.storage.reports import Which
from storewatch.storage.tables import Report
from storewatch.web import report_words, words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request, now_us
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong, wrong
from storewatch.web.words import CHOSEN, age, instant

blueprint = Blueprint("reports_page", __name__)

_LISTED = 25
_FIELDS = ("since", "as_of", "policy", "max_gap", "group", "stores")


@dataclass(frozen=True)
class Line:
    """A report in the list of the latest."""

    report: Report
    made: str
    as_of: str
    about: str
    stores: str
    classic: bool


@blueprint.get("/reports")
@needs(READ)
def page() -> str:
    """The page. While the latest report runs it looks again every ten seconds, without a script."""
    return _page()


@blueprint.post("/reports")
@needs(WRITE)
def start() -> Response | tuple[str, int]:
    """Starts a report, as it is by default where the form says nothing, and leads to it."""
    try:
        report_id = reporting.trigger(database(), caller(), _asked(), now_us())
    except NoPollsError:  # then the page itself says what to do
        return redirect(url_for("reports_page.page"), 303)
    except (UsageError, NotFoundError) as error:
        told, status = wrong("start", _renamed(error), *_FIELDS)
        return _page(told), status
    return redirect(url_for("report_page.page", report_id=report_id), 303)


def _page(told: Wrong = NOTHING_WRONG) -> str:
    after = _after()
    found = reports.page(database(), caller(), Which(), after, _LISTED + 1)
    counts = report_figures.stores(database(), caller(), found[:_LISTED])
    latest = found[0] if found and after is None else None
    return render_template(
        "reports.html",
        state=_state(database(), latest, further=after is not None),
        latest=latest,
        lines=[_line(report, counts.get(report.report_no)) for report in found[:_LISTED]],
        next=_mark(found[_LISTED - 1]) if len(found) > _LISTED else None,
        further=after is not None,
        groups=report_pages.groups_of(database(), caller()),
        has_polls=reporting.has_polls(database()),
        wrong=told,
        usual=default_request(),
        words=words,
        age=age(latest.as_of, datetime.now(UTC)) if latest and latest.as_of else "",
    )


def _state(found: Database, latest: Report | None, *, further: bool) -> str:
    """Which of its faces the page shows: further, empty, ready, running, complete, failed, cancelled."""
    if further:
        return "further"
    if latest is not None:
        return "running" if latest.status == "queued" else latest.status
    return "ready" if reporting.has_polls(found) else "empty"


def _line(report: Report, count: int | None) -> Line:
    return Line(
        report,
        instant(report.created_at),
        instant(report.as_of) if report.as_of else "",
        report_words.subject(report),
        "" if count is None else f"{count:,}",
        reporting.is_classic(report),
    )


# --- what is asked for ----------------------------------------------------------------------------


def _asked() -> Request:
    """The report that the form asks for. UsageError names the field that cannot be read."""
    said = {name: request.form.get(name, "").strip() for name in _FIELDS}
    changes: dict[str, Any] = {}
    if said["as_of"]:
        changes["as_of"] = _read(parse_instant(said["as_of"]), "as_of", "2026-01-31 18:00")
    if said["since"]:
        changes["windows"] = (_window(said["since"], changes.get("as_of")),)
    if said["max_gap"]:
        changes["max_gap"] = _read(parse_duration(said["max_gap"]), "max_gap", "45m, 3h or 1d")
    if said["policy"]:
        changes["policy"] = _policy(said["policy"])
    if said["group"]:
        changes["group_ids"] = (_group(said["group"]),)
    if said["stores"]:
        changes["store_ids"] = _stores(said["stores"])
    return replace(default_request(), **changes)


def _read(value: int | None, name: str, example: str) -> int:
    if value is None:
        raise UsageError(f"Write it like {example}", field=name)
    return value


def _window(text: str, as_of: int | None) -> Elapsed:
    """The window of one's own, from an instant up to the one that the report is of."""
    since = _read(parse_instant(text), "since", "2026-01-01 00:00")
    if as_of is None:
        raise UsageError("Say until when, too", field="as_of")
    if as_of <= since:
        raise UsageError("It must end after it begins", field="as_of")
    if not MIN_WINDOW <= as_of - since <= MAX_WINDOW:
        raise UsageError("From and up to may lie 1 minute to 366 days apart", field="since")
    return Elapsed(CHOSEN, as_of - since)


def _policy(text: str) -> Policy:
    with suppress(ValueError):
        return Policy(text)
    raise UsageError("Choose one of the rules", field="policy")


def _group(text: str) -> UUID:
    with suppress(ValueError):
        return UUID(text)
    raise UsageError("Choose one of the groups", field="group")


def _stores(text: str) -> tuple[str, ...]:
    """Ids, one a line."""
    ids = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not all(one.isprintable() and len(one) <= 200 for one in ids):
        raise UsageError("An id has 200 printable characters at most; write one a line", field="stores")
    return ids


def _renamed(error: UsageError | NotFoundError) -> UsageError | NotFoundError:
    """The same error, about a field of the form: the service has other names for some."""
    field = {"store_ids": "stores", "group_ids": "group"}.get(str(getattr(error, "field", "")))
    return UsageError(str(error), field=field) if field else error


# --- further ones ---------------------------------------------------------------------------------


def _mark(report: Report) -> str:
    """After which report the next page begins, as an address says it."""
    return f"{report.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}_{report.report_id}"


def _after() -> tuple[datetime, UUID] | None:
    moment, _, report_id = request.args.get("after", "").partition("_")
    with suppress(ValueError):
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(report_id)
    return None
