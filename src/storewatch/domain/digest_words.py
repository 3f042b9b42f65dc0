"""A digest as people read it: what was lost, when, where, and how much of the time was seen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from storewatch.domain.alert_words import Said
from storewatch.domain.outage_words import length_in_words
from storewatch.domain.schedules import WEEKDAYS
from storewatch.domain.share_words import share

_EPOCH = date(1970, 1, 1)
_BEFORE = {"day": "the day before", "week": "the seven days before", "month": "the month before"}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of so many `stores` together over some days; times in microseconds. `lost` is worded money, None if
    nobody knows what any of them takes; of `unpriced` of them nobody does.
    """

    stores: int
    up: int
    down: int
    down_min: int
    down_max: int
    seen: int
    open: int
    outages: int
    lost: str | None
    unpriced: int

    @property
    def is_known(self) -> bool:
        """Whether anything is: up or down."""
        return self.up + self.down > 0

    @property
    def availability(self) -> float | None:
        """None: nothing is known."""
        known = self.up + self.down
        return self.up / known if known else None

    @property
    def coverage(self) -> float | None:
        """None: never open."""
        return self.seen / self.open if self.open else None


@dataclass(frozen=True)
class Worst:
    """One of the stores that were down longest."""

    name: str
    down: int
    lost: str | None


@dataclass(frozen=True)
class Level:
    """A service level, what it is of, its target and how the period stands, in words."""

    name: str
    of: str
    target: str
    used: str
    period: str


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What there is to say of the local days from `first` to `last`, which were a day, week or month.

    `of` is a group, or empty: all that the reader sees. `hour` is the hour of the week (0 to 167) in which
    most time was lost, and how much, on each store's clock. `missed` are the targets missed, of `levels`
    that there are; `unclear` of them could not be looked at. `not_over`: up to when polls tell, in words, if
    a day was not over then.
    """

    every: str
    first: int
    last: int
    of: str
    now: Figures
    before: Figures
    worst: Sequence[Worst] = ()
    hour: tuple[int, int] | None = None
    missed: Sequence[Level] = ()
    levels: int = 0
    unclear: int = 0
    not_over: str | None = None
    attached: list[str] = field(default_factory=list)


def said(told: Digest) -> Said:
    """A subject, and sentences."""
    now, span = told.now, days_in_words(told.first, told.last)
    lost = f"{length_in_words(now.down)} lost" if now.down else "no time lost"
    head = f"{told.of or 'Your stores'}, {span}: {lost if now.is_known else 'nothing is known'}"
    if told.missed:
        head += f", {_targets(len(told.missed))} missed"
    parts = [_lead(told, span), "\n".join(_figures(told)) if now.is_known else ""]
    parts += [_targets_part(told), _not_over(told), *told.attached]
    return Said(head, [part for part in parts if part])


def days_in_words(first: int, last: int) -> str:
    """`16 to 22 Jan 2023`, `22 Jan 2023`."""
    begin, end = (_EPOCH + timedelta(days=day) for day in (first, last))
    whole = f"{end.day} {end:%b %Y}"
    if begin == end:
        return whole
    same = f"{begin.day}" if (begin.year, begin.month) == (end.year, end.month) else f"{begin.day} {begin:%b}"
    return f"{same if begin.year == end.year else f'{begin.day} {begin:%b %Y}'} to {whole}"


def _lead(told: Digest, span: str) -> str:
    if not told.now.is_known:
        return (
            f"Whether the stores were up or down, {span}, is not known: there was no open time near a poll."
        )
    return f"How much of their open time the stores lost, {span}. {_compared(told)}"


def _compared(told: Digest) -> str:
    if not told.before.is_known:
        return f"Of {_BEFORE[told.every]} nothing is known."
    more = told.now.down - told.before.down
    if not more:
        return f"As much as {_BEFORE[told.every]}."
    return f"{length_in_words(abs(more))} {'more' if more > 0 else 'less'} than {_BEFORE[told.every]}."


def _figures(told: Digest) -> list[str]:
    now, was = told.now, told.before
    bounds = f"between {length_in_words(now.down_min)} and {length_in_words(now.down_max)}"
    outages = f"{now.outages:,} outage{'' if now.outages == 1 else 's'}"
    lines = [
        f"Time lost: {length_in_words(now.down)} ({bounds}), in {outages}"
        + _before(was, length_in_words(was.down)),
        f"Money lost: {_money(now)}" + (_before(was, f"about {was.lost}") if now.lost and was.lost else ""),
        f"Up: {share(now.availability, 2)} of the time that is known"
        + _before(was, share(was.availability, 2)),
    ]
    if told.hour is not None:
        lines.append(f"Worst hour: {_hour(told)}, {length_in_words(told.hour[1])} lost")
    if told.worst:
        lines.append(f"Worst store: {_worst(told.worst[0])}")
        if len(told.worst) > 1:
            lines.append(f"Then: {'; '.join(_worst(each) for each in told.worst[1:])}")
    lines.append(
        f"Coverage: {share(now.coverage, 1)} of the open time of {_stores(now.stores)} was seen"
        + _before(was, share(was.coverage, 1))
    )
    return [f"- {line}" for line in lines]


def _before(was: Figures, figure: str) -> str:
    return f"; before: {figure}" if was.is_known else ""


def _money(now: Figures) -> str:
    if now.lost is None:
        return "not known, for nobody said what the stores take"
    left = f"; what {_stores(now.unpriced)} take{'s' if now.unpriced == 1 else ''} is not known"
    return f"about {now.lost}, by what the stores take" + (left if now.unpriced else "")


def _hour(told: Digest) -> str:
    assert told.hour is not None  # noqa: S101 - the caller has looked
    day, hour = divmod(told.hour[0], 24)
    span = f"{hour:02}:00 to {(hour + 1) % 24:02}:00 on the stores’ clocks"
    return span if told.every == "day" else f"{WEEKDAYS[day]}, {span}"


def _worst(each: Worst) -> str:
    lost = f" and about {each.lost}" if each.lost else ""
    return f"{each.name}, {length_in_words(each.down)}{lost}"


def _stores(count: int) -> str:
    return "1 store" if count == 1 else f"{count:,} stores"


# --- targets --------------------------------------------------------------------------------------

_MOST_LEVELS = 20


def _targets(count: int) -> str:
    return "1 target" if count == 1 else f"{count:,} targets"


def _targets_part(told: Digest) -> str:
    if not told.levels:
        return ""
    unclear = f" {_targets(told.unclear)} could not be looked at: open their pages." if told.unclear else ""
    if not told.missed:
        return f"None of {_targets(told.levels)} was missed.{unclear}"
    lines = [f"Missed: {len(told.missed):,} of {_targets(told.levels)}.{unclear}"]
    lines += [
        f"- {each.of}: “{each.name}” ({each.target}), {each.period}: {each.used}"
        for each in told.missed[:_MOST_LEVELS]
    ]
    left = len(told.missed) - _MOST_LEVELS
    return "\n".join([*lines, *([f"- and {left:,} more"] if left > 0 else [])])


def _not_over(told: Digest) -> str:
    if told.not_over is None:
        return ""
    return (
        f"These days were not over everywhere yet: the figures are of what polls tell up to {told.not_over}."
    )


def iso_day(day: int) -> str:
    """`2023-01-16`."""
    return (_EPOCH + timedelta(days=day)).isoformat()
