"""/api/v1/exceptions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role
from tests.factories import load
from tests.web.conftest import said
from tests.web.service import Service, Token

PATH = "/api/v1/exceptions"
BODY = {"effect": "closed", "store_id": "m1", "start": "2023-01-23", "end": "2023-01-25", "note": "snow"}
POLLS = "store_id,status,timestamp_utc\nm1,active,2023-01-01 12:00:00\no1,active,2023-01-24 12:00:00\n"


@pytest.fixture
def operator(service: Service) -> Token:
    load(service.database, POLLS)
    service.group("maple", "m1")
    service.group("oak", "o1", "m1")
    return service.token("olga@example.com", Role.OPERATOR)


def test_one_is_made_read_and_undone_and_the_log_keeps_all(service: Service, operator: Token) -> None:
    made = operator.post(PATH, json=BODY)
    assert (made.status_code, said(made)["past_days"], said(made)["scope"]) == (201, 2, "store")
    path = made.headers["Location"]
    assert operator.get(path).json == {k: v for k, v in said(made).items() if k != "past_days"}
    undone = said(operator.post(f"{path}/undo"))
    assert (undone["past_days"], undone["undone_by"]) == (2, "olga@example.com")
    again = said(operator.post(f"{path}/undo"))
    assert again == undone | {"past_days": 0}
    states = [
        len(said(operator.get(f"{PATH}?state={state}"))["items"]) for state in ("in_force", "undone", "")
    ]
    assert states == [0, 1, 1]
    with service.database.session() as session:
        rows = session.execute(text("SELECT action, detail->>'note' FROM audit WHERE kind = 'exception'"))
        assert sorted(map(tuple, rows)) == [("create", "snow"), ("undo", "snow")]


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"store_id": None, "all": True}, 3),
        ({"store_id": None, "group": "oak"}, 3),
        ({"start": "2023-01-23T23:00", "end": "2023-01-24T01:00"}, 2),
        ({"start": "2023-01-23T05:30:00Z", "end": "2023-01-23T06:30:00Z"}, 2),
        ({"end": "2023-01-24", "rrule": "FREQ=DAILY;COUNT=5"}, 5),
        ({"rrule": "FREQ=DAILY;COUNT=5"}, 6),
        ({"start": "2022-12-25", "end": "2023-01-03"}, 2),
        ({"start": "2090-12-25", "end": "2090-12-26"}, 0),
    ],
)
def test_past_days_are_those_since_the_first_poll(
    operator: Token, changes: dict[str, Any], days: int
) -> None:
    answer = operator.post(PATH, json={k: v for k, v in (BODY | changes).items() if v is not None})
    assert (answer.status_code, said(answer).get("past_days")) == (201, days)


def test_other_hours_follow_the_rules_of_files_of_hours(operator: Token) -> None:
    body = BODY | {"effect": "other_hours", "hours": "18:00-02:00,9:00-23:59"}
    assert said(operator.post(PATH, json=body))["hours"] == "09:00-24:00, 18:00-02:00"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": "2023-01-23"}, "end"),
        ({"end": "2025-01-23"}, "end"),
        ({"end": "2023-01-25T00:00Z"}, "end"),
        ({"start": "2023-02-30"}, "start"),
        ({"start": "1999-01-01"}, "start"),
        ({"rrule": "FREQ=HOURLY"}, "rrule"),
        ({"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "rrule"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20300101"}, "rrule"),
        ({"hours": "09:00-17:00"}, "hours"),
        ({"effect": "other_hours"}, "hours"),
        ({"effect": "other_hours", "hours": "09:00-09:00"}, "hours"),
        ({"effect": "other_hours", "hours": "9-5", "start": "2023-01-23T01:00"}, "start"),
        ({"group": "maple"}, "store_id"),
        ({"note": " "}, "note"),
        ({"effect": "open"}, "effect"),
        ({"notes": "x"}, "notes"),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_the_field(
    operator: Token, changes: dict[str, str], field: str
) -> None:
    answer = operator.post(PATH, json=BODY | changes)
    assert (answer.status_code, said(answer)["field"]) == (422, field)
    assert said(operator.get(PATH))["items"] == []


def test_a_list_is_filtered_and_comes_in_pages(operator: Token) -> None:
    for changes in ({}, {"start": "2024-01-01", "end": "2024-01-02"}, {"effect": "up"}):
        operator.post(PATH, json=BODY | changes)
    for query, count in (("effect=up", 1), ("start=2023-06-01T00:00:00Z", 1), ("store_id=o1", 0), ("", 3)):
        assert len(said(operator.get(f"{PATH}?{query}"))["items"]) == count, query
    first = said(operator.get(f"{PATH}?limit=2"))
    rest = said(operator.get(f"{PATH}?limit=2&cursor={first['next_cursor']}"))
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)
    assert operator.get(f"{PATH}?cursor=WyJ4IiwieCJd").status_code == 400


def test_members_see_what_concerns_their_stores_and_no_other_group(service: Service, operator: Token) -> None:
    manager = service.token("mia@example.com", maple=GroupRole.MANAGER)
    viewer = service.token("vera@example.com", maple=GroupRole.VIEWER)
    outsider = service.token("otto@example.com")
    scope = {k: v for k, v in BODY.items() if k != "store_id"}
    ids = [
        said(operator.post(PATH, json=scope | who))["exception_id"]
        for who in ({"store_id": "m1"}, {"store_id": "o1"}, {"group": "oak"}, {"all": True})
    ]
    seen = said(viewer.get(PATH))["items"]
    assert {each["exception_id"] for each in seen} == {ids[0], ids[2], ids[3]}
    assert "oak" not in viewer.get(PATH).text
    assert "olga" not in viewer.get(PATH).text
    assert said(outsider.get(PATH))["items"] == []
    undos = [manager.post(f"{PATH}/{each}/undo").status_code for each in ids]
    assert undos == [200, 404, 403, 403]
    made = [
        manager.post(PATH, json=scope | who).status_code for who in ({"group": "maple"}, {"group": "oak"})
    ]
    assert made == [201, 404]
    assert viewer.post(PATH, json=BODY).status_code == 403
    assert manager.post(PATH, json=scope | {"all": True}).status_code == 403


def test_days_that_are_frozen_are_not_told(service: Service, operator: Token) -> None:
    with service.database.transaction() as session:
        session.execute(text("UPDATE retention SET polls_from = '2023-01-23'"))
    assert said(operator.post(PATH, json=BODY))["past_days"] == 1
    assert said(operator.post(PATH, json=BODY | {"end": "2023-01-27"}))["past_days"] == 3


def test_figures_follow_and_come_back_when_it_is_undone(operator: Token) -> None:
    asked = "/api/v1/availability?store_id=m1&start=2023-01-01T00:00:00Z&end=2023-01-02T00:00:00Z"
    before = said(operator.get(asked))["windows"]
    times = {"effect": "excluded", "start": "2023-01-01T12:00:00Z", "end": "2023-01-01T13:00:00Z"}
    made = operator.post(PATH, json=BODY | times)
    [window] = said(operator.get(asked))["windows"]
    assert window["excluded_seconds"] == 3600
    operator.post(f"{made.headers['Location']}/undo")
    assert said(operator.get(asked))["windows"] == before


WORDS = st.sampled_from(
    ("closed", "other_hours", "m1", "2023-01-23", "2023-01-24T00:00Z", "FREQ=DAILY", "9:00-5:00")
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.sampled_from((*BODY, "rrule", "hours", "group", "all")), VALUES, max_size=4)
)
def test_any_body_is_taken_or_refused(operator: Token, changes: dict[str, Any]) -> None:
    assert operator.post(PATH, json=BODY | changes).status_code in (201, 400, 404, 422)
