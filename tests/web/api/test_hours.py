"""/api/v1/hours and /api/v1/zones."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role
from tests.factories import load
from tests.web.conftest import said
from tests.web.service import Service, Token

PATH, ZONE = "/api/v1/hours/a%2Fb", "/api/v1/zones/a%2Fb"
FRIDAY = {"day": 4, "opens": "22:00", "closes": "02:00"}


@pytest.fixture
def operator(service: Service) -> Token:
    service.group("mine", "a/b")
    return service.token("olga@example.com", Role.OPERATOR)


def put(token: Token, *hours: dict[str, Any], **options: Any) -> Any:
    return token.put(PATH, json={"hours": list(hours)}, **options)


def test_a_week_is_set_read_and_taken_away(operator: Token) -> None:
    never = said(operator.get(PATH))
    assert (never["hours_given"], never["hours"], len(never["openingHoursSpecification"])) == (False, [], 7)
    monday = {"day": 0, "opens": "9:00", "closes": "23:59:30"}
    answer = put(operator, FRIDAY, monday, FRIDAY)
    assert answer.status_code == 200
    assert said(answer)["hours"] == [{"day": 0, "opens": "09:00", "closes": "24:00"}, FRIDAY]
    assert said(operator.get(PATH)) | {"past_days_changed": 0} == said(answer)
    assert said(answer)["openingHoursSpecification"] == [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": "https://schema.org/Monday",
            "opens": "09:00",
            "closes": "23:59",
        },
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": "https://schema.org/Friday",
            "opens": "22:00",
            "closes": "02:00",
        },
    ]
    assert said(operator.get("/api/v1/stores/a%2Fb"))["hours_given"] is True
    assert said(operator.delete(PATH)) == never | {"past_days_changed": 0}


def test_what_is_read_can_be_written_back(operator: Token) -> None:
    week = said(put(operator, FRIDAY, {"day": 1, "opens": "00:00", "closes": "24:00"}))
    assert said(put(operator, *week["hours"])) == week
    assert len(week["weeks"]) == 1


def on(day: str) -> str:
    return f"{PATH}?on={day}"


def test_another_week_counts_from_today_or_the_day_named_and_the_past_keeps_its_own(operator: Token) -> None:
    monday = {"day": 0, "opens": "09:00", "closes": "17:00"}
    put(operator, FRIDAY)
    today = said(put(operator, monday))
    assert (today["hours"], today["valid_until"], len(today["weeks"])) == ([monday], None, 2)
    assert said(operator.get(on("2023-01-01")))["hours"] == [FRIDAY]
    body = {"hours": [monday], "valid_from": "2023-01-01"}
    assert said(operator.put(PATH, json=body))["weeks"] == [
        {"valid_from": None, "valid_until": "2023-01-01", "hours": [FRIDAY]},
        {"valid_from": "2023-01-01", "valid_until": None, "hours": [monday]},
    ]
    before = said(operator.get(on("2022-12-31")))
    assert (before["valid_from"], before["valid_until"]) == (None, "2023-01-01")
    always = said(operator.put(PATH, json=body | {"valid_from": "always"}))
    assert [week["hours"] for week in always["weeks"]] == [[monday]]


def test_the_past_days_that_change_are_told(service: Service, operator: Token) -> None:
    load(service.database, "store_id,status,timestamp_utc\na/b,active,2023-01-23 16:00:00\n")
    put(operator, FRIDAY)
    assert said(put(operator))["past_days_changed"] == 0
    always = said(operator.put(PATH, json={"hours": [], "valid_from": "always"}))
    assert always["past_days_changed"] > 300
    assert said(operator.delete(PATH))["past_days_changed"] > always["past_days_changed"]


@pytest.mark.parametrize("day", ["2023-02-30", "1999-12-31", "soon", "2100-06-01", "\ud800", 5])
def test_a_day_that_is_none_is_refused(operator: Token, day: object) -> None:
    answer = operator.put(PATH, json={"hours": [], "valid_from": day})
    assert (answer.status_code, said(answer)["field"]) == (422, "valid_from")
    if day != "\ud800":
        assert operator.get(on(str(day))).status_code == 422


def test_the_tag_of_a_change_is_that_of_what_is_read(operator: Token) -> None:
    assert put(operator, FRIDAY).headers["ETag"] == operator.get(PATH).headers["ETag"]


def test_an_empty_week_is_closed_throughout(operator: Token) -> None:
    closed = said(put(operator))
    assert (closed["hours_given"], closed["hours"], closed["openingHoursSpecification"]) == (True, [], [])


def test_hours_by_hand_and_by_file_are_the_same_hours(service: Service, operator: Token) -> None:
    load(service.database, "store_id,day,start_time_local,end_time_local\na/b,4,22:00,02:00\n")
    assert said(operator.get(PATH))["hours"] == [FRIDAY]
    put(operator)
    again = load(service.database, "store_id,day,start_time_local,end_time_local\na/b,4,22:00,02:00\n")
    assert again[0].rows_corrected == 1
    assert said(operator.get(PATH))["hours"] == [FRIDAY]


@pytest.mark.parametrize(
    ("opening", "field", "told"),
    [
        ({"day": 7, "opens": "9:00", "closes": "10:00"}, "hours.1.day", "less than or equal to 6"),
        ({"day": 0, "opens": "9am", "closes": "10:00"}, "hours.1.opens", "pattern"),
        ({"day": 0, "opens": "9:00"}, "hours.1.closes", "it is missing"),
        (
            {"day": 0, "opens": "24:00", "closes": "10:00"},
            "hours",
            "1: opens is 24:00; a day starts at 00:00",
        ),
        ({"day": 0, "opens": "9:00", "closes": "09:00"}, "hours", "1: start and end are both '9:00'"),
    ],
)
def test_hours_that_cannot_be_used_are_refused_whole(
    operator: Token, opening: dict[str, Any], field: str, told: str
) -> None:
    answer = put(operator, FRIDAY, opening)
    assert (answer.status_code, said(answer)["field"]) == (422, field)
    assert told in said(answer)["detail"]
    assert said(operator.get(PATH))["hours_given"] is False


def test_a_lost_update_is_refused(operator: Token) -> None:
    tag = {"If-Match": operator.get(PATH).headers["ETag"]}
    assert put(operator, FRIDAY, headers=tag).status_code == 200
    assert put(operator, headers=tag).status_code == 412
    assert operator.delete(PATH, headers=tag).status_code == 412
    zone = {"If-Match": operator.get(ZONE).headers["ETag"]}
    assert operator.put(ZONE, json={"zone": "Asia/Tokyo"}, headers=zone).status_code == 200
    assert operator.put(ZONE, json={"zone": "UTC"}, headers=zone).status_code == 412


def test_a_zone_is_set_read_and_taken_away(operator: Token) -> None:
    default = {"store_id": "a/b", "zone": "America/Chicago", "zone_given": False}
    assert said(operator.get(ZONE)) == default
    tokyo = {"store_id": "a/b", "zone": "Asia/Tokyo", "zone_given": True}
    assert said(operator.put(ZONE, json={"zone": "Asia/Tokyo"})) == tokyo
    assert said(operator.get(ZONE)) == tokyo
    refused = operator.put(ZONE, json={"zone": "Mars/Olympus"})
    assert (refused.status_code, said(refused)["field"]) == (422, "zone")
    assert said(operator.delete(ZONE)) == default


@pytest.mark.parametrize("path", [PATH, ZONE])
def test_managers_change_hours_and_zone_viewers_read_them_outsiders_see_nothing(
    service: Service, operator: Token, path: str
) -> None:
    body: dict[str, Any] = {"hours": [FRIDAY]} if path == PATH else {"zone": "Asia/Tokyo"}
    manager = service.token("mia@example.com", mine=GroupRole.MANAGER)
    viewer = service.token("vera@example.com", mine=GroupRole.VIEWER)
    outsider = service.token("otto@example.com", other=GroupRole.MANAGER)
    assert manager.put(path, json=body).status_code == 200
    assert said(viewer.get(path)) == said(manager.get(path))
    assert [viewer.put(path, json=body).status_code, viewer.delete(path).status_code] == [403, 403]
    codes = [outsider.get(path), outsider.put(path, json=body), outsider.delete(path)]
    assert [answer.status_code for answer in codes] == [404, 404, 404]
    with service.database.session() as session:
        query = "SELECT email FROM audit WHERE kind = 'store'"
        assert session.execute(text(query)).scalars().all() == ["mia@example.com"]
