"""/notes/new: a note on an outage, from the page of its store."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from storewatch.domain.clock import to_us
from storewatch.domain.permissions import WRITE
from storewatch.errors import UsageError
from storewatch.services import outage_notes
from storewatch.storage.store_pages import Found
from storewatch.web import times
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.outage_notes import NewNote
from storewatch.web.context import database, default_request
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("store_notes", __name__)


@blueprint.get("/notes/new")
@needs(WRITE)
def new() -> str:
    """The form, for the outage that the instant `at` lies in."""
    return _page(forms.store_to_edit())


@blueprint.post("/notes/new")
@needs(WRITE)
def add() -> Response | tuple[str, int]:
    """Adds the note."""
    store = forms.store_to_edit()
    try:
        body = _body(store)
        outage_notes.add(database(), caller(), body.store_id, body.at, body.note)
    except UsageError as error:
        told, status = forms.wrong("note", error, "note")
        return _page(store, told), status
    return forms.to_store(store, "note")


def _body(store: Found) -> NewNote:
    said = {"store_id": store.store.store_id, "at": request.args.get("at", ""), "note": _note()}
    try:
        return NewNote.model_validate(said)
    except ValidationError:
        raise UsageError("Say in 1 to 1000 characters what happened", field="note") from None


def _note() -> str:
    return request.form.get("note", "").replace("\r\n", "\n").strip()


def _page(store: Found, wrong: Wrong = NOTHING_WRONG) -> str:
    return render_template(
        "note_new.html",
        store=store.store,
        at=request.args.get("at", ""),
        when=times.moment(_at(), store.zone or default_request().default_zone),
        wrong=wrong,
    )


def _at() -> int:
    try:
        return to_us(NewNote.model_validate({"store_id": "-", "at": request.args.get("at"), "note": "-"}).at)
    except ValidationError:
        raise UsageError("Write at as an instant like 2023-01-25T18:13:22Z", field="at") from None
