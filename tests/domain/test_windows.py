"""Windows are elapsed time before T, the same for every store."""

from __future__ import annotations

from storewatch.domain.windows import CLASSIC, Elapsed, before
from tests.oracle import DAY, HOUR, MINUTE

AS_OF = 1_674_670_402_479_220


def test_the_classic_windows_are_the_last_hour_day_and_week_in_that_order() -> None:
    named = [(window.name, window.length_us) for window in CLASSIC]
    assert named == [("last_hour", HOUR), ("last_day", 24 * HOUR), ("last_week", 168 * HOUR)]


def test_every_store_has_windows_that_end_at_t() -> None:
    windows = before(AS_OF, CLASSIC, stores=2)
    own = [[AS_OF - HOUR, AS_OF], [AS_OF - DAY, AS_OF], [AS_OF - 7 * DAY, AS_OF]]
    assert windows.tolist() == [own, own]


def test_windows_can_be_of_any_length_and_number() -> None:
    assert before(AS_OF, (Elapsed("last_minute", MINUTE),), stores=1).tolist() == [[[AS_OF - MINUTE, AS_OF]]]
    assert before(AS_OF, CLASSIC, stores=0).shape == (0, 3, 2)
