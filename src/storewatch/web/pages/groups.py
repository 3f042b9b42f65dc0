"""/groups: groups of stores, made, renamed, filled, removed; who belongs to them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain.permissions import OPERATE, READ, WRITE, GroupRole
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import groups, members, stores, users
from storewatch.storage.people_pages import Filter as PeopleFilter
from storewatch.storage.store_pages import Filter
from storewatch.web.access import caller, needs
from storewatch.web.context import database
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("groups_page", __name__)

_LISTED = 50
_MOST_STORES = 10_000
_DONE = {
    "made": "The group is made. Put stores into it, then invite people.",
    "deleted": "The group is deleted. Its stores and people stay.",
    "renamed": "The group has its new name.",
    "stores": "The stores are in the group.",
    "store_out": "The store is taken out of the group.",
    "member": "They have their place in the group.",
    "member_out": "They belong to the group no more.",
}


def _anyhow(_: object) -> None:
    """A form of a page is not refused because somebody else changed the same: it says what it wants."""


@blueprint.get("/groups")
@needs(READ)
def page() -> str:
    """The groups that one may see."""
    return _page()


@blueprint.post("/groups")
@needs(OPERATE)
def create() -> Response | tuple[str, int]:
    """Makes a group."""
    try:
        group = groups.create(database(), caller(), forms.line("name", "The name"))
    except StorewatchError as error:
        told, status = forms.wrong("new", error, "name")
        return _page(told), status
    return _to(group.group_id, "made")


def _page(wrong: Wrong = NOTHING_WRONG) -> str:
    after = request.args.get("after", "").replace("\0", "")
    found = groups.page(database(), caller(), after, _LISTED + 1)
    return render_template(
        "groups.html",
        groups=found[:_LISTED],
        next=found[_LISTED - 1].name if len(found) > _LISTED else None,
        after=after,
        wrong=wrong,
        done=_DONE.get(request.args.get("done", ""), ""),
    )


def _to(group_id: UUID, done: str) -> Response:
    return redirect(url_for("groups_page.one", group_id=group_id, done=done), 303)


# --- one ------------------------------------------------------------------------------------------


@blueprint.get("/groups/<uuid:group_id>")
@needs(READ)
def one(group_id: UUID) -> str:
    """A group: its stores, and its people as far as one may see them."""
    return _one(group_id)


def _one(group_id: UUID, wrong: Wrong = NOTHING_WRONG) -> str:
    group = groups.get(database(), caller(), group_id)
    after = request.args.get("after", "").replace("\0", "")
    found = stores.page(database(), caller(), Filter(group_id), [after] if after else None, _LISTED + 1)
    return render_template(
        "group.html",
        group=group,
        manages=caller().manages(group.group_no),
        stores=found[:_LISTED],
        next=found[_LISTED - 1].store.store_id if len(found) > _LISTED else None,
        after=after,
        members=members.page(database(), caller(), group_id, None, 200),
        wrong=wrong,
        done=_DONE.get(request.args.get("done", ""), ""),
    )


@blueprint.post("/groups/<uuid:group_id>/rename")
@needs(OPERATE)
def rename(group_id: UUID) -> Response | tuple[str, int]:
    """Gives a group another name."""
    groups.get(database(), caller(), group_id)
    try:
        groups.rename(database(), caller(), group_id, forms.line("name", "The name"), _anyhow)
    except StorewatchError as error:
        told, status = forms.wrong("rename", error, "name")
        return _one(group_id, told), status
    return _to(group_id, "renamed")


@blueprint.post("/groups/<uuid:group_id>/stores")
@needs(OPERATE)
def add_stores(group_id: UUID) -> Response | tuple[str, int]:
    """Puts stores into a group, by their ids, one a line."""
    groups.get(database(), caller(), group_id)
    try:
        groups.add_stores(database(), caller(), group_id, _store_ids())
    except StorewatchError as error:
        told, status = forms.wrong("stores", error, "store_ids")
        return _one(group_id, told), status
    return _to(group_id, "stores")


def _store_ids() -> list[str]:
    lines = [line.strip() for line in request.form.get("store_ids", "").splitlines()]
    found = list(dict.fromkeys(line for line in lines if line))
    if not found or len(found) > _MOST_STORES or any(not each.isprintable() for each in found):
        raise UsageError("Write the ids of stores, one a line", field="store_ids")
    return found


@blueprint.post("/groups/<uuid:group_id>/stores/remove")
@needs(OPERATE)
def remove_store(group_id: UUID) -> Response:
    """Takes a store out of a group."""
    groups.remove_stores(database(), caller(), group_id, [request.form.get("store_id", "").replace("\0", "")])
    return _to(group_id, "store_out")


@blueprint.post("/groups/<uuid:group_id>/members")
@needs(WRITE)
def put_member(group_id: UUID) -> Response | tuple[str, int]:
    """Gives somebody who has an account a place in a group, by their address."""
    groups.get(database(), caller(), group_id)
    try:
        account_id, role = _account(forms.line("email", "The address")), _role()
        members.put(database(), caller(), group_id, account_id, role, _anyhow)
    except UsageError as error:
        told, status = forms.wrong("member", error, "email", "role")
        return _one(group_id, told), status
    return _to(group_id, "member")


def _account(email: str) -> UUID:
    """Of the people whom the caller may see: of others nothing is told."""
    found = users.page(database(), caller(), PeopleFilter(q=email), None, 1000)
    for person in found:
        if person.account.email.lower() == email.lower():
            return person.account.account_id
    raise UsageError("You see nobody of that address: invite them", field="email")


def _role() -> GroupRole:
    try:
        return GroupRole(request.form.get("role", ""))
    except ValueError:
        raise UsageError("Choose one of the list", field="role") from None


@blueprint.post("/groups/<uuid:group_id>/members/<uuid:account_id>/remove")
@needs(WRITE)
def remove_member(group_id: UUID, account_id: UUID) -> Response:
    """Ends somebody's place in a group."""
    members.remove(database(), caller(), group_id, account_id, _anyhow)
    return _to(group_id, "member_out")


@blueprint.get("/groups/<uuid:group_id>/delete")
@needs(OPERATE)
def ask_delete(group_id: UUID) -> str:
    """Asks whether a group is to be deleted."""
    return render_template("group_delete.html", group=groups.get(database(), caller(), group_id))


@blueprint.post("/groups/<uuid:group_id>/delete")
@needs(OPERATE)
def delete(group_id: UUID) -> Response:
    """Deletes a group."""
    groups.remove(database(), caller(), group_id)
    return redirect(url_for("groups_page.page", done="deleted"), 303)
