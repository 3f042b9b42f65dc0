"""What the page of a group's alerts says of rules, incidents and deliveries."""

from __future__ import annotations

from datetime import datetime

from storewatch.domain.alert_rule import Rule, clock_of
from storewatch.domain.clock import MINUTE, to_us
from storewatch.domain.outage_words import length_in_words
from storewatch.services.alert_answers import what_of
from storewatch.storage.delivery_log import Logged
from storewatch.storage.incident_pages import Found
from storewatch.web import times, words

KINDS = {
    "mail": "Another mailbox",
    "slack": "Slack",
    "teams": "Microsoft Teams",
    "webhook": "A program of ours, by a signed webhook",
    "other": "Another service, by its Apprise address",
}
_SAID = {"begun": "Down", "still": "Still down", "ended": "Up again"}
_OTHER = {"mass": "many stores at once", "no_data": "no data", "budget": "budget nearly used"}


def moment(at: datetime, zone: str = "UTC") -> str:
    """`Fri 6 Mar, 11:34 CST`."""
    at_us = to_us(at)
    return times.moment(at_us - at_us % MINUTE, zone)


def minutes(count: int) -> str:
    """`2 h`."""
    return length_in_words(count * MINUTE)


def written(count: int) -> str:
    """`1h30m`: as a form takes it back."""
    hours, left = divmod(count, 60)
    return (f"{hours}h" if hours else "") + (f"{left}m" if left or not hours else "")


def rule(of: Rule, after_us: int) -> list[str]:
    """What is told, in sentences; `after_us` is the open time after which a store counts as down."""
    down = f"A store went down: after two polls in a row, or {length_in_words(after_us)} of open time."
    said = [down] if of.down else ["That a store went down is not told."]
    said += ["It is up again: to those who heard that it was down."] if of.recovered else []
    steps = ", ".join(minutes(step) for step in of.still_down_after)
    said += [f"It is still down, after {steps}."] if steps else []
    if of.mass_percent is not None and of.mass_within is not None:
        many = f"more than {of.mass_percent}% of the open stores within {minutes(of.mass_within)}"
        said.append(f"Many at once ({many}): one message with a list.")
    if of.no_data_after is not None:
        said.append(f"No store of the group was polled for {minutes(of.no_data_after)}.")
    if of.budget_percent is not None:
        said.append(f"A service level used {of.budget_percent}% of its budget.")
    return [*said, quiet(of)]


def quiet(of: Rule) -> str:
    """When nothing is sent."""
    if of.quiet_from is None or of.quiet_until is None:
        return "There are no quiet hours."
    span = f"{clock_of(of.quiet_from)} to {clock_of(of.quiet_until)} on the clock of {of.quiet_zone}"
    return f"Nothing is sent from {span}; what is over by then is not told at all."


def headline(open_now: list[Found]) -> str:
    """What goes on, in a sentence."""
    down = sum(each.incident.kind == "down" for each in open_now)
    said = [f"{words.stores(down)} {'is' if down == 1 else 'are'} down"] if down else []
    said += [_OTHER[each.incident.kind] for each in open_now if each.incident.kind != "down"]
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else "Nothing goes on."


def incident(found: Found, default_zone: str) -> str:
    """`Corner Café (store 17)`, or what it is about."""
    group = found.group.name if found.group is not None else found.level
    told = what_of(found.store_id, found.store_name, group, default_zone)
    return told if found.store_id is not None else f"{told}: {_OTHER.get(found.incident.kind, '')}"


def answered(found: Found, now: datetime, default_zone: str) -> str:
    """Whether somebody acknowledged or snoozed it; empty: nobody did."""
    one = found.incident
    if one.acknowledged_at is not None:
        who = f" by {found.acknowledged_by}" if found.acknowledged_by else ""
        return f"Seen{who}"
    if one.snoozed_until is not None and one.snoozed_until > now:
        return f"Snoozed until {moment(one.snoozed_until, found.zone or default_zone)}"
    return ""


def event(row: Logged) -> str:
    """What a delivery is about."""
    if row.incident is None:
        return "A test"
    if row.incident.kind == "down":
        return f"{_SAID[row.kind or 'begun']}: {row.store_name or f'store {row.store_id}'}"
    told = _OTHER[row.incident.kind].capitalize()
    return f"{told}: over" if row.kind == "ended" else told


def outcome(row: Logged) -> str:
    """What came of it, in words."""
    one = row.delivery
    tries = "once" if one.attempts == 1 else f"{one.attempts} times"
    if one.status == "sent" and one.sent_at is not None:
        more = "" if one.attempts == 1 else f", tried {tries}"
        return f"Sent {moment(one.sent_at)}{more}"
    if one.status == "held" and one.not_before is not None:
        return f"Held: quiet hours end {moment(one.not_before)}"
    if one.status == "failed":
        return f"Failed, tried {tries}: {one.said}"
    if one.status == "dropped":
        return f"Not sent: {one.said}"
    if one.said and not one.attempts:
        return f"Waits: {one.said[0].lower()}{one.said[1:]}"
    if one.said and one.not_before is not None:
        return f"Tried {tries}, again {moment(one.not_before)}: {one.said}"
    return "On its way"
