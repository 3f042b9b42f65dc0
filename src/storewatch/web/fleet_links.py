"""Addresses of the page of the fleet: each view has its own, without what goes without saying."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from storewatch.services import fleet_ask
from storewatch.services.fleet_ask import Ask

_USUAL = Ask()


@dataclass(frozen=True)
class Links:
    """Addresses beside the one that was asked for."""

    ask: Ask

    @property
    def here(self) -> str:
        """This view."""
        return self.to(page=self.ask.page)

    def now(self, shown: str) -> str:
        """How these stores stand now, for a page whose figures are of the moment `shown`."""
        return f"/now?{urlencode(_told(self.ask) | {'shown': shown})}"

    @property
    def kept(self) -> dict[str, str]:
        """What choosing other stores leaves as it is."""
        said = _told(self.ask)
        return {name: said[name] for name in ("days", "sort", "order") if name in said}

    def to(self, **changes: Any) -> str:
        """The view with some of it changed, from its first page on unless that is told."""
        said = _told(replace(self.ask, **({"page": 1} | changes)))
        return "/" + (f"?{urlencode(said)}" if said else "")

    def sorted_by(self, sort: str) -> str:
        """By a head; the other way round if it is by that one already."""
        turned = not self.ask.descending if sort == self.ask.sort else usually_descending(sort)
        return self.to(sort=sort, descending=turned)

    def order_of(self, *sorts: str) -> str | None:
        """What aria-sort says of a head."""
        if self.ask.sort not in sorts:
            return None
        return "descending" if self.ask.descending else "ascending"


def usually_descending(sort: str) -> bool:
    """Which way a head sorts first."""
    return fleet_ask.ask(sort=sort).descending


def _told(wanted: Ask) -> dict[str, str]:
    """The parts of the address of a view."""
    said = {
        name: str(getattr(wanted, name))
        for name in ("q", "group", "platform", "zone", "state", "days", "sort", "page")
        if getattr(wanted, name) != getattr(_USUAL, name)
    }
    if wanted.descending != usually_descending(wanted.sort):
        said["order"] = "desc" if wanted.descending else "asc"
    return said
