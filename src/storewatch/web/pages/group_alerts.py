"""/groups/…/alerts: what a group's people are told, where else it goes, what went out, what goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain import alert_delivery, alert_rule
from storewatch.domain.alert_rule import Rule
from storewatch.domain.clock import MINUTE, from_us, parse_duration
from storewatch.domain.permissions import READ, WRITE
from storewatch.errors import NotFoundError, StorewatchError, UsageError
from storewatch.services import alert_channels, alert_rules, groups, incidents
from storewatch.services.alert_channels import Wanted
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.incident_pages import Which
from storewatch.web import alert_page_words, live
from storewatch.web.access import asked_by_itself, caller, needs
from storewatch.web.context import database, default_request, now_us
from storewatch.web.limits import check_tries
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("group_alerts", __name__)

_LISTED, _MOST_OPEN = 25, 50
_FIELDS = (
    *("down", "recovered", "still_down_after", "mass_percent", "mass_within", "no_data_after"),
    *("budget_percent", "quiet_from", "quiet_until", "quiet_zone"),
)
_DONE = {
    "rule": "It holds from now on.",
    "on": "You get the alerts of this group by mail.",
    "off": "You get no mails of this group’s alerts.",
    "switched": "The channel is switched.",
    "removed": "The channel is removed.",
    "answered": "Noted: nobody hears more of it meanwhile.",
}


@blueprint.get("/groups/<uuid:group_id>/alerts")
@needs(READ)
def page(group_id: UUID) -> str:
    """The page."""
    return _page(group_id)


def _page(group_id: UUID, wrong: Wrong = NOTHING_WRONG, secret: str = "", made: str = "") -> str:
    group = groups.get(database(), caller(), group_id)
    before = request.args.get("before", "")
    after = int(before) if before.isdecimal() and len(before) < 18 else None
    log = alert_channels.deliveries(database(), caller(), group_id, after, _LISTED + 1)
    rule = alert_rules.get(database(), caller(), group_id)
    return render_template(
        "group_alerts.html",
        **_going_on(group),
        rule=rule,
        after_us=parse_duration(current_app.extensions["storewatch.settings"].alert_after) or 0,
        mine=next(
            (on for own, on in alert_rules.own(database(), caller()) if own.group_id == group_id), None
        ),
        channels=alert_channels.page(database(), caller(), group_id, "", alert_channels.MOST),
        still=", ".join(alert_page_words.written(step) for step in rule.still_down_after),
        masked=alert_channels.masked,
        log=log[:_LISTED],
        next=log[_LISTED - 1].delivery.delivery_no if len(log) > _LISTED else None,
        later=after is not None,
        tested=_tested(group_id),
        clock_of=alert_rule.clock_of,
        wrong=wrong,
        secret=secret,
        made=made,
        done=_DONE.get(request.args.get("done", ""), ""),
    )


@blueprint.get("/groups/<uuid:group_id>/alerts/now")
@needs(READ)
@asked_by_itself
def going_on(group_id: UUID) -> Response:
    """What goes on."""
    told = _going_on(groups.get(database(), caller(), group_id))
    zone, now = default_request().default_zone, datetime.now(UTC)
    lines = [
        (
            each.incident.incident_no,
            alert_page_words.incident(each, zone),
            each.incident.reason,
            each.incident.began_at,
            alert_page_words.answered(each, now, zone),
        )
        for each in told["open"]
    ]
    return live.part((told["manages"], lines), lambda: render_template("_going_on_part.html", **told))


def _going_on(group: StoreGroup) -> dict[str, Any]:
    which = Which(open=True, told=True)
    return {
        "group": group,
        "manages": caller().manages(group.group_no),
        "open": incidents.page(database(), caller(), which, None, _MOST_OPEN, group.group_id),
        "say": alert_page_words,
        "zone": default_request().default_zone,
        "now": datetime.now(UTC),
    }


def _to(group_id: UUID, done: str | None = None, tested: str | None = None) -> Response:
    return redirect(url_for("group_alerts.page", group_id=group_id, done=done, tested=tested), 303)


# --- the rule -------------------------------------------------------------------------------------


@blueprint.post("/groups/<uuid:group_id>/alerts")
@needs(WRITE)
def put(group_id: UUID) -> Response | tuple[str, int]:
    """Sets what is told."""
    groups.get(database(), caller(), group_id)
    try:
        alert_rules.put(database(), caller(), group_id, _rule(), lambda _: None)
    except UsageError as error:
        told, status = forms.wrong("rule", error, *_FIELDS)
        return _page(group_id, told), status
    return _to(group_id, done="rule")


def _rule() -> Rule:
    said = {name: request.form.get(name, "").strip() for name in _FIELDS}
    steps = [part for part in said["still_down_after"].replace(";", ",").split(",") if part.strip()]
    return Rule(
        down=bool(said["down"]),
        recovered=bool(said["recovered"]),
        still_down_after=tuple(_minutes("still_down_after", step) or 0 for step in steps),
        mass_percent=_number("mass_percent", said["mass_percent"]),
        mass_within=_minutes("mass_within", said["mass_within"]),
        no_data_after=_minutes("no_data_after", said["no_data_after"]),
        budget_percent=_number("budget_percent", said["budget_percent"]),
        quiet_from=_time("quiet_from", said["quiet_from"]),
        quiet_until=_time("quiet_until", said["quiet_until"]),
        quiet_zone=(said["quiet_zone"] or None) if said["quiet_from"] or said["quiet_until"] else None,
    )


def _minutes(name: str, text: str) -> int | None:
    """Of `2h`, `90m`, `1h30m`; blanks do not matter."""
    plain = text.lower().replace(" ", "").replace("min", "m")
    if not plain:
        return None
    found = parse_duration(plain)
    if not found or found % MINUTE:
        raise UsageError("Write a length like 2h, 90m or 1h30m", field=name)
    return found // MINUTE


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and len(text) < 5):
        raise UsageError("Give a whole number", field=name)
    return int(text)


def _time(name: str, text: str) -> int | None:
    found = alert_rule.minutes_of(text) if text else None
    if text and found is None:
        raise UsageError("Write a time like 22:00", field=name)
    return found


@blueprint.post("/groups/<uuid:group_id>/alerts/mine")
@needs(WRITE)
def mine(group_id: UUID) -> Response:
    """Whether one gets the group's alerts by mail; back to where that was asked."""
    on = request.form.get("on") == "yes"
    alert_rules.set_own(database(), caller(), group_id, on=on)
    if request.form.get("from") == "account":
        return redirect(url_for("own.account", done="alerts"), 303)
    return _to(group_id, done="on" if on else "off")


# --- channels -------------------------------------------------------------------------------------


@blueprint.post("/groups/<uuid:group_id>/channels")
@needs(WRITE)
def add_channel(group_id: UUID) -> Response | str | tuple[str, int]:
    """Adds a channel; the secret of a webhook is shown this once."""
    groups.get(database(), caller(), group_id)
    schemes = alert_channels.schemes(current_app.extensions["storewatch.settings"].apprise_schemes)
    try:
        wanted = Wanted(forms.line("name", "The name"), request.form.get("kind", ""), _address())
        made, secret = alert_channels.create(database(), caller(), group_id, wanted, schemes)
    except StorewatchError as error:
        told, status = forms.wrong("channel", error, "name", "kind", "url")
        return _page(group_id, told), status
    return _page(group_id, secret=secret or "", made=made.name)


def _address() -> str:
    found = request.form.get("url", "").strip()
    if not found or len(found) > 2000 or not found.isprintable() or " " in found:
        raise UsageError("Give the address, without spaces in it", field="url")
    return found


@blueprint.post("/groups/<uuid:group_id>/channels/<uuid:channel_id>/test")
@needs(WRITE)
def test_channel(group_id: UUID, channel_id: UUID) -> Response:
    """Sends a real test; the page tells what came of it."""
    check_tries()
    key = alert_channels.test(database(), caller(), group_id, channel_id)
    return _to(group_id, tested=str(key))


@blueprint.get("/groups/<uuid:group_id>/alerts/tested")
@needs(READ)
def tested(group_id: UUID) -> str:
    """What came of a test: the part of the page that asks for itself while it is on its way."""
    group = groups.get(database(), caller(), group_id)
    found = _tested(group_id)
    if found is None:
        raise NotFoundError("There is no such test")
    return render_template("_tested.html", group=group, tested=found, say=alert_page_words)


def _tested(group_id: UUID) -> object | None:
    try:
        key = UUID(request.args.get("tested", ""))
        return alert_channels.delivery(database(), caller(), group_id, key)
    except (ValueError, StorewatchError):
        return None


@blueprint.post("/groups/<uuid:group_id>/channels/<uuid:channel_id>/switch")
@needs(WRITE)
def switch_channel(group_id: UUID, channel_id: UUID) -> Response:
    """Switches a channel off, or on again."""
    on = request.form.get("on") == "yes"
    alert_channels.switch(database(), caller(), group_id, channel_id, on=on)
    return _to(group_id, done="switched")


@blueprint.post("/groups/<uuid:group_id>/channels/<uuid:channel_id>/remove")
@needs(WRITE)
def remove_channel(group_id: UUID, channel_id: UUID) -> Response:
    """Removes a channel."""
    alert_channels.remove(database(), caller(), group_id, channel_id)
    return _to(group_id, done="removed")


# --- what goes on ---------------------------------------------------------------------------------


@blueprint.post("/groups/<uuid:group_id>/alerts/answer/<uuid:incident_id>")
@needs(WRITE)
def answer(group_id: UUID, incident_id: UUID) -> Response:
    """Acknowledges or snoozes an incident."""
    groups.get(database(), caller(), group_id)
    how = request.form.get("how", "")
    if how == "snooze":
        incidents.snooze(database(), caller(), incident_id, datetime.now(UTC) + timedelta(hours=4))
    elif how == "tomorrow":
        zone = incidents.get(database(), caller(), incident_id).zone or default_request().default_zone
        until = from_us(alert_delivery.tomorrow(now_us(), zone))
        incidents.snooze(database(), caller(), incident_id, until)
    else:
        incidents.acknowledge(database(), caller(), incident_id)
    return _to(group_id, done="answered")
