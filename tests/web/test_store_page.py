"""The page of a store: its numbers are the engine's, its picture is to scale, and it says why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import groupby
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from storewatch.web.shapes import stroke
from tests.factories import load, load_chicago
from tests.web.service import Service
from tests.web.test_page_files import HTML, check, pages

WIDE = 10_000
"""So many pixels is the lane wide."""


def page(client: FlaskClient, query: str = "", store_id: str = "1", status: int = 200) -> str:
    answer = client.get(f"/stores/{store_id}{query}", headers=HTML)
    assert answer.status_code == status, answer.text
    return unescape(re.sub(r'<span class="frac">(.*?)</span>', r"\1", answer.text))


def api(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


# --- words and numbers ----------------------------------------------------------------------------


def test_without_polls_it_says_what_to_do(client: FlaskClient, database: Database) -> None:
    load(database, "store_id,timezone_str\n1,America/Chicago\n")
    assert "No polls yet." in page(client)
    page(client, store_id="2", status=404)


def test_the_state_comes_first_with_since_when(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    text = page(client)
    assert "As of <b>Mon 23 Jan 2023, 11:15 CST</b>" in text
    assert "</svg>Open and down</span> since 10:44:30 CST, for 30\u00a0min." in text
    assert "Last seen up Mon 23 Jan, 10:14 CST." in text


@pytest.mark.parametrize(
    ("polls", "said"),
    [
        ("1,active,2023-01-24 02:00:00", "Closed</span>. Opens Mon 30 Jan, 09:00 CST."),
        ("1,active,2023-01-23 16:00:00", "Open and up</span>"),
        ("2,active,2023-01-23 16:00:00", "Not seen</span>: open, but no poll near enough"),
    ],
)
def test_each_state_has_its_words(client: FlaskClient, database: Database, polls: str, said: str) -> None:
    hours = "store_id,day,start_time_local,end_time_local\n1,0,09:00,12:00\n"
    load(database, f"store_id,status,timestamp_utc\n{polls}\n", hours)
    assert said in page(client)


def test_its_figures_are_those_of_the_api(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    text = page(client)
    start = "2023-01-17T06:00:00Z"
    [window] = api(client, f"availability?store_id=1&start={start}")["windows"]
    told = dict(re.findall(r"<dt>(Up|Down|Unknown|Open)</dt><dd>([\d:.,]+)</dd>", text))
    for name, shown in told.items():
        assert seconds(shown) == window[f"{name.lower()}_seconds"], name
    assert f"{window['availability'] * 100:.1f}%" in text
    total = re.search(r'class="sum">.*?</tr>', text, re.S)
    assert total is not None
    cells = [seconds(cell) for cell in re.findall(r'class="num">([\d:.,]+)</td>', total.group())]
    assert cells == [window[f"{name}_seconds"] for name in ("down", "down_min", "down_max")]


def seconds(shown: str) -> float:
    hours, minutes, rest = shown.replace(",", "").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_what_is_lost_is_told_where_it_is_known(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert "<dt>Lost</dt>" not in page(client)
    assert client.put("/api/v1/revenue/1", json={"weekly": 300}).status_code == 200
    [*_, day] = api(client, "history?store_id=1&first_day=2023-01-23&last_day=2023-01-23")["items"]
    assert f'<dt>Lost</dt><dd><span class="n">{day["lost"]:.2f}</span>' in page(client)
    assert '<dt>Lost</dt><dd><span class="n">0.00</span>' in page(client, "?days=1&to=2023-01-22")


def test_the_ledger_adds_up_where_an_outage_only_touches_the_days(
    client: FlaskClient, database: Database
) -> None:
    polls = ["2023-01-23 23:00:00", "2023-01-24 05:00:00", "2023-01-24 15:00:00"]
    states = ("active", "inactive", "active")
    rows = "".join(f"1,{state},{at}\n" for state, at in zip(states, polls, strict=True))
    load(database, f"store_id,status,timestamp_utc\n{rows}")
    text = page(client, "?from=2023-01-24&to=2023-01-24")
    rows_shown = re.findall(r"<tr[^>]*><th scope=\"row\">.*?</tr>", ledger(text), re.S)
    cells = [
        [seconds(cell) for cell in re.findall(r'class="num">([\d:.,]+)</td>', row)] for row in rows_shown
    ]
    assert [sum(column) for column in zip(*cells[:-1], strict=True)] == cells[-1]
    assert cells[-1][0] > 0


def ledger(text: str) -> str:
    found = re.search(r'<table class="ledger">.*?</table>', text, re.S)
    assert found is not None
    return found.group()


def test_it_explains_the_piece_that_was_chosen(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    down = page(client, "?at=2023-01-23T17:00:00Z")
    assert "Down, Mon 23 Jan, 10:44:30 to 11:15 CST" in down
    assert "Half way between the two" in down
    assert "Still down at 11:15 CST" in down
    assert len(re.findall('class="pick"', down)) == 1
    up = page(client, "?at=2023-01-23T16:00:00Z")
    assert "<h3>Up, Mon 23 Jan, 09:29 to 10:44:30 CST</h3>" in up
    assert "Each instant lies within 45 min of a poll that saw it up." in up


def test_what_people_said_is_drawn_and_told(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    body = {
        "effect": "excluded",
        "store_id": "1",
        "start": "2023-01-23T16:30:00Z",
        "end": "2023-01-23T17:00:00Z",
        "note": "maintenance",
    }
    assert client.post("/api/v1/exceptions", json=body).status_code == 201
    text = page(client, "?at=2023-01-23T16:40:00Z")
    assert 'class="out" fill="url(#hatch-out)"' in text
    assert "neither up nor down: left out: maintenance" in text
    assert "<dt>Excluded</dt><dd>0:30:00</dd>" in text
    assert "<dt>Mon 23 Jan, 10:30 to 11:00 CST</dt>" in text


def test_hours_are_told_or_that_there_are_none(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert "<dt>Tuesday to Sunday</dt><dd>closed</dd>" in page(client)
    load(database, "store_id,status,timestamp_utc\n2,active,2023-01-23 16:14:00\n")
    assert "No opening hours given: counted as open day and night." in page(client, store_id="2")


@pytest.mark.parametrize(
    "query",
    [
        "?days=0", "?days=93", "?days=x", "?days=٣", "?from=2023-01-20&to=2023-01-19", "?from=2030-01-01",
        "?to=1999-01-01", "?to=yesterday", "?at=noon", "?min=-1", "?from=2022-01-01&to=2023-01-01",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(client: FlaskClient, database: Database, query: str) -> None:
    load_chicago(database)
    page(client, query, status=400)


@pytest.mark.parametrize(
    "query",
    [
        "?days=1", "?days=30", "?days=90", "?days=92", "?to=2023-01-20", "?from=2022-12-01&to=2022-12-31",
        "?min=10", "?at=2000-01-01", "?at=0001-01-01T00:00%2B23:00", "?days=7&to=2099-01-01",
    ],
)  # fmt: skip
def test_each_view_has_an_address(client: FlaskClient, database: Database, query: str) -> None:
    load_chicago(database)
    text = page(client, query)
    assert "<script>" not in text
    assert 'style="' not in text
    check(client, pages(client, f"/stores/1{query}"))


def test_a_member_of_another_group_learns_nothing(service: Service) -> None:
    load_chicago(service.database)
    service.group("maple", "1")
    insider = service.token("mia@maple.example", maple=GroupRole.VIEWER)
    outsider = service.token("otto@oak.example", oak=GroupRole.MANAGER)
    assert insider.get("/stores/1", headers=HTML).status_code == 200
    missing, other = outsider.get("/stores/3", headers=HTML), outsider.get("/stores/1", headers=HTML)
    assert missing.status_code == other.status_code == 404
    said = [re.sub("&#39;[13]&#39;|Request .* UTC", "", each.text) for each in (missing, other)]
    assert said[0] == said[1]


# --- to scale -------------------------------------------------------------------------------------

CHANGES = [
    ("America/New_York", "2023-03-12"),
    ("America/New_York", "2023-11-05"),
    ("Australia/Lord_Howe", "2023-10-01"),
    ("Australia/Lord_Howe", "2023-04-02"),
    ("Asia/Beirut", "2022-03-27"),
    ("Asia/Beirut", "2022-10-30"),
]


def polled(zone: str, day: str) -> tuple[str, str, str]:
    """Three days around a change, polled every 97 minutes but for a hole; files of polls, hours, zone."""
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = [start + timedelta(minutes=97 * number - 1500) for number in range(52)]
    rows = [
        f"1,{'inactive' if number % 5 in (2, 3) else 'active'},{at:%Y-%m-%d %H:%M:%S}"
        for number, at in enumerate(times)
        if not 26 <= number <= 31
    ]
    hours = "\n".join(
        f"1,{weekday},{times}" for weekday in range(7) for times in ("00:30,04:10", "11:00,23:59")
    )
    return (
        "store_id,status,timestamp_utc\n" + "\n".join(rows) + "\n",
        f"store_id,day,start_time_local,end_time_local\n{hours}\n",
        f"store_id,timezone_str\n1,{zone}\n",
    )


def drawn(text: str) -> Iterator[tuple[str, str, float, float]]:
    """(instant, look, x, width) of the pieces in pixels, in order."""
    found = re.findall(
        r'<a href="(\?[^"]*)#why".*?<rect class="([\w-]+)".*? x="([\d.]+)%".*? width="([\d.]+)%"', text
    )
    for address, look, x, width in found:
        if look != "tick":
            yield (
                parse_qs(urlsplit(address).query)["at"][0],
                look,
                float(x) * WIDE / 100,
                float(width) * WIDE / 100,
            )


LOOKS = {("up", True): "up", ("up", False): "line-up", ("down", True): "down", ("down", False): "line-down"}


def expected(client: FlaskClient, start: str) -> list[tuple[str, str, float]]:
    """(start, look, pixels) of the segments that the API tells, those that touch and are alike made one."""
    items = api(client, f"timeline/1?start={start}&limit=1000")["items"]
    runs: list[tuple[str, str, str, float]] = []
    for item in items:
        look = LOOKS.get((item["state"], item["seen"]), "blank")
        if runs and runs[-1][1] == item["start"] and runs[-1][2] == look:
            first, _, _, length = runs.pop()
            runs.append((first, item["end"], look, length + item["length_seconds"]))
        else:
            runs.append((item["start"], item["end"], look, item["length_seconds"]))
    return [(first, look, length / 86_400 * WIDE) for first, _, look, length in runs]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_widths_and_places_agree_with_the_engine_to_half_a_pixel(
    client: FlaskClient, database: Database, zone: str, day: str
) -> None:
    load(database, *polled(zone, day))
    text = page(client, "?days=3")
    first = re.search(r'name="from" value="([\d-]+)"', text)
    assert first is not None
    midnight = datetime.fromisoformat(f"{first.group(1)}T00:00").replace(tzinfo=ZoneInfo(zone))
    wanted = expected(client, f"{midnight.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    shown = [list(bars) for _, bars in groupby(drawn(text), key=lambda bar: bar[0])]
    assert [bars[0][1] for bars in shown] == [look for _, look, _ in wanted]
    for bars, (start, _, width) in zip(shown, wanted, strict=True):
        assert sum(bar[3] for bar in bars) == pytest.approx(width, abs=0.5)
        local = datetime.fromisoformat(start).astimezone(ZoneInfo(zone))
        place = (
            (local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6) / 86_400 * WIDE
        )
        assert bars[0][2] == pytest.approx(place, abs=0.5)


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_the_strokes_of_a_long_view_agree_with_the_engine_too(
    client: FlaskClient, database: Database, zone: str, day: str
) -> None:
    load(database, *polled(zone, day))
    text = page(client, "?days=60")
    told: dict[str, float] = defaultdict(float)
    shown: dict[str, float] = defaultdict(float)
    for _, look, width in expected(client, f"{int(day[:4]) - 1}{day[4:]}T00:00:00Z"):
        told[look] += width
    for look, path in re.findall(r'<path class="s-([\w-]+)" d="([^"]+)"', text):
        shown[look] += sum(map(float, re.findall(r"h([\d.]+)", path))) * WIDE / 1440
    for look, boxes in re.findall(r'<g class="([\w-]+)"[^>]*>(.*?)</g>', text):
        shown[look] += sum(map(float, re.findall(r'width="([\d.]+)%', boxes))) * WIDE / 100
    assert {look: shown[look] for look in set(LOOKS.values())} == pytest.approx(
        {look: told[look] for look in set(LOOKS.values())}, abs=0.5
    )


def test_a_stretch_that_goes_on_is_one_stroke() -> None:
    assert stroke([(0, 14_400)], 12) == "M0 12h1440"
    assert stroke([(5, 15), (20, 20), (125, 1_000)], 12) == "M.5 12h1m11 0h87.5"


def test_a_skipped_hour_is_a_dotted_box_and_a_repeated_one_is_drawn_twice(
    client: FlaskClient, database: Database
) -> None:
    load(database, *polled("America/New_York", "2023-03-12"))
    spring = page(client, "?days=3")
    assert spring.count('class="skip-hour" x="8.3333%" y="2" width="4.1667%"') == 1
    assert "23 h day" in spring
    load(database, *polled("America/New_York", "2023-11-05"))
    autumn = page(client, "?days=3")
    assert 'class="band" x="4.1667%" y="2" width="4.1667%" height="11.5"' in autumn
    assert 'class="band" x="4.1667%" y="14.5" width="4.1667%" height="11.5"' in autumn
    assert "25 h day" in autumn
    assert re.search('<rect class="up" x="4.1667%" y="5.354"', autumn)
    assert re.search('<g class="up"><rect x="4.17%" y="5.354"', page(client, "?days=30"))


def test_a_hole_in_the_polls_is_said(client: FlaskClient, database: Database) -> None:
    load(database, *polled("America/New_York", "2023-03-12"))
    text = page(client, "?days=3")
    assert "no polls for 11 h 19 min" in text
    assert re.search('<text class="halo wide"[^>]*>no polls for 11 h 19 min', text)  # narrow, it has no room


def test_a_long_view_shows_a_hole_without_words_and_is_light(client: FlaskClient, database: Database) -> None:
    load(database, *polled("America/New_York", "2023-03-12"))
    text = page(client, "?days=90")
    lanes = re.findall('<svg class="lane".*?</svg>', text)
    assert "no polls for" not in text
    assert 'class="s-late"' in text
    assert len(lanes) == 90
    assert len(text.encode()) < 85_000


@pytest.mark.parametrize("store_id", ["%00", "a%0Ab", "%ED%A0%80", "x" * 500, "no/such//store", "%20"])
def test_an_odd_id_is_no_store(client: FlaskClient, database: Database, store_id: str) -> None:
    load_chicago(database)
    page(client, store_id=store_id, status=404)


def test_an_id_with_slashes_has_a_page(client: FlaskClient, database: Database) -> None:
    load(database, "store_id,status,timestamp_utc\neu/1?a=b#c,active,2023-01-23 16:14:00\n")
    assert "<h1>eu/1?a=b#c<" in page(client, store_id="eu/1%3Fa=b%23c")


def test_old_polls_that_are_gone_leave_a_page(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    with database.transaction() as session:
        session.execute(text("DELETE FROM retention"))
        session.execute(text("INSERT INTO retention (polls_from) VALUES ('2023-01-20')"))
    assert "Open and down" in page(client, "?days=1")
    assert "are not kept any more" in page(client, "?days=7", status=400)
