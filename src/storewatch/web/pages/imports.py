"""/imports: send files, see what became of them, read which rows were rejected and why."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain.permissions import IMPORT, OPERATE, READ_ALL
from storewatch.domain.weekly import since_of
from storewatch.errors import FileRefusedError, UsageError
from storewatch.services import imports, reporting, uploads
from storewatch.services.depot import Depot, Part
from storewatch.services.uploads import Sent
from storewatch.web import import_words
from storewatch.web.access import caller, check_word, needs, reads_own_form
from storewatch.web.context import database, default_request, depot
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong
from storewatch.web.pages.received import MOST_FILES, Form
from storewatch.web.words import instant, stores

blueprint = Blueprint("imports_page", __name__)

_LISTED, _REJECTS, _REASONS = 25, 50, 5
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
def send() -> Response | tuple[str, int] | tuple[Response, int]:
    """Receives files; a job takes each in. What is no file of ours is refused at once, the others go in. The
    script that sends one after the other, `drop.js`, is told so in JSON.
    """
    form = Form(depot().most_bytes)
    kinds: list[str] = []
    refused = []
    for name in form.files():
        check_word(form.fields.get("csrf_token"))
        try:
            kinds.append(_receive(depot(), form, name))
        except FileRefusedError as error:
            refused.append(str(error) if name in str(error) else f"{name}: {error}")
        except UsageError as error:
            if _by_script():
                raise
            return _again(form, len(kinds), [str(error)], "valid_from")
    check_word(form.fields.get("csrf_token"))
    if _by_script():
        told = [import_words.kind(kind) for kind in kinds]
        return jsonify(kinds=told, detail="\n".join(refused)), 422 if refused else 202
    if refused or not kinds:
        return _again(form, len(kinds), refused or ["Choose a file first"], "files")
    return redirect(url_for("imports_page.page", received=len(kinds)), 303)


def _by_script() -> bool:
    return "Storewatch-Drop" in request.headers


def _receive(folder: Depot, form: Form, name: str) -> str:
    """Keeps and queues the form's present file; its kind."""
    since = form.fields.get("valid_from", "").strip()
    try:
        since_of(since or "always")
    except ValueError:
        raise UsageError("Write the day as 2026-01-31, or always") from None
    with folder.incoming() as part:
        form.write_to(part)
        return _queue(folder, part, name, since or None)


def _queue(folder: Depot, part: Part, name: str, since: str | None) -> str:
    kind = uploads.kind_of(folder, part, name)
    uploads.create(database(), folder, caller(), part, name, kind, since if kind == "menu_hours" else None)
    return kind


def _again(form: Form, taken: int, messages: list[str], field: str) -> tuple[str, int]:
    since = form.fields.get("valid_from", "")
    told = Wrong("send", field, "\n".join(messages), {"valid_from": since})
    done = f"Taken: {taken} of the files. Send only the others again." if taken else ""
    return _page(done=done, wrong=told), 422


def _page(*, done: str = "", sent: int = 0, wrong: Wrong = NOTHING_WRONG) -> str:
    before = _number("before")
    found = imports.page(database(), before or None, _LISTED + 1)
    waiting = uploads.waiting(database(), _LISTED)
    mine = _sent(sent)
    shown = {each.upload.upload_id for each in mine}
    return render_template(
        "imports.html",
        found=found[:_LISTED],
        next=found[_LISTED - 1].record.import_no if len(found) > _LISTED else None,
        before=before,
        waiting=[(upload, email) for upload, email in waiting if upload.upload_id not in shown],
        running=any(upload.status != "failed" for upload, _ in waiting),
        sent=mine,
        received=sent,
        watching=_going(mine),
        done=done,
        wrong=wrong,
        most_files=MOST_FILES,
        most_bytes=depot().most_bytes,
        has_polls=reporting.has_polls(database()),
        default_zone=default_request().default_zone,
        say=import_words,
        instant=instant,
    )


@blueprint.get("/imports/sent")
@needs(READ_ALL)
def sent() -> Response:
    """What became of the newest `received` files that one sent: a piece of the page, which follows them, and
    is loaded anew once all are done with.
    """
    mine = _sent(_number("received"))
    shown = {"sent": mine, "watching": _going(mine), "received": _number("received"), "say": import_words}
    response = make_response(render_template("_sent.html", **shown))
    if not shown["watching"]:
        response.headers["HX-Refresh"] = "true"
    return response


def _sent(count: int) -> list[Sent]:
    return uploads.sent(database(), caller(), min(count, _LISTED)) if count else []


def _going(mine: list[Sent]) -> bool:
    return any(each.upload.status in ("queued", "running") for each in mine)


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
        reasons=imports.common_reasons(database(), loaded.record.import_no, _REASONS),
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
