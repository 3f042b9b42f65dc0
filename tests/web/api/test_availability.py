"""GET /api/v1/availability, /history and /timeline, through the front door."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.service import Service

FIRST = {  # the first worked example: the last day at Monday noon
    "open_seconds": 10800.0,
    "up_seconds": 6270.0,
    "down_seconds": 4530.0,
    "unknown_seconds": 0.0,
    "outages": 1,
}
AT_NOON = "as_of=2023-01-23T18:00:00Z"


def asked(client: FlaskClient, path: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == status, answer.text
    return answer.json


def some(figures: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in like}


# --- availability ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("windows=last_day", FIRST),
        ("windows=last_hour", {"up_seconds": 0, "down_seconds": 3600, "longest_outage_seconds": 3600}),
        ("windows=last_day&policy=previous", {"up_seconds": 8100, "down_seconds": 2700}),
        (
            "windows=last_day&max_gap_seconds=1800",
            {"up_seconds": 3600, "down_seconds": 3600, "unknown_seconds": 3600},
        ),
        (
            "start=2023-01-23T15:00Z&end=2023-01-23T16:44:30.000001Z",
            {"up_seconds": 6270, "down_seconds": 1e-6},
        ),
        ("start=2023-01-23T18:00Z", {"open_seconds": 0, "availability": None, "coverage": None}),
        ("start=2023-01-23T15:00Z&end=2030-01-01", FIRST | {"end": "2023-01-23T18:00:00.000000Z"}),
    ],
)
def test_the_worked_example_in_any_window(
    client: FlaskClient, database: Database, query: str, expected: dict[str, Any]
) -> None:
    load_chicago(database)
    for which in ("", "store_id=1&"):
        answer = asked(client, f"availability?{which}{AT_NOON}&{query}")
        assert answer["stores"] == 1
        assert some(answer["windows"][-1], expected) == expected


def test_t_and_its_age_are_told_and_the_usual_windows_are_three(
    client: FlaskClient, database: Database
) -> None:
    load_chicago(database)
    answer = asked(client, "availability")
    assert answer["as_of"] == "2023-01-23T17:15:00.000000Z"
    assert answer["as_of_age_seconds"] > 86_400 * 365
    assert [window["name"] for window in answer["windows"]] == ["last_hour", "last_day", "last_week"]
    assert (answer["policy"], answer["max_gap_seconds"]) == ("nearest", 86_400)


def test_a_store_that_is_archived_counts_up_to_that_day(client: FlaskClient, database: Database) -> None:
    load(
        database,
        "store_id,status,timestamp_utc\n1,active,2023-01-23 12:00:00\n1,active,2023-01-25 12:00:00\n",
    )
    client.patch("/api/v1/stores/1", json={"archived_from": "2023-01-24"})
    [window] = asked(client, "availability?start=2023-01-23T06:00Z")["windows"]
    assert window["open_seconds"] == 86_400  # to midnight in Chicago
    history = asked(client, "history?first_day=2023-01-23&last_day=2023-01-25")
    assert [item["first_day"] for item in history["items"]] == ["2023-01-23"]
    assert history["items"][0]["open_seconds"] == 86_400


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("availability?start=yesterday", 422, "start"),
        ("availability?start=1999-12-31", 422, "start"),
        ("availability?as_of=2090-01-01", 400, "as_of"),
        ("availability?end=2023-01-23", 400, "start"),
        ("availability?start=2023-01-23&end=2023-01-22", 400, "end"),
        ("availability?windows=last_year", 422, "windows"),
        ("availability?max_gap_seconds=2678400", 422, "max_gap_seconds"),
        ("timeline/corner-cafe?max_gap_seconds=nan", 422, "max_gap_seconds"),
        ("availability?policy=best", 422, "policy"),
        ("availability?store=1", 422, "store"),
        ("availability?store_id=1&group_id=00000000-0000-0000-0000-000000000000", 400, "group_id"),
        ("availability?group_id=00000000-0000-0000-0000-000000000000", 404, None),
        ("availability?store_id=2", 404, None),
        ("history?first_day=2023-01-02&last_day=2023-01-01", 400, "last_day"),
        ("history?first_day=2000-01-01&last_day=2023-01-01", 400, "first_day"),
        ("history?first_day=today", 422, "first_day"),
        ("history?by=year", 422, "by"),
        ("history?store_id=2", 404, None),
        ("history/week?by=day", 422, "by"),
        ("timeline/2", 404, None),
        ("timeline/1?start=2023-01-23&end=2023-01-22", 400, "end"),
        ("timeline/1?cursor=abc", 400, "cursor"),
        ("timeline/1?cursor=WzEsMl0", 400, "cursor"),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_the_field(
    client: FlaskClient, database: Database, path: str, status: int, field: str | None
) -> None:
    load_chicago(database)
    assert asked(client, path, status).get("field") == field


@pytest.mark.parametrize("path", ["availability", "history", "history/week"])
def test_without_polls_there_is_nothing_to_tell(client: FlaskClient, path: str) -> None:
    assert "import store_status first" in asked(client, path, 409)["detail"]


def test_too_much_at_once_is_refused_with_the_bound(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_chicago(database)
    monkeypatch.setattr("storewatch.services.chosen.MOST", 20)
    for path, field in (("history", "first_day"), ("availability?start=2023-01-01", "start")):
        answer = asked(client, path, 400)
        assert (answer["field"], "at most 20 days" in answer["detail"]) == (field, True)


# --- who sees what --------------------------------------------------------------------------------


def test_a_member_gets_the_figures_of_their_own_stores_alone(service: Service) -> None:
    load(
        service.database,
        "store_id,status,timestamp_utc\n1,active,2023-01-23 12:00:00\n2,inactive,2023-01-23 12:00:00\n",
    )
    service.group("maple", "1")
    service.group("oak", "2")
    member = service.token("vera@maple.example", maple=GroupRole.VIEWER)
    for path in ("availability", "history", "history/week"):
        answer = member.get(f"/api/v1/{path}").json
        assert answer is not None
        figures = answer.get("windows") or answer["items"]
        assert answer["stores"] == 1
        assert sum(each["down_seconds"] for each in figures) == 0


# --- history --------------------------------------------------------------------------------------


def test_history_by_day_marks_the_day_that_is_not_over(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    load(database, "store_id,status,timestamp_utc\n2,active,2023-01-24 18:00:00\n")
    answer = asked(client, "history?store_id=1&first_day=2023-01-23&last_day=2023-01-24")
    assert [(item["first_day"], item["complete"]) for item in answer["items"]] == [
        ("2023-01-23", True),
        ("2023-01-24", False),
    ]
    assert some(answer["items"][0], FIRST) == FIRST
    assert answer["items"][0]["longest_outage_seconds"] == 4530


def test_weeks_and_months_are_told_as_far_as_they_were_asked_for(
    client: FlaskClient, database: Database
) -> None:
    load_chicago(database)
    load(database, "store_id,status,timestamp_utc\n1,active,2023-02-01 18:00:00\n")
    weeks = asked(client, "history?by=week&first_day=2023-01-18&last_day=2023-02-05")["items"]
    assert [(item["first_day"], item["last_day"], item["complete"]) for item in weeks] == [
        ("2023-01-18", "2023-01-22", True),
        ("2023-01-23", "2023-01-29", True),
        ("2023-01-30", "2023-02-05", False),
    ]
    months = asked(client, "history?by=month&first_day=2023-01-18&last_day=2023-01-31")["items"]
    assert [(item["first_day"], item["complete"]) for item in months] == [("2023-01-18", True)]
    assert some(months[0], FIRST) == FIRST | {"open_seconds": 21600, "unknown_seconds": 10800}


def test_the_hours_of_the_week_are_those_of_the_stores_clock(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    answer = asked(client, "history/week?first_day=2023-01-23&last_day=2023-01-23")
    told = {(item["weekday"], item["hour"]): item["open_seconds"] for item in answer["items"]}
    assert len(told) == 168
    assert {at: open_ for at, open_ in told.items() if open_} == {(0, 9): 3600, (0, 10): 3600, (0, 11): 900}
    assert answer["complete"] is False


# --- timeline -------------------------------------------------------------------------------------


def test_a_timeline_tells_each_state_and_the_poll_that_decided_it(
    client: FlaskClient, database: Database
) -> None:
    load_chicago(database)
    load(database, "store_id,status,timestamp_utc,reason\n1,inactive,2023-01-23 17:15:00,out of dough\n")
    items = asked(client, f"timeline/1?{AT_NOON}&closed=true")["items"]
    told = [(item["start"][11:19], item["state"], item["seen"], item["length_seconds"]) for item in items]
    assert told == [
        ("18:00:00", "closed", None, 75_600),
        ("15:00:00", "up", False, 1740),
        ("15:29:00", "up", True, 4530),
        ("16:44:30", "down", True, 4530),
    ]
    assert items[2]["poll"] == {
        "timestamp_utc": "2023-01-23T16:14:00.000000Z",
        "status": "active",
        "reason": None,
    }
    assert items[3]["poll"]["reason"] == "out of dough"


@pytest.mark.parametrize("closed", ["", "&closed=true"])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_a_timeline_are_the_whole_and_add_up_to_the_figures(
    client: FlaskClient, database: Database, closed: str, limit: int
) -> None:
    load_chicago(database)
    query = f"timeline/1?start=2023-01-20&end=2023-01-23T17:50Z&{AT_NOON}{closed}"
    whole = asked(client, query)["items"]
    paged: list[Any] = []
    cursor = ""
    while cursor is not None:
        answer = asked(client, f"{query}&limit={limit}&cursor={cursor}")
        paged += answer["items"]
        cursor = answer["next_cursor"]
    assert paged == whole
    [window] = asked(client, f"availability?store_id=1&start=2023-01-20&end=2023-01-23T17:50Z&{AT_NOON}")[
        "windows"
    ]
    for state in ("up", "down", "unknown"):
        told = sum(item["length_seconds"] for item in whole if item["state"] == state)
        assert told == window[f"{state}_seconds"]


def test_pages_stay_at_the_t_of_the_first(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    first = asked(client, "timeline/1?limit=1")
    load(database, "store_id,status,timestamp_utc\n1,active,2023-01-23 17:30:00\n")
    second = asked(client, f"timeline/1?cursor={first['next_cursor']}")
    assert second["as_of"] == first["as_of"] == "2023-01-23T17:15:00.000000Z"
