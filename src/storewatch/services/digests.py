"""What a digest tells: by the services that the pages and the API ask, so it is the same number."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from storewatch.domain import alert_words, digest_words
from storewatch.domain.availability import Kind
from storewatch.domain.cost import rounded
from storewatch.domain.digest_words import Digest, Figures, Level, Worst
from storewatch.domain.outage_words import length_in_words
from storewatch.domain.permissions import Caller
from storewatch.domain.schedules import Days, Timetable
from storewatch.domain.service_levels import Measure, Status
from storewatch.errors import UsageError
from storewatch.formats.digest_files import Row as FileRow
from storewatch.services import level_status, periods, ranking
from storewatch.services.chosen import Chosen
from storewatch.services.level_status import Looks, Standing
from storewatch.services.periods import Asked
from storewatch.services.ranking import Range, Row
from storewatch.services.telling import Ways, group_name, in_money
from storewatch.storage import service_levels, store_days, store_pages
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.service_levels import Found

_WORST, _MOST_LEVELS = 3, 1_000
_DOWN = store_days.HOURS.index("down")


@dataclass(frozen=True)
class Made:
    """A digest of so many `stores` that were ever polled. `rows` are those that have a day in it, the worst
    first, `names` by id.
    """

    digest: Digest
    rows: list[Row]
    names: dict[str, str]
    stores: int


def make(
    session: Session,
    caller: Caller,
    group: StoreGroup | None,
    table: Timetable,
    days: Days,
    ways: Ways,
) -> Made:
    """Of a group, or all that the caller sees; within a snapshot. NotFoundError for what they may not see,
    NoPollsError without polls.
    """
    chosen = Chosen(group_id=None if group is None else group.group_id)
    looks = Looks(session, ways.usual)
    keys = chosen.keys(session, caller)
    now = ranking.within(session, keys, days.first, days.last, ways.usual)
    before = ranking.within(session, keys, days.first_before, days.last_before, ways.usual)
    hours = periods.hours_within(session, caller, chosen, Asked(days.first, days.last), ways.usual)
    rows = sorted(now.rows, key=lambda row: row.rank("down"))
    names = store_pages.names(session, [row.store_id for row in rows])
    targets = _targets(looks, _levels(session, caller, group, keys.tolist()), days)
    down = hours.told[:, _DOWN]
    digest = Digest(
        every=table.every,
        first=days.first,
        last=days.last,
        of="" if group is None else group.name,
        now=_figures(now, ways),
        before=_figures(before, ways),
        worst=[_worst(row, names, ways) for row in rows[:_WORST] if row.down],
        hour=(int(down.argmax()), int(down.max())) if down.any() else None,
        missed=targets.missed,
        levels=targets.levels,
        unclear=targets.unclear,
        not_over=None if hours.complete else alert_words.moment(looks.as_of, table.zone),
    )
    return Made(digest, rows, names, len(keys))


def _figures(found: Range, ways: Ways) -> Figures:
    row = found.together
    up_seen, up_inferred, down_seen, down_inferred, *_ = (row.totals[kind] for kind in Kind)
    priced = found.unpriced < len(found.rows)
    return Figures(
        stores=len(found.rows),
        up=up_seen + up_inferred,
        down=down_seen + down_inferred,
        down_min=row.bounds[0],
        down_max=row.bounds[1],
        seen=up_seen + down_seen,
        open=sum(row.totals),
        outages=row.outages,
        lost=in_money(row.lost, ways) if priced and row.lost is not None else None,
        unpriced=found.unpriced,
    )


def _worst(row: Row, names: dict[str, str], ways: Ways) -> Worst:
    name = _named(row.store_id, names)
    return Worst(name, row.down, None if row.lost is None else in_money(row.lost, ways))


def _named(store_id: str, names: dict[str, str]) -> str:
    """`Corner Café (store 17)`."""
    return alert_words.Named(store_id, names.get(store_id), "").whole


def file_rows(made: Made) -> list[FileRow]:
    """The stores as a file tells them."""
    return [
        FileRow(
            store_id=row.store_id,
            name=made.names.get(row.store_id, ""),
            up=row.totals[Kind.UP_SEEN] + row.totals[Kind.UP_INFERRED],
            down=row.down,
            unknown=row.totals[Kind.UNKNOWN],
            excluded=row.totals[Kind.EXCLUDED],
            seen=row.totals[Kind.UP_SEEN] + row.totals[Kind.DOWN_SEEN],
            down_min=row.bounds[0],
            down_max=row.bounds[1],
            outages=row.outages,
            lost=None if row.lost is None else float(rounded(row.lost.whole)),
        )
        for row in made.rows
    ]


# --- targets --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Targets:
    levels: int
    missed: list[Level]
    unclear: int


def _levels(session: Session, caller: Caller, group: StoreGroup | None, keys: list[int]) -> list[Found]:
    """Service levels that the caller may see: of the group and its stores, or all."""
    found = service_levels.page(session, caller.seen_by, None, _MOST_LEVELS)
    if group is None:
        return found
    own = set(keys)
    return [each for each in found if each.level.group_no == group.group_no or each.level.store_key in own]


def _targets(looks: Looks, found: list[Found], days: Days) -> _Targets:
    """A target counts as missed if a period of it that has one of the days is."""
    missed, unclear = list[Level](), 0
    for each in found:
        try:
            standings = level_status.within(looks, each, _periods(each, days), until_day=days.last)
        except UsageError:  # too many stores times days
            unclear += 1
            continue
        missed += [
            _level(looks.session, each, item)
            for item in standings.items
            if item.verdict.status is Status.MISSED
            and item.first_day <= days.last
            and item.last_day >= days.first
        ]
    return _Targets(len(found), missed, unclear)


def _periods(found: Found, days: Days) -> int:
    """So many of the level's periods hold all of the days."""
    shortest = {"day": 1, "week": 7}.get(found.level.period, 28)
    return (days.last - days.first) // shortest + 2


def _level(session: Session, found: Found, item: Standing) -> Level:
    level, outages = found.level, found.level.measure == Measure.OUTAGES
    target = f"{level.target.normalize():f}"
    used, budget = (
        f"{amount:,}" if outages else length_in_words(amount)
        for amount in (item.verdict.used, item.verdict.budget)
    )
    return Level(
        level.name,
        _called(session, found),
        f"at most {target} outages" if outages else f"{target}% up",
        f"{used} {'outages' if outages else 'of downtime'} where {budget} would be allowed",
        digest_words.days_in_words(item.first_day, item.last_day),
    )


def _called(session: Session, found: Found) -> str:
    if found.store_id is not None:
        return _named(found.store_id, store_pages.names(session, [found.store_id]))
    return group_name(session, found.level.group_no)
