"""The job that delivers one notice, digest or report to one person or channel, at least once.

A delivery is claimed for a while, sent, and marked. Who is killed in between leaves the claim behind: when it
has run out, the notice is sent again with the same key. Who was only slow marks nothing any more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from storewatch.domain import alert_delivery
from storewatch.domain.alert_delivery import Behind, Drop, Hold, Quiet, Say, Situation
from storewatch.domain.clock import from_us, to_us
from storewatch.domain.permissions import Caller, Role, Via
from storewatch.errors import (
    DeliveryError,
    DeliveryRefusedError,
    MailFailedError,
    MailRefusedError,
    StorewatchError,
)
from storewatch.outbound import mail, notifying, webhooks
from storewatch.outbound.mail import Letter
from storewatch.services import counts, logins, scheduled_mails, telling
from storewatch.services.alert_links import Signer
from storewatch.services.telling import Message, Ways
from storewatch.storage import app_secrets, deliveries, delivery_log, incident_pages, queue
from storewatch.storage.alert_tables import AlertChannel, AlertRule, Delivery
from storewatch.storage.db import Database
from storewatch.storage.delivery_log import Case

log = structlog.get_logger()

KEY = "Idempotency-Key"

_CLAIMED_FOR = timedelta(seconds=60)
"""Longer than a mail server or a channel may take."""

Clock = Callable[[], int]


def now() -> int:
    """The machine's clock."""
    return to_us(datetime.now(UTC))


@dataclass(frozen=True)
class _Ready:
    """What a claim is to say: to an address, or a channel."""

    message: Message
    email: str
    channel: AlertChannel | None = None


def deliver(database: Database, delivery_no: int, ways: Ways, clock: Clock = now) -> None:
    """Delivers, holds or drops it; what fails is tried again later by another job."""
    with database.transaction() as session:
        at = from_us(clock())
        delivery = delivery_log.claim(session, delivery_no, at, at + _CLAIMED_FOR)
        if delivery is None:
            _come_again(session, delivery_no)
            return
        signer, secret = Signer(session), signing_secret(session)
        session.expunge_all()
    try:
        ready = _prepared(database, delivery, ways, signer, clock())
        if ready is not None:
            send(ready.channel, ready.message, str(delivery.key), ready.email, ways, secret)
            _settle(database, delivery, status="sent", sent_at=from_us(clock()), not_before=None, said=None)
    except (MailRefusedError, DeliveryRefusedError) as error:
        _give_up(database, delivery, str(error))
    except (MailFailedError, DeliveryError) as error:
        _later(database, delivery, str(error), clock())
    except StorewatchError as error:
        _give_up(database, delivery, str(error))
    except Exception:
        log.exception("delivery failed", delivery=str(delivery.key))
        _later(database, delivery, "Something went wrong on our side; the log has the details", clock())


def _come_again(session: Session, delivery_no: int) -> None:
    """Another job has it, or had it and was killed: whoever comes then will know."""
    until = delivery_log.waits_until(session, delivery_no)
    if until is not None:
        defer_at(session, delivery_no, until)


def defer_at(session: Session, delivery_no: int, at: datetime | None = None) -> None:
    """Has a delivery looked at, once the transaction is committed."""
    queue.defer_at(session, deliveries.QUEUE, deliveries.TASK, at, delivery_no=delivery_no)


# --- what is to be said ---------------------------------------------------------------------------


def _prepared(database: Database, delivery: Delivery, ways: Ways, signer: Signer, at: int) -> _Ready | None:
    """What is to be sent now; None if nothing is, which is settled then."""
    if delivery.run_no is not None:
        found = scheduled_mails.prepared(database, delivery, ways, signer, at)
        if isinstance(found, scheduled_mails.Ready):
            return _Ready(found.message, found.email)
        _not_now(database, delivery, found)
        return None
    with database.snapshot() as session:
        case = delivery_log.case(session, delivery)
        verdict, reader = _verdict(session, case, ways, at)
        if isinstance(verdict, Say):
            message = (
                trial(case)
                if case.notice is None
                else telling.message(session, case, reader, ways, signer, late=verdict.late)
            )
            session.expunge_all()
            return _Ready(message, _to(case), case.channel)
        session.expunge_all()
    _not_now(database, delivery, verdict, case)
    return None


def _not_now(
    database: Database, delivery: Delivery, verdict: Hold | Behind | Drop, case: Case | None = None
) -> None:
    if isinstance(verdict, Hold):
        _not_yet(database, delivery, "held", verdict.until, verdict.why)
    elif isinstance(verdict, Behind):
        _not_yet(database, delivery, "waiting", verdict.until, "Its beginning is told first")
    else:
        _drop(database, delivery, verdict, case)


def _verdict(
    session: Session, case: Case, ways: Ways, at: int
) -> tuple[Say | Hold | Behind | Drop, Caller | None]:
    """What becomes of it, and who reads it; None: whoever reads the channel."""
    reader, reason = _reader(session, case, ways)
    if reason is not None:
        return Drop(reason), reader
    if case.notice is None or case.incident is None:
        return Say(), reader
    situation = Situation(
        kind=case.notice.kind,
        said_at=to_us(case.notice.created_at),
        over=case.incident.ended_at is not None,
        hushed=_is_hushed(case, at),
        held=case.delivery.status == "held",
        begun=case.begun,
        ended=case.ended,
    )
    return alert_delivery.decide(situation, _quiet(case.rule), at, ways.within), reader


def _reader(session: Session, case: Case, ways: Ways) -> tuple[Caller | None, str | None]:
    """(who reads it, why it is not for them any more)."""
    if case.channel is not None:
        off = not case.channel.enabled and case.notice is not None
        return None, "The channel was switched off" if off else None
    if case.account is None or not case.account.active:
        return None, "They have no account any more"
    if ways.mail is None:
        return None, "No mail is sent from here: STOREWATCH_SMTP_URL is not set"
    if case.muted:
        return None, "They want no alerts of this group"
    reader = logins.caller_of(session, case.account, Via.LINK)
    return reader, None if _is_theirs(session, case, reader) else "They may not see this any more"


def _is_theirs(session: Session, case: Case, reader: Caller) -> bool:
    if case.incident is None:
        return False
    if case.group is None:
        return reader.role is not Role.MEMBER or incident_pages.may_see(
            session, case.incident.incident_no, reader.seen_by
        )
    if not reader.sees_all and case.group.group_no not in reader.groups:
        return False
    return incident_pages.may_see(session, case.incident.incident_no, reader.seen_by)


def _is_hushed(case: Case, at: int) -> bool:
    """Whether somebody said that no more is to be said of it for now."""
    incident = case.incident
    if incident is None:
        return False
    snoozed = incident.snoozed_until is not None and to_us(incident.snoozed_until) > at
    return snoozed or incident.acknowledged_at is not None


def _quiet(rule: AlertRule | None) -> Quiet | None:
    if rule is None or rule.quiet_from is None or rule.quiet_until is None or rule.quiet_zone is None:
        return None
    return Quiet(rule.quiet_from, rule.quiet_until, rule.quiet_zone)


def trial(case: Case) -> Message:
    """What the test button of a channel sends."""
    name = case.channel.name if case.channel else ""
    group = case.group.name if case.group else ""
    key = str(case.delivery.key)
    subject = f"A test of the channel “{name}”"
    text = f"Alerts of {group} will come here. Nothing is down: somebody pressed the test button."
    return Message(subject, f"{text}\n\nKey: {key}\n", {"key": key, "event": "test", "said": subject})


# --- sending --------------------------------------------------------------------------------------


def _to(case: Case) -> str:
    return case.account.email if case.account is not None else ""


def send(
    channel: AlertChannel | None, message: Message, key: str, email: str, ways: Ways, secret: str
) -> None:
    """Sends it. MailFailedError and DeliveryError: later; their kinds of refusal: never."""
    if channel is None or channel.kind == "mail":
        if ways.mail is None:
            raise MailRefusedError("No mail is sent from here: STOREWATCH_SMTP_URL is not set")
        to = email if channel is None else channel.url
        letter = Letter(to, message.subject, message.text, key, message.leave, message.attachment)
        mail.send(ways.mail.server, ways.mail.sender, letter)
    elif channel.kind == "webhook":
        body = json.dumps(message.data).encode()
        signed = webhooks.signature(channel_secret(secret, channel), body, int(time.time()))
        webhooks.post(channel.url, body, {webhooks.SIGNATURE: signed, KEY: key}, ways.networks)
    else:
        notifying.send(channel.url, message.subject, message.text, ways.networks)


def signing_secret(session: Session) -> str:
    """From which the secrets of channels come."""
    return app_secrets.kept(session, "alert_channels", secrets.token_hex(32).encode()).decode()


def channel_secret(secret: str, channel: AlertChannel) -> str:
    """What the announcements of one webhook are signed with: each has its own."""
    return hmac.new(secret.encode(), channel.channel_id.bytes, hashlib.sha256).hexdigest()


# --- what came of it ------------------------------------------------------------------------------


def _settle(database: Database, delivery: Delivery, **values: object) -> None:
    with database.transaction() as session:
        delivery_log.settle(session, delivery, **values)
    counts.DELIVERIES.labels(str(values["status"])).inc()
    log.info("alert", delivery=str(delivery.key), status=values["status"], attempt=delivery.attempts)


def _give_up(database: Database, delivery: Delivery, said: str) -> None:
    _settle(database, delivery, status="failed", said=said, not_before=None)


def _later(database: Database, delivery: Delivery, said: str, at: int) -> None:
    """Again after a pause, which grows; a test is tried once."""
    is_test = delivery.notice_no is None and delivery.run_no is None
    pause = None if is_test else alert_delivery.pause(delivery.attempts)
    if pause is None:
        _give_up(database, delivery, said)
        return
    until = from_us(at + pause)
    with database.transaction() as session:
        if delivery_log.settle(session, delivery, status="waiting", said=said, not_before=until):
            defer_at(session, delivery.delivery_no, until)
    counts.DELIVERIES.labels("later").inc()
    log.warning("alert not delivered yet", delivery=str(delivery.key), attempt=delivery.attempts, error=said)


def _not_yet(database: Database, delivery: Delivery, status: str, until_us: int, said: str) -> None:
    """It was no try."""
    until = from_us(until_us)
    values = {"status": status, "not_before": until, "said": said, "attempts": delivery.attempts - 1}
    with database.transaction() as session:
        if delivery_log.settle(session, delivery, **values):
            defer_at(session, delivery.delivery_no, until)


def _drop(database: Database, delivery: Delivery, verdict: Drop, case: Case | None) -> None:
    values = {"status": "dropped", "said": verdict.why, "not_before": None}
    with database.transaction() as session:
        delivery_log.settle(session, delivery, **values, attempts=delivery.attempts - 1)
        if verdict.whole and case is not None:
            delivery_log.drop_held(session, case, verdict.why)
