"""/storefront: how a store's storefront is looked at; tried out, set, paused, removed."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from storewatch.domain.permissions import WRITE
from storewatch.errors import ConflictError, StorewatchError
from storewatch.services import storefronts
from storewatch.services.storefronts import Tried
from storewatch.storage.probe_tables import Storefront
from storewatch.storage.store_pages import Found
from storewatch.web import storefront_words
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import tag_of
from storewatch.web.context import database, reach
from storewatch.web.limits import check_tries
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong
from storewatch.web.storefront_words import FIELDS

blueprint = Blueprint("store_front", __name__)

_CHANGED = "Somebody else changed the storefront since you opened this form: look at it again, then do it."


@blueprint.get("/storefront")
@needs(WRITE)
def page() -> str:
    """The form."""
    return _page(forms.store_to_edit())


@blueprint.post("/storefront")
@needs(WRITE)
def change() -> Response | str | tuple[str, int]:
    """What the form says to `do`: try, save, pause, resume or remove."""
    store, do = forms.store_to_edit(), request.form.get("do", "")
    try:
        if do == "try":
            return _page(store, Wrong("front", entered=_entered()), _tried())
        if do == "remove":
            storefronts.remove(database(), caller(), store.store.store_id, _check)
        elif do in ("pause", "resume"):
            _switch(store, on=do == "resume")
        else:
            _save(store)
    except StorewatchError as error:
        told, status = forms.wrong("front", error, *FIELDS)
        return _page(store, told), status
    return forms.to_store(store, "front_off" if do in ("pause", "remove") else "front")


def _tried() -> Tried:
    wanted = storefront_words.wanted(request.form)
    storefronts.check_wanted(wanted)
    check_tries()
    return storefronts.try_out(wanted, reach())


def _save(store: Found) -> None:
    present = storefronts.find(database(), caller(), store.store.store_id)
    wanted = storefront_words.wanted(request.form, enabled=present is None or present.enabled)
    storefronts.put(database(), caller(), store.store.store_id, wanted, _check)


def _switch(store: Found, *, on: bool) -> None:
    """As it is now, on or off."""
    held = storefront_words.held(storefronts.get(database(), caller(), store.store.store_id))
    wanted = storefront_words.wanted(held, enabled=on)
    storefronts.put(database(), caller(), store.store.store_id, wanted, _check)


def _check(present: Storefront | None) -> None:
    if request.form.get("tag", "") != _tag(present):
        raise ConflictError(_CHANGED)


def _tag(front: Storefront | None) -> str:
    return "" if front is None else tag_of(storefronts.told(front))


def _entered() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in FIELDS}


def _page(store: Found, wrong: Wrong = NOTHING_WRONG, tried: Tried | None = None) -> str:
    front = storefronts.find(database(), caller(), store.store.store_id)
    usual = storefront_words.held(front)
    if front is None:
        usual = usual | {"url": store.store.storefront_url or ""}
    return render_template(
        "storefront_edit.html",
        store=store.store,
        front=front,
        often=front and storefront_words.often(front.every_s),
        last=front and storefront_words.last_look(front, datetime.now(UTC)),
        usual=usual,
        tag=_tag(front),
        tried=tried and storefront_words.tried(tried),
        wrong=wrong,
    )
