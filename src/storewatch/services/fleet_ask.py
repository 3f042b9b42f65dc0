"""What may be asked of the page of the fleet: which stores, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from storewatch.domain.standing import SPANS
from storewatch.errors import UsageError
from storewatch.storage import fleet

STATES = ("up", "down", "closed", "unseen", "excluded")
SORTS = fleet.SORTS
_LONGEST = 200
_MOST_PAGES = 1_000_000


@dataclass(frozen=True)
class Ask:
    """What is asked for; made by `ask`, which checks it. None: every one. `group` is a group's id, `zone` a
    zone's name, `q` is found in id, name or location. `days` says whose figures the list is sorted by.
    """

    q: str | None = None
    group: str | None = None
    platform: str | None = None
    zone: str | None = None
    state: str | None = None
    days: int = 7
    sort: str = "down"
    descending: bool = True
    page: int = 1


def ask(
    *,
    q: str = "",
    group: str = "",
    platform: str = "",
    zone: str = "",
    state: str = "",
    days: str = "",
    sort: str = "",
    order: str = "",
    page: str = "",
) -> Ask:
    """What the words of an address ask for; an empty one is not there. `order` is asc or desc.

    UsageError names the field that makes no sense.
    """
    sort = _one_of("sort", sort, SORTS) or "down"
    usual = "asc" if sort in ("name", "since", "availability", "coverage") else "desc"
    return Ask(
        _words("q", q),
        _group(group),
        _words("platform", platform),
        _words("zone", zone),
        _one_of("state", state, STATES),
        int(_one_of("days", days, tuple(map(str, SPANS))) or 7),
        sort,
        (_one_of("order", order, ("asc", "desc")) or usual) == "desc",
        _page(page),
    )


def _words(name: str, said: str) -> str | None:
    said = said.strip()
    if len(said) > _LONGEST or not said.isprintable():
        raise UsageError(f"{name} must be printable, and {_LONGEST} characters at most", field=name)
    return said or None


def _one_of(name: str, said: str, known: tuple[str, ...]) -> str | None:
    if said and said not in known:
        raise UsageError(f"{name} must be one of {', '.join(known)}", field=name)
    return said or None


def _group(said: str) -> str | None:
    try:
        return str(UUID(said)) if said else None
    except ValueError as error:
        raise UsageError("group must be the id of a group", field="group") from error


def _page(said: str) -> int:
    if not said:
        return 1
    if not (said.isascii() and said.isdigit() and len(said) < 8 and 1 <= int(said) <= _MOST_PAGES):
        raise UsageError(f"page must be a number from 1 to {_MOST_PAGES:,}", field="page")
    return int(said)
