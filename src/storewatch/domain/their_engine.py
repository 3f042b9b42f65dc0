"""A fleet's figures as another program would make them.

Every poll owns a cell of time, as in `availability`, but by any of the rules of `their_rules`; with our own
rules the figures are those of the engine (a test holds them together).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from storewatch.domain import hours, zones
from storewatch.domain import other_weeks as weeks
from storewatch.domain.availability import Polls, Rules
from storewatch.domain.axis import Axis, Int64, ranges
from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.domain.hours import Intervals, Schedule
from storewatch.domain.other_weeks import Bools
from storewatch.domain.their_cells import by_polls, cells_of, since, sums, times_in, within
from storewatch.domain.their_rules import Clock, How, Program, Slot, Speak, Unknown


@dataclass(frozen=True)
class Evidence:
    """Some stores: what their figures are made from. `polls` and the frame reach from `start` to `as_of`."""

    polls: Polls
    schedule: Schedule
    rules: Rules
    start: int
    as_of: int
    lengths: tuple[int, ...]

    def some(self, rows: Int64) -> Evidence:
        """Some of the stores, in ascending order, counted from 0 again."""
        edges = np.searchsorted(self.polls.store, np.stack([rows, rows + 1]).astype(np.int32))
        which = ranges(edges[0], edges[1] - edges[0])
        store = np.repeat(np.arange(len(rows), dtype=np.int32), edges[1] - edges[0])
        polls = Polls(store, self.polls.at[which], self.polls.active[which])
        return replace(self, polls=polls, schedule=_some(self.schedule, rows))


def _some(schedule: Schedule, rows: Int64) -> Schedule:
    place = np.full(schedule.stores, -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    kept = np.flatnonzero(place[schedule.week.store] >= 0)
    week = schedule.week[kept]
    return Schedule(
        replace(week, store=place[week.store]),
        schedule.zone[rows],
        schedule.zone_names,
        schedule.always[rows],
    )


@dataclass(frozen=True)
class Said:
    """`times` int64[stores, windows, 2] up and down, in microseconds; `nothing`
    bool[stores, windows]: open, and nothing is known.
    """

    times: Int64
    nothing: Bools


def touched(of: Evidence, program: Program) -> Bools:
    """bool[stores]: whom the last rule of a program touches."""
    rule, schedule = program.rules[-1], of.schedule
    if rule.clock is not None:
        return _clock_matters(of, rule.clock)
    if rule.change is None:
        return np.ones(schedule.stores, np.bool_)
    return rule.change(schedule)[1]


def figures(of: Evidence, program: Program) -> Said:
    """What the program would say."""
    opens, united = _opens(of, program)
    rule = program.of(Slot.POLLS)
    speak = (
        Speak(How(of.rules.policy.value), of.rules.max_gap)
        if rule is None or rule.speak is None
        else rule.speak
    )
    axis = Axis(of.start, of.as_of + 1)
    counts = speak.how in (How.SHARE, How.COUNT)
    polls = of.polls if speak.anywhere else within(of.polls, opens if counts else united, axis)
    opens = _whole(of) if speak.across else opens
    edges = _windows(of, own_end=program.of(Slot.NEWEST) is not None)
    open_, times = (np.zeros((of.schedule.stores, len(of.lengths), *more), np.int64) for more in ((), (2,)))
    cells = None
    for window in range(len(of.lengths)):
        first, last = edges[window]
        if cells is None or speak.in_window:
            cells = cells_of(since(polls, first) if speak.in_window else polls, speak, axis)
        part = _clipped(opens, first, last)
        open_[:, window] = sums(part.end - part.start, part.store, of.schedule.stores)
        times[:, window] = times_in(cells, part, axis, of.schedule.stores)
        if counts:
            times[:, window] = by_polls(since(polls, first), last, open_[:, window], speak)
    unknown = open_ - times.sum(axis=2)
    nothing = (times.sum(axis=2) == 0) & (unknown > 0) & (speak.how is not How.COUNT)
    rule = program.of(Slot.UNKNOWN)
    return _settled(Said(times, nothing), unknown, None if rule is None else rule.unknown)


def _settled(said: Said, unknown: Int64, as_: Unknown | None) -> Said:
    if as_ is None:
        return said
    if as_ is not Unknown.ZERO:
        said.times[:, :, 0 if as_ is Unknown.UP else 1] += unknown
    return Said(said.times, np.zeros_like(said.nothing))


# --- open time ------------------------------------------------------------------------------------


def _opens(of: Evidence, program: Program) -> tuple[Intervals, Intervals]:
    """Open time as it counts, and as polls are looked for in it: united."""
    schedule, twice = of.schedule, False
    for rule in sorted(program.rules, key=lambda rule: rule.slot.value):
        if rule.change is not None:
            schedule, _ = rule.change(schedule)
        twice |= rule.twice
    zone = program.of(Slot.ZONE)
    clock = None if zone is None else zone.clock
    united = _intervals(of, schedule, clock)
    if not twice:
        return united, united
    parts = [_intervals(of, layer, clock) for layer in weeks.layers(schedule)]
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("store", "start", "end"))
    return Intervals(*columns), united


def _intervals(of: Evidence, schedule: Schedule, clock: Clock | None) -> Intervals:
    until = of.as_of + 1  # so that a poll at the end itself counts
    if clock is None:
        return hours.open_intervals(schedule, of.start, until)
    shift = _offsets(of, clock)[schedule.zone]
    plain = replace(schedule, zone_names=tuple("UTC" for _ in schedule.zone_names))
    found = hours.open_intervals(plain, of.start - DAY, until + DAY)
    start = np.maximum(found.start - shift[found.store], of.start)
    end = np.minimum(found.end - shift[found.store], until)
    real = end > start
    return Intervals(found.store[real], start[real], end[real])


def _whole(of: Evidence) -> Intervals:
    """All of the time of all stores."""
    stores = np.arange(of.schedule.stores, dtype=np.int32)
    return Intervals(stores, *(np.full(len(stores), at, np.int64) for at in (of.start, of.as_of)))


def _offsets(of: Evidence, clock: Clock) -> Int64:
    """What is taken off the local time of each zone, whenever that is."""
    names = of.schedule.zone_names
    if clock is Clock.STANDARD:
        year = from_us(of.as_of).replace(month=1, day=1)
        both = (to_us(year), to_us(year.replace(month=7)))
        return np.array([min(zones.offset(name, at) for at in both) for name in names], np.int64)
    found = np.array([zones.offset(name, of.as_of) for name in names], np.int64)
    return -found if clock is Clock.TURNED else found


def _clock_matters(of: Evidence, clock: Clock) -> Bools:
    """Stores with hours by a clock that is another at some time."""
    taken = _offsets(of, clock)
    other = []
    for name, offset in zip(of.schedule.zone_names, taken.tolist(), strict=True):
        at, offsets = zones.changes(name, of.start, of.as_of)
        in_force = offsets[np.searchsorted(at, [of.start, of.as_of], side="right")]
        between = offsets[1:][(at > of.start) & (at < of.as_of)]
        other.append(bool((np.append(in_force, between) != offset).any()))
    return np.array(other)[of.schedule.zone] & ~of.schedule.always


def _windows(of: Evidence, *, own_end: bool) -> Int64:
    """int64[windows, 2, stores]: each window's start and end."""
    last = np.full(of.schedule.stores, of.as_of, np.int64)
    if own_end:
        last[of.polls.store] = of.polls.at  # in order of time: the newest stays
    return np.stack([np.stack([last - length, last]) for length in of.lengths])


def _clipped(opens: Intervals, first: Int64, last: Int64) -> Intervals:
    start, end = np.maximum(opens.start, first[opens.store]), np.minimum(opens.end, last[opens.store])
    real = end > start
    return Intervals(opens.store[real], start[real], end[real])
