"""Why a piece of a store's time is counted as it is, and how the pieces add up: in words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from storewatch.domain.availability import Kind, Policy
from storewatch.domain.clock import iso
from storewatch.domain.outage_words import Outage
from storewatch.services.pieces import Picture, Run
from storewatch.services.reporting import Request
from storewatch.storage.exceptions_in_force import Told
from storewatch.web import times
from storewatch.web.close_up import CloseUp, close_up
from storewatch.web.shapes import WORDS

Step = tuple[str, str]
"""(when, or what it is about; what is said)"""

_DOWN = (Kind.DOWN_SEEN, Kind.DOWN_INFERRED)
_SHOWN = 12


@dataclass(frozen=True)
class Entry:
    """A line of the ledger, in microseconds."""

    day: str
    span: str
    at: str
    down: int
    least: int
    most: int
    picked: bool = False


@dataclass(frozen=True)
class Why:
    """The piece that was picked, what is said of it, and the ledger of downtime, which adds up."""

    head: str
    lead: str
    steps: list[Step]
    entries: list[Entry]
    close_up: CloseUp | None = None


def explained(of: Picture, request: Request, picked: int | None) -> Why | None:
    """Of the piece that holds an instant, or else the newest outage or piece; None without any."""
    run = next((run for run in of.runs if picked is not None and run.start <= picked < run.end), None)
    outage = _outage_at(of, picked) if run is None or run.kind in _DOWN else None
    if run is None and outage is None:
        if not of.runs:
            return None
        outage = of.outages[-1] if of.outages and picked is None else None
        run = of.runs[-1]
    if outage is not None:
        return Why(*_of_outage(outage, of, request), _ledger(of, outage), close_up(outage, of))
    assert run is not None  # noqa: S101 - there is one or the other
    return Why(*_of_run(run, of, request), _ledger(of, None))


def _clock(zone: str, beside: int) -> Callable[[int], str]:
    """Says instants, those of the same local day as another without the day."""
    day = times.on_clock(beside, zone).date()

    def told(at: int) -> str:
        same = times.on_clock(at, zone).date() == day
        return times.clock(at, zone) if same else times.moment(at, zone)

    return told


def _outage_at(of: Picture, at: int | None) -> Outage | None:
    if at is None:
        return None
    return next((each for each in of.outages if each.start <= at < each.end), None)


# --- outages --------------------------------------------------------------------------------------


def _of_outage(outage: Outage, of: Picture, request: Request) -> tuple[str, str, list[Step]]:
    end = "now" if outage.ongoing and outage.end >= of.as_of else ""
    head = f"Down, {times.span(outage.start, outage.end, of.zone)}"
    seen = "all of it seen" if outage.seen == outage.down else f"{times.length(outage.seen)} of it seen"
    lead = f"{times.length(outage.down)} of open time, {seen}{', and it goes on' if end else ''}. "
    lead += _reasons(outage)
    return head, lead, [*_begins(outage, of, request), *_ends(outage, of)]


def _reasons(outage: Outage) -> str:
    polls = f"{outage.polls:,} poll{'' if outage.polls == 1 else 's'}"
    if not outage.polls:
        return "No poll saw it: a person says so."
    told = ", ".join(f"{text} ({count:,})" for text, count in sorted(outage.reasons.items()))
    kind = " Intended: it counts as down, and is told apart." if outage.intended else ""
    return f"{polls} saw it down" + (f"; they say: {told}." if told else "; they give no reason.") + kind


def _begins(outage: Outage, of: Picture, request: Request) -> list[Step]:
    clock = _clock(of.zone, outage.start)
    if outage.counted_from is None or outage.counted_from < outage.start:
        return [(clock(outage.start), "The days shown begin here: the outage began before.")]
    steps = []
    if outage.last_seen_up is not None:
        steps.append((clock(outage.last_seen_up), "Last seen up."))
    if outage.first_seen_down is not None:
        steps.append((clock(outage.first_seen_down), "First seen down."))
    return [*steps, (clock(outage.counted_from), _from(outage, request))]


def _from(outage: Outage, request: Request) -> str:
    up, down = outage.last_seen_up, outage.first_seen_down
    if up is not None and down is not None and outage.counted_from == (up + down) // 2:
        return (
            "Half way between the two: an instant takes the state of the nearest poll, "
            "so down is counted from here."
        )
    if request.policy is Policy.PREVIOUS and outage.counted_from == down:
        return "Down is counted from that poll on: an instant takes the state of the poll before it."
    return "The first open instant that takes the state of a poll that saw it down: counted from here."


def _ends(outage: Outage, of: Picture) -> list[Step]:
    clock = _clock(of.zone, outage.start)
    if outage.ongoing:
        seen = outage.last_seen_down
        last = "" if seen is None else f" at {clock(seen)}, when it was last polled"
        words = f"Still down{last}. Nothing later is known, so it is counted to the newest poll of the fleet."
        return [(clock(outage.end), words)]
    if outage.counted_until is None or outage.counted_until > outage.end:
        return [(clock(outage.end), "The days shown end here: the outage went on.")]
    steps = []
    if outage.last_seen_down is not None:
        steps.append((clock(outage.last_seen_down), "Last seen down."))
    if outage.first_seen_up is not None:
        steps.append((clock(outage.first_seen_up), "First seen up again."))
    return [*steps, (clock(outage.counted_until), _until(outage))]


def _until(outage: Outage) -> str:
    down, up = outage.last_seen_down, outage.first_seen_up
    if down is not None and up is not None and outage.counted_until == (down + up) // 2:
        return "Half way between the two: down is counted to here."
    if up is None:
        return "Counted to here: beyond it no poll is near enough to say that it was down."
    return "The last open instant that takes the state of a poll that saw it down ends here."


# --- other pieces ---------------------------------------------------------------------------------


def _of_run(run: Run, of: Picture, request: Request) -> tuple[str, str, list[Step]]:
    state, how = WORDS[run.kind]
    head = f"{state}, {times.span(run.start, run.end, of.zone)}"
    lead = f"{times.length(run.end - run.start)}, {how}."
    if run.number is not None:
        return head, lead, [("Exception", _exception(of.told.get(run.number)))]
    gap, near = times.length(request.max_gap), times.length(request.seen_within)
    if run.kind is Kind.UNKNOWN:
        words = f"None was made in opening hours within {gap}: silence is not called up."
        return head, lead, [("Polls", words)]
    clock = _clock(of.zone, run.start)
    steps = [(clock(at), f"Seen {state.lower()}.") for at in _polls(run)]
    if len(steps) == 2:
        steps[1] = (steps[1][0], f"Seen {state.lower()} again, and at every poll between them.")
    rule = (
        f"Each instant lies within {near} of a poll that saw it {state.lower()}."
        if how == "seen"
        else f"No poll lies within {near}, so the state is inferred from the nearest one, at most {gap} away."
    )
    return head, lead, [*steps, ("Rule", rule)]


def _polls(run: Run) -> list[int]:
    return sorted({at for at in (run.first_poll, run.last_poll) if at is not None})


EFFECTS = {
    "closed": "closed",
    "other_hours": "other opening hours",
    "ignore_polls": "polls do not count",
    "up": "counted as up",
    "down": "counted as down",
    "excluded": "neither up nor down: left out",
}


def _exception(told: Told | None) -> str:
    if told is None:
        return "A person decided this."
    note = f": {told.note}" if told.note else ", of a group that is not yours"
    return f"A person decided this, whatever polls say: {EFFECTS.get(told.effect, told.effect)}{note}."


# --- the ledger -----------------------------------------------------------------------------------


def _ledger(of: Picture, picked: Outage | None) -> list[Entry]:
    """The outages in order, the longest ones if they are many, and what is left: they add up to the whole."""
    longest = sorted(of.outages, key=lambda each: (each is picked, each.down), reverse=True)
    shown = {id(each) for each in longest[:_SHOWN]}
    entries = [_entry(each, of.zone, each is picked) for each in of.outages if id(each) in shown]
    rest = [each for each in of.outages if id(each) not in shown]
    if rest:
        words = f"{len(rest)} shorter one" + ("" if len(rest) == 1 else "s")
        sums = (sum(getattr(each, name) for each in rest) for name in ("down", "down_min", "down_max"))
        entries.append(Entry(words, "", "", *sums))
    down = of.whole.totals[Kind.DOWN_SEEN] + of.whole.totals[Kind.DOWN_INFERRED]
    wanted = (down, of.whole.down_min, of.whole.down_max)
    left = [
        whole - sum(getattr(each, name) for each in entries)
        for whole, name in zip(wanted, ("down", "least", "most"), strict=True)
    ]
    if any(left):
        entries.append(Entry("Beside these", "next to a poll that was down", "", *left))
    return entries


def _entry(each: Outage, zone: str, picked: bool) -> Entry:
    day, _, span = times.span(each.start, each.end, zone).partition(", ")
    return Entry(day, span, iso(each.start), each.down, each.down_min, each.down_max, picked)
