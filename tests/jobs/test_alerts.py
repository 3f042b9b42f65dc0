"""Alerts delivered by the real worker's job, to a real SMTP server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role
from storewatch.services import history
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.alerting import Town, minutes_ago, polled, ways
from tests.outbound.receiver import receiving
from tests.post_office import PostOffice, post_office
from tests.web.service import Service


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as open_now:
        yield open_now


@pytest.fixture
def town(database: Database) -> Town:
    return Town(database)


@pytest.fixture
def maple(database: Database) -> int:
    """Mia manages Maple St, Vera looks on; store 17 is open day and night, and went down half an hour ago."""
    service = Service(database)
    polled(
        database,
        ("17", minutes_ago(90), "active"),
        ("17", minutes_ago(30), "inactive"),
        ("17", minutes_ago(20), "inactive"),
        ("18", minutes_ago(1), "active"),
    )
    number = service.group("maple", "17", "18")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    service.person("vera@maple.example", maple=GroupRole.VIEWER)
    with database.transaction() as session:
        session.execute(
            text("""
                UPDATE store SET name = 'Corner Café', manage_url = 'https://manage.example/17',
                    revenue_per_week = 16800 WHERE store_id = '17'
            """)
        )
    return number


def test_what_the_database_does_not_take_down_comes_again_with_the_same_key(
    database: Database, town: Town, office: PostOffice, maple: int
) -> None:
    def rename(there: str, to: str) -> None:
        with database.transaction() as session:
            session.execute(text(f"ALTER TABLE {there} RENAME TO {to}"))

    number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, email="mia@maple.example")
    office.on_letter = lambda: rename("delivery", "gone")
    town.work(ways(office))
    office.on_letter = lambda: None
    rename("gone", "delivery")
    assert town.became(number)[:2] == ("waiting", 1)
    town.again_at_once()
    town.work(ways(office))
    assert town.became(number)[:2] == ("sent", 2)
    assert len({letter["X-Storewatch-Key"] for letter in office.letters}) == 1


def test_an_end_that_is_quicker_than_its_beginning_waits_for_it(
    town: Town, office: PostOffice, maple: int
) -> None:
    incident = town.down("17", minutes_ago(30))
    begun = town.tell(incident, "begun", maple, email="mia@maple.example")
    office.refusal = "451 Later"
    town.work(ways(office))
    town.end(incident)
    ended = town.tell(incident, "ended", maple, email="mia@maple.example")
    office.refusal = ""
    town.work(ways(office))
    assert (town.became(ended), office.letters) == (("waiting", 0, "Its beginning is told first"), [])
    town.again_at_once()
    town.work(ways(office))
    town.again_at_once()
    town.work(ways(office))
    assert [letter["Subject"].partition(":")[0] for letter in office.letters] == ["Down", "Up again"]
    assert [town.became(number)[0] for number in (begun, ended)] == ["sent", "sent"]


def test_a_store_that_went_down_and_came_back_is_told_by_two_mails(
    town: Town, office: PostOffice, maple: int
) -> None:
    incident = town.down("17", minutes_ago(30))
    begun = town.tell(incident, "begun", maple, email="mia@maple.example")
    town.work(ways(office))
    town.end(incident)
    polled(town.database, ("17", minutes_ago(0), "active"))
    ended = town.tell(incident, "ended", maple, email="mia@maple.example")
    town.work(ways(office))
    assert [letter["Subject"].split(",")[0] for letter in office.letters] == [
        "Down: Corner Café",
        "Up again: Corner Café",
    ]
    assert [town.became(number)[:2] for number in (begun, ended)] == [("sent", 1), ("sent", 1)]


def test_a_mail_says_since_when_as_outages_are_told_what_it_cost_and_what_can_be_done(
    town: Town, office: PostOffice, maple: int
) -> None:
    incident = town.down("17", minutes_ago(30))
    town.tell(incident, "begun", maple, email="mia@maple.example")
    town.work(ways(office))
    [said] = office.texts()
    assert re.search(
        r"Corner Café \(store 17\) has been down since \w{3} \d+ \w{3}, \d\d:\d\d C[SD]T\.", said
    )
    assert re.search(r"last seen up .*, first seen down .*, counted from .*and it goes on; ", said)
    assert "59 min down, between" in said
    assert "Lost so far: about 98" in said  # 100 an hour
    for part in ("https://manage.example/17", "https://stores.example/stores/17", "as manager of maple"):
        assert part in said
    assert said.count("https://stores.example/alerts/") == 5


def test_a_viewer_gets_no_links_that_change_anything_but_their_own_mails(
    town: Town, office: PostOffice, maple: int
) -> None:
    incident = town.down("17", minutes_ago(30))
    town.tell(incident, "begun", maple, email="vera@maple.example")
    town.work(ways(office))
    [letter] = office.letters
    assert letter.get_content().count("https://stores.example/alerts/") == 1
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Unsubscribe"].strip("<>") in letter.get_content()
    head = office.raw[0].partition(b"\r\n\r\n")[0]  # a mail program must find the address in one piece
    assert re.search(rb"^List-Unsubscribe: <https://stores\.example/alerts/[\w.-]+>\r?$", head, re.MULTILINE)


# --- killed, refused, tried again ------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["refused for now", "nobody listens"])
def test_a_delivery_that_fails_is_tried_ten_times_after_growing_pauses(
    town: Town, office: PostOffice, maple: int, trouble: str
) -> None:
    number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, email="mia@maple.example")
    office.refusal = "451 later"
    by = ways(office) if trouble == "refused for now" else ways(port=1)
    pauses = []
    while True:
        town.work(by)
        status, tries, said = town.became(number)
        if status != "waiting":
            break
        wait = town.waits(number)
        assert wait is not None
        pauses.append(round(wait.total_seconds()))
        town.again_at_once()
    assert (status, tries) == ("failed", 10)
    assert "451" in (said or "") or "did not take the mail" in (said or "")
    wanted = [3, 9, 27, 81, 243, 729, 2187, 6561, 10800]
    assert all(abs(pause - due) <= 5 for pause, due in zip(pauses, wanted, strict=True))


@pytest.mark.parametrize("refusal", ["550 no such user", "553 not here"])
def test_what_is_refused_for_good_fails_at_once_and_the_log_says_why(
    town: Town, office: PostOffice, maple: int, refusal: str
) -> None:
    number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, email="mia@maple.example")
    office.refusal = refusal
    town.work(ways(office))
    status, tries, said = town.became(number)
    assert (status, tries) == ("failed", 1)
    assert refusal in (said or "")


def test_what_failed_once_arrives(town: Town, office: PostOffice, maple: int) -> None:
    number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, email="mia@maple.example")
    office.refusal = "451 later"
    town.work(ways(office))
    office.refusal = ""
    town.again_at_once()
    town.work(ways(office))
    assert (town.became(number), len(office.letters)) == (("sent", 2, None), 1)


# --- what is not said ------------------------------------------------------------------------------


def test_quiet_hours_hold_it_and_what_is_over_by_then_is_dropped_whole(
    town: Town, office: PostOffice, maple: int
) -> None:
    town.quiet(maple, minutes_ago(10), minutes_ago(-10))
    incident = town.down("17", minutes_ago(30))
    begun = town.tell(incident, "begun", maple, email="mia@maple.example")
    town.work(ways(office))
    assert town.became(begun)[:2] == ("held", 0)
    town.end(incident)
    ended = town.tell(incident, "ended", maple, email="mia@maple.example")
    town.work(ways(office))
    over = ("dropped", 0, "It was over before the quiet hours were")
    assert [town.became(number) for number in (begun, ended)] == [over, over]
    assert office.letters == []


def test_what_goes_on_is_told_when_the_quiet_hours_end(town: Town, office: PostOffice, maple: int) -> None:
    town.quiet(maple, minutes_ago(10), minutes_ago(-10))
    begun = town.tell(town.down("17", minutes_ago(30)), "begun", maple, email="mia@maple.example")
    town.work(ways(office))
    town.deliver(begun, ways(office), minutes_ago(-11))
    assert town.became(begun)[0] == "sent"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE incident SET acknowledged_at = now()", "Somebody acknowledged or snoozed it"),
        (
            "UPDATE incident SET snoozed_until = now() + interval '1 hour'",
            "Somebody acknowledged or snoozed it",
        ),
        ("UPDATE incident SET ended_at = now()", "It is over"),
        ("UPDATE account SET active = false", "They have no account any more"),
        ("DELETE FROM membership", "They may not see this any more"),
        ("DELETE FROM group_store", "They may not see this any more"),
        (
            "INSERT INTO alert_mute (account_no, group_no) SELECT account_no, group_no FROM membership",
            "They want no alerts of this group",
        ),
        ("UPDATE notice SET created_at = now() - interval '3 hours'", "It could not be delivered in time"),
    ],
)
def test_what_is_no_longer_to_be_said_is_dropped_and_the_log_says_why(
    town: Town, office: PostOffice, maple: int, change: str, said: str
) -> None:
    number = town.tell(town.down("17", minutes_ago(60)), "still", maple, email="mia@maple.example")
    with town.database.transaction() as session:
        session.execute(text(change))
    town.work(ways(office))
    assert town.became(number) == ("dropped", 0, said)
    assert office.letters == []


def test_what_comes_late_says_so_and_what_is_over_by_then_is_not_said(
    town: Town, office: PostOffice, maple: int
) -> None:
    incident = town.down("17", minutes_ago(200))
    going_on = town.tell(incident, "begun", maple, minutes_ago(190), email="mia@maple.example")
    town.work(ways(office))
    assert town.became(going_on)[0] == "sent"
    assert office.letters[0]["Subject"].endswith("(late)")
    assert "This comes late: it is of" in office.texts()[0]
    over = town.down("18", minutes_ago(200))
    number = town.tell(over, "begun", maple, minutes_ago(190), email="mia@maple.example")
    town.end(over)
    town.work(ways(office))
    assert town.became(number)[2] == "It was over before this could be delivered"


def test_where_no_mail_is_sent_the_log_says_so(town: Town, maple: int) -> None:
    number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, email="mia@maple.example")
    town.work(ways())
    assert town.became(number)[2] == "No mail is sent from here: STOREWATCH_SMTP_URL is not set"


# --- channels --------------------------------------------------------------------------------------


def test_a_webhook_is_signed_and_carries_the_key_and_no_money(town: Town, maple: int) -> None:
    with receiving() as receiver:
        channel = town.channel(maple, "webhook", receiver.url)
        number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, channel_no=channel)
        town.work(ways())
    [(_, headers, body)] = receiver.came
    told = json.loads(body)
    assert (told["event"], told["store"]["store_id"]) == ("down.begun", "17")
    assert told["key"] == headers["Idempotency-Key"]
    time, _, given = headers["Storewatch-Signature"].partition(",")
    assert given.startswith("v1=")
    assert time.startswith("t=")
    assert "lost" not in body.decode().lower()
    assert "alerts/" not in body.decode()
    assert town.became(number)[0] == "sent"


@pytest.mark.parametrize(
    ("status", "became"), [(204, "sent"), (500, "waiting"), (404, "waiting"), (302, "waiting")]
)
def test_what_a_receiver_answers_decides_whether_it_is_tried_again(
    town: Town, maple: int, status: int, became: str
) -> None:
    with receiving() as receiver:
        receiver.status = status
        channel = town.channel(maple, "webhook", receiver.url)
        number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, channel_no=channel)
        town.work(ways())
    assert town.became(number)[0] == became
    assert len(receiver.came) == 1


@pytest.mark.parametrize("kind", ["webhook", "other"])
def test_a_channel_in_a_private_network_is_refused_at_once(town: Town, maple: int, kind: str) -> None:
    with receiving() as receiver:
        url = receiver.url if kind == "webhook" else f"json://127.0.0.1:{receiver.port}/x"
        channel = town.channel(maple, kind, url)
        number = town.tell(town.down("17", minutes_ago(30)), "begun", maple, channel_no=channel)
        town.work(replace(ways(), networks=()))
    status, tries, said = town.became(number)
    assert (status, tries, receiver.came) == ("failed", 1, [])
    assert "private network" in (said or "")


def test_apprise_brings_it_where_the_network_rule_lets_it(town: Town, maple: int) -> None:
    with receiving() as receiver:
        channel = town.channel(maple, "other", f"json://127.0.0.1:{receiver.port}/secret-path")
        sent = town.tell(town.down("17", minutes_ago(30)), "begun", maple, channel_no=channel)
        town.work(ways())
        receiver.status = 500
        failed = town.tell(town.down("18", minutes_ago(30)), "begun", maple, channel_no=channel)
        town.work(ways())
    told = json.loads(receiver.came[0][2])
    assert told["title"].startswith("Down: Corner Café")
    assert town.became(sent)[0] == "sent"
    status, _, said = town.became(failed)
    assert status == "waiting"
    assert "secret-path" not in (said or "")
    assert "500" in (said or "")


# --- more than one store ---------------------------------------------------------------------------


def test_many_at_once_are_one_mail_with_a_list(town: Town, office: PostOffice, maple: int) -> None:
    mass = town.incident("mass", minutes_ago(30), group_no=maple)
    for store in ("17", "18"):
        town.down(store, minutes_ago(30), mass_no=mass)
    town.tell(mass, "begun", maple, email="mia@maple.example")
    town.work(ways(office))
    [said] = office.texts()
    assert office.letters[0]["Subject"].startswith("2 stores of maple down at once, since ")
    assert "- Corner Café (store 17): since" in said
    assert "- Store 18: since" in said
    assert "Lost so far: about 98" in said
    assert said.count("https://stores.example/alerts/") == 4  # nothing to be closed on purpose


def test_no_data_of_anybody_is_told_to_who_sees_everything(
    town: Town, office: PostOffice, maple: int
) -> None:
    Service(town.database).person("ada@example.com", Role.ADMIN)
    silent = town.incident("no_data", minutes_ago(130))
    told = town.tell(silent, "begun", None, email="ada@example.com")
    not_told = town.tell(silent, "begun", None, email="mia@maple.example")
    town.work(ways(office))
    assert (town.became(told)[0], town.became(not_told)[0]) == ("sent", "dropped")
    assert office.letters[0]["Subject"].startswith("No data: no poll of any store since ")
    assert "ada@example.com gets this as admin" in office.texts()[0]


def test_a_budget_that_is_nearly_used_is_told_with_what_is_left(
    town: Town, office: PostOffice, maple: int
) -> None:
    with town.database.transaction() as session:
        level = session.execute(
            text("""
                INSERT INTO service_level (name, group_no, period, measure, target, unknown_as, min_outage_s)
                VALUES ('99.9 % a month', :group, 'month', 'availability', 99.9, 'ignored', 0)
                RETURNING level_no
            """),
            {"group": maple},
        ).scalar_one()
    history.update(town.database, Request())
    number = town.tell(
        town.incident("budget", minutes_ago(1), level_no=level), "begun", maple, email="mia@maple.example"
    )
    town.work(ways(office))
    assert town.became(number)[::2] == ("sent", None)
    [said] = office.texts()
    assert "99.9 % a month" in office.letters[0]["Subject"]
    assert re.search(r"Used: .* of downtime\. Allowed: .* of downtime\.", said)
