"""Invitations that are open: listed, withdrawn; many at once from a file of people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from uuid import UUID

import polars as pl
from sqlalchemy.orm import Session

from storewatch.domain import people_rows
from storewatch.domain.permissions import Caller, GroupRole, Role, may_invite
from storewatch.errors import FileRefusedError, ForbiddenError, NotFoundError, StorewatchError, UsageError
from storewatch.formats.csv_in import CsvFile, shown
from storewatch.services import people
from storewatch.services.people import Invitation, Wanted
from storewatch.storage import audit, groups, links
from storewatch.storage.access_tables import OneTimeLink, StoreGroup
from storewatch.storage.db import Database

MOST = 1000
"""So many rows may be in one file of people."""
MAX_BYTES = 1 << 20

After = tuple[datetime, UUID]


@dataclass(frozen=True)
class Open:
    """An invitation that can be accepted; those of its groups that may be seen, by number; who made it
    (None: a command).
    """

    link: OneTimeLink
    groups: dict[int, StoreGroup]
    invited_by: str | None


def page(database: Database, caller: Caller, after: After | None, count: int) -> list[Open]:
    """Invitations that can be accepted, newest first: a member's own, for others everybody's."""
    with database.session() as session:
        found = links.open_invitations(session, datetime.now(UTC), caller.seen_by, after, count)
        return [_open(session, caller, link, email) for link, email in found]


def get(database: Database, caller: Caller, link_id: UUID) -> Open:
    """An open invitation that the caller may see. NotFoundError without one."""
    with database.transaction() as session:
        return _found(session, caller, link_id)


def withdraw(database: Database, caller: Caller, link_id: UUID) -> None:
    """Ends an invitation: its link no longer works. For who made it, or might make it."""
    with database.transaction() as session:
        link = _found(session, caller, link_id).link
        given = links.given_groups(link)
        own = link.invited_by is not None and link.invited_by == caller.account_no
        if not own and not may_invite(caller, Role(link.role or ""), given):
            raise ForbiddenError("Only admins withdraw an invitation to be admin or operator")
        links.use_up(session, link)
        audit.record(session, caller, "withdraw", "user", link.email or "", role=link.role)


def invite(
    database: Database,
    caller: Caller,
    email: str,
    role: Role,
    places: dict[UUID, GroupRole],
    *,
    by_mail: bool,
) -> tuple[Open, Invitation]:
    """Invites somebody into groups by their ids. NotFoundError for one that the caller may not see."""
    with database.transaction() as session:
        given = {_group_no(session, caller, group_id): place for group_id, place in places.items()}
        made = people.invite_in(session, caller, Wanted(email, role, given), by_mail=by_mail)
        return _open(session, caller, made.link, caller.email), made


def _group_no(session: Session, caller: Caller, group_id: UUID) -> int:
    group = groups.find(session, group_id, caller.seen_by)
    if group is None:
        raise NotFoundError(f"There is no group '{group_id}'")
    return group.group_no


def _found(session: Session, caller: Caller, link_id: UUID) -> Open:
    row = links.open_invitation(session, link_id, datetime.now(UTC), caller.seen_by)
    if row is None:
        raise NotFoundError(f"There is no open invitation '{link_id}'")
    return _open(session, caller, *row)


def _open(session: Session, caller: Caller, link: OneTimeLink, invited_by: str | None) -> Open:
    numbers = list(links.given_groups(link))
    found = groups.by_numbers(session, numbers, caller.seen_by) if numbers else {}
    return Open(link, found, invited_by)


# --- many -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Many:
    """What became of a file of people: those invited, the rejected rows as (line, reason)."""

    invited: list[tuple[Open, Invitation]]
    rejected: list[tuple[int, str]]


def invite_file(database: Database, caller: Caller, stream: BinaryIO, name: str, *, by_mail: bool) -> Many:
    """Invites the people of a CSV file, each once whatever the number of their rows. Rows that cannot be
    used are rejected alone. FileRefusedError if the file as a whole cannot be used.
    """
    good, rejected = _rows(stream, name)
    wanted: dict[str, Wanted] = {}
    with database.transaction() as session:
        for row in good:
            try:
                _add(session, caller, wanted, row)
            except StorewatchError as error:
                rejected.append((row[0], str(error)))
        made = [people.invite_in(session, caller, each, by_mail=by_mail) for each in wanted.values()]
        invited = [(_open(session, caller, each.link, caller.email), each) for each in made]
    return Many(invited, sorted(rejected))


Row = tuple[int, str, str, str | None]


def _rows(stream: BinaryIO, name: str) -> tuple[list[Row], list[tuple[int, str]]]:
    """Good rows as (line, email, role, group), and the rejected."""
    file = CsvFile(stream, name, MAX_BYTES)
    good: list[Row] = []
    bad: list[tuple[int, str]] = []
    for block in file.blocks(_positions(file), people_rows.OPTIONAL):
        read = people_rows.read_people(block.rows)
        good += read.good.rows()
        bad += pl.concat([block.bad, read.bad]).rows()
        if len(good) + len(bad) > MOST:
            raise FileRefusedError(f"{name}: it has more than {MOST:,} people: send it in parts")
    return good, bad


def _positions(file: CsvFile) -> dict[str, int]:
    names = [name.lower() for name in file.header]
    wanted = [*people_rows.COLUMNS, *(name for name in people_rows.OPTIONAL if name in names)]
    for name in wanted:
        if names.count(name) != 1:
            what = "twice" if name in names else "not there"
            found = ", ".join(shown(name) for name in file.header[:20])
            raise FileRefusedError(
                f"{file.name}: the column {name} is {what}; a file of people has email, role, group; "
                f"found: {found}"
            )
    return {name: names.index(name) for name in wanted}


def _add(session: Session, caller: Caller, wanted: dict[str, Wanted], row: Row) -> None:
    """Adds to what a person is given, if the row may. The last row for a group stands."""
    _, email, role, group = row
    email = people.checked_email(email)
    place = {} if group is None else {_number(session, caller, group): GroupRole(role)}
    whole = Role(role) if group is None else Role.MEMBER
    if not may_invite(caller, whole, place):
        raise UsageError(f"you may not invite {'an' if group is None else 'a'} {role}{_into(group)}")
    before = wanted.get(email.lower(), Wanted(email, Role.MEMBER, {}))
    highest = min(before.role, whole, key=list(Role).index)
    wanted[email.lower()] = Wanted(before.email, highest, {**(before.groups or {}), **place})


def _into(group: str | None) -> str:
    return "" if group is None else f" into '{group}'"


def _number(session: Session, caller: Caller, name: str) -> int:
    group = groups.by_name(session, name, caller.seen_by)
    if group is None:
        raise UsageError(f"there is no group '{name}'")
    return group.group_no
