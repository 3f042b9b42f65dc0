"""What a group's people are told, and whether one of them wants to hear it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.alert_rule import Rule, checked
from storewatch.domain.permissions import Caller
from storewatch.errors import ForbiddenError, NotFoundError
from storewatch.storage import alert_rules, audit, groups
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.db import Database


def get(database: Database, caller: Caller, group_id: UUID) -> Rule:
    """The rule of a group that the caller may see."""
    with database.session() as session:
        return alert_rules.of_group(session, seen(session, caller, group_id).group_no)


def put(
    database: Database, caller: Caller, group_id: UUID, rule: Rule, check: Callable[[Rule], None]
) -> Rule:
    """Sets it. `check` looks at what there is, while nobody changes it, and raises if it must not be."""
    with database.transaction() as session:
        group = managed(session, caller, group_id)
        present = alert_rules.of_group(session, group.group_no)
        check(present)
        if checked(rule) != present:
            alert_rules.put(session, group.group_no, rule)
            audit.record(session, caller, "set_alerts", "group", group_id, **rule.values())
        return rule


def own(database: Database, caller: Caller) -> list[tuple[StoreGroup, bool]]:
    """The caller's groups by name, and whether they get the alerts of each."""
    if caller.account_no is None:
        return []
    with database.session() as session:
        return alert_rules.own(session, caller.account_no)


def set_own(database: Database, caller: Caller, group_id: UUID, *, on: bool) -> None:
    """Whether the caller gets a group's alerts."""
    with database.transaction() as session:
        group = seen(session, caller, group_id)
        if caller.account_no is None:
            raise ForbiddenError("Nobody is logged in here, so nobody gets alerts by mail")
        if alert_rules.mute(session, caller.account_no, group.group_no, off=not on):
            audit.record(session, caller, "unmute" if on else "mute", "group", group_id, name=group.name)


def seen(session: Session, caller: Caller, group_id: UUID, *, lock: bool = False) -> StoreGroup:
    """A group that the caller may see. NotFoundError without one."""
    group = groups.find(session, group_id, caller.seen_by, lock=lock)
    if group is None:
        raise NotFoundError(f"There is no group '{group_id}'")
    return group


def managed(session: Session, caller: Caller, group_id: UUID) -> StoreGroup:
    """A group on whose alerts the caller decides, locked. ForbiddenError if that is not theirs."""
    group = seen(session, caller, group_id)
    if not caller.manages(group.group_no):
        raise ForbiddenError("You may see this group; its managers decide on its alerts.")
    return seen(session, caller, group_id, lock=True)
