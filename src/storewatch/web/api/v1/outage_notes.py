"""Notes on outages."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field, StringConstraints

from storewatch.domain.clock import to_us
from storewatch.domain.permissions import READ, WRITE
from storewatch.services import outage_notes
from storewatch.storage import outage_notes as storage
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    Moment,
    PageQuery,
    StoreId,
    answer,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tagged,
)

blueprint = resource("Outage notes", "What people know of an outage: of the one that an instant lies in.")


class NotePath(BaseModel):
    note_id: UUID


class NotesQuery(PageQuery):
    store_id: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        default="", description="left out: of all stores that you may see"
    )


class NewNote(Body):
    store_id: StoreId = Field(examples=["8419537941919820732"])
    at: Moment = Field(description="an instant in the outage")
    note: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")] = Field(
        examples=["The router was broken; a new one came at noon."]
    )


class Note(BaseModel):
    note_id: UUID
    store_id: str
    at: str
    note: str
    created_at: str


class Notes(BaseModel):
    items: list[Note]
    next_cursor: str | None


_LINKS = {
    "read": {"operationId": "getOutageNote", "parameters": {"note_id": "$response.body#/note_id"}},
    "remove": {"operationId": "deleteOutageNote", "parameters": {"note_id": "$response.body#/note_id"}},
}


@blueprint.get(
    "/outages/notes",
    operation_id="listOutageNotes",
    responses={"200": answer("Notes, the newest instant first", Notes)},
)
@needs(READ)
def list_notes(query: NotesQuery) -> Response:
    """The notes on a store, or on all that you may see."""
    after = read_cursor(query.cursor, int, int)
    rows = outage_notes.page(database(), caller(), query.store_id or None, after, query.limit + 1)
    last = {str(note.note_id): (to_us(note.at), note.note_no) for note in rows}
    shown = [told_note(note) for note in rows]
    return page(shown, query.limit, lambda item: cursor_of(*last[item["note_id"]]))


@blueprint.post(
    "/outages/notes",
    operation_id="createOutageNote",
    responses={"201": answer("The note", Note, links=_LINKS)},
)
@needs(WRITE)
def create_note(body: NewNote) -> Response:
    """Note something at an instant of a store; it is shown with the outage that the instant lies in.

    Managers may do so for the stores of their groups.
    """
    return tagged(told_note(outage_notes.add(database(), caller(), body.store_id, body.at, body.note)), 201)


@blueprint.get(
    "/outages/notes/<note_id>", operation_id="getOutageNote", responses={"200": answer("The note", Note)}
)
@needs(READ)
def get_note(path: NotePath) -> Response:
    """One note."""
    return tagged(told_note(outage_notes.get(database(), caller(), path.note_id)))


@blueprint.delete(
    "/outages/notes/<note_id>", operation_id="deleteOutageNote", responses={"204": answer("It is gone")}
)
@needs(WRITE)
def delete_note(path: NotePath) -> tuple[str, int]:
    """Remove a note; the audit log keeps what it said."""
    outage_notes.remove(database(), caller(), path.note_id)
    return "", 204


def told_note(note: storage.Note) -> dict[str, Any]:
    """`Note`."""
    return {
        "note_id": str(note.note_id),
        "store_id": note.store_id,
        "at": instant(note.at),
        "note": note.note,
        "created_at": instant(note.created_at),
    }
