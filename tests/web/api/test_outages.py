"""GET /api/v1/outages and the notes on outages, through the front door."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.service import Service

PATH = "/api/v1/outages"
NOTES = f"{PATH}/notes"
AT_NOON = "as_of=2023-01-23T18:00:00Z"

POLLS = """store_id,status,timestamp_utc,reason
a,active,2023-01-23 10:00:00 UTC,
a,inactive,2023-01-23 11:00:00 UTC,PAUSED_BY_RESTAURANT
a,inactive,2023-01-23 12:00:00 UTC,PAUSED_BY_RESTAURANT
a,active,2023-01-23 13:00:00 UTC,
a,inactive,2023-01-23 13:10:00 UTC,printer
a,active,2023-01-23 13:20:00 UTC,
b,active,2023-01-23 10:00:00 UTC,
b,inactive,2023-01-23 14:00:00 UTC,PAUSED_BY_RESTAURANT
b,inactive,2023-01-23 15:00:00 UTC,
c,active,2023-01-23 15:00:00 UTC,
"""
"""Always open; a was down 10:30 to 12:30 and 13:05 to 13:15, b is from 12:00 on until T at 15:00."""
ZONES = "store_id,timezone_str\na,UTC\nb,America/New_York\nc,UTC\n"


def asked(client: FlaskClient, query: str, status: int = 200) -> Any:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == status, answer.text
    return answer.json


def clock(at: str | None) -> str | None:
    return None if at is None else at[11:16]


@pytest.fixture
def fleet(client: FlaskClient, database: Database) -> FlaskClient:
    load(database, POLLS, ZONES)
    return client


def test_an_outage_says_who_saw_what_and_from_when_it_counts(fleet: FlaskClient) -> None:
    first = asked(fleet, "store_id=a")["items"][1]
    instants = (
        *("last_seen_up", "counted_from", "first_seen_down"),
        *("last_seen_down", "counted_until", "first_seen_up"),
    )
    assert [clock(first[name]) for name in instants] == ["10:00", "10:30", "11:00", "12:00", "12:30", "13:00"]
    assert (first["down_seconds"], first["down_min_seconds"], first["down_max_seconds"]) == (
        7200,
        3600,
        10800,
    )
    assert (first["polls"], first["reasons"], first["intended"]) == (2, {"PAUSED_BY_RESTAURANT": 2}, True)
    assert first["told"] == (
        "last seen up 2023-01-23 10:00, first seen down 11:00, counted from 10:30; "
        "last seen down 2023-01-23 12:00, first seen up 13:00, counted until 12:30; "
        "2 h down, between 1 h and 3 h; seen by 2 polls (PAUSED_BY_RESTAURANT 2), intended"
    )


def test_one_that_goes_on_says_so_on_its_store_s_clock(fleet: FlaskClient) -> None:
    (found,) = asked(fleet, "state=ongoing")["items"]
    assert (found["store_id"], found["ongoing"], found["counted_until"]) == ("b", True, None)
    assert (clock(found["last_seen_down"]), found["first_seen_up"]) == ("15:00", None)
    assert found["told"] == (
        "last seen up 2023-01-23 05:00, first seen down 09:00, counted from 07:00; "
        "last seen down 2023-01-23 10:00, and it goes on; "
        "3 h down, between 1 h and 5 h; seen by 2 polls (PAUSED_BY_RESTAURANT 1), intended"
    )


def test_outages_add_up_those_that_were_meant_apart(fleet: FlaskClient) -> None:
    found = asked(fleet, "window=last_day")
    assert (found["stores"], found["summary"]["outages"]) == (3, 3)
    down = 7200 + 600 + 10800
    assert found["summary"] == found["chosen"]
    assert found["summary"] == {
        "outages": 3,
        "down_seconds": down,
        "longest_seconds": 10800,
        "mean_seconds": down / 3,
        "mtbf_seconds": (3 * 86_400 - down) / 3,
        "intended_outages": 2,
        "intended_seconds": 7200 + 10800,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a 13:05", "b 12:00", "a 10:30"]),
        ("sort=longest", ["b 12:00", "a 10:30", "a 13:05"]),
        ("min_seconds=600", ["a 13:05", "b 12:00", "a 10:30"]),
        ("min_seconds=600.000001", ["b 12:00", "a 10:30"]),
        ("store_id=c", []),
        ("start=2023-01-23T12:00Z&end=2023-01-23T12:45Z", ["a 12:00", "b 12:00"]),
        ("start=2023-01-23T15:00Z", []),
        ("as_of=2023-01-23T11:30Z&state=ongoing", ["a 10:30"]),
    ],
)
def test_outages_are_chosen_and_sorted_when_looking(
    fleet: FlaskClient, query: str, expected: list[str]
) -> None:
    found = asked(fleet, query)
    assert [f"{item['store_id']} {clock(item['start'])}" for item in found["items"]] == expected
    assert found["chosen"]["outages"] == len(expected)


def test_over_the_edge_of_a_range_it_is_clipped_and_told_as_elsewhere(fleet: FlaskClient) -> None:
    (found,) = asked(fleet, "store_id=a&start=2023-01-23T12:00Z&end=2023-01-23T12:45Z")["items"]
    assert (clock(found["start"]), clock(found["counted_from"])) == ("12:00", "10:30")
    assert (clock(found["end"]), found["down_seconds"], found["polls"]) == ("12:30", 1800, 1)
    assert (found["down_min_seconds"], found["down_max_seconds"]) == (0, 2700)


def test_an_end_that_lies_too_far_off_is_not_told(client: FlaskClient, database: Database) -> None:
    days = range(1, 21)
    rows = "".join(f"a,inactive,2023-01-{day:02d} 12:00:00 UTC\n" for day in days)
    load(database, f"store_id,status,timestamp_utc\n{rows}", ZONES)
    (found,) = asked(client, "store_id=a&start=2023-01-09&end=2023-01-10")["items"]
    assert (found["counted_from"], found["counted_until"], found["ongoing"]) == (None, None, None)
    assert found["told"].startswith(
        "began before 2023-01-09 00:00; went on after 2023-01-10 00:00; 24 h down"
    )


def test_without_outages_the_means_are_null(fleet: FlaskClient) -> None:
    summary = asked(fleet, "store_id=c")["summary"]
    names = ("outages", "longest_seconds", "mean_seconds", "mtbf_seconds")
    assert [summary[name] for name in names] == [0, None, None, None]


@pytest.mark.parametrize("sort", ["newest", "longest"])
@pytest.mark.parametrize("limit", [1, 2])
def test_pages_hold_every_outage_once(fleet: FlaskClient, database: Database, sort: str, limit: int) -> None:
    every = asked(fleet, f"sort={sort}")["items"]
    found: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = asked(fleet, f"sort={sort}&limit={limit}&cursor={cursor}")
        found, cursor = found + page["items"], page["next_cursor"]
        load(database, "store_id,status,timestamp_utc\nd,inactive,2023-01-23 20:00:00 UTC\n")  # T moves
    assert found == every


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("end=2023-01-23T12:45Z", 400, "start"),
        ("start=2023-01-24T00:00Z&end=2023-01-23T00:00Z", 400, "end"),
        ("cursor=WyJhIl0", 400, "cursor"),
        ("min_seconds=-1", 422, "min_seconds"),
        ("min_seconds=nan", 422, "min_seconds"),
        ("window=last_year", 422, "window"),
        ("store_id=a&start=2001-01-01&end=2099-01-01", 200, None),
        ("colour=red", 422, "colour"),
    ],
)
def test_what_makes_no_sense_is_named(fleet: FlaskClient, query: str, status: int, field: str | None) -> None:
    assert asked(fleet, query, status).get("field") == field


def test_the_figures_are_those_of_availability(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    for query in ("", "policy=previous&", "max_gap_seconds=1800&"):
        listed = asked(client, f"{query}{AT_NOON}&window=last_day")
        answer: Any = client.get(f"/api/v1/availability?{query}{AT_NOON}&windows=last_day").json
        window = answer["windows"][0]
        assert listed["open_seconds"] == window["open_seconds"]
        assert listed["summary"]["down_seconds"] == window["down_seconds"]
        assert listed["summary"]["outages"] == window["outages"]
        assert listed["summary"]["longest_seconds"] == window["longest_outage_seconds"]
        sums = [sum(item[f"down_{side}_seconds"] for item in listed["items"]) for side in ("min", "max")]
        assert sums == [window["down_min_seconds"], window["down_max_seconds"]]


# --- notes ----------------------------------------------------------------------------------------


def note(store_id: str = "a", at: str = "2023-01-23T11:30:00Z") -> dict[str, str]:
    return {"store_id": store_id, "at": at, "note": "printer jam"}


def test_a_note_is_shown_with_the_outage_that_its_instant_lies_in(fleet: FlaskClient) -> None:
    made = fleet.post(NOTES, json=note())
    assert made.status_code == 201
    fleet.post(NOTES, json=note("b", "2023-01-23T23:00:00Z"))  # it goes on
    fleet.post(NOTES, json=note("a", "2023-01-23T12:30:00Z"))  # just after
    found = {
        f"{item['store_id']} {clock(item['start'])}": item["notes"] for item in asked(fleet, "")["items"]
    }
    assert {name: [each["note"] for each in notes] for name, notes in found.items()} == {
        "a 10:30": ["printer jam"],
        "a 13:05": [],
        "b 12:00": ["printer jam"],
    }
    assert found["a 10:30"] == [made.json]


def test_notes_are_listed_read_and_removed(fleet: FlaskClient) -> None:
    times = ("2023-01-23T11:30:00Z", "2023-01-23T11:31:00Z", "2023-01-23T11:30:00Z")
    ids = [fleet.post(NOTES, json=note(at=at)).json["note_id"] for at in times]  # type: ignore[index]
    found: list[Any] = []
    cursor = ""
    while cursor is not None:
        page: Any = fleet.get(f"{NOTES}?store_id=a&limit=1&cursor={cursor}").json
        found, cursor = found + [item["note_id"] for item in page["items"]], page["next_cursor"]
    assert found == [ids[1], ids[2], ids[0]]
    assert fleet.get(f"{NOTES}/{ids[0]}").status_code == 200
    assert fleet.delete(f"{NOTES}/{ids[0]}").status_code == 204
    assert fleet.delete(f"{NOTES}/{ids[0]}").status_code == 404
    assert fleet.get(f"{NOTES}?store_id=b").json == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (note("nobody"), 404),
        (note() | {"at": "yesterday"}, 422),
        (note() | {"note": ""}, 422),
        (note() | {"note": "\0"}, 422),
        (note() | {"colour": "red"}, 422),
    ],
)
def test_a_note_that_makes_no_sense_is_refused(fleet: FlaskClient, body: Any, status: int) -> None:
    assert fleet.post(NOTES, json=body).status_code == status


def test_managers_write_viewers_read_and_others_learn_nothing(service: Service) -> None:
    load(service.database, POLLS, ZONES)
    service.group("maple", "a")
    service.group("oak", "b")
    manager = service.token("mia@maple.example", maple=GroupRole.MANAGER)
    viewer = service.token("vera@maple.example", maple=GroupRole.VIEWER)
    other = service.token("olga@oak.example", oak=GroupRole.MANAGER)
    made: Any = manager.post(NOTES, json=note()).json
    assert viewer.post(NOTES, json=note()).status_code == 403
    assert other.post(NOTES, json=note()).status_code == 404
    path = f"{NOTES}/{made['note_id']}"
    assert [who.get(path).status_code for who in (manager, viewer, other)] == [200, 200, 404]
    assert [who.delete(path).status_code for who in (viewer, other)] == [403, 404]
    listed: Any = other.get(PATH).json
    assert {item["store_id"] for item in listed["items"]} == {"b"}
    assert (listed["stores"], listed["summary"]["outages"]) == (1, 1)
    assert manager.delete(path).status_code == 204
    admin = service.token("ada@example.com", Role.ADMIN)
    log: Any = admin.get("/api/v1/audit?kind=outage_note").json
    assert [entry["action"] for entry in log["items"]] == ["delete", "create"]
    assert log["items"][0]["detail"]["note"] == "printer jam"
