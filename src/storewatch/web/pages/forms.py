"""What forms of pages have in common: their texts, and what is wrong with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from storewatch.errors import NotFoundError, StorewatchError, UsageError
from storewatch.services import stores, what_if
from storewatch.services.what_if import Preview
from storewatch.storage.store_pages import Found
from storewatch.web.access import caller
from storewatch.web.context import database, default_request, now_us
from storewatch.web.errors import status_of

Made = TypeVar("Made")


@dataclasses.dataclass(frozen=True)
class Wrong:
    """What was wrong with which form and field of a page, and what had been entered."""

    form: str = ""
    field: str = ""
    message: str = ""
    entered: dict[str, str] = dataclasses.field(default_factory=dict)

    def at(self, form: str, field: str) -> str:
        """The message, if it is about that field of that form; `field` empty: about none in particular."""
        return self.message if (form, field) == (self.form, self.field) else ""

    def value(self, form: str, field: str, usual: str = "") -> str:
        """What the field holds: what was entered before, else what is usual."""
        return self.entered.get(field, usual) if form == self.form else usual


NOTHING_WRONG = Wrong()


def wrong(form: str, error: StorewatchError, *fields: str) -> tuple[Wrong, int]:
    """What is wrong with a form of these fields, and the status of the page that says so."""
    named = str(getattr(error, "field", None) or "").replace("groups", "group")
    status = 422 if isinstance(error, UsageError) else status_of(error)
    entered = {name: request.form.get(name, "") for name in fields}
    return Wrong(form, named if named in fields else "", str(error), entered), status


def line(name: str, label: str) -> str:
    """A line of text of the form that is sent. UsageError if there is none, or it is none that we store."""
    text = request.form.get(name, "").strip()
    if not text:
        raise UsageError(f"{label} is missing", field=name)
    if len(text) > 200 or not text.isprintable():
        raise UsageError(f"{label} may have 200 characters at most, all of them printable", field=name)
    return text


# --- forms of a store -----------------------------------------------------------------------------


def store_id() -> str:
    """The store that a form is about: its id may hold slashes, so it stands in the query."""
    found = request.args.get("store", "")
    if not found or "\0" in found:  # which the database can't even look up
        raise NotFoundError("There is no such store")
    return found


def store_to_edit() -> Found:
    """That store, which must be the caller's to decide on."""
    return stores.to_edit(database(), caller(), store_id())


def previewed(store: Found, change: Callable[[], Made]) -> Preview[Made]:
    """What a change would do to the store's figures."""
    return what_if.preview(database(), caller(), store.store.store_id, default_request(), change, now_us())


def to_store(store: Found, done: str) -> Response:
    """Back to the page of a store, at the days that the form names as changed."""
    days = {name: request.form.get(name, "") for name in ("from", "to")}
    try:
        shown = {name: date.fromisoformat(day).isoformat() for name, day in days.items()}
    except ValueError:
        shown = {}
    query = urlencode(shown | {"done": done})
    return redirect(f"{url_for('store.store', store_id=store.store.store_id)}?{query}", 303)
