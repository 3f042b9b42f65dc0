"""A worker that is killed with SIGKILL when the mail server has its mail, before it could say so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.alerting import URL, Town, minutes_ago, polled
from tests.post_office import PostOffice, post_office
from tests.web.service import Service


def worker(database_url: str, office: PostOffice) -> subprocess.Popen[bytes]:
    """A worker of its own."""
    more = {
        "STOREWATCH_DATABASE_URL": database_url,
        "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
        "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
        "STOREWATCH_URL": URL,
    }
    return subprocess.Popen([sys.executable, "-m", "storewatch", "worker"], env=os.environ | more)


@pytest.mark.slow
def test_a_worker_that_is_killed_between_sending_and_marking_leads_to_a_duplicate_with_the_same_key(
    database: Database, database_url: str
) -> None:
    service, town = Service(database), Town(database)
    polled(database, ("17", minutes_ago(30), "inactive"), ("17", minutes_ago(20), "inactive"))
    maple = service.group("maple", "17")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, email="mia@maple.example")
    with post_office() as office:
        first = worker(database_url, office)
        office.on_letter = first.kill
        office.wait_for(1)
        first.wait()
        office.on_letter = lambda: None
        assert town.became(number)[0] == "waiting"
        with database.transaction() as session:  # the claim of the dead runs out
            session.execute(text("UPDATE delivery SET not_before = now() WHERE status = 'waiting'"))
        second = worker(database_url, office)
        try:
            office.wait_for(2)
            town.wait_until_sent(number)
        finally:
            second.terminate()
            second.wait()
    keys = {(letter["X-Storewatch-Key"], letter["Message-ID"]) for letter in office.letters}
    assert len(keys) == 1
    assert town.became(number)[:2] == ("sent", 2)
