"""alert_rule and alert_mute: what a group's people are told, and who does not want to be."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.domain.alert_rule import Rule
from storewatch.storage.access_tables import Membership, StoreGroup
from storewatch.storage.alert_tables import AlertMute, AlertRule

COLUMNS = tuple(Rule().values())


def of_group(session: Session, group_no: int) -> Rule:
    """What a group's people are told."""
    query = select(AlertRule).where(AlertRule.group_no == group_no)
    row = session.execute(query.execution_options(populate_existing=True)).scalar()
    if row is None:
        return Rule()
    values = {name: getattr(row, name) for name in COLUMNS}
    return Rule(**values | {"still_down_after": tuple(row.still_down_after)})


def put(session: Session, group_no: int, rule: Rule) -> None:
    """Sets it, in place of what there was."""
    values = rule.values()
    query = upsert(AlertRule).values(group_no=group_no, **values)
    session.execute(query.on_conflict_do_update(index_elements=["group_no"], set_=values))


def mute(session: Session, account_no: int, group_no: int, *, off: bool) -> bool:
    """Ends somebody's mails of a group, or lets them come again. False if it was so already."""
    if off:
        query = upsert(AlertMute).values(account_no=account_no, group_no=group_no)
        done = query.on_conflict_do_nothing().returning(AlertMute.group_no)
        return session.execute(done).first() is not None
    gone = delete(AlertMute).where(AlertMute.account_no == account_no, AlertMute.group_no == group_no)
    return session.execute(gone.returning(AlertMute.group_no)).first() is not None


def own(session: Session, account_no: int) -> list[tuple[StoreGroup, bool]]:
    """The groups of a person by name, and whether they get the alerts of each."""
    query = (
        select(StoreGroup, AlertMute.account_no)
        .join(Membership, Membership.group_no == StoreGroup.group_no)
        .outerjoin(
            AlertMute,
            (AlertMute.group_no == StoreGroup.group_no) & (AlertMute.account_no == Membership.account_no),
        )
        .where(Membership.account_no == account_no)
        .order_by(StoreGroup.name)
    )
    return [(group, muted is None) for group, muted in session.execute(query)]
