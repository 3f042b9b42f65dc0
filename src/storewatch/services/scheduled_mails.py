"""A digest or report as it goes to one person: with what they may see when it is sent, and no more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

from sqlalchemy.orm import Session

from storewatch.domain import digest_words, schedules
from storewatch.domain.alert_delivery import Drop, Hold
from storewatch.domain.alert_words import Frame, Link, Said, mail
from storewatch.domain.clock import SECOND, from_us, to_us
from storewatch.domain.permissions import Caller, Via
from storewatch.domain.schedules import Days, Timetable
from storewatch.errors import NoPollsError, ReportFailedError
from storewatch.formats.digest_files import FORMATS as DIGEST_FILES
from storewatch.formats.report_files import FORMATS
from storewatch.outbound.mail import Attachment
from storewatch.services import digests, logins, reports
from storewatch.services.alert_links import LEAVE, Signer, Ticket
from storewatch.services.telling import Message, Ways
from storewatch.storage import schedule_log
from storewatch.storage import schedules as stored
from storewatch.storage.alert_tables import Delivery
from storewatch.storage.db import Database
from storewatch.storage.schedule_log import Case
from storewatch.storage.schedule_tables import Schedule
from storewatch.storage.tables import Report

_LOOK_AGAIN = 2 * SECOND
_MOST_BYTES = 10 * 1024 * 1024
"""What most mail servers take, with room for how files are written in mails."""


@dataclass(frozen=True)
class Ready:
    """A mail to an address."""

    message: Message
    email: str


def timetable(session: Session, schedule: Schedule, seen_by: int | None, default_zone: str) -> Timetable:
    """When a schedule runs: where it names no zone, on the clock of most of its stores."""
    zone = schedule.zone or stored.usual_zone(session, seen_by, schedule.group_no) or default_zone
    return Timetable(schedule.every, schedule.on_day, schedule.minute, zone)


def prepared(
    database: Database, delivery: Delivery, ways: Ways, signer: Signer, at: int
) -> Ready | Hold | Drop:
    """What a delivery of a run is to say now."""
    with database.snapshot() as session:
        case = schedule_log.case_of(session, delivery)
        reader = logins.caller_of(session, case.account, Via.LINK)
        reason = _not_theirs(case, reader, ways)
        if reason is not None:
            return Drop(reason)
        table = timetable(session, case.schedule, reader.seen_by, ways.usual.default_zone)
        days = table.days(to_us(case.run.due_at))
        try:
            found = (
                _digest(session, case, reader, table, days, ways) if case.schedule.what == "digest" else None
            )
        except NoPollsError:
            return Drop("There are no polls yet")
        session.expunge_all()
    if isinstance(found, Drop):
        return found
    if found is None:
        waits = _waits(case.report, at)
        if waits is not None:
            return waits
        found = _report(database, case, reader)
    said, attachment = found
    return Ready(_message(case, reader, ways, signer, table, days, said, attachment, at), case.account.email)


def _not_theirs(case: Case, reader: Caller, ways: Ways) -> str | None:
    """Why it is not for them any more."""
    group_no = case.schedule.group_no
    if not case.account.active:
        return "They have no account any more"
    if ways.mail is None:
        return "No mail is sent from here: STOREWATCH_SMTP_URL is not set"
    if group_no is not None and not reader.sees_all and group_no not in reader.groups:
        return "They may not see this any more"
    if case.run.asked_for:
        return None
    off = case.schedule.account_no is not None and case.schedule.next_run_at is None
    return "They want none of these" if case.muted or off else None


# --- a digest -------------------------------------------------------------------------------------

_Told = tuple[Said, Attachment | None]


def _digest(
    session: Session, case: Case, reader: Caller, table: Timetable, days: Days, ways: Ways
) -> _Told | Drop:
    schedule = case.schedule
    made = digests.make(session, reader, case.group, table, days, ways)
    if not made.stores:
        return Drop("They see no stores with polls")
    digest = made.digest
    if schedule.only_if_missed and not case.run.asked_for and not digest.missed and not digest.unclear:
        return Drop("No target was missed")
    attachment, words = None, list[str]()
    if schedule.format != "none" and made.rows:
        content = DIGEST_FILES[schedule.format](digests.file_rows(made))
        name = f"{_file_name(digest.of or 'stores')}-{digest_words.iso_day(days.first)}.{schedule.format}"
        attachment, words = _attached(name, schedule.format, content, "Each store by itself")
    return digest_words.said(replace(digest, attached=words)), attachment


def _attached(name: str, kind: str, content: bytes, what: str) -> tuple[Attachment | None, list[str]]:
    if len(content) > _MOST_BYTES:
        size = len(content) // (1024 * 1024)
        return None, [f"{what} would be a file of {size} MB, too large for a mail: open the page instead."]
    return Attachment(name, FORMATS[kind].mimetype, content), [f"{what}: in the attached file {name}."]


def _file_name(name: str) -> str:
    """A group's name as a part of a file's."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    return plain[:60] or "stores"


# --- a report -------------------------------------------------------------------------------------


def _waits(report: Report | None, at: int) -> Hold | Drop | None:
    if report is None:
        return Drop("There was no report: no polls yet, or it was removed meanwhile")
    if report.status in ("queued", "running"):
        return Hold(at + _LOOK_AGAIN, "Its report is being made")
    if report.status == "failed":
        raise ReportFailedError(report.error or "The report failed")
    return Drop("Its report was cancelled") if report.status == "cancelled" else None


def _report(database: Database, case: Case, reader: Caller) -> _Told:
    """The seven columns, of the stores that the reader may see now."""
    report, kind = case.report, case.schedule.format
    assert report is not None and report.as_of is not None  # noqa: PT018, S101 - it is complete
    content = b"".join(reports.file(database, reader, report, kind))
    of = case.group.name if case.group is not None else "Your stores"
    day = f"{report.as_of:%Y-%m-%d}"
    name = f"{_file_name(case.group.name if case.group is not None else 'stores')}-report-{day}.{kind}"
    attachment, words = _attached(
        name, kind, content, "Up and down of each store in the last hour, day and week"
    )
    until = f"As of the newest poll, {report.as_of:%Y-%m-%d %H:%M} UTC."
    return Said(f"{of}: report of {day}", [*words, until]), attachment


# --- a mail ---------------------------------------------------------------------------------------


def _message(
    case: Case,
    reader: Caller,
    ways: Ways,
    signer: Signer,
    table: Timetable,
    days: Days,
    said: Said,
    attachment: Attachment | None,
    at: int,
) -> Message:
    due = to_us(case.run.due_at)
    leave = _leave(case, ways, signer)
    frame = Frame(
        key=str(case.delivery.key),
        why=_why(case, reader, table),
        links=_links(case, ways, days),
        leave=None if leave is None else Link("To get no more of these", leave),
        late=due if at - due > ways.within and not case.run.asked_for else None,
        zone=table.zone,
    )
    subject, text = mail(said, frame)
    return Message(subject, text, {}, leave, attachment)


def _links(case: Case, ways: Ways, days: Days) -> list[Link]:
    if not ways.url:
        return []
    group = "" if case.group is None else f"?group={quote(str(case.group.group_id))}"
    month = f"{from_us(days.last * 86_400 * SECOND):%Y-%m}"
    return [
        Link("All of it, store by store", f"{ways.url}/{group}"),
        Link("The month, to print", f"{ways.url}/months/{month}{group}"),
        Link("When this is sent, and to change that", f"{ways.url}/schedules/{case.schedule.schedule_id}"),
    ]


def _leave(case: Case, ways: Ways, signer: Signer) -> str | None:
    if not ways.url:
        return None
    ticket = Ticket(action=LEAVE, account=case.account.account_id.hex, schedule=case.schedule.schedule_id.hex)
    return f"{ways.url}/alerts/{signer.made(ticket)}"


def _why(case: Case, reader: Caller, table: Timetable) -> str:
    if case.run.asked_for:
        return f"{reader.email} asked for this."
    when = schedules.worded(table.every, table.on_day, table.minute)
    group = case.group.name if case.group is not None else None
    of = f", as one of the people of {group}" if group and case.schedule.account_no is None else ""
    return f"{reader.email} gets this {when} ({table.zone}){of}."
