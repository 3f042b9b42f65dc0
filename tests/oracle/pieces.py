"""Segments of open time, what they add up to, outages and their bounds."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from tests.oracle.exceptions import decided_at, times
from tests.oracle.hours import clip, open_intervals, unite
from tests.oracle.state import in_hours, is_seen, state_at
from tests.oracle.terms import (
    DEFAULT_MAX_GAP,
    DEFAULT_SEEN_WITHIN,
    HoursRow,
    Interval,
    Outage,
    Policy,
    Poll,
    Ruling,
    Segment,
    State,
    Totals,
)


def breakpoints(in_hours_polls: Sequence[Poll], max_gap_us: int, seen_within_us: int) -> set[int]:
    """Every instant at which the state, the deciding poll or seen can change."""
    times = [poll.at_us for poll in in_hours_polls]
    reaches = (-max_gap_us, -seen_within_us, 0, seen_within_us, max_gap_us)
    midpoints = {(earlier + later) // 2 for earlier, later in pairwise(times)}
    return midpoints | {time + reach for time in times for reach in reaches}


def segments(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval,
    as_of_us: int,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    seen_within_us: int = DEFAULT_SEEN_WITHIN,
    rulings: Sequence[Ruling] = (),
) -> list[Segment]:
    """The open time of one store in a window, cut wherever state, seen or deciding poll changes.

    The open time is cut at every candidate breakpoint, each piece takes what holds at its first instant, and
    touching pieces that agree in all three are joined again. A window may not reach beyond T.
    """
    from_us, until_us = window
    if until_us > as_of_us:
        raise ValueError("the window reaches beyond T")
    counting = in_hours(polls, rows, zone, as_of_us, rulings)
    cuts = breakpoints(counting, max_gap_us, seen_within_us) | edges_of(rulings, zone, until_us)
    found: list[Segment] = []
    for opens, closes in open_intervals(rows, zone, from_us, until_us, rulings):
        bounds = sorted({opens, closes} | {cut for cut in cuts if opens < cut < closes})
        for start, end in pairwise(bounds):
            ruling = decided_at(start, rulings, zone)
            if ruling is not None:
                said: dict[str, State] = {"up": "up", "down": "down", "excluded": "excluded"}
                found.append(Segment(start, end, said[ruling.effect], False, None, ruling.number))
                continue
            state, poll = state_at(start, counting, policy, max_gap_us)
            found.append(Segment(start, end, state, is_seen(start, poll, seen_within_us), poll))
    return join(found)


def edges_of(rulings: Sequence[Ruling], zone: str, until_us: int) -> set[int]:
    """Every instant at which an exception begins or ends to decide."""
    found = times(rulings, ("up", "down", "excluded"), zone, until_us)
    return {edge for interval in found for edge in interval}


def same(one: Segment, other: Segment) -> bool:
    """Whether the same poll or the same exception decides both, both seen or both not."""
    return (one.seen, one.poll, one.ruling) == (other.seen, other.poll, other.ruling)


def join(pieces: Sequence[Segment]) -> list[Segment]:
    """Touching pieces with the same state, seen, poll and exception become one."""
    joined: list[Segment] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and last.end_us == piece.start_us and same(last, piece):
            joined[-1] = replace(last, end_us=piece.end_us)
        else:
            joined.append(piece)
    return joined


def totals(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval,
    as_of_us: int,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    seen_within_us: int = DEFAULT_SEEN_WITHIN,
    rulings: Sequence[Ruling] = (),
) -> Totals:
    """The open time of one store in one window, summed by state and by seen."""
    pieces = segments(polls, rows, zone, window, as_of_us, policy, max_gap_us, seen_within_us, rulings)

    def total(state: State, seen: bool) -> int:
        return sum(piece.length_us for piece in pieces if (piece.state, piece.seen) == (state, seen))

    return Totals(
        up_seen=total("up", True),
        up_inferred=total("up", False),
        down_seen=total("down", True),
        down_inferred=total("down", False),
        unknown=total("unknown", False),
        excluded=total("excluded", False),
    )


def outages(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval | None,
    as_of_us: int,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    rulings: Sequence[Ruling] = (),
) -> list[Outage]:
    """The outages of one store that have a part in the window, clipped to it; all of them, whole, for None.

    "A maximal run of down in open time. Closed time does not end it; up, unknown and T do. Its length is its
    open time; in a window it is clipped, and counts there if any part lies within."
    """
    counting = in_hours(polls, rows, zone, as_of_us, rulings)
    first = [poll.at_us - max_gap_us for poll in counting]
    first += [start for start, _ in times(rulings, ("down",), zone, as_of_us)]
    if not first or min(first) >= as_of_us:
        return []
    whole_past = (min(first), as_of_us)
    runs: list[list[Interval]] = []
    state_before: State = "unknown"
    for piece in segments(polls, rows, zone, whole_past, as_of_us, policy, max_gap_us, rulings=rulings):
        if piece.state == "down":
            if state_before != "down":
                runs.append([])
            runs[-1].append((piece.start_us, piece.end_us))
        state_before = piece.state
    from_us, until_us = window or whole_past
    clipped = [clip(unite(run), from_us, until_us) for run in runs]
    return [Outage(tuple(parts)) for parts in clipped if parts]


def bounds(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval,
    as_of_us: int,
    max_gap_us: int = DEFAULT_MAX_GAP,
    rulings: Sequence[Ruling] = (),
) -> tuple[int, int]:
    """down_min and down_max of one store in one window, by no policy.

    "The open time between two neighbouring in-hours polls that are both down", and "the open time with a down
    poll on at least one side", both "within max_gap": the latest poll at or before an instant if it is less
    than max_gap old, and the next one if it is at most max_gap ahead. Of "time that exceptions decide, down
    counts in both, up and excluded in neither".
    """
    counting = in_hours(polls, rows, zone, as_of_us, rulings)
    cuts = breakpoints(counting, max_gap_us, 0) | edges_of(rulings, zone, window[1])
    least, most = 0, 0
    for opens, closes in open_intervals(rows, zone, *window, rulings):
        for start, end in pairwise(sorted({opens, closes} | {cut for cut in cuts if opens < cut < closes})):
            ruling = decided_at(start, rulings, zone)
            if ruling is not None:
                least += (end - start) * (ruling.effect == "down")
                most += (end - start) * (ruling.effect == "down")
                continue
            before = [poll for poll in counting if start - max_gap_us < poll.at_us <= start][-1:]
            after = [poll for poll in counting if start < poll.at_us <= start + max_gap_us][:1]
            down = [not poll.active for poll in before + after]
            least += (end - start) * (len(down) == 2 and all(down))
            most += (end - start) * any(down)
    return least, most
