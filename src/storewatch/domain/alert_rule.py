"""What a group's people are told, as somebody says it: checked once, for bodies and forms alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from storewatch.domain import zones
from storewatch.errors import UsageError

MOST_STEPS, LONGEST_STEP = 5, 7 * 1440
_MINUTES = {"mass_within": (1, 1440), "no_data_after": (5, 10_080)}
_PERCENT = ("mass_percent", "budget_percent")
_QUIET = ("quiet_from", "quiet_until", "quiet_zone")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Lengths in minutes; quiet hours in minutes of the day on the clock of `quiet_zone`, the end may be on
    the next day; None: not at all. The defaults are those of a group for which nobody said anything.
    """

    down: bool = True
    recovered: bool = True
    still_down_after: tuple[int, ...] = ()
    mass_percent: int | None = 30
    mass_within: int | None = 15
    no_data_after: int | None = None
    budget_percent: int | None = None
    quiet_from: int | None = None
    quiet_until: int | None = None
    quiet_zone: str | None = None

    def values(self) -> dict[str, Any]:
        """By column."""
        return asdict(self) | {"still_down_after": list(self.still_down_after)}


def checked(rule: Rule) -> Rule:
    """Itself, if it makes sense; UsageError names the field that does not."""
    steps = rule.still_down_after
    if len(steps) > MOST_STEPS or not all(1 <= step <= LONGEST_STEP for step in steps):
        raise _wrong(
            "still_down_after", f"“Still down” may be said {MOST_STEPS} times, up to a week after it began"
        )
    if list(steps) != sorted(set(steps)):
        raise _wrong("still_down_after", "Say the times of “still down” in order, each once")
    for name, (least, most) in _MINUTES.items():
        value = getattr(rule, name)
        if value is not None and not least <= value <= most:
            raise _wrong(name, f"{least} to {most} minutes can be given here")
    for name in _PERCENT:
        value = getattr(rule, name)
        if value is not None and not 1 <= value <= 100:
            raise _wrong(name, "Give 1 to 100 per cent")
    if (rule.mass_percent is None) != (rule.mass_within is None):
        raise _wrong("mass_within", "Many at once need both: how many per cent, and within how many minutes")
    _check_quiet(rule)
    return rule


def _check_quiet(rule: Rule) -> None:
    given = [getattr(rule, name) is not None for name in _QUIET]
    if any(given) and not all(given):
        raise _wrong("quiet_until", "Quiet hours need all three: from when, until when, and on which clock")
    if rule.quiet_zone is None or rule.quiet_from is None or rule.quiet_until is None:
        return
    if rule.quiet_zone not in zones.names():
        raise _wrong("quiet_zone", "There is no such time zone; write it like America/Chicago")
    if not (0 <= rule.quiet_from <= 1439 and 0 <= rule.quiet_until <= 1439):
        raise _wrong("quiet_from", "Quiet hours lie between 00:00 and 23:59")
    if rule.quiet_from == rule.quiet_until:
        raise _wrong("quiet_until", "Quiet hours cannot end when they begin: then nothing would ever be said")


def _wrong(field: str, message: str) -> UsageError:
    return UsageError(message, field=field)


def minutes_of(text: str) -> int | None:
    """Minutes of the day of `22:30`; None if it is none."""
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(hour) <= 2 and len(minute) == 2):
        return None
    found = int(hour) * 60 + int(minute)
    return found if int(hour) <= 23 and int(minute) <= 59 else None


def clock_of(minutes: int) -> str:
    """`22:30`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
