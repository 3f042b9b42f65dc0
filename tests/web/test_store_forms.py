"""Exceptions, hours, zone and notes from the page of a store: a preview says what is true afterwards."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.browsing import HTML
from tests.web.store_forms import (
    CLOSED,
    HOURS,
    NEW,
    STRUCK,
    ZONE,
    got,
    hidden,
    previewed,
    rows,
    sent,
    shown,
    tag,
    week,
)

# --- exceptions -----------------------------------------------------------------------------------

EXCEPTIONS = [
    STRUCK,
    CLOSED,
    STRUCK | {"effect": "down"},
    STRUCK | {"effect": "excluded"},
    STRUCK | {"effect": "ignore_polls", "rrule": "FREQ=WEEKLY", "start": "2023-01-09T11:00"}
    | {"end": "2023-01-09T12:00"},
    STRUCK | {"effect": "other_hours", "hours": "10:00-11:00", "start": "2023-01-23T00:00"}
    | {"end": "2023-01-24T00:00"},
]  # fmt: skip


@pytest.mark.parametrize("said", EXCEPTIONS, ids=lambda said: said["effect"])
def test_the_preview_is_what_the_page_shows_afterwards_and_undo_brings_it_back(
    client: FlaskClient, database: Database, said: dict[str, str]
) -> None:
    load_chicago(database)
    before, nothing = shown(client), rows(database)
    page = sent(client, NEW, said)
    told = previewed(page)
    assert "It would change 1 day." in page
    assert rows(database) == nothing
    assert {name: told[name][0] for name in before} == before
    assert sent(client, NEW, hidden(page), 303) is not None
    after = shown(client)
    assert {name: told[name][1] for name in after} == after != before
    address = undo_address(client)
    undone = previewed(got(client, address))
    assert {name: undone[name] for name in before} == {name: (after[name], before[name]) for name in before}
    assert shown(client) == after
    sent(client, address, status=303)
    assert shown(client) == before
    assert "It is undone already." in got(client, address)


def undo_address(client: FlaskClient) -> str:
    found = re.search(r'href="(/exceptions/[\w-]+/undo\?store=1)"', got(client, "/stores/1"))
    assert found is not None
    return found[1]


def test_it_leads_back_to_the_days_that_changed(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    fields = hidden(sent(client, NEW, STRUCK))
    answer = client.post(NEW, data=fields, headers=HTML)
    assert answer.location == "/stores/1?from=2023-01-23&to=2023-01-23&done=exception"
    assert "The exception is in force" in got(client, answer.location)


def test_a_form_that_is_sent_twice_makes_one_exception(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    fields = hidden(sent(client, NEW, STRUCK))
    sent(client, NEW, fields, 303)
    assert "There is such an exception already" in sent(client, NEW, fields, 409)


def test_what_is_to_come_changes_no_figure(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    page = sent(client, NEW, STRUCK | {"start": "2023-02-01T00:00", "end": "2023-02-02T00:00"})
    assert "It changes no figure so far." in page
    assert previewed(page) == {}


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"end": "2023-01-23T09:00"}, "end", "end is not after start"),
        ({"start": "soon"}, "start", "is not a day or time like"),
        ({"note": " "}, "note", "say why"),
        ({"note": "\0"}, "note", "cannot be printed"),
        ({"effect": "gone"}, "effect", "is not one of"),
        ({"effect": "other_hours"}, "hours", "hours are missing"),
        ({"rrule": "FREQ=SECONDLY"}, "rrule", "DAILY"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_entered_stays(
    client: FlaskClient, database: Database, wrong: dict[str, str], field: str, said: str
) -> None:
    load_chicago(database)
    page = sent(client, NEW, STRUCK | wrong, 422)
    found = re.search(rf'id="e-{field}">(.*?)</p>', page)
    assert found is not None
    assert said in found[1]
    assert 'value="2023-01-23T12:00"' in page or field == "end"


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("2023-03-12T02:15", "02:15 is skipped by the clocks of America/Chicago: taken as Sun 12 Mar, 03:15"),
        ("2022-11-06T01:30", "01:30 comes twice on the clocks of America/Chicago: the first one is meant"),
        ("2023-01-22T01:30", "Sun 22 Jan, 01:30 to 09:00 CST"),
    ],
)  # fmt: skip
def test_times_that_the_clocks_skip_or_repeat_are_told(
    client: FlaskClient, database: Database, start: str, said: str
) -> None:
    load_chicago(database)
    assert said in sent(client, NEW, STRUCK | {"start": start, "end": f"{start[:11]}09:00"})


def test_an_id_with_slashes_can_be_changed(client: FlaskClient, database: Database) -> None:
    load(database, "store_id,status,timestamp_utc\neu/1?a=b#c,active,2023-01-23 16:14:00\n")
    place = "store=eu/1%3Fa%3Db%23c"
    page = sent(client, f"/exceptions/new?{place}", CLOSED)
    assert "It would change 1 day." in page
    answer = client.post(f"/exceptions/new?{place}", data=hidden(page), headers=HTML)
    assert "in force" in got(client, answer.location)


# --- hours and zone -------------------------------------------------------------------------------


def test_hours_are_previewed_then_changed(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    before, form = shown(client), got(client, HOURS)
    assert 'name="day0" maxlength="1000" value="09:00-12:00"' in form
    nothing = rows(database)
    page = sent(client, HOURS, {"tag": tag(form)} | week(day0="10:00-11:00, 22:00–02:00", day1="24 h"))
    assert "<dt>Monday</dt><dd>10:00 to 11:00, 22:00 to 02:00 the next day</dd>" in page
    told = previewed(page)
    assert rows(database) == nothing
    assert {name: told[name][0] for name in before} == before
    sent(client, HOURS, hidden(page), 303)
    assert {name: told[name][1] for name in before} == shown(client)


def test_hours_from_a_day_on_leave_the_past(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    fields = week(since="day", since_day="2023-01-24") | {"tag": tag(got(client, HOURS))}
    page = sent(client, HOURS, fields)
    assert "These hours change no figure so far." in page
    before = shown(client)
    sent(client, HOURS, hidden(page), 303)
    assert shown(client) == before
    assert "Others hold from Tue 24 Jan 2023 on." in got(client, "/stores/1")


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"day2": "9-17"}, "day2", "Wednesday: hours '9-17'"),
        ({"day0": "09:00-09:00"}, "day0", "Monday: hours"),
        ({"since": "day", "since_day": "soon"}, "since_day", "from which day on"),
        ({"since": "whenever"}, "since", "Choose one"),
    ],
)
def test_hours_that_make_no_sense_are_said(
    client: FlaskClient, database: Database, fields: dict[str, str], field: str, said: str
) -> None:
    load_chicago(database)
    page = sent(client, HOURS, {"tag": tag(got(client, HOURS))} | week(**fields), 422)
    assert re.search(rf'id="e-{field}">.*{said}', page)


def test_two_who_edit_the_same_hours_do_not_lose_a_change(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    first = sent(client, HOURS, {"tag": tag(got(client, HOURS))} | week(day0="09:00-13:00"))
    second = sent(client, HOURS, {"tag": tag(got(client, HOURS))} | week(day0="09:00-15:00"))
    sent(client, HOURS, hidden(first), 303)
    page = sent(client, HOURS, hidden(second), 409)
    assert "changed the opening hours since you opened this form. As it is now: Monday 09:00 to 13:00" in page
    assert 'value="09:00-15:00"' in page
    again = sent(client, HOURS, {"tag": tag(page)} | week(day0="09:00-15:00"))
    sent(client, HOURS, hidden(again), 303)
    assert "<dd>09:00 to 15:00</dd>" in got(client, "/stores/1")


def test_a_zone_is_previewed_then_set_and_a_conflict_is_said(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    form = got(client, ZONE)
    page = sent(client, ZONE, {"tag": tag(form), "zone": "America/New_York"})
    told, nothing = previewed(page), shown(client)
    assert "In America/New_York 1 day would change." in page
    assert {name: told[name][0] for name in nothing} == nothing
    sent(client, ZONE, hidden(page), 303)
    assert {name: told[name][1] for name in nothing} == shown(client)
    assert "As it is now: America/New_York" in sent(client, ZONE, {"tag": "", "zone": "Europe/Berlin"}, 409)
    assert "is not an IANA time zone" in sent(client, ZONE, {"tag": "", "zone": "Berlin"}, 422)


# --- the page of the store ------------------------------------------------------------------------


def test_outages_tell_what_was_lost_and_add_up(client: FlaskClient, database: Database) -> None:
    polls = "1,inactive,2023-01-16 16:00:00\n1,active,2023-01-16 17:15:00\n"
    load(database, f"store_id,status,timestamp_utc\n{polls}")
    load_chicago(database)
    assert "Lost, USD" not in got(client, "/stores/1")
    for body in ({"weekly": 300}, {"by_hour": [number % 24 + 0.25 for number in range(168)]}):
        assert client.put("/api/v1/revenue/1", json=body).status_code == 200
        page = got(client, "/stores/1?days=30")
        told = [float(each) for each in re.findall(r'class="num">([\d.]+)<span class="lab"> USD', page)]
        lost = re.search(r'<dt>Lost</dt><dd><span class="n">([\d.]+)<', page)
        assert lost is not None
        assert len(told) == 3
        assert told[-1] == float(lost[1])
        assert sum(told[:-1]) == pytest.approx(told[-1], abs=0.01)


def test_a_note_stands_beside_its_outage(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    found = re.search(r'href="(/notes/new\?store=1&at=[^"]+)"', got(client, "/stores/1"))
    assert found is not None
    assert "Say in 1 to 1000 characters" in sent(client, found[1], {"note": " "}, 422)
    answer = client.post(found[1], data={"note": "The router\r\nwas <broken>"}, headers=HTML)
    assert "The router\nwas <broken>" in got(client, answer.location)


def test_a_long_list_of_outages_is_cut_and_told_whole(client: FlaskClient, database: Database) -> None:
    polls = [
        f"1,{'inactive' if hour % 2 else 'active'},2023-01-{day:02} {hour:02}:00:00"
        for day in (20, 21)
        for hour in range(24)
    ]
    load(database, "store_id,status,timestamp_utc\n" + "\n".join(polls) + "\n")
    page = got(client, "/stores/1")
    assert page.count("Strike out<") == 10
    assert "the newest 10 shown" in page
    assert got(client, "/stores/1?outages=all").count("Strike out<") == 24


@pytest.mark.parametrize(("days", "most_kb"), [(7, 60), (90, 100)])
def test_the_page_of_a_busy_store_is_light(
    client: FlaskClient, database: Database, days: int, most_kb: int
) -> None:
    load(database, busy())
    answer = client.get(f"/stores/1?days={days}", headers=HTML)
    assert len(answer.data) <= most_kb * 1000


def busy() -> str:
    """90 days, open day and night, polled each hour, down 270 times."""
    lines = [
        f"1,{'inactive' if hour % 8 == 3 else 'active'},2023-{month:02}-{day:02} {hour:02}:07:11.5"
        for month, last in ((1, 31), (2, 28), (3, 31))
        for day in range(1, last + 1)
        for hour in range(24)
    ]
    return "store_id,status,timestamp_utc\n" + "\n".join(lines) + "\n"
