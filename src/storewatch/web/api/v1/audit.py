"""The audit log: who did what to what, when, from where."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from storewatch.domain.permissions import AUDIT
from storewatch.services import auditing
from storewatch.storage.access_tables import Audit
from storewatch.storage.audit import Filter
from storewatch.web.access import needs
from storewatch.web.api.v1.common import (
    Moment,
    PageQuery,
    Text,
    answer,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
)

blueprint = resource(
    "Audit log",
    "Who did what to what, when, from where. Rows are only ever added: the database refuses more.",
)

Subject = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]


class AuditQuery(PageQuery):
    model_config = ConfigDict(extra="forbid")
    account_id: UUID | SkipJsonSchema[None] = Field(default=None, description="who did it")
    action: Text = Field(default="", examples=["create"])
    kind: Text = Field(default="", description="what it was done to", examples=["store"])
    subject: Subject = Field(default="", description="its id", examples=["corner-cafe"])
    start: Moment | SkipJsonSchema[None] = Field(default=None, description="at or after")
    end: Moment | SkipJsonSchema[None] = Field(default=None, description="before")


class Entry(BaseModel):
    entry_id: str
    at: str
    account_id: UUID | None = Field(description="null: a command, or nobody was logged in")
    email: str | None = Field(description="as it was then")
    via: Literal["session", "token", "no-login", "command", "link", "none"]
    token_id: UUID | None
    address: str | None = Field(description="where the request came from")
    action: str
    kind: str
    subject: str
    detail: dict[str, Any]


class EntryPage(BaseModel):
    items: list[Entry]
    next_cursor: str | None


@blueprint.get(
    "/audit", operation_id="listAudit", responses={"200": answer("Entries, newest first", EntryPage)}
)
@needs(AUDIT)
def list_audit(query: AuditQuery) -> Response:
    """What was done. For admins."""
    after = read_cursor(query.cursor, int)
    which = Filter(
        query.account_id,
        query.action or None,
        query.kind or None,
        query.subject or None,
        query.start,
        query.end,
    )
    found = auditing.page(database(), which, after[0] if after else None, query.limit + 1)
    return page(
        [_shown(entry) for entry in found], query.limit, lambda last: cursor_of(int(last["entry_id"]))
    )


def _shown(entry: Audit) -> dict[str, Any]:
    return {
        "entry_id": str(entry.audit_no),
        "at": instant(entry.at),
        "account_id": None if entry.account_id is None else str(entry.account_id),
        "email": entry.email,
        "via": entry.via,
        "token_id": None if entry.token_id is None else str(entry.token_id),
        "address": entry.address,
        "action": entry.action,
        "kind": entry.kind,
        "subject": entry.subject,
        "detail": entry.detail,
    }
