"""Channels: where else a group's alerts go; tried by a button; and the log of what went where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.errors import ConflictError, NotFoundError, UsageError
from storewatch.outbound import notifying, webhooks
from storewatch.services import alert_rules, delivering
from storewatch.services.people import checked_email
from storewatch.storage import alert_channels, audit, delivery_log
from storewatch.storage.alert_tables import AlertChannel
from storewatch.storage.db import Database
from storewatch.storage.delivery_log import Logged

MAIL, WEBHOOK = "mail", "webhook"
KINDS = (MAIL, notifying.SLACK, notifying.TEAMS, WEBHOOK, notifying.OTHER)
MOST = 20
"""So many may a group have."""


@dataclass(frozen=True)
class Wanted:
    """A channel as somebody asks for it."""

    name: str
    kind: str
    url: str


def schemes(setting: str) -> frozenset[str]:
    """The schemes that a setting lists, with commas between."""
    return frozenset(part.strip().lower() for part in setting.split(",") if part.strip())


def page(database: Database, caller: Caller, group_id: UUID, after: str, count: int) -> list[AlertChannel]:
    """The channels of a group that the caller may see, by name."""
    with database.session() as session:
        group = alert_rules.seen(session, caller, group_id)
        return alert_channels.of_group(session, group.group_no, after, count)


def get(database: Database, caller: Caller, group_id: UUID, channel_id: UUID) -> AlertChannel:
    """A channel of a group that the caller may see."""
    with database.transaction() as session:
        group = alert_rules.seen(session, caller, group_id)
        return _found(session, group.group_no, channel_id)


def create(
    database: Database, caller: Caller, group_id: UUID, wanted: Wanted, allowed: frozenset[str]
) -> tuple[AlertChannel, str | None]:
    """Makes a channel: (it, the secret that a webhook's messages are signed with). UsageError says what is
    wrong with its address, which is a secret from now on.
    """
    url = _checked(wanted, allowed)
    with database.transaction() as session:
        group = alert_rules.managed(session, caller, group_id)
        if alert_channels.count(session, group.group_no) >= MOST:
            raise ConflictError(f"A group may have {MOST} channels: remove one first")
        if alert_channels.named(session, group.group_no, wanted.name):
            raise ConflictError(f"The group has a channel '{wanted.name}' already")
        values = {"group_no": group.group_no, "name": wanted.name, "kind": wanted.kind, "url": url}
        made = alert_channels.add(session, values | {"created_by": caller.account_no})
        _record(session, caller, "create", made)
        secret = delivering.channel_secret(delivering.signing_secret(session), made)
        return made, secret if wanted.kind == WEBHOOK else None


def _checked(wanted: Wanted, allowed: frozenset[str]) -> str:
    url = wanted.url.strip()
    if wanted.kind == MAIL:
        try:
            return checked_email(url)
        except UsageError as error:
            raise UsageError(str(error), field="url") from None
    if wanted.kind == WEBHOOK:
        try:
            webhooks.check_url(url)
        except UsageError:
            raise UsageError("The address must be like https://example.com/alerts", field="url") from None
    elif wanted.kind in KINDS:
        notifying.check(wanted.kind, url, allowed)
    else:
        raise UsageError("Choose one of the list", field="kind")
    return url


def switch(database: Database, caller: Caller, group_id: UUID, channel_id: UUID, *, on: bool) -> AlertChannel:
    """Switches a channel on or off."""
    with database.transaction() as session:
        channel = _managed(session, caller, group_id, channel_id)
        if channel.enabled != on:
            alert_channels.change(session, channel.channel_no, enabled=on)
            _record(session, caller, "enable" if on else "disable", channel)
        return alert_channels.by_id(session, channel_id) or channel


def remove(database: Database, caller: Caller, group_id: UUID, channel_id: UUID) -> None:
    """Removes a channel; what went there goes from the log with it."""
    with database.transaction() as session:
        channel = _managed(session, caller, group_id, channel_id)
        alert_channels.remove(session, channel.channel_no)
        _record(session, caller, "delete", channel)


def test(database: Database, caller: Caller, group_id: UUID, channel_id: UUID) -> UUID:
    """Has a test sent, off or on. Returns its key, by which the log tells what came of it."""
    with database.transaction() as session:
        channel = _managed(session, caller, group_id, channel_id)
        delivery = delivery_log.add_test(session, channel)
        delivering.defer_at(session, delivery.delivery_no)
        _record(session, caller, "test", channel)
        return delivery.key


def deliveries(
    database: Database, caller: Caller, group_id: UUID, after: int | None, count: int
) -> list[Logged]:
    """What went out for a group, newest first; people as far as the caller may see them."""
    with database.session() as session:
        group = alert_rules.seen(session, caller, group_id)
        return delivery_log.page(session, group.group_no, caller.seen_by, after, count)


def delivery(database: Database, caller: Caller, group_id: UUID, key: UUID) -> Logged:
    """One of them. NotFoundError without it."""
    with database.session() as session:
        group = alert_rules.seen(session, caller, group_id)
        found = delivery_log.find(session, group.group_no, caller.seen_by, key)
    if found is None:
        raise NotFoundError(f"There is no delivery '{key}'")
    return found


def _managed(session: Session, caller: Caller, group_id: UUID, channel_id: UUID) -> AlertChannel:
    group = alert_rules.managed(session, caller, group_id)
    return _found(session, group.group_no, channel_id)


def _found(session: Session, group_no: int, channel_id: UUID) -> AlertChannel:
    channel = alert_channels.by_id(session, channel_id, group_no)
    if channel is None:
        raise NotFoundError(f"There is no channel '{channel_id}'")
    return channel


def _record(session: Session, caller: Caller, action: str, channel: AlertChannel) -> None:
    """Without its address, which is a secret."""
    audit.record(
        session, caller, action, "alert_channel", channel.channel_id, name=channel.name, channel=channel.kind
    )


def masked(channel: AlertChannel) -> str:
    """Enough of the address to know it again, and not enough to use it."""
    if channel.kind == MAIL:
        name, _, domain = channel.url.rpartition("@")
        return f"{name[:1]}…@{domain}"
    if channel.kind == notifying.OTHER:  # what stands for a host may be a token there
        return f"{urlsplit(channel.url).scheme}://…"
    found = re.match(r"(https?://[^/?#@]+)", channel.url)
    return f"{found[1]}/…" if found else "…"
