"""/imports: send files, see what became of them, read which rows were rejected and why."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain.permissions import IMPORT, OPERATE, READ_ALL
from storewatch.domain.weekly import since_of
from storewatch.errors import FileRefusedError, UsageError
from storewatch.services import imports, reporting, uploads
from storewatch.services.depot import Depot, Part
from storewatch.web import import_words
from storewatch.web.access import caller, check_word, needs, reads_own_form
from storewatch.web.context import database, default_request, depot
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong
from storewatch.web.pages.received import MOST_FILES, Form
from storewatch.web.words import instant, stores

blueprint = Blueprint("imports_page", __name__)

_LISTED, _REJECTS = 25, 50
_MOST_NUMBER = (1 << 31) - 1


@blueprint.get("/imports")
@needs(READ_ALL)
def page() -> str:
    """The form, files that wait, imports. Who has just sent some sees no form, but looks again by itself."""
    done = "It is removed." if request.args.get("done") == "removed" else ""
    return _page(done=done, sent=_number("received"))


@blueprint.post("/imports")
@needs(IMPORT)
@reads_own_form
def send() -> Response | tuple[str, int]:
    """Receives files; a job takes each in. What is no file of ours is refused at once, the others go in."""
    form = Form(depot().most_bytes)
    taken, refused = 0, []
    for name in form.files():
        check_word(form.fields.get("csrf_token"))
        try:
            _receive(depot(), form, name)
            taken += 1
        except FileRefusedError as error:
            refused.append(str(error) if name in str(error) else f"{name}: {error}")
        except UsageError as error:
            return _again(form, taken, [str(error)], "valid_from")
    check_word(form.fields.get("csrf_token"))
    if refused or not taken:
        return _again(form, taken, refused or ["Choose a file first"], "files")
    return redirect(url_for("imports_page.page", received=taken), 303)


def _receive(folder: Depot, form: Form, name: str) -> None:
    since = form.fields.get("valid_from", "").strip()
    try:
        since_of(since or "always")
    except ValueError:
        raise UsageError("Write the day as 2026-01-31, or always") from None
    with folder.incoming() as part:
        form.write_to(part)
        _queue(folder, part, name, since or None)


def _queue(folder: Depot, part: Part, name: str, since: str | None) -> None:
    kind = uploads.kind_of(folder, part, name)
    uploads.create(database(), folder, caller(), part, name, kind, since if kind == "menu_hours" else None)


def _again(form: Form, taken: int, messages: list[str], field: str) -> tuple[str, int]:
    since = form.fields.get("valid_from", "")
    told = Wrong("send", field, "\n".join(messages), {"valid_from": since})
    done = f"Taken: {taken} of the files. Send only the others again." if taken else ""
    return _page(done=done, wrong=told), 422


def _page(*, done: str = "", sent: int = 0, wrong: Wrong = NOTHING_WRONG) -> str:
    before = _number("before")
    found = imports.page(database(), before or None, _LISTED + 1)
    waiting = uploads.waiting(database(), _LISTED)
    running = any(upload.status != "failed" for upload, _ in waiting)
    return render_template(
        "imports.html",
        found=found[:_LISTED],
        next=found[_LISTED - 1].record.import_no if len(found) > _LISTED else None,
        before=before,
        waiting=waiting,
        running=running,
        watching=bool(sent) and running,
        sent=sent,
        done=done,
        wrong=wrong,
        most_files=MOST_FILES,
        most_bytes=depot().most_bytes,
        has_polls=reporting.has_polls(database()),
        default_zone=default_request().default_zone,
        say=import_words,
        instant=instant,
    )


@blueprint.post("/imports/uploads/<uuid:upload_id>/remove")
@needs(OPERATE)
def remove(upload_id: UUID) -> Response:
    """Removes an upload that waits or failed, with its file."""
    uploads.delete(database(), depot(), caller(), upload_id)
    return redirect(url_for("imports_page.page", done="removed"), 303)


@blueprint.get("/imports/<int:import_no>")
@needs(READ_ALL)
def one(import_no: int) -> str:
    """One import: counts, assumptions, rejected rows with reasons, what to do next."""
    loaded = imports.get(database(), min(import_no, _MOST_NUMBER))
    after = _number("after")
    rejects = imports.rejects(database(), loaded.record.import_no, after or -1, _REJECTS + 1)
    return render_template(
        "import.html",
        loaded=loaded,
        record=loaded.record,
        rejects=rejects[:_REJECTS],
        next=rejects[_REJECTS - 1][0] if len(rejects) > _REJECTS else None,
        after=after,
        has_polls=reporting.has_polls(database()),
        default_zone=default_request().default_zone,
        say=import_words,
        stores=stores,
        instant=instant,
    )


def _number(name: str) -> int:
    """A number of the address; 0 for none, and for what is none of ours."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
