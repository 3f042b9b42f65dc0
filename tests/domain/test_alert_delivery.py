"""When something is said, held or dropped; quiet hours over clock changes."""

from __future__ import annotations

import pytest

from storewatch.domain.alert_delivery import (
    Behind,
    Drop,
    Hold,
    Quiet,
    Say,
    Situation,
    decide,
    pause,
    quiet_until,
    tomorrow,
)
from storewatch.domain.clock import HOUR, MINUTE, SECOND, iso, parse_instant

NIGHT = Quiet(22 * 60, 7 * 60, "America/Chicago")
NOON = Quiet(12 * 60, 13 * 60 + 30, "Asia/Kolkata")
GAP = Quiet(60, 150, "America/New_York")
"""It ends at 2:30, which the clocks skip on 12 March 2023."""


def at(text: str) -> int:
    found = parse_instant(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHT, "2023-01-24T03:59:00Z", None),
        (NIGHT, "2023-01-24T04:00:00Z", "2023-01-24T13:00:00Z"),
        (NIGHT, "2023-01-24T12:59:59Z", "2023-01-24T13:00:00Z"),
        (NIGHT, "2023-01-24T13:00:00Z", None),
        (NIGHT, "2023-03-12T05:00:00Z", "2023-03-12T12:00:00Z"),  # the night in which the clocks go forward
        (NIGHT, "2023-11-05T05:00:00Z", "2023-11-05T13:00:00Z"),  # and back
        (NOON, "2023-01-24T06:30:00Z", "2023-01-24T08:00:00Z"),
        (NOON, "2023-01-24T08:00:00Z", None),
        (GAP, "2023-03-12T06:30:00Z", "2023-03-12T07:30:00Z"),
        (GAP, "2023-03-11T06:30:00Z", "2023-03-11T07:30:00Z"),
    ],
)
def test_quiet_hours_end_on_their_own_clock(quiet: Quiet, now: str, until: str | None) -> None:
    found = quiet_until(quiet, at(now))
    assert (None if found is None else iso(found)) == until


NOW = at("2023-01-24T18:00:00Z")
OVER_TOLD = "It is over, and that was told already"
QUIET_OVER = "It was over before the quiet hours were"
NOT_BEGUN = "Its beginning was not told, so its end is not either"


@pytest.mark.parametrize(
    ("kind", "state", "verdict"),
    [
        ("begun", {}, Say()),
        ("begun", {"over": True}, Say()),
        ("begun", {"over": True, "ended": "sent"}, Drop(OVER_TOLD)),
        ("begun", {"over": True, "held": True}, Drop(QUIET_OVER)),
        ("begun", {"held": True}, Say()),
        ("begun", {"hushed": True}, Say()),
        ("still", {}, Say()),
        ("still", {"hushed": True}, Drop("Somebody acknowledged or snoozed it")),
        ("still", {"over": True}, Drop("It is over")),
        ("ended", {"over": True, "begun": "sent"}, Say()),
        ("ended", {"over": True, "begun": "sent", "hushed": True}, Say()),
        ("ended", {"over": True, "begun": "held"}, Drop(QUIET_OVER, whole=True)),
        ("ended", {"over": True, "begun": "dropped"}, Drop(NOT_BEGUN)),
        ("ended", {"over": True, "begun": "failed"}, Drop(NOT_BEGUN)),
        ("ended", {"over": True, "begun": "waiting"}, Behind(NOW + 15 * SECOND)),
    ],
)
def test_what_becomes_of_a_notice(kind: str, state: dict[str, object], verdict: object) -> None:
    found = Situation(kind=kind, said_at=NOW - MINUTE, **state)  # type: ignore[arg-type]
    assert decide(found, None, NOW, 2 * HOUR) == verdict


@pytest.mark.parametrize(
    ("kind", "state", "verdict"),
    [
        ("begun", {}, Say(late=True)),
        ("begun", {"over": True}, Drop("It was over before this could be delivered")),
        ("still", {}, Drop("It could not be delivered in time")),
        ("ended", {"over": True, "begun": "sent"}, Say(late=True)),
    ],
)
def test_what_is_late_is_not_said_as_if_it_were_new(
    kind: str, state: dict[str, object], verdict: object
) -> None:
    found = Situation(kind=kind, said_at=NOW - 3 * HOUR, **state)  # type: ignore[arg-type]
    assert decide(found, None, NOW, 2 * HOUR) == verdict


def test_quiet_hours_hold_what_is_to_be_said() -> None:
    midnight = at("2023-01-24T06:00:00Z")
    found = Situation(kind="begun", said_at=midnight)
    assert decide(found, NIGHT, midnight, 2 * HOUR) == Hold(at("2023-01-24T13:00:00Z"))


def test_pauses_grow_up_to_three_hours_and_end() -> None:
    pauses = [pause(tries) for tries in range(1, 11)]
    assert [None if each is None else each // SECOND for each in pauses] == [
        *(3, 9, 27, 81, 243, 729, 2187, 6561, 10_800, None)
    ]


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2023-01-24T18:00:00Z", "America/Chicago", "2023-01-25T14:00:00Z"),
        ("2023-03-12T01:00:00Z", "America/New_York", "2023-03-12T12:00:00Z"),
        ("2023-01-24T20:00:00Z", "Asia/Kolkata", "2023-01-26T02:30:00Z"),
    ],
)
def test_tomorrow_begins_at_eight_on_the_stores_clock(now: str, zone: str, until: str) -> None:
    assert iso(tomorrow(at(now), zone)) == until


@pytest.mark.parametrize(
    ("ago", "verdict"),
    [(0, Behind(NOW + 2 * SECOND)), (HOUR, Behind(NOW + 15 * MINUTE)), (3 * HOUR, Say(late=True))],
)
def test_an_end_waits_for_its_beginning_ever_longer_until_it_is_late(ago: int, verdict: object) -> None:
    found = Situation(kind="ended", said_at=NOW - ago, over=True, begun="waiting")
    assert decide(found, None, NOW, 2 * HOUR) == verdict
