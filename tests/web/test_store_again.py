"""Exceptions that come again by plain choices, hours that are taken away, a store before its first poll."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.factories import MONDAY_NINE_TO_TWELVE, load, load_chicago
from tests.web.browsing import Browser
from tests.web.service import Service
from tests.web.store_forms import DAY, HOURS, NEW, got, previewed, sent, shown

MONDAYS = {"effect": "closed", "start": "2023-01-09T00:00", "end": "2023-01-10T00:00", "note": "day off"}
AGAIN = (
    ("FREQ=DAILY", "2023-01-31", "again every day until Tue 31 Jan 2023"),
    ("FREQ=WEEKLY", "2023-01-23", "again every week until Mon 23 Jan 2023"),
    ("FREQ=MONTHLY", "", "again every month"),
    ("FREQ=YEARLY", "", "again every year"),
    ("FREQ=WEEKLY;BYDAY=MO", "", "again by FREQ=WEEKLY;BYDAY=MO"),
)


@pytest.mark.parametrize(("rule", "until", "words"), AGAIN)
def test_what_comes_again_is_chosen_in_words_and_told_in_words(
    client: FlaskClient, database: Database, rule: str, until: str, words: str
) -> None:
    load_chicago(database)
    form = MONDAYS | {"rrule": rule, "until": until}
    assert words in sent(client, NEW, form)
    assert words in got(client, client.post(NEW, data=form | {"do": "yes"}).location)


@pytest.mark.parametrize(("until", "up"), [("2023-01-22", "1:44:30"), ("2023-01-23", "0:00:00")])
def test_the_last_day_is_the_last_on_which_it_begins(
    client: FlaskClient, database: Database, until: str, up: str
) -> None:
    load_chicago(database)
    form = MONDAYS | {"rrule": "FREQ=WEEKLY", "until": until}
    preview = sent(client, NEW, form)
    client.post(NEW, data=form | {"do": "yes"})
    assert shown(client)["Up"] == up
    assert previewed(preview).get("Up", ("", up))[1] == up


def test_the_preview_tells_the_next_dates(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    today = datetime.now(ZoneInfo("America/Chicago"))
    coming = [today + timedelta(days=n) for n in range(1, 7)]
    page = sent(client, NEW, MONDAYS | {"rrule": "FREQ=DAILY", "until": f"{coming[2]:%Y-%m-%d}"})
    dates = ", ".join(f"{day:%a} {day.day} {day:%b %Y}" for day in coming[:3])
    assert f"The next times begin on {dates}." in page
    assert ", and so on." in sent(client, NEW, MONDAYS | {"rrule": "FREQ=DAILY"})
    over = MONDAYS | {"rrule": "FREQ=DAILY", "until": "2023-01-12"}
    assert "No further time is to come." in sent(client, NEW, over)


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"rrule": ""}, "rrule", "Say how often it comes again"),
        ({"until": "soon"}, "until", "like 2026-12-31"),
        ({"until": "2023-01-08"}, "until", "before the first"),
        ({"rrule": "FREQ=DAILY;COUNT=3"}, "until", "says already when it ends"),
        ({"rrule": "FREQ=HOURLY"}, "rrule", "DAILY"),
    ],
)
def test_what_cannot_come_again_so_is_told_at_its_field(
    client: FlaskClient, database: Database, change: dict[str, str], field: str, told: str
) -> None:
    load_chicago(database)
    page = sent(client, NEW, MONDAYS | {"rrule": "FREQ=WEEKLY", "until": "2023-12-31"} | change, 422)
    assert told in page
    assert f'id="e-{field}"' in page


def test_hours_are_taken_away_after_a_look_at_what_changes(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    form = got(client, HOURS)
    tag = form.partition('name="tag" value="')[2].partition('"')[0]
    preview = sent(client, HOURS, {"tag": tag, "none": "yes"})
    assert "Without hours" in preview
    assert "counted as open day and night, the past too" in preview
    then = previewed(preview)["Open"][1]
    assert shown(client)["Open"] == "2:15:00"
    assert "Preview it without hours" in form
    place = client.post(HOURS, data={"tag": tag, "none": "yes", "do": "yes"}).location
    assert "No opening hours given: counted as open day and night." in got(client, place)
    assert shown(client, "?from=2023-01-22&to=2023-01-23")["Open"] == then
    assert "Preview it without hours" not in got(client, HOURS)
    assert shown(client, DAY)["Open"] == "11:15:00"


def test_hours_are_not_taken_away_by_who_has_not_seen_them(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    page = sent(client, HOURS, {"tag": "old", "none": "yes", "do": "yes"}, 409)
    assert "Somebody else changed the opening hours" in page


def test_a_store_before_its_first_poll_can_be_edited_by_who_may(service: Service) -> None:
    load(service.database, MONDAY_NINE_TO_TWELVE)
    service.group("Maple", "1")
    mia = Browser(service, "mia@example.com", Maple=GroupRole.MANAGER)
    vera = Browser(service, "vera@example.com", Maple=GroupRole.VIEWER)
    page = mia.read("/stores/1")
    for path in (NEW, HOURS, "/zones/edit?store=1"):
        assert f'href="{path}"' in page
        assert f'href="{path}"' not in vera.read("/stores/1")
    assert "Monday" in vera.read("/stores/1")
    done = mia.done(NEW, **MONDAYS, do="yes")
    assert "The exception is in force" in done
    assert "Mon 9 Jan 2023" in done
    assert ">Undo</a>" in done
    assert ">Undo</a>" not in vera.read("/stores/1")
