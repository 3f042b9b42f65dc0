"""Uploads: files that are received here and taken in by a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response, request, send_file, url_for
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from werkzeug.formparser import MultiPartParser

from storewatch.domain.permissions import IMPORT, LOADS, OPERATE, READ_ALL
from storewatch.errors import UsageError
from storewatch.services import uploads
from storewatch.services.depot import Part
from storewatch.storage.uploads import Found
from storewatch.web.access import caller, needs
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
    takes,
)
from storewatch.web.api.v1.hours import ValidFrom
from storewatch.web.bodies import blocks, tidy
from storewatch.web.context import depot

blueprint = resource("Uploads", "Files of polls, hours, zones or stores, taken in by a job. For operators.")

_RAW = ("text/csv", "application/gzip", "application/octet-stream")
_FORM = "multipart/form-data"
_FORM_FIELDS = 64 * 1024  # bytes of the fields beside the file
_MAX_NUMBER = (1 << 31) - 1

FileName = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class UploadPath(BaseModel):
    upload_id: UUID


class NewUpload(BaseModel):
    model_config = ConfigDict(extra="forbid")
    file_name: FileName = Field(default="", description="by default that of the form")
    kind: Literal["", "store_status", "menu_hours", "store_timezone", "stores"] = Field(
        default="", description="left out, it is recognised by the columns"
    )
    valid_from: ValidFrom = Field(
        default="", description="of hours without a day of their own: a date or always"
    )


class UploadQuery(PageQuery):
    status: Literal["", "queued", "running", "complete", "failed"] = ""


class Upload(BaseModel):
    upload_id: str
    status: Literal["queued", "running", "complete", "failed"]
    progress: int = Field(description="per cent")
    file_name: str
    kind: str | None = Field(description="null as long as it is not recognised")
    size_bytes: int
    sha256: str
    sent_by: str | None = Field(description="an email address; null: somebody who is gone, or no logins")
    import_id: str | None = Field(description="the import that it became")
    error: str | None = Field(description="why nothing of it is stored, if it failed")
    created_at: str
    finished_at: str | None
    file_removed_at: str | None = Field(description="the file is kept for STOREWATCH_KEEP_UPLOADS")


class UploadPage(BaseModel):
    items: list[Upload]
    next_cursor: str | None


_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "description": "The file as it is, CSV or gzip, or a form with one file in it.",
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
        **dict.fromkeys(_RAW, _FILE),
    },
}
_OF_UPLOAD = {"upload_id": "$response.body#/upload_id"}
_LINKS = {
    "read": {"operationId": "getUpload", "parameters": _OF_UPLOAD},
    "download": {"operationId": "downloadUpload", "parameters": _OF_UPLOAD},
    "remove": {"operationId": "deleteUpload", "parameters": _OF_UPLOAD},
}


@blueprint.post(
    "/uploads",
    operation_id="createUpload",
    request_body=_BODY,
    responses={"202": answer("The upload, in the queue", Upload, links=_LINKS)},
)
@needs(IMPORT)
@takes(1 << 62, _FORM, *_RAW)  # the setting limits it
def create_upload(query: NewUpload) -> Response:
    """Upload a file; a job takes it in. Ask for the upload to see how far it is. A token of scope `import`
    will do.
    """
    folder = depot()
    with folder.incoming() as part:
        name = _received(part, folder.most_bytes)
        file_name = query.file_name or name or "upload"
        upload = uploads.create(
            database(), folder, caller(), part, file_name, query.kind or None, query.valid_from or None
        )
    response = tagged(_shown(upload), 202)
    response.headers["Location"] = url_for("api_uploads.get_upload", upload_id=upload[0].upload_id)
    return response


def _received(part: Part, at_most: int) -> str:
    """Writes the body's file to the disk, block by block, and tells its name, if the body does."""
    if request.mimetype != _FORM:
        for block in blocks(at_most):
            part.write(block)
        return ""
    boundary = request.mimetype_params.get("boundary", "").encode()
    names: list[str] = []

    def begin(*, filename: str | None, **_: Any) -> Part:
        names.append(filename or "")
        if len(names) > 1:
            raise UsageError("Send one file in a form, not several")
        return part

    try:
        parser = MultiPartParser(begin, max_form_memory_size=_FORM_FIELDS, max_form_parts=10)  # type: ignore[arg-type]
        parser.parse(_Blocks(blocks(at_most + _FORM_FIELDS)), boundary, request.content_length)  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError("The body is not a form as multipart/form-data has it") from error
    if not names:
        raise UsageError("There is no file in the form")
    return tidy(names[0])


class _Blocks:
    """Blocks as the parser of forms reads them."""

    def __init__(self, all_blocks: Iterator[bytes]) -> None:
        self._blocks = all_blocks

    def read(self, _: int) -> bytes:
        """The next block, whatever its size."""
        return next(self._blocks, b"")


@blueprint.get(
    "/uploads", operation_id="listUploads", responses={"200": answer("Uploads, newest first", UploadPage)}
)
@needs(READ_ALL)
def list_uploads(query: UploadQuery) -> Response:
    """The files that were uploaded, newest first."""
    before = read_cursor(query.cursor, int)
    number = min(max(before[0], 0), _MAX_NUMBER) if before else None
    which = {"status": query.status} if query.status else {}
    found = uploads.page(database(), number, query.limit + 1, **which)
    numbers = {str(upload.upload_id): upload.upload_no for upload, _ in found}
    items = [_shown(each) for each in found]
    return page(items, query.limit, lambda last: cursor_of(numbers[last["upload_id"]]))


@blueprint.get(
    "/uploads/<upload_id>",
    operation_id="getUpload",
    responses={"200": answer("The upload", Upload, links=_LINKS)},
)
@needs(LOADS)
def get_upload(path: UploadPath) -> Response:
    """One upload: how far it is, what it became. A token of scope `import` will do, or one of `read`."""
    return tagged(_shown(uploads.get(database(), path.upload_id)))


@blueprint.get(
    "/uploads/<upload_id>/file",
    operation_id="downloadUpload",
    responses={"200": {"description": "The file as it came", "content": {"application/octet-stream": _FILE}}},
)
@needs(READ_ALL)
def download_upload(path: UploadPath) -> Response:
    """The file, byte by byte as it came."""
    upload, file = uploads.file_of(database(), depot(), path.upload_id)
    response = send_file(
        file,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=upload.file_name,
        etag=False,
        conditional=False,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.delete(
    "/uploads/<upload_id>", operation_id="deleteUpload", responses={"204": answer("It is gone")}
)
@needs(OPERATE)
def delete_upload(path: UploadPath) -> tuple[str, int]:
    """Remove an upload with its file; what was imported from it stays. One that waits is not taken in."""
    uploads.delete(database(), depot(), caller(), path.upload_id)
    return "", 204


def _shown(found: Found) -> dict[str, Any]:
    """An upload as it is answered."""
    upload, email = found
    return {
        "upload_id": str(upload.upload_id),
        "status": upload.status,
        "progress": upload.progress,
        "file_name": upload.file_name,
        "kind": upload.kind,
        "size_bytes": upload.size_bytes,
        "sha256": upload.sha256,
        "sent_by": email,
        "import_id": None if upload.import_no is None else str(upload.import_no),
        "error": upload.error,
        "created_at": instant(upload.created_at),
        "finished_at": instant(upload.finished_at),
        "file_removed_at": instant(upload.removed_at),
    }
