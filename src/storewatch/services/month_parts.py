"""What a month's page tells apart, for it takes longer: its outages, and what the downtime cost."""

from __future__ import annotations

from dataclasses import dataclass

from storewatch.domain.permissions import Caller
from storewatch.services import month, month_outages, periods, ranking
from storewatch.services.chosen import Chosen
from storewatch.services.level_status import Looks
from storewatch.services.month_outages import Outages
from storewatch.services.periods import Asked, ByPeriod
from storewatch.services.ranking import Range
from storewatch.services.reporting import Request
from storewatch.storage import store_pages
from storewatch.storage.db import Database


def outages_of(
    database: Database,
    caller: Caller,
    chosen: Chosen,
    first: int,
    last: int,
    count: int,
    request: Request,
    meant: frozenset[str],
) -> Outages:
    """Of so many stores that were down longest. Errors as for `month.month`."""
    with database.snapshot() as session:
        look = Looks(session, request).look(chosen.scope(session, caller))
        found = month_outages.outages_of(
            look, month.longest_down(look, first, last, count), first, last, meant
        )
        session.expunge_all()  # notes outlive the session
        return found


@dataclass(frozen=True)
class Costs:
    """What the downtime of a month cost: `stores` over all of it, `days` one by one; `worst` cost most."""

    stores: Range
    days: ByPeriod
    worst: list[ranking.Row]
    names: dict[str, str]


def costs_of(
    database: Database, caller: Caller, chosen: Chosen, first: int, last: int, count: int, request: Request
) -> Costs:
    """So many of the stores that lost most. Errors as for `month.month`."""
    with database.snapshot() as session:
        look = Looks(session, request).look(chosen.scope(session, caller))
        stores = ranking.within(session, look.keys, first, last, request)
        days = periods.within(session, caller, chosen, "day", Asked(first, last), request)
        worst = sorted(
            (row for row in stores.rows if row.lost and row.lost.whole), key=lambda row: row.rank("lost")
        )
        names = store_pages.names(session, [row.store_id for row in worst[:count]])
        return Costs(stores, days, worst[:count], names)
