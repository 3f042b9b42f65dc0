"""Imports: who loaded what and when, what became of the rows, which were rejected."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field, StringConstraints

from storewatch.domain.permissions import READ_ALL
from storewatch.formats.csv_out import rejects_csv
from storewatch.services import imports
from storewatch.services.imports import Loaded
from storewatch.web.access import needs
from storewatch.web.api.v1.common import (
    PageQuery,
    answer,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tagged,
)
from storewatch.web.streams import begun

blueprint = resource("Imports", "Who loaded what and when, and what became of it. For operators.")

ImportId = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]
Kind = Literal["store_status", "menu_hours", "store_timezone", "stores"]
_MOST_LINES = 1 << 62


class ImportPath(BaseModel):
    import_id: ImportId


class ImportQuery(PageQuery):
    kind: Literal["", "store_status", "menu_hours", "store_timezone", "stores"] = ""
    source: Literal["", "cli", "upload", "folder", "api", "probe", "demo"] = Field(
        default="", description="how it came"
    )


class Import(BaseModel):
    import_id: str
    kind: Kind
    source: str = Field(description="cli, upload, folder (the watched one), api (polls of a request) or demo")
    file_name: str
    size_bytes: int = Field(description="as it came")
    sha256: str = Field(description="of the file as it came")
    started_at: str
    finished_at: str
    rows_read: int
    rows_new: int
    rows_corrected: int
    rows_unchanged: int
    rows_kept: int
    rows_rejected: int
    assumptions: dict[str, Any] = Field(
        description="how many polled stores were taken as open 24 x 7, and to be in the default zone; "
        "days that count as closed because their row was rejected"
    )
    loaded_by: str | None = Field(description="an email address; null: a command, or somebody who is gone")
    upload_id: str | None


class ImportPage(BaseModel):
    items: list[Import]
    next_cursor: str | None


class RejectedRow(BaseModel):
    line: int = Field(description="of the file; of polls in a request, their index")
    reason: str
    row: str = Field(description="as it was")


class RejectedRows(BaseModel):
    items: list[RejectedRow]
    next_cursor: str | None


_OF_IMPORT = {"import_id": "$response.body#/import_id"}
_LINKS = {
    "rejects": {"operationId": "listRejects", "parameters": _OF_IMPORT},
    "rejects_csv": {"operationId": "downloadRejects", "parameters": _OF_IMPORT},
}
_CSV: dict[str, Any] = {
    "description": "line,reason,row; a cell that a spreadsheet would take for a formula begins with '",
    "content": {"text/csv": {"schema": {"type": "string"}}},
}


@blueprint.get(
    "/imports", operation_id="listImports", responses={"200": answer("Imports, newest first", ImportPage)}
)
@needs(READ_ALL)
def list_imports(query: ImportQuery) -> Response:
    """Who loaded what and when, newest first."""
    before = read_cursor(query.cursor, str)
    asked = {"kind": query.kind, "source": query.source}
    which = {name: value for name, value in asked.items() if value}
    found = imports.page(database(), _number(before[0]) if before else None, query.limit + 1, **which)
    return page([_shown(each) for each in found], query.limit, lambda last: cursor_of(last["import_id"]))


def _number(text: str) -> int:
    """What is no number of ours stands for none."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@blueprint.get(
    "/imports/<import_id>",
    operation_id="getImport",
    responses={"200": answer("The import", Import, links=_LINKS)},
)
@needs(READ_ALL)
def get_import(path: ImportPath) -> Response:
    """One import."""
    return tagged(_shown(imports.get(database(), int(path.import_id))))


@blueprint.get(
    "/imports/<import_id>/rejects",
    operation_id="listRejects",
    responses={"200": answer("Rejected rows, in order", RejectedRows)},
)
@needs(READ_ALL)
def list_rejects(path: ImportPath, query: PageQuery) -> Response:
    """The rows that could not be read, with the reason: the first 10,000 of an import are kept."""
    after = read_cursor(query.cursor, int)
    line = min(after[0], _MOST_LINES) if after else -1
    found = imports.rejects(database(), int(path.import_id), max(line, -1), query.limit + 1)
    items = [{"line": number, "reason": reason, "row": row} for number, reason, row in found]
    return page(items, query.limit, lambda last: cursor_of(last["line"]))


@blueprint.get("/imports/<import_id>/rejects.csv", operation_id="downloadRejects", responses={"200": _CSV})
@needs(READ_ALL)
def download_rejects(path: ImportPath) -> Response:
    """The same as CSV: mend the rows and load them as a file of their own."""
    found = imports.get(database(), int(path.import_id))
    chunks = rejects_csv(imports.all_rejects(database(), found.record.import_no))
    response = Response(begun(chunks), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"rejects-{path.import_id}.csv")
    return response


def _shown(loaded: Loaded) -> dict[str, Any]:
    """An import as it is answered."""
    record = loaded.record
    counts = ("read", "new", "corrected", "unchanged", "kept", "rejected")
    return {
        "import_id": str(record.import_no),
        "kind": record.kind,
        "source": record.source,
        "file_name": record.file_name,
        "size_bytes": record.size_bytes,
        "sha256": record.sha256,
        "started_at": instant(record.started_at),
        "finished_at": instant(record.finished_at),
        **{f"rows_{count}": getattr(record, f"rows_{count}") for count in counts},
        "assumptions": record.assumptions,
        "loaded_by": loaded.email,
        "upload_id": None if loaded.upload_id is None else str(loaded.upload_id),
    }
