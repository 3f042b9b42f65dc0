"""From polls to mails: a real service, its worker, the real clock and a real mail server."""

from __future__ import annotations

from pathlib import Path

import pytest

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.acceptance.conftest import serving
from tests.acceptance.test_alerts import poll
from tests.post_office import post_office
from tests.web.service import Service


@pytest.mark.slow
def test_a_store_that_goes_down_and_comes_back_is_told_to_its_people_by_two_mails(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    people = Service(database)
    people.group("maple", "17")
    people.person("mia@maple.example", maple=GroupRole.MANAGER)
    people.person("otto@example.com")
    with post_office() as office:
        more = {
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
            "STOREWATCH_URL": "http://127.0.0.1:9",
        }
        with serving(environment | more, tmp_path):
            poll(database, "17", "active")
            poll(database, "17", "inactive")
            poll(database, "17", "inactive")
            office.wait_for(1)
            poll(database, "17", "active")
            poll(database, "17", "active")
            office.wait_for(2)
    down, up = office.letters
    assert {letter["To"] for letter in office.letters} == {"mia@maple.example"}
    assert down["Subject"].startswith("Down: store 17, since ")
    assert up["Subject"].startswith("Up again: store 17")
    assert down["X-Storewatch-Key"] != up["X-Storewatch-Key"]
