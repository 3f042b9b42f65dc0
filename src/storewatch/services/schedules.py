"""Schedules: made, changed, paused, removed, tried. A person decides on their own, managers on a group's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain import schedules as domain
from storewatch.domain.clock import from_us
from storewatch.domain.permissions import Caller
from storewatch.domain.schedules import Timetable
from storewatch.errors import ConflictError, ForbiddenError, NotFoundError, UsageError
from storewatch.services import schedule_runs, scheduled_mails
from storewatch.services.reporting import Request
from storewatch.storage import audit, groups, schedule_log
from storewatch.storage import schedules as storage
from storewatch.storage.db import Database
from storewatch.storage.schedule_log import Logged
from storewatch.storage.schedule_tables import Schedule

MOST = 50
"""So many may a person or a group have."""

WHAT = ("digest", "report")
FORMATS = ("none", "csv", "xlsx")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is sent, and when; see `Timetable`. `zone` None: that of most of the stores."""

    name: str
    what: str = "digest"
    every: str = "week"
    on_day: int | None = 0
    minute: int = 8 * 60
    zone: str | None = None
    format: str = "xlsx"
    only_if_missed: bool = False

    def checked(self) -> Wanted:
        """Itself. UsageError names the field that makes no sense."""
        if not self.name.strip():
            raise UsageError("Give it a name", field="name")
        if self.what not in WHAT:
            raise UsageError("what must be digest or report", field="what")
        if self.format not in FORMATS:
            raise UsageError("format must be none, csv or xlsx", field="format")
        if self.what == "report" and self.format == "none":
            raise UsageError("A report is a file: choose csv or xlsx", field="format")
        if self.what == "report" and self.only_if_missed:
            raise UsageError("Only a digest knows whether a target was missed", field="only_if_missed")
        domain.checked(Timetable(self.every, self.on_day, self.minute, self.zone or "UTC"))
        return self


@dataclass(frozen=True)
class Found:
    """A schedule as the caller sees it: the clock that it runs by, and whether it is theirs to change."""

    schedule: Schedule
    group_id: UUID | None
    group: str | None
    zone: str
    last_run_at: datetime | None
    muted: bool
    theirs: bool

    @property
    def for_all(self) -> bool:
        """Whether all people of the group get it."""
        return self.schedule.account_no is None


def page(database: Database, caller: Caller, after: int, count: int, request: Request) -> list[Found]:
    """The caller's own and those of their groups, in order of their making, after a number."""
    with database.session() as session:
        found = storage.page(session, caller.account_no, after, count, all_groups=caller.sees_all)
        return [_found(session, caller, each, request) for each in found]


def get(database: Database, caller: Caller, schedule_id: UUID, request: Request) -> Found:
    """One of them. NotFoundError without it."""
    with database.session() as session:
        return _found(session, caller, _seen(session, caller, schedule_id), request)


def create(
    database: Database,
    caller: Caller,
    group_id: UUID | None,
    wanted: Wanted,
    request: Request,
    now_us: int,
    *,
    for_all: bool,
    enabled: bool = True,
) -> Found:
    """Makes one to the caller, or `for_all` of a group whose manager they are."""
    wanted = wanted.checked()
    with database.transaction() as session:
        group_no, account_no = _scope(session, caller, group_id, for_all=for_all), caller.account_no
        if for_all:
            account_no = None
        elif account_no is None:
            raise ForbiddenError("Nobody is logged in here, so mails go to the people of a group only")
        if storage.count(session, account_no, group_no) >= MOST:
            raise ConflictError(f"There may be {MOST} schedules: remove one first")
        scope = {"account_no": account_no, "group_no": group_no, "created_by": caller.account_no}
        schedule_id = storage.add(session, asdict(wanted) | scope)
        if enabled:
            _go_on(session, _seen(session, caller, schedule_id).schedule, caller, request, now_us)
        audit.record(session, caller, "create", "schedule", schedule_id, **asdict(wanted))
        return _found(session, caller, _seen(session, caller, schedule_id), request)


def update(
    database: Database,
    caller: Caller,
    schedule_id: UUID,
    values: dict[str, Any],
    check: Callable[[Found], None],
    request: Request,
    now_us: int,
) -> Found:
    """Changes one: fields of `Wanted`, and `enabled`. `check` looks at the locked row, and raises if it must
    not be changed.
    """
    with database.transaction() as session:
        schedule = _to_change(session, caller, schedule_id, request, check)
        present = {name: getattr(schedule, name) for name in Wanted.__dataclass_fields__}
        enabled = values.pop("enabled", schedule.next_run_at is not None)
        wanted = asdict(Wanted(**present | values).checked())
        changed = {name: value for name, value in wanted.items() if value != present[name]}
        switched = enabled != (schedule.next_run_at is not None)
        if changed or switched:
            storage.change(session, schedule.schedule_no, **wanted, next_run_at=None)
            if enabled:
                _go_on(session, _seen(session, caller, schedule_id).schedule, caller, request, now_us)
            told = changed | ({"enabled": enabled} if switched else {})
            audit.record(session, caller, "update", "schedule", schedule_id, **told)
        return _found(session, caller, _seen(session, caller, schedule_id), request)


def remove(database: Database, caller: Caller, schedule_id: UUID, request: Request) -> None:
    """Removes one, and its log. ConflictError for the usual one, which would come again."""
    with database.transaction() as session:
        schedule = _to_change(session, caller, schedule_id, request)
        if schedule.usual:
            raise ConflictError("Everybody has this one: switch it off instead")
        storage.remove(session, schedule.schedule_no)
        audit.record(session, caller, "delete", "schedule", schedule_id, name=schedule.name)


def set_own(
    database: Database, caller: Caller, schedule_id: UUID, request: Request, now_us: int, *, on: bool
) -> None:
    """Whether the caller gets it: of a group's one alone, their own is switched on or off."""
    with database.transaction() as session:
        found = _seen(session, caller, schedule_id, lock=True)
        if found.schedule.account_no is not None:
            _switch(session, caller, found.schedule, request, now_us, on=on)
            return
        if caller.account_no is None:
            raise ForbiddenError("Nobody is logged in here, so nobody gets mails")
        if storage.mute(session, caller.account_no, found.schedule.schedule_no, off=not on):
            audit.record(session, caller, "unmute" if on else "mute", "schedule", schedule_id)


def _switch(
    session: Session, caller: Caller, schedule: Schedule, request: Request, now_us: int, *, on: bool
) -> None:
    if on == (schedule.next_run_at is not None):
        return
    if on:
        _go_on(session, schedule, caller, request, now_us)
    else:
        storage.change(session, schedule.schedule_no, next_run_at=None)
    audit.record(session, caller, "update", "schedule", schedule.schedule_id, enabled=on)


def send_now(database: Database, caller: Caller, schedule_id: UUID, request: Request, now_us: int) -> None:
    """Sends it to the caller now, beside its timetable."""
    with database.transaction() as session:
        found = _seen(session, caller, schedule_id)
        if caller.account_no is None:
            raise ForbiddenError("Nobody is logged in here, so nobody gets mails")
        schedule_runs.run(session, found.schedule, from_us(now_us), request, now_us, caller.account_no)
        audit.record(session, caller, "send", "schedule", schedule_id)


def log(
    database: Database, caller: Caller, schedule_id: UUID, after: tuple[int, int] | None, count: int
) -> list[Logged]:
    """What it sent, newest first; people as far as the caller may see them."""
    with database.session() as session:
        found = _seen(session, caller, schedule_id)
        return schedule_log.page(session, found.schedule.schedule_no, caller.seen_by, after, count)


def usual_zone(database: Database, caller: Caller, request: Request) -> str:
    """The clock by which a schedule of the caller runs where it names none."""
    with database.session() as session:
        return storage.usual_zone(session, caller.seen_by, None) or request.default_zone


# --- who ------------------------------------------------------------------------------------------


def _seen(session: Session, caller: Caller, schedule_id: UUID, *, lock: bool = False) -> storage.Found:
    found = storage.find(session, schedule_id, caller.account_no, all_groups=caller.sees_all, lock=lock)
    if found is None:
        raise NotFoundError(f"There is no schedule '{schedule_id}'")
    return found


def _to_change(
    session: Session,
    caller: Caller,
    schedule_id: UUID,
    request: Request,
    check: Callable[[Found], None] = lambda _: None,
) -> Schedule:
    found = _seen(session, caller, schedule_id, lock=True)
    if not _is_theirs(caller, found.schedule):
        raise ForbiddenError("A group's managers decide on its schedules; you may say whether you get it.")
    check(_found(session, caller, found, request))
    return found.schedule


def _is_theirs(caller: Caller, schedule: Schedule) -> bool:
    if schedule.account_no is not None:
        return schedule.account_no == caller.account_no
    return schedule.group_no is not None and caller.manages(schedule.group_no)


def _scope(session: Session, caller: Caller, group_id: UUID | None, *, for_all: bool) -> int | None:
    """The group that it is about."""
    if group_id is None:
        if for_all:
            raise UsageError("Say to the people of which group", field="group_id")
        return None
    group = groups.find(session, group_id, caller.seen_by)
    if group is None:
        raise NotFoundError(f"There is no group '{group_id}'")
    if for_all and not caller.manages(group.group_no):
        raise ForbiddenError("A group's managers decide what its people get.")
    return group.group_no


def _go_on(session: Session, schedule: Schedule, caller: Caller, request: Request, now_us: int) -> None:
    table = scheduled_mails.timetable(session, schedule, _seen_by(caller, schedule), request.default_zone)
    storage.change(session, schedule.schedule_no, next_run_at=from_us(table.next_run(now_us)))


def _seen_by(caller: Caller, schedule: Schedule) -> int | None:
    return None if schedule.account_no is None else caller.seen_by


def _found(session: Session, caller: Caller, found: storage.Found, request: Request) -> Found:
    schedule, group = found.schedule, found.group
    zone = scheduled_mails.timetable(session, schedule, _seen_by(caller, schedule), request.default_zone).zone
    return Found(
        schedule,
        None if group is None else group.group_id,
        None if group is None else group.name,
        zone,
        found.last_run_at,
        found.muted,
        _is_theirs(caller, schedule),
    )
