"""The audit log: who did what to what, when, from where. Rows are only ever added."""

from __future__ import annotations

from typing import Any

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


def page(session: Session, after: int | None, count: int, **which: Any) -> list[Audit]:
    """Entries, newest first, before the number `after`; `which` are columns and the values they must have."""
    query = select(Audit).filter_by(**which).order_by(Audit.audit_no.desc()).limit(count)
    return list(session.execute(query if after is None else query.where(Audit.audit_no < after)).scalars())
