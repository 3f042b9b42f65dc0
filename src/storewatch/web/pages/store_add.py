"""/add-store: a store with its zone, hours and storefront, which may be tried out before."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain import exception_rows, zones
from storewatch.domain.permissions import WRITE
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import new_store, storefronts
from storewatch.services.new_store import NewStore
from storewatch.services.storefronts import Tried
from storewatch.services.weeks import Week
from storewatch.storage.store_pages import Found
from storewatch.web import storefront_words
from storewatch.web.access import caller, needs
from storewatch.web.context import database, default_request, now_us, reach
from storewatch.web.limits import check_tries
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("store_add", __name__)

HOURS = {
    "same": "The same every day",
    "always": "Open day and night",
    "later": "Day by day: I write them down next",
}
_FIELDS = ("name", "store_id", "group", "zone", "hours", "opens", "closes", *storefront_words.FIELDS)


@blueprint.get("/add-store")
@needs(WRITE)
def page() -> str:
    """The form."""
    return _page()


@blueprint.post("/add-store")
@needs(WRITE)
def add() -> Response | str | tuple[str, int]:
    """Tries the storefront, or adds the store."""
    new_store.groups_for(database(), caller())
    try:
        if request.form.get("do") == "try":
            entered = {name: request.form.get(name, "") for name in _FIELDS}
            return _page(Wrong("add", entered=entered), _tried())
        found = new_store.add(database(), caller(), _new(), now_us())
    except StorewatchError as error:
        told, status = forms.wrong("add", error, *_FIELDS)
        return _page(told), status
    return _to(found)


def _to(found: Found) -> Response:
    """To the store, or to its hours if they are to be written next."""
    store_id = found.store.store_id
    if request.form.get("hours") == "later":
        return redirect(url_for("store_hours.hours", store=store_id), 303)
    return redirect(url_for("store.store", store_id=store_id, done="added"), 303)


def _tried() -> Tried:
    wanted = storefront_words.wanted(request.form)
    storefronts.check_wanted(wanted)
    check_tries()
    return storefronts.try_out(wanted, reach())


def _new() -> NewStore:
    form = request.form
    zone = form.get("zone", "").strip()
    if zone not in zones.names():
        raise UsageError("Choose one of the list", field="zone")
    return NewStore(
        forms.line("name", "The name"),
        form.get("store_id", "").strip(),
        zone,
        _week(),
        storefront_words.wanted(form) if form.get("url", "").strip() else None,
        form.get("group", "").replace("\0", ""),
    )


def _week() -> Week:
    kind = request.form.get("hours", "")
    if kind not in HOURS:
        raise UsageError("Choose one of the list", field="hours")
    if kind != "same":
        return None
    opens, closes = (request.form.get(name, "").strip() for name in ("opens", "closes"))
    if not opens or not closes:
        raise UsageError("Say from when until when it is open", field="closes" if opens else "opens")
    try:
        [start, end] = exception_rows.read_openings(f"{opens}-{closes}")
    except (UsageError, ValueError) as error:
        raise UsageError(str(error), field="opens") from None
    return [(day, start, end) for day in range(7)]


def _page(wrong: Wrong = NOTHING_WRONG, tried: Tried | None = None) -> str:
    return render_template(
        "store_add.html",
        groups=new_store.groups_for(database(), caller()),
        group=request.args.get("group", ""),
        zones=sorted(
            {name for name in zones.names() if "/" in name and not name.startswith("Etc/")}
            | {"UTC", default_request().default_zone}
        ),
        default_zone=default_request().default_zone,
        kinds=HOURS,
        usual=storefront_words.USUAL,
        tried=tried and storefront_words.tried(tried),
        wrong=wrong,
    )
