"""Digests and reports by timetable, sent by the real worker's jobs to a real SMTP server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from storewatch.domain.clock_words import on_clock
from storewatch.domain.outage_words import length_in_words
from storewatch.domain.permissions import GroupRole, Role
from storewatch.domain.share_words import share
from storewatch.storage.db import Database
from tests.alerting import ways
from tests.post_office import PostOffice, post_office
from tests.scheduling import Clockwork, attached, cells, down_for, in_zone, table, today, words
from tests.web.service import Service, Token


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as open_now:
        yield open_now


@pytest.fixture
def clock(database: Database) -> Clockwork:
    return Clockwork(database)


@pytest.fixture
def service(database: Database) -> Service:
    """Mia manages Maple with the stores 17 and 18, which lost an hour and half an hour yesterday; Otto Oak
    with 21, which lost three hours. All are in UTC, open day and night.
    """
    service = Service(database)
    for day, lost in ((1, {"17": 60, "18": 30, "21": 180}), (2, {"17": 20, "18": 0, "21": 0})):
        for store_id, minutes in lost.items():
            down_for(database, store_id, minutes, day)
    in_zone(database, "UTC", "17", "18", "21")
    service.group("maple", "17", "18")
    service.group("oak", "21")
    return service


@pytest.fixture
def mia(service: Service) -> Token:
    return service.token("mia@maple.example", maple=GroupRole.MANAGER)


@pytest.fixture
def otto(service: Service) -> Token:
    return service.token("otto@oak.example", oak=GroupRole.MANAGER)


def group_id(clock: Clockwork, name: str) -> UUID:
    [(found,)] = clock.rows("SELECT group_id FROM store_group WHERE name = :name", name=name)
    return UUID(str(found))


def only_this(clock: Clockwork) -> None:
    """Leaves the usual schedules out of what is looked at."""
    clock.begin()
    clock.write("UPDATE schedule SET next_run_at = NULL WHERE usual")


# --- what it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_digest_says_the_same_numbers_as_the_api_and_so_does_its_file(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token, kind: str
) -> None:
    clock.write("UPDATE store SET revenue_per_week = 16800, name = 'Corner Café' WHERE store_id = '17'")
    clock.was_due(clock.make("mia@maple.example", format=kind))
    clock.work(ways(office))
    [letter] = office.letters
    said = words(letter)
    day = (today() - timedelta(days=1)).date().isoformat()
    api = mia.get(f"/api/v1/comparison?first_day={day}&last_day={day}").get_json()
    ranked = mia.get(f"/api/v1/ranking?first_day={day}&last_day={day}").get_json()["items"]
    now, before = api["range"], api["other"]
    assert now["down_seconds"] > 5000
    for figure in (
        f"Time lost: {length_in_words(round(now['down_seconds'] * 1e6))} ",
        f"(between {length_in_words(round(now['down_min_seconds'] * 1e6))} and "
        f"{length_in_words(round(now['down_max_seconds'] * 1e6))}), in 2 outages; "
        f"before: {length_in_words(round(before['down_seconds'] * 1e6))}",
        f"Money lost: about {now['lost']:,.2f} USD, by what the stores take; "
        f"what 1 store takes is not known; before: about {before['lost']:,.2f} USD",
        f"Up: {share(now['availability'], 2)} of the time that is known",
        f"Coverage: {share(now['coverage'], 1)} of the open time of 2 stores was seen",
        f"Worst store: Corner Café (store 17), {length_in_words(round(ranked[0]['down_seconds'] * 1e6))} "
        f"and about {ranked[0]['lost']:,.2f} USD",
        "Worst hour: 12:00 to 13:00",
        f"in the attached file stores-{day}.{kind}",
    ):
        assert figure in said
    assert letter["Subject"].startswith("Your stores, ")
    assert f"{length_in_words(round(now['down_seconds'] * 1e6))} lost" in letter["Subject"]
    name, content = attached(letter)
    assert name == f"stores-{day}.{kind}"
    if kind == "xlsx":
        assert f"<v>{ranked[0]['down_seconds']:g}</v>" in cells(content)
        return
    rows = table(content)
    assert [row["name"] for row in rows] == ["Corner Café", ""]
    assert [row["store_id"] for row in rows] == [item["store_id"] for item in ranked] == ["17", "18"]
    for row, item in zip(rows, ranked, strict=True):
        for told in ("down_seconds", "open_seconds", "coverage", "availability", "down_max_seconds"):
            assert float(row[told]) == item[told]
        assert row["lost"] == ("" if item["lost"] is None else str(item["lost"]))


def test_the_worst_hour_of_a_week_is_the_apis(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token
) -> None:
    weekday = today().weekday()
    clock.was_due(clock.make("mia@maple.example", every="week", on_day=weekday))
    clock.work(ways(office))
    first, last = ((today() - timedelta(days=days)).date().isoformat() for days in (7, 1))
    hours = mia.get(f"/api/v1/history/week?first_day={first}&last_day={last}").get_json()["items"]
    worst = max(hours, key=lambda each: each["down_seconds"])
    lost = length_in_words(round(worst["down_seconds"] * 1e6))
    day = (today() - timedelta(days=1)).strftime("%A")
    assert f"Worst hour: {day}, 12:00 to 13:00 on the stores’ clocks, {lost} lost" in words(office.letters[0])


def test_everybody_gets_their_own_stores_only_also_after_a_store_changed_groups(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token, otto: Token
) -> None:
    made = [clock.make(email, format="csv") for email in ("mia@maple.example", "otto@oak.example")]
    for number in made:
        clock.was_due(number)
    clock.work(ways(office))
    assert seen(office) == {"mia@maple.example": {"17", "18"}, "otto@oak.example": {"21"}}
    assert not any("tore 21" in words(letter) for letter in office.letters if letter["To"].startswith("mia"))
    clock.write("""
        UPDATE group_store SET group_no = (SELECT group_no FROM store_group WHERE name = 'oak')
        WHERE store_key = (SELECT store_key FROM store WHERE store_id = '17')""")
    clock.write("DELETE FROM schedule_run")
    office.letters.clear()
    for number in made:
        clock.was_due(number)
    clock.work(ways(office))
    assert seen(office) == {"mia@maple.example": {"18"}, "otto@oak.example": {"17", "21"}}
    [mias] = [words(letter) for letter in office.letters if letter["To"].startswith("mia")]
    assert "Store 17" not in mias
    assert "of 1 store was seen" in mias


def seen(office: PostOffice) -> dict[str, set[str]]:
    return {
        letter["To"]: {row["store_id"] for row in table(attached(letter)[1])} for letter in office.letters
    }


def test_who_lost_the_group_before_it_was_sent_gets_nothing(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token
) -> None:
    clock.was_due(clock.make("mia@maple.example", group_id(clock, "maple"), for_all=True))
    only_this(clock)
    clock.write("DELETE FROM membership")
    clock.jobs(ways(office))
    assert office.letters == []
    assert clock.log() == [("dropped", "They may not see this any more")]


def test_a_groups_schedule_goes_to_all_its_people_but_who_does_not_want_it(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token, otto: Token
) -> None:
    service.person("vera@maple.example", maple=GroupRole.VIEWER)
    lou = service.token("lou@maple.example", maple=GroupRole.VIEWER)
    made = clock.make("mia@maple.example", group_id(clock, "maple"), for_all=True)
    clock.was_due(made)
    assert lou.put(f"/api/v1/schedules/{made}/mine", json={"on": False}).status_code == 200
    clock.work(ways(office))
    assert sorted(letter["To"] for letter in office.letters) == ["mia@maple.example", "vera@maple.example"]
    assert {letter["Subject"].split(",")[0] for letter in office.letters} == {"maple"}


def test_days_without_a_poll_are_told_as_not_known_and_not_as_up(
    database: Database, clock: Clockwork, office: PostOffice
) -> None:
    service = Service(database)
    down_for(database, "17", 60, day=20)
    service.group("maple", "17")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    clock.was_due(clock.make("mia@maple.example", format="csv"))
    clock.work(ways(office, within=timedelta(days=2) // timedelta(microseconds=1)))
    [letter] = office.letters
    assert letter["Subject"].endswith(": nothing is known")
    assert "is not known: there was no open time near a poll" in words(letter)
    assert "Time lost" not in words(letter)


# --- by itself ------------------------------------------------------------------------------------


def test_members_with_stores_have_monday_at_eight_on_their_stores_clock_without_asking(
    clock: Clockwork, service: Service, mia: Token
) -> None:
    in_zone(clock.database, "Europe/Berlin", "17", "18")
    service.person("ann@example.com", Role.ADMIN)
    service.person("nobody@example.com")
    clock.begin()
    clock.begin()
    [(email, at)] = clock.rows(
        "SELECT email, next_run_at FROM schedule JOIN account USING (account_no) WHERE usual"
    )
    local = on_clock(int(at.timestamp()) * 1_000_000, "Europe/Berlin")
    assert (email, local.weekday(), local.hour, local.minute) == ("mia@maple.example", 0, 8, 0)
    assert datetime.now(UTC) < at <= datetime.now(UTC) + timedelta(days=8)


def test_the_usual_one_is_switched_off_by_one_click_and_stays_off(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token
) -> None:
    clock.begin()
    [(made,)] = clock.rows("SELECT schedule_id FROM schedule WHERE usual")
    assert mia.post(f"/api/v1/schedules/{made}/send").status_code == 202
    clock.work(ways(office))
    [letter] = office.letters
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = letter["List-Unsubscribe"].strip("<>").removeprefix("https://stores.example")
    assert service.browser().post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    clock.begin()
    assert clock.rows("SELECT next_run_at FROM schedule") == [(None,)]
    assert mia.delete(f"/api/v1/schedules/{made}").status_code == 409


# --- only if --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "sent"), [("90", 0), ("99.95", 1)])
def test_only_if_a_target_was_missed(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token, target: str, sent: int
) -> None:
    level = {"name": "Lunch", "measure": "availability", "period": "month", "target": float(target)}
    of = {"group_id": str(group_id(clock, "maple"))}
    made = mia.post("/api/v1/service-levels", json=level | of)
    assert made.status_code == 201, made.json
    clock.was_due(clock.make("mia@maple.example", only_if_missed=True))
    only_this(clock)
    clock.jobs(ways(office))
    missed = mia.get(f"/api/v1/service-levels/{made.get_json()['level_id']}/status").get_json()["items"]
    assert ("missed" in {item["status"] for item in missed}) == bool(sent)
    assert len(office.letters) == sent
    if sent:
        assert "Missed: 1 of 1 target." in words(office.letters[0])
        assert "1 target missed" in office.letters[0]["Subject"]
    else:
        assert clock.log() == [("dropped", "No target was missed")]


# --- once -----------------------------------------------------------------------------------------


def test_runs_that_were_missed_are_made_up_once_for_the_last_of_them(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token
) -> None:
    clock.was_due(clock.make("mia@maple.example"), before=timedelta(days=21))
    clock.work(ways(office))
    [letter] = office.letters
    yesterday = today() - timedelta(days=1)
    assert f", {yesterday.day} {yesterday:%b %Y}: " in letter["Subject"]
    assert clock.rows("SELECT due_at FROM schedule_run") == [(today(),)]
    clock.work(ways(office))
    assert len(office.letters) == 1


def test_begun_by_several_at_once_and_again_each_time_that_is_due_is_one_mail(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token
) -> None:
    made = clock.make("mia@maple.example")
    clock.was_due(made)
    with ThreadPoolExecutor(8) as threads:
        for begun in [threads.submit(clock.begin) for _ in range(16)]:
            begun.result()
    clock.was_due(made)  # as if the next time had not been written
    clock.work(ways(office))
    assert len(office.letters) == 1
    assert len(clock.rows("SELECT 1 FROM schedule_run")) == 1


def test_what_failed_is_tried_again_with_the_same_key(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token
) -> None:
    clock.was_due(clock.make("mia@maple.example", format="csv"))
    office.refusal = "451 later"
    clock.work(ways(office))
    assert [status for status, _ in clock.log()] == ["waiting"]
    office.refusal = ""
    clock.write("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
    clock.write("UPDATE delivery SET not_before = now()")
    [(key,)] = clock.rows("SELECT key FROM delivery")
    clock.jobs(ways(office))
    [letter] = office.letters
    assert letter["X-Storewatch-Key"] == str(key)
    assert f"Key: {key}" in words(letter)
    assert [status for status, _ in clock.log()] == ["sent"]


def test_what_comes_hours_late_says_so(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token
) -> None:
    clock.was_due(clock.make("mia@maple.example"))
    clock.work(ways(office, within=1))
    assert office.letters[0]["Subject"].endswith("(late)")
    assert "This comes late: it is of" in words(office.letters[0])


# --- reports --------------------------------------------------------------------------------------


def test_a_report_waits_until_it_is_made_and_brings_the_seven_columns_of_own_stores(
    clock: Clockwork, office: PostOffice, service: Service, mia: Token, otto: Token
) -> None:
    maple = group_id(clock, "maple")
    clock.was_due(clock.make("mia@maple.example", maple, for_all=True, what="report", format="csv"))
    clock.was_due(clock.make("otto@oak.example", what="report", format="xlsx"))
    for _ in range(3):
        clock.work(ways(office))
        clock.write("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
        clock.write("UPDATE delivery SET not_before = now() WHERE status = 'held'")
    by = {letter["To"]: attached(letter) for letter in office.letters}
    assert len(by) == len(office.letters) == 2
    rows = table(by["mia@maple.example"][1])
    assert [row["store_id"] for row in rows] == ["17", "18"]
    mine = otto.get("/api/v1/reports").get_json()["items"]
    assert len(mine) == 1
    file = otto.get(f"/api/v1/reports/{mine[0]['report_id']}/file?format=xlsx").data
    assert cells(by["otto@oak.example"][1]) == cells(file)
    assert "17" not in re.findall(r"<t>(.*?)</t>", cells(file))


def test_without_polls_nothing_is_sent_and_the_log_says_why(database: Database, office: PostOffice) -> None:
    clock, service = Clockwork(database), Service(database)
    service.group("maple", "17")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    for what in ("digest", "report"):
        clock.was_due(clock.make("mia@maple.example", what=what, format="csv"))
    clock.work(ways(office))
    assert office.letters == []
    assert [status for status, _ in clock.log()] == ["dropped", "dropped"]
    assert all("no polls yet" in (said or "") for _, said in clock.log())
