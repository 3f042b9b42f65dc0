"""What the pages of service levels show: levels with the names of what they are of, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.errors import NoPollsError, UsageError
from storewatch.services import level_status, service_levels
from storewatch.services.chosen import Chosen
from storewatch.services.level_status import Looks, Standings, Wanted
from storewatch.services.reporting import Request
from storewatch.storage import groups, store_pages
from storewatch.storage import service_levels as stored
from storewatch.storage.db import Database
from storewatch.storage.service_levels import Found

_TRIED = (12, 6, 3, 1)  # periods: fewer where so many stores times days are too much


@dataclass(frozen=True)
class Line:
    """A level, what the store or group is called that it is of (empty: all stores), and how it stands.

    `standings` None: there are no polls, or they are too many to count at once, or, `apart`, it takes long
    and is left to the page of the level. `names` of stores, by id.
    """

    found: Found
    of: str
    standings: Standings | None
    names: dict[str, str] = field(default_factory=dict)
    apart: bool = False


def page(
    database: Database, caller: Caller, after: tuple[str, UUID] | None, count: int, request: Request
) -> list[Line]:
    """Those that the caller may see, by name, each in the period that runs at T."""
    with database.snapshot() as session:
        found = stored.page(session, caller.seen_by, after, count)
        return _lines(session, _looks(session, request), found, None)


def one(database: Database, caller: Caller, level_id: UUID, picked: int | None, request: Request) -> Line:
    """One with its last periods; of the one that begins on the day `picked`, or else the last, with what used
    its budget up. NotFoundError for what may not be seen.
    """
    with database.snapshot() as session:
        found = service_levels.found(session, caller, level_id)
        of = _called(session, [found])[0]
        looks = _looks(session, request)
        tried = (_stands(looks, found, count, _picks(picked)) for count in _TRIED)
        standings = next(filter(None, tried), None)
        used = [store_id for item in standings.items for store_id, _ in item.used.worst] if standings else []
        session.expunge(found.level)  # it outlives the session
        return Line(found, of, standings, store_pages.names(session, used))


def _picks(day: int | None) -> Wanted:
    """That one, or the last."""

    def wanted(first_days: list[int]) -> list[int]:
        return [day] if day is not None and day in first_days else first_days[-1:]

    return wanted


def of_month(looks: Looks, caller: Caller, chosen: Chosen, first_day: int, count: int) -> list[Line]:
    """Monthly levels of exactly the store or group that is chosen, or all that may be seen."""
    found = stored.of_months(looks.session, caller.seen_by, chosen.store_id, chosen.group_id, count)
    return _lines(looks.session, looks, found, first_day)


def _lines(session: Session, looks: Looks | None, found: list[Found], day: int | None) -> list[Line]:
    called = _called(session, found)
    lines = [_line(looks, each, of, day) for each, of in zip(found, called, strict=True)]
    for each in found:
        session.expunge(each.level)  # it outlives the session
    return lines


def _line(looks: Looks | None, found: Found, of: str, day: int | None) -> Line:
    apart = looks is not None and looks.takes_long(found.level)
    return Line(found, of, None if apart else _stands(looks, found, 1, until_day=day), apart=apart)


def _looks(session: Session, request: Request) -> Looks | None:
    try:
        return Looks(session, request)
    except NoPollsError:
        return None


def _called(session: Session, found: list[Found]) -> list[str]:
    numbers = [each.level.group_no for each in found if each.level.group_no is not None]
    by_number = groups.by_numbers(session, numbers)
    names = store_pages.names(session, [each.store_id for each in found if each.store_id is not None])
    return [
        names.get(each.store_id, each.store_id)
        if each.store_id is not None
        else by_number[each.level.group_no].name
        if each.level.group_no is not None
        else ""
        for each in found
    ]


def _stands(
    looks: Looks | None,
    found: Found,
    count: int,
    wanted: Wanted = lambda _: [],
    until_day: int | None = None,
) -> Standings | None:
    if looks is None:
        return None
    try:
        return level_status.within(looks, found, count, wanted, until_day)
    except UsageError:
        return None
