"""/stores: the stores that one may see, a week of each, and how it is now."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request

from storewatch.domain.clock import from_us
from storewatch.domain.permissions import READ
from storewatch.errors import UsageError
from storewatch.services import store_list
from storewatch.services.store_list import Line
from storewatch.web import pictures, times, words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request
from storewatch.web.pages.store import figures_of

blueprint = Blueprint("store_list", __name__)

_LONGEST = 200


@blueprint.get("/stores")
@needs(READ)
def stores() -> str:
    """The page. `q` is looked for in id, name and location; `after` is the last store of the page before."""
    q, after = _text("q"), _text("after")
    found = store_list.page(database(), caller(), q, after, default_request())
    return render_template(
        "stores.html",
        found=found,
        q=q,
        after=after,
        headline=headline(found.lines, more=found.more or bool(after), asked=bool(q)),
        last=found.lines[-1].store.store.store_id if found.more else None,
        strip=lambda line: pictures.strip(line.zone, (line.first, line.last), line.opens, line.runs),
        figures_of=figures_of,
        as_of=words.instant(from_us(found.as_of)) if found.as_of is not None else None,
        age=words.age(from_us(found.as_of), datetime.now(UTC)) if found.as_of is not None else None,
        times=times,
        share=words.share,
    )


def _text(name: str) -> str:
    text = request.args.get(name, "").strip()
    if len(text) > _LONGEST or not text.isprintable():
        raise UsageError(f"{name} must be printable, and {_LONGEST} characters at most", field=name)
    return text


def headline(lines: list[Line], *, more: bool, asked: bool) -> str:
    """The answer first: how many are down, of all if the page shows them all."""
    down = sum(line.state == "down" for line in lines)
    if not lines:
        return "No store is called so." if asked else "No stores yet."
    if more or asked:
        return "Stores"
    if len(lines) == 1:
        return "Your store is down." if down else "Your store is not down."
    if not down:
        return f"None of your {len(lines)} stores is down."
    return f"{down} of your {len(lines)} stores {'is' if down == 1 else 'are'} down."
