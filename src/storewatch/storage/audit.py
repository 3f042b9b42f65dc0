"""The audit log: who did what to what, when, from where. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.storage.access_tables import Audit


def record(session: Session, caller: Caller, action: str, kind: str, subject: object, **detail: Any) -> None:
    """Adds what the caller does, in the transaction that does it.

    `action` is a verb (create, update, delete, invite, log_in …), `kind` and `subject` say what it is done
    to: ("store", "17"). `detail` holds no secrets.
    """
    session.execute(
        insert(Audit).values(
            account_id=caller.account_id,
            email=caller.email,
            via=caller.via.value,
            token_id=caller.token_id,
            address=caller.address,
            action=action,
            kind=kind,
            subject=str(subject),
            detail=detail,
        )
    )


@dataclass(frozen=True)
class Filter:
    """Which entries of a list; None asks for nothing. At or after `since`, before `until`."""

    account_id: UUID | None = None
    action: str | None = None
    kind: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def page(session: Session, which: Filter, after: int | None, count: int) -> list[Audit]:
    """Entries, newest first, before the number `after`."""
    names = ("account_id", "action", "kind", "subject")
    equal = {name: getattr(which, name) for name in names if getattr(which, name) is not None}
    query = select(Audit).filter_by(**equal).order_by(Audit.audit_no.desc()).limit(count)
    if which.since is not None:
        query = query.where(Audit.at >= which.since)
    if which.until is not None:
        query = query.where(Audit.at < which.until)
    if after is not None:
        query = query.where(Audit.audit_no < after)
    return list(session.execute(query).scalars())
