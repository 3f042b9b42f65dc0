"""What the pages of schedules say."""

from __future__ import annotations

from datetime import datetime

from storewatch.domain.clock import MINUTE, to_us
from storewatch.domain.schedules import WEEKDAYS, worded
from storewatch.services.schedules import Found
from storewatch.storage.schedule_log import Logged
from storewatch.web import times

WHAT = {"digest": "A digest: what was lost", "report": "A report: the seven columns"}
EVERY = {"day": "Every day", "week": "Every week", "month": "Every month"}
DAYS = {str(number): name for number, name in enumerate(WEEKDAYS)}
FORMATS = {"xlsx": "XLSX, for spreadsheets", "csv": "CSV", "none": "Nothing attached"}


def moment(at: datetime, zone: str) -> str:
    """`Mon 30 Nov, 08:00 CET`."""
    at_us = to_us(at)
    return times.moment(at_us - at_us % MINUTE, zone)


def when(found: Found) -> str:
    """`Every Monday at 08:00`."""
    one = found.schedule
    said = worded(one.every, one.on_day, one.minute)
    return said[0].upper() + said[1:]


def what(found: Found) -> str:
    """What is sent, about what and to whom."""
    one = found.schedule
    kind = "Digest" if one.what == "digest" else "Report"
    lost = " of a group that you see no more" if one.group_no is not None else " of all stores that you see"
    of = f" of {found.group}" if found.group else lost
    to = ", to all its people" if found.for_all else ", to you"
    only = ", if a target was missed" if one.only_if_missed else ""
    file = "" if one.format == "none" else f", with {one.format.upper()}"
    return f"{kind}{of}{to}{file}{only}"


def next_run(found: Found) -> str:
    """When it runs next, on its clock."""
    at = found.schedule.next_run_at
    return "Switched off" if at is None else moment(at, found.zone)


def headline(found: list[Found]) -> str:
    """The answer first."""
    coming = [each for each in found if each.schedule.next_run_at is not None and not each.muted]
    if not coming:
        return "Nothing comes by itself."
    first = min(coming, key=lambda each: each.schedule.next_run_at or each.schedule.created_at)
    return f"The next mail comes {next_run(first)}."


def outcome(row: Logged, zone: str) -> str:
    """What came of a delivery, in words."""
    one = row.delivery
    if one is None:
        return "There was nobody to send it to"
    if one.status == "sent" and one.sent_at is not None:
        more = "" if one.attempts == 1 else f", tried {one.attempts} times"
        return f"Sent {moment(one.sent_at, zone)}{more}"
    if one.status == "failed":
        return f"Failed: {one.said}"
    if one.status == "dropped":
        return f"Not sent: {one.said}"
    return one.said or "On its way"
