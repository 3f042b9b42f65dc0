"""Mails by the real worker's jobs, to a real SMTP server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import COMMAND, Caller, GroupRole, Role
from storewatch.jobs.tasks import Means, make_app
from storewatch.outbound.mail import Security, Server
from storewatch.services import logins, mailing, people, users
from storewatch.services.depot import Depot
from storewatch.services.mailing import Mail
from storewatch.services.people import Wanted
from storewatch.storage.db import Database
from tests.post_office import PostOffice, post_office
from tests.web.service import PASSWORD, Service

URL = "https://stores.example"


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as open_now:
        yield open_now


@pytest.fixture
def service(database: Database) -> Service:
    return Service(database)


def work(database: Database, office: PostOffice | None, port: int = 0) -> None:
    """Runs the jobs that are due."""
    server = Server("127.0.0.1", office.port if office else port, Security.NONE)
    mail = Mail(server, "storewatch@stores.example", URL) if office or port else None
    app = make_app(database, Means(depot=Depot(Path("none"), 1), mail=mail))
    with app.open():
        app.run_worker(queues=["mail"], wait=False, delete_jobs="successful", listen_notify=False)


def jobs(database: Database) -> list[tuple[str, str, int, timedelta]]:
    """(task, status, attempts, in how long it is tried again) of the mails that are left."""
    query = """
        SELECT task_name, status, attempts, scheduled_at - now() FROM procrastinate_jobs
        WHERE queue_name = 'mail'
    """
    with database.transaction() as session:
        rows = session.execute(text(query))
        return [tuple(row) for row in rows]


def everything(database: Database) -> str:
    """All that the queue and the links hold, as text."""
    with database.transaction() as session:
        tables = ("procrastinate_jobs", "procrastinate_events", "one_time_link", "audit")
        return "\n".join(
            str(row) for table in tables for row in session.execute(text(f"SELECT t::text FROM {table} t"))
        )


def invite(service: Service, email: str = "mia@maple.example") -> None:
    """An operator invites a manager of Maple St."""
    number = service.group("Maple St", "17")
    operator = service.person("ada@example.com", Role.OPERATOR)
    wanted = Wanted(email, groups={number: GroupRole.MANAGER})
    made = people.invite(service.database, caller(service, operator), wanted, by_mail=True)
    assert made.secret is None


def caller(service: Service, account_id: UUID) -> Caller:
    found = logins.by_token(service.database, service.another_token(account_id).secret, "")
    assert found
    return found


def again_at_once(database: Database) -> None:
    """Makes what is to be tried later due now."""
    with database.transaction() as session:
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"))


# --- invitations ----------------------------------------------------------------------------------


def test_an_invitation_says_who_what_for_until_when_and_its_link_works(
    service: Service, office: PostOffice
) -> None:
    invite(service)
    work(service.database, office)
    (said,) = office.texts()
    for part in ("ada@example.com invites you", "- manager of the stores of Maple St", f"{URL}/link/"):
        assert part in said
    assert re.search(r"works once, until \w+day \d+ \w+ 20\d\d, \d\d:\d\d UTC:", said)
    assert office.letters[0]["To"] == "mia@maple.example"
    (path,) = office.paths()
    answer = service.browser().post(path, data={"password": PASSWORD}, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert jobs(service.database) == []


@pytest.mark.parametrize(
    ("role", "words"), [(Role.ADMIN, "you may do everything"), (Role.OPERATOR, "you see every store")]
)
def test_an_invitation_by_command_says_the_role(
    service: Service, office: PostOffice, role: Role, words: str
) -> None:
    people.invite(service.database, COMMAND, Wanted("a@b.de", role), by_mail=True)
    work(service.database, office)
    assert words in office.texts()[0]
    assert "An administrator invites you" in office.texts()[0]


def test_no_queue_and_no_table_holds_the_secret(service: Service, office: PostOffice) -> None:
    invite(service)
    office.refusal = "451 later"
    work(service.database, office)
    office.refusal = ""
    again_at_once(service.database)
    held = everything(service.database)
    work(service.database, office)
    held += everything(service.database)
    secret = office.paths()[0].removeprefix("/link/")
    assert "mail_invitation" in held
    assert secret not in held


def test_an_accepted_invitation_is_not_mailed_again(service: Service, office: PostOffice) -> None:
    invite(service)
    with service.database.transaction() as session:
        session.execute(text("DELETE FROM one_time_link"))
    work(service.database, office)
    assert office.letters == []


def test_a_mail_that_is_written_again_has_the_link_that_works(service: Service, office: PostOffice) -> None:
    invite(service)
    with service.database.transaction() as session:
        number = session.execute(text("SELECT link_no FROM one_time_link")).scalar_one()
    mail = Mail(Server("127.0.0.1", office.port, Security.NONE), "storewatch@stores.example", URL)
    for _ in range(2):  # as by a worker that was killed just after it sent the mail
        mailing.send_invitation(service.database, mail, number)
    codes = [service.browser().get(path).status_code for path in office.paths()]
    assert codes == [410, 200]


# --- mails that fail ------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["refused for now", "nobody listens", "not set up"])
def test_a_mail_that_fails_is_tried_again_after_growing_pauses_but_not_for_ever(
    service: Service, office: PostOffice, trouble: str
) -> None:
    invite(service)
    office.refusal = "451 later"
    pauses = []
    while True:
        if trouble == "refused for now":
            work(service.database, office)
        else:
            work(service.database, None, port=1 if trouble == "nobody listens" else 0)
        ((_, status, _, pause),) = jobs(service.database)
        if status != "todo":
            break
        pauses.append(round(pause.total_seconds() / 3))
        again_at_once(service.database)
    assert status == "failed"
    assert pauses == [3**n for n in range(9)]
    assert office.letters == []


def test_a_mail_that_failed_once_arrives(service: Service, office: PostOffice) -> None:
    invite(service)
    office.refusal = "451 later"
    work(service.database, office)
    office.refusal = ""
    again_at_once(service.database)
    work(service.database, office)
    assert len(office.letters) == 1
    assert jobs(service.database) == []


def test_an_address_that_is_refused_for_good_is_let_go(service: Service, office: PostOffice) -> None:
    invite(service)
    office.refusal = "550 no such user"
    work(service.database, office)
    assert jobs(service.database) == []


# --- a forgotten password -------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_by_a_mail(service: Service, office: PostOffice) -> None:
    service.person("ada@example.com", Role.ADMIN)
    mailing.ask_for_reset(service.database, "ADA@example.com", "192.0.2.7")
    work(service.database, office)
    assert office.letters[0]["To"] == "ada@example.com"
    assert re.search(r"asked for a new password for ada@example\.com at https://stores", office.texts()[0])
    data = {"password": PASSWORD + "2"}
    answer = service.browser().post(office.paths()[0], data=data, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert logins.log_in(service.database, "ada@example.com", PASSWORD + "2", "")
    assert "192.0.2.7" in everything(service.database)


def test_nobody_is_mailed_who_is_unknown_or_disabled(service: Service, office: PostOffice) -> None:
    service.person("ada@example.com", Role.ADMIN)
    account_id = service.person("out@example.com")
    users.change(service.database, COMMAND, account_id, active=False)
    for email in ("out@example.com", "nobody@example.com"):
        mailing.ask_for_reset(service.database, email, "192.0.2.7")
    work(service.database, office)
    assert (office.letters, jobs(service.database)) == ([], [])
