"""What the page behind a link says of the days of a store, and what is said of links. Pure."""

from __future__ import annotations

from datetime import date

from storewatch.services.shared import Shared
from storewatch.web import times
from storewatch.web.pages.store import Figures

_EPOCH = date(1970, 1, 1).toordinal()


def name(of: Shared) -> str:
    """What the store is called."""
    return of.store.name or of.store.store_id


def headline(of: Shared, figures: Figures) -> str:
    """The answer, in a sentence."""
    if not figures.open:
        return f"{name(of)} was not open{_so_far(of)}."
    if figures.availability is None:
        return f"Nothing is known of {name(of)}{_so_far(of)}."
    if not figures.down:
        return f"{name(of)} was never seen down{_so_far(of)}."
    length = times.length(figures.down).replace(" ", "\N{NO-BREAK SPACE}")
    return f"{name(of)} was down for {length} of its opening hours{_so_far(of)}."


def _so_far(of: Shared) -> str:
    return "" if of.over else " so far"


def days(first: date, last: date) -> str:
    """`Mon 16 to Sun 22 Jan 2023`."""
    if first == last:
        return _day(first)
    month = "" if (first.year, first.month) == (last.year, last.month) else f" {first:%b}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first:%a} {first.day}{month}{year} to {_day(last)}"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def span(first: int, last: int) -> str:
    """The same of days counted from 1970."""
    return days(date.fromordinal(_EPOCH + first), date.fromordinal(_EPOCH + last))
