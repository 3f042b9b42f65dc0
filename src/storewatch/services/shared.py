"""What a link shows of a store: the days that somebody chose, and of no other time anything.

The figures are those that the page of the store has for these days. What is drawn and listed is cut to them:
a poll, an outage or the newest poll of all may lie outside, and who has the link is not to learn when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from storewatch.domain.outage_words import Outage
from storewatch.domain.permissions import Via, anybody
from storewatch.errors import UsageError
from storewatch.services.chosen import Chosen
from storewatch.services.picture import see
from storewatch.services.pieces import Picture, Run
from storewatch.services.reporting import Request
from storewatch.storage import polls, shares, store_pages
from storewatch.storage.db import Database
from storewatch.storage.tables import Store

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Down:
    """The part of an outage in the days; microseconds. `goes_on`: it runs at T, which lies in them."""

    start: int
    end: int
    down: int
    down_min: int
    down_max: int
    goes_on: bool


@dataclass(frozen=True)
class Shared:
    """A store and the picture of its days, with nothing in it from outside: `as_of` lies in them or at their
    end, and of outages there are only `downs`. `over`: T lies behind them.

    `picture` is None if T lies before the days, or their polls are `gone`.
    """

    store: Store
    hours_given: bool
    picture: Picture | None = None
    downs: tuple[Down, ...] = ()
    over: bool = False
    gone: bool = False


def page(database: Database, found: shares.Found, request: Request, now_us: int) -> Shared:
    """What a link shows that was opened."""
    with database.snapshot() as session:
        key = found.share.store_key
        [store] = store_pages.of_keys(session, [key], None).values()
        days = (found.share.first_day.toordinal() - _EPOCH, found.share.last_day.toordinal() - _EPOCH)
        try:
            picture = _picture(session, key, days, request.checked(now_us))
        except UsageError:
            return Shared(store.store, store.hours_given, gone=True)
        finally:
            session.expunge_all()  # rows are read when the snapshot is over, which would expire them
        if picture is None:
            return Shared(store.store, store.hours_given)
        over = picture.last == days[1] and picture.as_of >= picture.edges[-1]
        downs = tuple(_down(each, over=over) for each in picture.outages)
        return Shared(store.store, store.hours_given, cut(picture), downs, over)


def _picture(session: Session, key: int, days: tuple[int, int], request: Request) -> Picture | None:
    """The picture of the days up to T; None if they have not begun."""
    if polls.newest(session) is None:
        return None
    # the link has decided which store may be seen: whoever opens it is nobody that we know
    shown = see(session, anybody(Via.LINK), Chosen(key=key), key, request)
    if days[0] > shown.today:
        return None
    return shown.picture((days[0], min(days[1], shown.today)))


def cut(of: Picture) -> Picture:
    """The picture without what lies outside its days, or says anything of it."""
    start, end = of.edges[0], of.edges[-1]
    return replace(
        of,
        as_of=min(of.as_of, end),
        today=min(of.today, of.last),
        runs=[Run(run.start, run.end, run.kind) for run in of.runs],
        polls=[poll for poll in of.polls if start <= poll.at < end],
        outages=[],
        lost=None,
        told={},
    )


def _down(of: Outage, *, over: bool) -> Down:
    return Down(of.start, of.end, of.down, of.down_min, of.down_max, bool(of.ongoing) and not over)
