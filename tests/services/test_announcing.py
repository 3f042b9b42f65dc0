"""Webhooks of reports: deferred with the end of a report, signed, tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from procrastinate.jobs import Job
from sqlalchemy import text

from storewatch.domain.permissions import COMMAND
from storewatch.errors import DeliveryError
from storewatch.jobs.tasks import Means, make_app
from storewatch.outbound.webhooks import networks
from storewatch.services import announcing, making, reporting, reports
from storewatch.services.announcing import Outside
from storewatch.services.depot import Depot
from storewatch.services.reporting import Request
from storewatch.storage import reports as stored
from storewatch.storage.db import Database
from tests.factories import load_chicago
from tests.outbound.receiver import Receiver, receiving

NOW = 1 << 60
OUTSIDE = Outside("https://watch.example/", networks("127.0.0.0/8"))


def asked(database: Database, url: str | None) -> UUID:
    load_chicago(database)
    return reporting.trigger(database, COMMAND, Request(webhook=url), NOW)


def announcements(database: Database) -> list[dict[str, Any]]:
    """The arguments of the jobs that will announce something."""
    query = (
        "SELECT args FROM procrastinate_jobs WHERE task_name = 'announce_report' AND queue_name = 'outbound'"
    )
    with database.session() as session:
        return list(session.execute(text(query)).scalars())


def told(receiver: Receiver) -> Any:
    """What the latest announcement said."""
    return json.loads(receiver.came[-1][2])


def test_a_complete_report_is_announced_without_figures(database: Database) -> None:
    with receiving() as receiver:
        report_id = asked(database, receiver.url)
        assert announcements(database) == []
        making.make(database, report_id)
        assert announcements(database) == [{"report_id": str(report_id)}]
        announcing.announce(database, report_id, OUTSIDE)
        assert told(receiver) == {
            "report_id": str(report_id),
            "status": "complete",
            "as_of": "2023-01-23T17:15:00Z",
            "url": f"https://watch.example/api/v1/reports/{report_id}",
        }


def test_an_announcement_is_signed_with_the_secret_of_the_service(database: Database) -> None:
    with receiving() as receiver:
        report_id = asked(database, receiver.url)
        making.make(database, report_id)
        announcing.announce(database, report_id, OUTSIDE)
        _, headers, body = receiver.came[0]
    moment, found = (part.split("=")[1] for part in headers["Storewatch-Signature"].split(","))
    key = announcing.secret(database, COMMAND).encode()
    assert found == hmac.new(key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def test_a_report_that_fails_or_is_cancelled_is_announced_too(database: Database) -> None:
    with receiving() as receiver:
        failed, cancelled = asked(database, receiver.url), asked(database, receiver.url)
        reports.cancel(database, COMMAND, cancelled)
        with database.transaction() as session:
            session.execute(text("DELETE FROM store_status_day"))
        making.make(database, failed)
        making.make(database, cancelled)
        assert announcements(database) == [{"report_id": str(each)} for each in (cancelled, failed)]
        for report_id in (failed, cancelled):
            announcing.announce(database, report_id, OUTSIDE)
        assert [json.loads(body)["status"] for _, _, body in receiver.came] == ["failed", "cancelled"]
        assert told(receiver)["as_of"] is None


def test_an_attempt_that_was_overtaken_announces_nothing(database: Database) -> None:
    report_id = asked(database, "http://127.0.0.1:9/")
    with database.transaction() as session:
        paused = stored.begin_attempt(session, report_id)
        assert paused is not None
    making.make(database, report_id)
    with pytest.raises(making._TakenOverError):
        making._make(database, paused, lambda _: None)
    making._fail(database, paused, "too late")
    assert len(announcements(database)) == 1


def test_without_a_webhook_there_is_no_announcement(database: Database) -> None:
    report_id = asked(database, None)
    making.make(database, report_id)
    assert announcements(database) == []
    announcing.announce(database, report_id, OUTSIDE)


def test_a_report_that_is_gone_or_not_finished_is_not_announced(database: Database) -> None:
    with receiving() as receiver:
        report_id = asked(database, receiver.url)
        announcing.announce(database, report_id, OUTSIDE)
        announcing.announce(database, uuid4(), OUTSIDE)
        assert receiver.came == []


def test_what_was_not_taken_is_raised_so_that_it_is_tried_again(database: Database) -> None:
    with receiving() as receiver:
        receiver.status = 503
        report_id = asked(database, receiver.url)
        making.make(database, report_id)
        with pytest.raises(DeliveryError, match="503"):
            announcing.announce(database, report_id, OUTSIDE)


def test_where_we_must_not_send_trying_again_is_of_no_use(database: Database) -> None:
    with receiving() as receiver:
        report_id = asked(database, receiver.url)
        making.make(database, report_id)
        announcing.announce(database, report_id, Outside())
        assert receiver.came == []


def test_pauses_grow_and_come_to_an_end(database: Database) -> None:
    task = make_app(database, Means(depot=Depot(Path("none"), 1), outside=OUTSIDE)).tasks["announce_report"]
    pauses = []
    for attempts in range(20):
        job = Job(id=1, queue="outbound", lock=None, queueing_lock=None, task_name="x", attempts=attempts)
        retry = task.get_retry_exception(DeliveryError("no"), job)
        if retry is None:
            break
        assert retry.retry_decision.retry_at is not None
        pauses.append(retry.retry_decision.retry_at)
    assert len(pauses) == 8
    assert (pauses[-1] - pauses[0]).total_seconds() == pytest.approx(3**8 - 3, abs=60)
