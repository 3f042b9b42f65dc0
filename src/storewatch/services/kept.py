"""Whether the polls are still there that figures are asked from."""

from __future__ import annotations

from sqlalchemy.orm import Session

from storewatch.domain.clock import from_us
from storewatch.errors import UsageError
from storewatch.storage import retention


def check_reach(session: Session, first_us: int, field: str) -> None:
    """UsageError if figures from polls at that instant on are asked for, and some of these are gone."""
    begin = retention.polls_from(session)
    if first_us < begin:
        raise UsageError(
            f"Polls before {from_us(begin):%Y-%m-%d} UTC are not kept any more, and this needs those from "
            f"{from_us(first_us):%Y-%m-%d} on: ask for a later time, or for history, which keeps the days",
            field=field,
        )
