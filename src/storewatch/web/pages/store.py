"""/stores/<id>: is it up, since when, how much; hour by hour; and why each number is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, render_template, request

from storewatch.domain.availability import Kind
from storewatch.domain.clock import MINUTE, SECOND, from_us, iso, parse_instant
from storewatch.domain.cost import Lost, rounded
from storewatch.domain.permissions import READ, Scope
from storewatch.errors import NoPollsError, NotFoundError, UsageError
from storewatch.services import picture, storefronts, unpolled
from storewatch.services.picture import Asked, Page
from storewatch.services.pieces import Picture
from storewatch.storage.store_pages import Found
from storewatch.web import live, pictures, shapes, store_words, storefront_words, times, why, words
from storewatch.web.access import asked_by_itself, caller, needs
from storewatch.web.context import database, default_request, intended_reasons, now_us
from storewatch.web.pages import forms

blueprint = Blueprint("store", __name__)

PERIODS = {1: "Today", 7: "7 days", 30: "30 days", 90: "90 days"}
_DONE = {
    "exception": "The exception is in force, and every figure counts it. It can be undone below.",
    "undone": "The exception is undone: every figure is what it would be without it.",
    "hours": "The opening hours are changed, and every figure counts them.",
    "zone": "The zone is changed, and every figure counts it.",
    "note": "The note stands beside its outage.",
    "added": "The store is added.",
    "front": "The storefront is looked at from a few seconds on, while the store is open.",
    "front_off": "The storefront is not looked at any more. Its polls stay.",
}
_SHORT = 10
_EPOCH = date(1970, 1, 1).toordinal()
_TICKS_UP_TO, _PIECES_UP_TO = 14, 31  # days; more would make the page heavy
_OUTAGES, _MOST_OUTAGES = 10, 500


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
        return _before_polls(store_id)
    of = found.picture
    ticks, pieces = (of.last - of.first < most for most in (_TICKS_UP_TO, _PIECES_UP_TO))
    heads, rows, counts = store_words.calendar(found.calendar)
    return render_template(
        "store.html",
        **_front(found.store),
        store=found.store.store,
        page=found,
        of=of,
        figures=figures(of),
        lanes=pictures.lanes(of, 4 * usual.seen_within, at, every=ticks, pieces=pieces),
        ticks=ticks,
        pieces=pieces,
        why=why.explained(of, usual, at),
        links=_Links(asked, of),
        lost=None if of.lost is None else f"{rounded(of.lost.whole):,}",
        currency=current_app.extensions["storewatch.settings"].currency,
        dated=store_words.dated(of.as_of, of.zone),
        age=words.age(from_us(of.as_of), datetime.now(UTC)),
        near=times.length(usual.seen_within),
        gap=times.length(usual.max_gap),
        month=_month(found),
        writes=caller().scope is Scope.WRITE,
        done=_DONE.get(request.args.get("done", ""), ""),
        local=_local,
        iso=iso,
        calendar=(heads, rows, counts),
        open_24x7=not found.store.hours_given,
        shortest=asked.shortest // MINUTE,
        short=_SHORT,
        words=store_words,
        told=shapes.WORDS,
        title_of=pictures.title,
        times=times,
        share=words.share,
    )


@blueprint.get("/store-now")
@needs(READ)
@asked_by_itself
def now() -> Response:
    """How the store stands, for a page whose figures are of the moment `shown`."""
    store_id = forms.store_id()
    return live.part((picture.stamp(database(), caller(), store_id), live.shown(0)), lambda: _now(store_id))


def _now(store_id: str) -> str:
    meant = intended_reasons()
    found = picture.stands(database(), caller(), store_id, default_request(), meant, now_us())
    store = found.store.store
    return render_template(
        "_store_part.html", stands=found, shown_us=live.shown(found.as_of), store=store,
        name=store.name or store.store_id, words=store_words, times=times, iso=iso,
    )  # fmt: skip


def _before_polls(store_id: str) -> str:
    """The page while there is no poll: what is given of the store, and the links to change it."""
    given = unpolled.given(database(), caller(), store_id, default_request().default_zone, now_us())
    return render_template(
        "store.html",
        **_front(given.store),
        store=given.store.store,
        page=None,
        given=given,
        zone=given.store.zone or default_request().default_zone,
        writes=caller().scope is Scope.WRITE,
        done=_DONE.get(request.args.get("done", ""), ""),
        words=store_words,
    )


def _front(of: Found) -> dict[str, Any]:
    """What the page tells of the storefront that we look at, to who decides on the store."""
    shown = storefronts.shown(database(), caller(), of.store.store_key)
    front = shown.front
    return {
        "decides": shown.may_change and caller().scope is Scope.WRITE,
        "front": front,
        "front_often": front and storefront_words.often(front.every_s),
        "front_seen": front and storefront_words.last_look(front, datetime.now(UTC)),
    }


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


def figures(of: Picture) -> Figures:
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
    told, costs = found.month.chosen, found.costs
    return {
        "items": found.month.items,
        "lost": None if costs is None else [f"{rounded(each.whole):,}" for each in costs],
        "shown": _MOST_OUTAGES if request.args.get("outages") == "all" else _OUTAGES,
        "most": _MOST_OUTAGES,
        "all_lost": f"{rounded(sum(costs or [], Lost()).whole):,}",
        "count": told.count,
        "down": told.down,
        "mean": None if told.mean is None else times.length(round(told.mean)),
        "longest": None if told.longest is None else times.length(told.longest),
    }


def _local(at: int, zone: str, *, up: bool = False) -> str:
    """An instant as a field of a form takes it: on the clock of a zone, to the second, rounded down or up."""
    return f"{times.on_clock(at + (SECOND - 1 if up else 0), zone):%Y-%m-%dT%H:%M:%S}"


# --- addresses ------------------------------------------------------------------------------------


class _Links:
    """Addresses of this page with other days, or with a piece that is explained."""

    def __init__(self, asked: Asked, of: Picture) -> None:
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

    def every_outage(self) -> str:
        """The same days with all outages told."""
        return f"?{urlencode(self._same | {'outages': 'all'})}#h-out"

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
