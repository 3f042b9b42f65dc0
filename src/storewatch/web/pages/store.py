"""/stores/<id>: is it up, since when, how much; hour by hour; and why each number is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from flask import Blueprint, current_app, render_template, request

from storewatch.domain.availability import Kind
from storewatch.domain.clock import MINUTE, from_us, parse_instant
from storewatch.domain.cost import rounded
from storewatch.domain.permissions import READ
from storewatch.errors import NoPollsError, NotFoundError, UsageError
from storewatch.services import picture, stores
from storewatch.services.picture import Asked, Page
from storewatch.web import pictures, store_words, times, why, words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request, intended_reasons, now_us

blueprint = Blueprint("store", __name__)

PERIODS = {1: "Today", 7: "7 days", 30: "30 days", 90: "90 days"}
_SHORT = 10
_EPOCH = date(1970, 1, 1).toordinal()
_TICKS_UP_TO = 14


@blueprint.get("/stores/<id:store_id>")
@needs(READ)
def store(store_id: str) -> str:
    """The page. `days` and `to`, or `from` and `to` choose days; `at` a piece to explain; `min` minutes."""
    if "\0" in store_id:  # which the database can't even look up
        raise NotFoundError("There is no such store")
    asked, at = _asked(), _instant(request.args.get("at", ""))
    usual = default_request()
    try:
        found = picture.page(database(), caller(), store_id, usual, asked, intended_reasons(), now_us())
    except NoPollsError:
        return render_template(
            "store.html", store=stores.get(database(), caller(), store_id).store, page=None
        )
    of = found.picture
    ticks = of.last - of.first < _TICKS_UP_TO
    heads, rows, counts = store_words.calendar(found.calendar)
    return render_template(
        "store.html",
        store=found.store.store,
        page=found,
        of=of,
        figures=figures(of),
        lanes=pictures.lanes(of, 4 * usual.seen_within, at, every=ticks),
        ticks=ticks,
        why=why.explained(of, usual, at),
        links=_Links(asked, of),
        lost=None if of.lost is None else f"{rounded(of.lost.whole):,}",
        currency=current_app.extensions["storewatch.settings"].currency,
        dated=store_words.dated(of.as_of, of.zone),
        age=words.age(from_us(of.as_of), datetime.now(UTC)),
        near=times.length(usual.seen_within),
        gap=times.length(usual.max_gap),
        month=_month(found),
        calendar=(heads, rows, counts),
        open_24x7=not found.store.hours_given,
        shortest=asked.shortest // MINUTE,
        short=_SHORT,
        words=store_words,
        told=pictures.WORDS,
        title_of=pictures.title,
        times=times,
        share=words.share,
    )


@dataclass(frozen=True)
class Figures:
    """What days add up to, in microseconds and shares; None where there is no figure."""

    up: int
    down: int
    unknown: int
    excluded: int
    seen: int
    open: int
    availability: float | None
    coverage: float | None


def figures(of: picture.Picture) -> Figures:
    """Of a picture, as the API tells them."""
    return figures_of(of.whole.totals)


def figures_of(totals: list[int]) -> Figures:
    """Of six totals by `Kind`."""
    up = totals[Kind.UP_SEEN] + totals[Kind.UP_INFERRED]
    down = totals[Kind.DOWN_SEEN] + totals[Kind.DOWN_INFERRED]
    seen, whole = totals[Kind.UP_SEEN] + totals[Kind.DOWN_SEEN], sum(totals)
    return Figures(
        up, down, totals[Kind.UNKNOWN], totals[Kind.EXCLUDED], seen, whole,
        up / (up + down) if up + down else None, seen / whole if whole else None,
    )  # fmt: skip


def _month(found: Page) -> dict[str, object]:
    """The outages of 30 days, and what they add up to."""
    told = found.month.chosen
    return {
        "items": found.month.items,
        "count": told.count,
        "down": told.down,
        "mean": None if told.mean is None else times.length(round(told.mean)),
        "longest": None if told.longest is None else times.length(told.longest),
    }


# --- addresses ------------------------------------------------------------------------------------


class _Links:
    """Addresses of this page with other days, or with a piece that is explained."""

    def __init__(self, asked: Asked, of: picture.Picture) -> None:
        self._of = of
        self.days = None if asked.first is not None else asked.days
        days = {"from": _date(of.first), "to": _date(of.last)} if self.days is None else {"days": self.days}
        past = {"to": _date(of.last)} if self.days is not None and of.last < of.today else {}
        self._same = {name: value for name, value in request.args.items() if name in ("min",)} | days | past
        self.first, self.last, self.today = _date(of.first), _date(of.last), _date(of.today)

    def at(self, instant: str) -> str:
        """The piece at an instant explained."""
        return f"?{urlencode(self._same | {'at': instant}, safe=':')}#why"

    def over(self, days: int) -> str:
        """So many days up to now."""
        return f"?days={days}"

    def day(self, iso: str) -> str:
        """One day."""
        return f"?days=1&to={iso}"

    def without_short(self, minutes: int) -> str:
        """The same days, short outages left out, or with all."""
        kept = {name: value for name, value in self._same.items() if name != "min"}
        return f"?{urlencode(kept | ({'min': minutes} if minutes else {}))}#h-out"

    @property
    def earlier(self) -> tuple[str, str]:
        """(address, words) of the days before."""
        return self._beside(-1)

    @property
    def later(self) -> tuple[str, str] | None:
        """The same of the days after, unless they have not come yet."""
        return self._beside(1) if self._of.last < self._of.today else None

    def _beside(self, step: int) -> tuple[str, str]:
        count = self._of.last - self._of.first + 1
        first, last = self._of.first + step * count, self._of.last + step * count
        last = min(last, self._of.today)
        place = (
            {"from": _date(first), "to": _date(last)}
            if self.days is None
            else {"days": count, "to": _date(last)}
        )
        return f"?{urlencode(place)}", self.span(last - count + 1 if self.days else first, last)

    def span(self, first: int, last: int) -> str:
        """`Fri 6 to Thu 12 Mar`."""
        return times.day(last) if first == last else f"{times.day(first)} to {times.day(last)}"


def _date(day: int) -> str:
    return date.fromordinal(_EPOCH + day).isoformat()


def _asked() -> Asked:
    first, last = _day("from"), _day("to")
    days = request.args.get("days", "7")
    if (
        not days.isascii()
        or not days.isdigit()
        or not 1 <= int(days[:4]) <= picture.MOST_DAYS
        or len(days) > 3
    ):
        raise UsageError(f"days must be a number from 1 to {picture.MOST_DAYS}", field="days")
    minutes = request.args.get("min", "0") or "0"
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6):
        raise UsageError("min must be a number of minutes", field="min")
    return Asked(int(days), first, last, int(minutes) * MINUTE)


def _day(name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"Write {name} as a day like 2023-01-25", field=name) from None
    if not 2000 <= day.year < 2100:
        raise UsageError(f"{name} must lie between 2000 and 2100", field=name)
    return day.toordinal() - _EPOCH


def _instant(text: str) -> int | None:
    try:
        at = parse_instant(text) if text else None
    except (OverflowError, ValueError):
        at = None
    if text and at is None:
        raise UsageError("Write at as an instant like 2023-01-25T18:13:22Z", field="at")
    return at
