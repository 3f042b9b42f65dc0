"""What forms of pages have in common: their texts, and what is wrong with them."""

from __future__ import annotations

import dataclasses

from flask import request

from storewatch.errors import StorewatchError, UsageError
from storewatch.web.errors import status_of


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
