"""An alert as people read it: the one place that words it. Pure: facts come in, sentences go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from storewatch.domain import clock_words
from storewatch.domain.clock import MINUTE
from storewatch.domain.outage_words import Outage, length_in_words, worded

MOST_NAMED = 50
"""So many stores of a mass outage are named, and the others counted."""


@dataclass(frozen=True)
class Named:
    """A store as an alert names it."""

    store_id: str
    name: str | None
    zone: str

    @property
    def short(self) -> str:
        """In a subject: its name alone."""
        return self.name or f"store {self.store_id}"

    @property
    def whole(self) -> str:
        """In a sentence: with its id."""
        return f"{self.name} (store {self.store_id})" if self.name else f"Store {self.store_id}"


@dataclass(frozen=True, kw_only=True)
class StoreDown:
    """A store that is or was down: `outages` as the engine has them, the oldest first, `began` the first poll
    that saw it. `lost` is worded money, None if nobody knows or the reader may not.
    """

    store: Named
    began: int
    outages: Sequence[Outage] = ()
    lost: str | None = None
    over: bool = False

    @property
    def since(self) -> int:
        """From when it is counted, else when it was first seen."""
        counted = self.outages[0].counted_from if self.outages else None
        return self.began if counted is None else counted

    @property
    def down(self) -> int:
        """The open time that was lost, as far as polls reach."""
        return sum(each.down for each in self.outages)


@dataclass(frozen=True)
class MassStore:
    """One of many that went down: from when it is counted, else when it was first seen so; `over`: it is up
    again.
    """

    store: Named
    since: int
    over: bool


@dataclass(frozen=True, kw_only=True)
class Mass:
    """Many stores of a group at once. `stores` are the first `MOST_NAMED`, `count` is of all. `lost` is
    worded money of those that are named, None if nobody knows or the reader may not.
    """

    group: str
    count: int
    still_down: int
    began: int
    zone: str
    stores: Sequence[MassStore] = ()
    lost: str | None = None
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class NoData:
    """No polls of a group, or (`group` None) of anybody, since an instant."""

    group: str | None
    since: int
    zone: str
    until: int | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A service level of which much is used: `used` and `budget` in microseconds, or outages. `stores` and
    `days` used most of it, worded, with what they used. `over`: the period is.
    """

    level: str
    of: str
    used: int
    budget: int
    outages: bool
    period: str
    target: str
    stores: Sequence[tuple[str, int]] = ()
    days: Sequence[tuple[str, int]] = ()
    over: bool = False


@dataclass(frozen=True)
class Said:
    """A subject, and sentences."""

    subject: str
    parts: list[str]


def moment(at: int, zone: str) -> str:
    """`Fri 6 Mar, 11:34 CST`, without seconds, as outages are told."""
    return clock_words.moment(at - at % MINUTE, zone)


Fact = StoreDown | Mass | NoData | Budget


def said(kind: str, fact: Fact) -> Said:
    """What is said of an incident when it has begun, is still there, or has ended."""
    if isinstance(fact, StoreDown):
        return _store_down(kind, fact)
    if isinstance(fact, Mass):
        return _mass(kind, fact)
    if isinstance(fact, NoData):
        return _no_data(kind, fact)
    return _budget(fact)


# --- a store --------------------------------------------------------------------------------------


def _store_down(kind: str, fact: StoreDown) -> Said:
    store, since = fact.store, moment(fact.since, fact.store.zone)
    length = f"{length_in_words(fact.down)} of open time" if fact.down else ""
    if kind == "ended":
        subject = f"Up again: {store.short}" + (f", after {length}" if length else "")
        head = f"{store.whole} is up again. It was down since {since}."
    elif kind == "still" and not fact.over:
        subject = f"Still down: {store.short}, " + (f"for {length}" if length else f"since {since}")
        head = f"{store.whole} is still down, since {since}."
    else:
        subject = f"Down: {store.short}, since {since}"
        head = f"{store.whole} has been down since {since}."
        if fact.over:
            head = f"{store.whole} went down on {since}, and is up again."
    return Said(subject, [head, *_seen(fact), *_cost(fact)])


def _seen(fact: StoreDown) -> list[str]:
    """As outages are told everywhere, on the store's clock."""
    if not fact.outages:
        first = moment(fact.began, fact.store.zone)
        return [f"First seen down {first}; the polls since then do not make an outage of its open time yet."]
    lines = [f"- {worded(each)}" for each in fact.outages[-5:]]
    return ["\n".join([f"What was seen, on the store's clock ({fact.store.zone}):", *lines])]


def _cost(fact: StoreDown) -> list[str]:
    if fact.lost is None:
        return []
    return [f"{'Lost' if fact.over else 'Lost so far'}: about {fact.lost}, by what the store takes."]


# --- many stores ----------------------------------------------------------------------------------


def _mass(kind: str, fact: Mass) -> Said:
    stores = _stores(fact.count)
    since = moment(fact.began, fact.zone)
    if kind == "ended":
        said = Said(f"Over: {stores} of {fact.group} down at once", [])
        said.parts.append(f"Of {fact.group}, {stores} went down from {since} on. {_left(fact.still_down)}")
    else:
        said = Said(f"{stores} of {fact.group} down at once, since {since}", [])
        still = "" if fact.still_down == fact.count else f" {_left(fact.still_down)}"
        said.parts.append(f"Of {fact.group}, {stores} went down, the first of them on {since}.{still}")
    if fact.stores:
        said.parts.append("\n".join([_listed(each) for each in fact.stores] + _more(fact)))
    if fact.lost is not None:
        those = "" if fact.count <= len(fact.stores) else " by those that are named"
        so_far = "Lost" if fact.over else "Lost so far"
        said.parts.append(f"{so_far}{those}: about {fact.lost}, by what the stores take.")
    if kind != "ended":
        said.parts.append("So many at once have often one cause: a platform, a network, a supplier.")
    return said


def _left(still_down: int) -> str:
    if not still_down:
        return "All of them are up again."
    return f"{still_down:,} of them {'is' if still_down == 1 else 'are'} down now."


def _listed(each: MassStore) -> str:
    told = f"- {each.store.whole}: since {moment(each.since, each.store.zone)}"
    return f"{told}, up again" if each.over else told


def _more(fact: Mass) -> list[str]:
    left = fact.count - len(fact.stores)
    return [f"- and {left:,} more"] if left > 0 else []


def _stores(count: int) -> str:
    return "1 store" if count == 1 else f"{count:,} stores"


# --- no data, budgets -----------------------------------------------------------------------------


def _no_data(kind: str, fact: NoData) -> Said:
    whose = "any store" if fact.group is None else fact.group
    since = moment(fact.since, fact.zone)
    if kind == "ended" or fact.until is not None:
        head = f"Polls come again of {whose}. There were none since {since}."
        return Said(f"Polls come again: {whose}", [head, _BLIND_PAST])
    head = f"No poll of {whose} was made since {since}."
    todo = "Look whether whatever polls the stores runs, and whether its data are still loaded."
    return Said(f"No data: no poll of {whose} since {since}", [head, _BLIND, todo])


_BLIND = "So nobody knows whether stores are up or down. This says nothing of the stores themselves."
_BLIND_PAST = "What happened in between is not known; it counts as unknown, not as up or down."


def _budget(fact: Budget) -> Said:
    used, budget = _amount(fact.used, fact), _amount(fact.budget, fact)
    share = int(100 * fact.used / fact.budget) if fact.budget else 100
    if fact.used > fact.budget:
        subject = f"Target missed: {fact.level}, {fact.of}"
        head = f"{fact.of} missed the target “{fact.level}” ({fact.target}) of {fact.period}."
    elif fact.over:
        subject = f"Target met: {fact.level}, {fact.of}"
        head = f"{fact.of} met the target “{fact.level}” ({fact.target}) of {fact.period}."
    else:
        subject = f"Budget nearly used: {fact.level}, {fact.of}, {share} %"
        head = f"{fact.of} used {share} % of what “{fact.level}” ({fact.target}) allows in {fact.period}."
    parts = [head, f"Used: {used}. Allowed: {budget}."]
    parts += _used_by("The stores that used most of it:", fact.stores, fact)
    parts += _used_by("The days that used most of it:", fact.days, fact)
    return Said(subject, parts)


def _used_by(head: str, rows: Sequence[tuple[str, int]], fact: Budget) -> list[str]:
    lines = [f"- {name}: {_amount(used, fact)}" for name, used in rows]
    return ["\n".join([head, *lines])] if lines else []


def _amount(value: int, fact: Budget) -> str:
    if fact.outages:
        return f"{value} outage{'' if value == 1 else 's'}"
    return f"{length_in_words(value)} of downtime"


# --- a mail ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Link:
    """Words, and the address to which they lead."""

    words: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around the sentences: what can be done, why one gets it, how to leave, the key.

    `late`: from when it is, if it is not new.
    """

    key: str
    why: str
    links: Sequence[Link] = ()
    leave: Link | None = None
    late: int | None = None
    zone: str = "UTC"
    last_words: list[str] = field(default_factory=list)


def mail(said: Said, frame: Frame) -> tuple[str, str]:
    """(subject, plain text). A key that came before tells that it is the same again."""
    parts = list(said.parts)
    if frame.late is not None:
        parts.insert(0, f"This comes late: it is of {moment(frame.late, frame.zone)}.")
    if frame.links:
        parts.append("\n\n".join(f"{link.words}:\n{link.url}" for link in frame.links))
    feet = [frame.why, *frame.last_words]
    if frame.leave is not None:
        feet.append(f"{frame.leave.words}:\n{frame.leave.url}")
    feet.append(f"Key: {frame.key} (what comes with the same key is the same again)")
    subject = f"{said.subject} (late)" if frame.late is not None else said.subject
    return one_line(subject), "\n\n".join(parts) + "\n\n-- \n" + "\n\n".join(feet) + "\n"


def one_line(text: str) -> str:
    """Names may hold what would break the head of a mail."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]
