"""A scripted day under kill -9: every due alert comes, what comes twice has one key, no poll is lost."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from pathlib import Path

import pytest

from storewatch.domain.alert_rule import Rule
from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage import alert_rules
from storewatch.storage.db import Database
from tests import storefronts
from tests.acceptance.conftest import PATIENCE, serving, storewatch
from tests.acceptance.scripted_day import MANY, Day, Killer, Observer, Unit
from tests.alerting import Town
from tests.outbound.receiver import Receiver, receiving
from tests.outbound.storefront import storefront
from tests.post_office import PostOffice, post_office
from tests.web.service import Service as People

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HOOK = "hook"
READERS = {
    "maple": ("mia@example.com", HOOK),
    "oak": ("otto@example.com", "olga@example.com"),
    "elm": ("eva@example.com",),
}
UNSENT = "SELECT count(*) FROM delivery WHERE status <> 'sent'"

Told = tuple[str, str, str]
"""(to whom, of which store or many, begun or ended)."""


def plan(dice: random.Random) -> tuple[list[Unit], list[Unit]]:
    """(units whose polls come by the API, units with a storefront)."""
    single = [
        Unit(
            (f"store{number}",), dice.choice(("maple", "oak")), dice.choice((0, 1, 1, 2)), dice.randrange(20)
        )
        for number in range(20)
    ]
    together = Unit(tuple(f"elm{number}" for number in range(6)), "elm", 2, dice.randrange(10))
    fronts = [
        Unit((f"front{number}",), dice.choice(("maple", "oak")), 1, dice.randrange(10)) for number in range(5)
    ]
    return [*single, together], fronts


def due(units: Iterable[Unit]) -> Counter[Told]:
    """Who is to be told what, and how often: each outage and its end, to those whose stores they are."""
    counts: Counter[Told] = Counter()
    for unit in units:
        for kind in ("begun", "ended"):
            counts.update({(reader, unit.shows, kind): unit.outages for reader in READERS[unit.group]})
    return +counts


def settle(database: Database, units: list[Unit], hook: str) -> None:
    """The groups with their people and a webhook. Of elm alone it is told that many are down at once."""
    people = People(database)
    for group, readers in READERS.items():
        number = people.group(
            group, *(store for unit in units if unit.group == group for store in unit.stores)
        )
        for reader in readers:
            if reader == HOOK:
                Town(database).channel(number, "webhook", hook)
            else:
                people.person(reader, Role.MEMBER, **{group: GroupRole.VIEWER})
        if group != "elm":
            with database.transaction() as session:
                alert_rules.put(session, number, Rule(mass_percent=None, mass_within=None))


def of_letter(letter: EmailMessage) -> Told:
    subject = str(letter["Subject"])
    found = re.match(
        r"(?P<what>Down|Up again): store (?P<store>\w+)|(?P<over>Over: )?6 stores of elm", subject
    )
    assert found, subject
    ended = found["what"] == "Up again" if found["store"] else bool(found["over"])
    return str(letter["To"]), found["store"] or MANY, "ended" if ended else "begun"


def of_call(body: bytes) -> Told:
    said = json.loads(body)
    return HOOK, said["store"]["store_id"], said["event"].removeprefix("down.")


def by_key(office: PostOffice, receiver: Receiver) -> dict[str, list[Told]]:
    """What came, by its key."""
    came: defaultdict[str, list[Told]] = defaultdict(list)
    for letter in office.letters:
        came[str(letter["X-Storewatch-Key"])].append(of_letter(letter))
    for _, headers, body in receiver.came:
        came[headers["Idempotency-Key"]].append(of_call(body))
    return came


def killing_at(office: PostOffice, killer: Killer, number: int) -> Callable[[], None]:
    """Kills the worker that has just sent so many letters, before it could say so."""
    return lambda: killer.kill("worker") if len(office.letters) == number else None


def wait_until_all_is_sent(observer: Observer) -> None:
    """Claims of workers that were killed have to run out first."""
    end = time.monotonic() + 3 * PATIENCE
    while observer.rows(UNSENT) != [(0,)]:
        assert time.monotonic() < end, observer.rows("SELECT * FROM delivery WHERE status <> 'sent'")
        time.sleep(0.2)


def test_through_a_day_of_kills_every_due_alert_comes_and_no_acknowledged_poll_is_lost(
    own_home: dict[str, str], tmp_path: Path
) -> None:
    dice = random.Random(6)  # noqa: S311
    pollers, fronts = plan(dice)
    with post_office() as office, receiving() as receiver, storefront() as shop:
        environment = own_home | {
            "STOREWATCH_ALERT_AFTER": "3s",
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
            "STOREWATCH_URL": "http://127.0.0.1:9",
            "STOREWATCH_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "STOREWATCH_PROBE_NETWORKS": "127.0.0.0/8",
        }
        with serving(environment, tmp_path) as service:
            url = storewatch("db", "url", environment=own_home).stdout.strip()
            database, observer = Database(url), Observer(url)
            settle(database, [*pollers, *fronts], receiver.url)
            for unit in fronts:
                storefronts.add(database, unit.shows, f"{shop.url}/{unit.shows}")
            database.close()
            day = Day(service, observer, shop, pollers, fronts)
            killer = Killer(service, own_home, dice, rounds=4)
            office.on_letter = killing_at(office, killer, dice.randrange(3, 12))
            with killer.at_work() as done:
                day.run(done)
            wait_until_all_is_sent(observer)
            kept = observer.polls()
            assert storewatch("db", "verify", environment=own_home).returncode == 0
    came = by_key(office, receiver)
    assert min(killer.killed.values()) >= 4, killer.killed
    assert not {key: told for key, told in came.items() if len(set(told)) > 1}
    assert Counter(told[0] for told in came.values()) == due([*pollers, *fronts])
    assert max(map(len, came.values())) > 1, "none came twice: was nobody killed between sending and marking?"
    assert len(day.acknowledged) > 1000
    assert not day.acknowledged - kept
    assert not day.seen - kept
