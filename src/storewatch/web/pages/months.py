"""/months/<month>: a month of all stores that one sees, of a group or a store, to read and to print."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, current_app, render_template, request, url_for

from storewatch.domain.clock import DAY, from_us
from storewatch.domain.cost import rounded
from storewatch.domain.permissions import READ
from storewatch.errors import NoPollsError, NotFoundError, UsageError
from storewatch.services import month as months
from storewatch.services import month_parts
from storewatch.services.chosen import Chosen
from storewatch.services.month import Month
from storewatch.services.month_outages import Outages
from storewatch.services.reporting import Request
from storewatch.web import level_words, store_words, times, words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request, intended_reasons
from storewatch.web.pages.store import figures_of

blueprint = Blueprint("months", __name__)

_EPOCH = date(1970, 1, 1).toordinal()
_WORST = 10


@blueprint.get("/months/<month>")
@needs(READ)
def page(month: str) -> str:
    """The page. `group` or `store` choose of which stores."""
    begin, end = _days_of(month)
    chosen, usual, title = _chosen(), default_request(), level_words.month(begin)
    try:
        found = months.month(database(), caller(), chosen, begin, end, _WORST, usual, intended_reasons())
    except NoPollsError:
        return render_template("month.html", found=None, title=title)
    whole = found.sums.whole
    lost = whole.lost if found.sums.priced and found.sums.unpriced is not None else None
    return render_template(
        "month.html",
        found=found,
        title=title,
        headline=headline(found, title),
        figures=figures_of(whole.totals),
        lost=lost and f"{rounded(lost.whole):,}",
        apart=found.sums.unpriced is None,
        days=[day for day in found.sums.days if sum(day.totals)],
        earlier=_link(begin - 1, chosen) if months.months_before(found) else None,
        later=_link(end + 1, chosen) if end + 1 <= found.as_of // DAY + 1 else None,
        outages_at=_address("months.outages", month, chosen),
        costs_at=_address("months.costs", month, chosen),
        exceptions=[store_words.exception(each, _zone(found, usual)) for each in found.exceptions],
        as_of=words.instant(from_us(found.as_of)),
        near=times.length(usual.seen_within),
        gap=times.length(usual.max_gap),
        **_said(begin, end),
    )


@blueprint.get("/months/<month>/outages")
@needs(READ)
def outages(month: str) -> str:
    """A part of the page: the outages of the stores that were down longest, or of the store."""
    begin, end = _days_of(month)
    asked = (database(), caller(), _chosen(), begin, end, _WORST, default_request(), intended_reasons())
    try:
        found = month_parts.outages_of(*asked)
    except NoPollsError:
        found = Outages(0, [], {})
    return _part("_month_outages.html", month, begin, end, of=found, head="The longest outages")


@blueprint.get("/months/<month>/costs")
@needs(READ)
def costs(month: str) -> str:
    """A part of the page: what the downtime cost."""
    begin, end = _days_of(month)
    try:
        found = month_parts.costs_of(database(), caller(), _chosen(), begin, end, _WORST, default_request())
    except NoPollsError:
        found = None
    return _part("_month_costs.html", month, begin, end, of=found, head="What the downtime cost")


def _part(template: str, month: str, begin: int, end: int, *, of: object, head: str) -> str:
    """As a page of its own for who came by the link."""
    said = {"of": of, "head": head} | _said(begin, end)
    if request.headers.get("HX-Request"):
        return render_template(template, **said)
    back = _address("months.page", month, _chosen())
    return render_template(
        "month_part.html", part=template, back=back, title=level_words.month(begin), **said
    )


def _said(begin: int, end: int) -> dict[str, Any]:
    """How the page and its parts say things."""
    return {
        "first": level_words.on(begin).isoformat(),
        "last": level_words.on(end).isoformat(),
        "currency": current_app.extensions["storewatch.settings"].currency,
        "figures_of": figures_of,
        "say": level_words,
        "money": lambda cost: "–" if cost is None else f"{rounded(cost.whole):,}",
        "times": times,
        "words": words,
        "share": words.share,
    }


def _zone(found: Month, usual: Request) -> str:
    """Whose clock tells of exceptions with fixed instants: that of the stores, if they have one."""
    return found.zones[0] if len(found.zones) == 1 else usual.default_zone


def _days_of(month: str) -> tuple[int, int]:
    """Its first and last day, counted from 1970."""
    first = _first(month)
    begin = first.toordinal() - _EPOCH
    return begin, begin + calendar.monthrange(first.year, first.month)[1] - 1


def _first(month: str) -> date:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month, re.ASCII):
        raise NotFoundError(f"There is no month '{month[:20]}': write it like /months/2026-01")
    return date.fromisoformat(f"{month}-01")


def _chosen() -> Chosen:
    group, store = request.args.get("group", ""), request.args.get("store", "")
    if "\0" in store:  # which the database can't even look up
        raise NotFoundError("There is no such store")
    if group and store:
        raise UsageError("Give store or group, not both", field="group")
    try:
        return Chosen(store or None, UUID(group) if group else None)
    except ValueError:
        raise UsageError("group is the id of a group, as its page's address has it", field="group") from None


def _link(day: int, chosen: Chosen) -> tuple[str, str]:
    """(address, words) of the month that a day is in."""
    return _address("months.page", f"{level_words.on(day):%Y-%m}", chosen), level_words.month(day)


def _address(endpoint: str, month: str, chosen: Chosen) -> str:
    asked = {"store": chosen.store_id, "group": chosen.group_id and str(chosen.group_id)}
    query = urlencode({name: value for name, value in asked.items() if value})
    path = url_for(endpoint, month=month)
    return f"{path}?{query}" if query else path


def headline(found: Month, month: str) -> str:
    """The answer in a sentence."""
    figures = figures_of(found.sums.whole.totals)
    who = found.of or "All stores"
    if figures.availability is None:
        return f"{who}: nothing is known of {month}."
    so_far = "" if found.complete else ", so far"
    return f"{who}: up {words.share(figures.availability, 2)} of {month}{so_far}."
