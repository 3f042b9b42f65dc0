"""The pages of reports: started, watched, read, compared, run again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from storewatch.domain.clock import parse_instant
from storewatch.domain.permissions import COMMAND, GroupRole, Role
from storewatch.services import making, reporting
from storewatch.services.reporting import Request
from storewatch.storage import groups, reports, stores
from storewatch.storage.db import Database
from tests.factories import CHICAGO_MONDAY, load, load_chicago
from tests.web.browsing import Browser
from tests.web.conftest import said
from tests.web.service import Service

TWO = """store_id,status,timestamp_utc
maple,active,2023-01-23 16:14:00 UTC
oak,inactive,2023-01-23 16:15:00 UTC
"""


USUAL = Request()


def made(database: Database, request: Request = USUAL) -> str:
    """The address of a complete report."""
    report_id = reporting.trigger(database, COMMAND, request, 1 << 60)
    making.make(database, report_id)
    return f"/reports/{report_id}"


def fleet(database: Database, count: int) -> None:
    """Stores s00, s01 …: down for 5 h and half an hour more for each up to s07; then from the start."""
    rows = [
        f"s{n:02},{state},2023-01-23 {hour}:00:00 UTC"
        for n in range(count)
        for hour, state in ((10, "active"), (12, "inactive"), (12 + n % 8, "inactive"), (20, "active"))
    ]
    load(database, "store_id,status,timestamp_utc\n" + "\n".join(rows) + "\n")


def ids(page: str) -> list[str]:
    """The stores of the table, in order."""
    return re.findall(r'<th role="rowheader" scope="row"><a href="/stores/([^"]+)">', page)


def started(client: FlaskClient, **fields: str) -> str:
    answer = client.post("/reports", data=fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_without_polls_it_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/reports").text
    assert "No polls yet." in page
    assert "storewatch import" in page
    assert client.post("/reports").status_code == 303  # the button is not there, and pressing it does no harm


def test_with_polls_it_offers_a_report(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert "No report yet." in client.get("/reports").text


def test_a_report_is_started_watched_and_read(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    place = started(client)
    waiting = client.get(place).text
    assert "The report waits for its turn." in waiting
    assert '<noscript><meta http-equiv="refresh" content="1">' in waiting
    assert "A report is being made." in client.get("/reports").text
    making.make(database, UUID(place.rpartition("/")[2]))
    done = client.get(place).text
    assert "All stores, up and down, as of Mon 23 Jan 2023, 17:15:00 UTC" in done
    assert "1 store gave no zone: counted in America/Chicago." in done
    assert 'http-equiv="refresh"' not in done
    for file in re.findall(r'class="button(?: main)?" href="([^"]+)"', done):
        assert client.get(file.replace("&amp;", "&")).status_code == 200


def test_the_way_tells_the_place_in_the_queue_and_the_stores_done(
    client: FlaskClient, database: Database
) -> None:
    load_chicago(database)
    first, second = started(client), started(client)
    assert "1 report is made before it." in client.get(second + "/progress").text
    with database.transaction() as session:
        report = reports.begin_attempt(session, UUID(first.rpartition("/")[2]))
        assert report is not None
        reports.set_progress(session, report, 99)
    running = client.get(first + "/progress")
    assert "1 of 1 store done, 99%." in running.text
    assert "HX-Refresh" not in running.headers


def test_once_it_is_finished_the_page_is_loaded_anew(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert client.get(made(database) + "/progress").headers["HX-Refresh"] == "true"


def test_a_report_is_cancelled_and_run_again(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    place = started(client, policy="previous", max_gap="3h", as_of="2023-01-23 17:00")
    assert client.post(place + "/cancel").status_code == 303
    assert "The report was cancelled." in client.get(place).text
    again = client.post(place + "/again").headers["Location"]
    assert again != place
    one, two = (said(client.get(f"/api/v1{each}")) for each in (place, again))
    same = ("policy", "max_gap_seconds", "as_of", "windows", "store_ids", "group_ids")
    assert [one[name] for name in same] == [two[name] for name in same]
    assert client.post(made(database) + "/cancel").status_code == 409


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"as_of": "noon"}, "Write it like 2026-01-31 18:00"),
        ({"since": "noon", "as_of": "2023-01-23 17:00"}, "Write it like 2026-01-01 00:00"),
        ({"since": "2023-01-23 16:00"}, "Say until when, too"),
        ({"since": "2023-01-23 17:00", "as_of": "2023-01-23 17:00"}, "It must end after it begins"),
        ({"since": "2021-01-01", "as_of": "2023-01-23"}, "1 minute to 366 days apart"),
        ({"as_of": "2999-01-01"}, "as_of lies in the future"),
        ({"max_gap": "1s"}, "max_gap must be between"),
        ({"policy": "guess"}, "Choose one of the rules"),
        ({"group": "x"}, "Choose one of the groups"),
        ({"stores": "1\nnobody"}, "There is no store &#39;nobody&#39;"),
    ],
)
def test_what_makes_no_sense_is_said_beside_what_was_entered(
    client: FlaskClient, database: Database, fields: dict[str, str], message: str
) -> None:
    load_chicago(database)
    answer = client.post("/reports", data=fields)
    assert answer.status_code in (404, 422)
    assert message in answer.text
    assert "<details open>" in answer.text


def test_a_time_of_ones_own_is_counted_from_and_to(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    place = started(client, since="2023-01-23 16:00", as_of="2023-01-23T11:00-06:00")
    making.make(database, UUID(place.rpartition("/")[2]))
    told = said(client.get(f"/api/v1{place}"))
    assert told["as_of"] == "2023-01-23T17:00:00.000000Z"
    assert told["windows"] == [{"name": "chosen_time", "length_seconds": 3600}]
    page = client.get(place).text
    assert "<dt>From</dt><dd>Mon 23 Jan 2023, 16:00:00 UTC</dd>" in page
    assert "From and to as chosen" in page
    assert "in the last" not in page
    assert ">60.00<" in page


def test_who_sees_no_store_is_told_whom_to_ask_for_one(service: Service) -> None:
    load_chicago(service.database)
    page = Browser(service, "ned@example.com").read("/reports")
    assert "You belong to no group, so you see none" in page
    assert "Start a report" not in page


def test_a_report_of_chosen_stores_is_not_told_as_one_of_all(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    for fields, head in (({}, "<h1>All stores,"), ({"stores": " 1 \n\n1"}, "<h1>Chosen stores,")):
        place = started(client, **fields)
        making.make(database, UUID(place.rpartition("/")[2]))
        assert head in client.get(place).text


def test_a_failed_report_says_why(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    place = started(client)
    with database.transaction() as session:
        taken = reports.begin_attempt(session, UUID(place.rpartition("/")[2]))
        assert taken is not None
        reports.fail(session, taken, "The <disk> is full.")
    for address in (place, "/reports"):
        assert "The &lt;disk&gt; is full." in client.get(address).text


def test_a_report_that_is_not_there_any_more_says_what_to_do(client: FlaskClient) -> None:
    answer = client.get(f"/reports/{UUID(int=7)}", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "start a new one" in answer.text


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("", ["s00", "s01"]),
        ("?order=desc", ["s29", "s28"]),
        ("?sort=down.last_day", ["s07", "s15"]),
        ("?sort=down.last_day&order=asc", ["s00", "s08"]),
        ("?q=S2", ["s20", "s21"]),
        ("?page=2", ["s25", "s26"]),
        ("?page=9", []),
        ("?down=8h", ["s06", "s07"]),
        ("?coverage=50&sort=up.last_hour", ["s07", "s15"]),
    ],
)
def test_rows_are_sorted_sifted_and_paged(
    client: FlaskClient, database: Database, query: str, first: list[str]
) -> None:
    fleet(database, 30)
    page = client.get(made(database) + query).text
    assert ids(page)[:2] == first


@pytest.mark.parametrize(
    "query", ["?sort=x", "?sort=up.x", "?page=0", "?page=x", "?group=x", "?down=x", "?q=%00"]
)
def test_an_address_that_makes_no_sense_is_refused(
    client: FlaskClient, database: Database, query: str
) -> None:
    load_chicago(database)
    assert client.get(made(database) + query).status_code in (400, 422)


def test_cells_are_those_of_the_csv(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    place = made(database)
    _, line = client.get(f"/download{place.removeprefix('/reports')}").text.split()
    cells = re.findall(
        r'<td role="cell" class="num [^>]*>(?:<span class="none">)?([^<]+)', client.get(place).text
    )
    assert cells[:6] == line.split(",")[1:]


def test_two_reports_beside_each_other_add_up(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    before = made(database, Request(as_of=parse_instant("2023-01-23 16:30")))
    now = made(database)
    page = client.get(f"{now}?with={before.rpartition('/')[2]}").text
    figures = [said(client.get(f"/api/v1{each}"))["figures"]["last_week"] for each in (before, now)]
    change = figures[1]["down_seconds"] - figures[0]["down_seconds"]
    assert f"<b>+{change / 3600:.2f} h</b>" in page  # of all stores together
    assert f"+{change / 3600:.2f} h</td>" in page  # of the only one
    assert client.get(f"{now}?with={UUID(int=7)}").status_code == 404


def test_polls_that_came_later_are_counted(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    place = made(database)
    assert "/late" not in client.get(place).text
    late = "store_id,status,timestamp_utc\n"
    load(database, late + "1,active,2023-01-23 19:00:00 UTC\n")  # after its time
    assert "No poll from before its time came later." in client.get(place + "/late").text
    load(database, late + "1,active,2023-01-23 16:20:00 UTC\n1,active,2023-01-23 16:30:00 UTC\n")
    load(database, CHICAGO_MONDAY)  # all known
    assert "/late" in client.get(place).text
    assert "2 polls from before its time came later" in client.get(place + "/late").text
    again = client.post(place + "/again", data={"same_time": "1"}).headers["Location"]
    assert said(client.get(f"/api/v1{again}"))["as_of"] == "2023-01-23T17:15:00.000000Z"


@pytest.mark.parametrize(
    ("count", "chosen"), [(6, range(6)), (6, range(0, 6, 2)), (6, [3]), (1_100, range(0, 1_100, 2))]
)
def test_late_polls_of_stores_that_lie_between_are_not_counted(
    client: FlaskClient, database: Database, count: int, chosen: Sequence[int]
) -> None:
    fleet(database, count)
    place = made(database, Request(store_ids=tuple(f"s{n:02}" for n in chosen)))
    late = "".join(f"s{n:02},active,2023-01-23 13:30:00 UTC\n" for n in range(count))
    load(database, "store_id,status,timestamp_utc\n" + late)
    said = "1 poll " if len(chosen) == 1 else f"{len(chosen)} polls "
    assert f"{said}from before its time came later" in client.get(place + "/late").text


def test_at_least_so_many_if_a_poll_was_changed_by_hand(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    place = made(database)
    assert client.delete("/api/v1/polls/2023-01-23T16:14:00Z/1?reason=test").status_code == 204
    load(database, "store_id,status,timestamp_utc\n1,active,2023-01-23 16:20:00 UTC\n")
    assert "At least 1 poll from before its time came later" in client.get(place + "/late").text


def test_a_member_sees_rows_of_their_stores_of_now(service: Service) -> None:
    load(service.database, TWO)
    maple, oak = service.group("maples", "maple"), service.group("oaks", "oak")
    mia = Browser(service, "mia@maple.example", maples=GroupRole.MANAGER)
    place = mia.send("/reports").location
    making.make(service.database, UUID(place.rpartition("/")[2]))
    assert ids(mia.read(place)) == ["maple"]
    assert "oak" not in mia.read(place)
    with service.database.transaction() as session:
        (key,) = stores.keys(session, ["maple"])["store_key"].to_list()
        groups.remove_stores(session, maple, [key])
        groups.add_stores(session, oak, [key])
    gone = mia.read(place)
    assert "It has no store that you may see now." in gone
    assert "maple</a>" not in gone


def test_the_late_polls_of_others_are_not_told(service: Service) -> None:
    load(service.database, TWO)
    service.group("maples", "maple")
    mia = Browser(service, "mia@maple.example", maples=GroupRole.MANAGER)
    place = mia.send("/reports").location
    making.make(service.database, UUID(place.rpartition("/")[2]))
    load(service.database, "store_id,status,timestamp_utc\noak,active,2023-01-23 16:10:00 UTC\n")
    assert "No poll from before its time came later." in mia.read(place + "/late")


def test_forms_without_the_word_of_our_page_are_refused(service: Service) -> None:
    load(service.database, TWO)
    ada = Browser(service, "ada@example.com", Role.ADMIN)
    place = ada.send("/reports").location
    for address in ("/reports", place + "/cancel", place + "/again"):
        assert ada.client.post(address).status_code == 400


def test_health_tells_the_version(client: FlaskClient) -> None:
    assert said(client.get("/healthz"))["status"] == "ok"
