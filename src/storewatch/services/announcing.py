"""Telling a webhook that a report is finished."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from storewatch.domain.clock import iso, to_us
from storewatch.domain.permissions import Caller
from storewatch.errors import DeliveryRefusedError
from storewatch.outbound import webhooks
from storewatch.outbound.addresses import Network
from storewatch.storage import app_secrets, audit, queue, reports
from storewatch.storage.db import Database
from storewatch.storage.tables import Report

log = structlog.get_logger()

QUEUE = "outbound"
TASK = "announce_report"
RETRIES, PAUSE_BASE = 8, 3
"""After a failure: 3, 9, 27 … 6,561 seconds, which are 2 h 44 min in all."""

_SECRET = "webhooks"  # noqa: S105 - its name


@dataclass(frozen=True)
class Outside:
    """How the outside is met: the address of this service, and the networks a webhook may lie in."""

    url: str = ""
    networks: tuple[Network, ...] = ()


def defer(session: Session, report: Report) -> None:
    """Has a report announced, once the transaction that finishes it is committed; if it has a webhook."""
    if report.webhook is not None:
        queue.defer(session, QUEUE, TASK, report_id=str(report.report_id))


def announce(database: Database, report_id: UUID, outside: Outside) -> None:
    """Tells the report's webhook. May come twice. DeliveryError if it did not arrive: try again later.

    Where we must not send, trying again is of no use: that is logged, and the end of it.
    """
    with database.transaction() as session:
        report = reports.find(session, report_id, None)
        if report is None or report.webhook is None or report.finished_at is None:
            return
        key = _kept(session)
    body = _told(report, outside)
    signed = webhooks.signature(key, body, int(time.time()))
    try:
        webhooks.post(report.webhook, body, {webhooks.SIGNATURE: signed}, outside.networks)
    except DeliveryRefusedError as error:
        log.warning("webhook refused", report_id=str(report_id), reason=str(error))
    else:
        log.info("report announced", report_id=str(report_id))


def _told(report: Report, outside: Outside) -> bytes:
    """No figures: who may read them is asked for a token at `url`."""
    told = {
        "report_id": str(report.report_id),
        "status": report.status,
        "as_of": None if report.as_of is None else iso(to_us(report.as_of)),
        "url": f"{outside.url.rstrip('/')}/api/v1/reports/{report.report_id}",
    }
    return json.dumps(told).encode()


def secret(database: Database, caller: Caller) -> str:
    """What every announcement is signed with. Made when it is first needed."""
    with database.transaction() as session:
        audit.record(session, caller, "read", "webhook_secret", "")
        return _kept(session)


def _kept(session: Session) -> str:
    return app_secrets.kept(session, _SECRET, secrets.token_hex(32).encode()).decode()
