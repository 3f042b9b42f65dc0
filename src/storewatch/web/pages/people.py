"""/people: who may log in, what they are; invitations made and withdrawn. /people/<id>: one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain.permissions import ADMINISTER, READ, WRITE, GroupRole, Role
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import groups, invitations, users
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.links import given_groups
from storewatch.storage.people_pages import Filter
from storewatch.web.access import caller, needs
from storewatch.web.context import database, link_url, mail_on
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong
from storewatch.web.words import age, day

blueprint = Blueprint("people", __name__)

ROLES = {
    Role.MEMBER: "Member: sees the stores of their groups",
    Role.OPERATOR: "Operator: sees every store, loads and changes data",
    Role.ADMIN: "Administrator: may do everything",
}
PLACES = {
    GroupRole.VIEWER: "Viewer: reads",
    GroupRole.MANAGER: "Manager: changes its stores, invites viewers",
}
_DONE = {
    "mailed": "They are invited: a mail with the link is on its way.",
    "withdrawn": "The invitation is withdrawn: its link no longer works.",
    "role": "The role is changed.",
    "disabled": "The account is disabled: their sessions and tokens work no more.",
    "enabled": "The account is active again.",
}
_LISTED, _GROUPS = 50, 1000


@blueprint.get("/people")
@needs(READ)
def page() -> str:
    """The people whom one may see, open invitations, the form to invite."""
    return _page()


@blueprint.post("/people/invitations")
@needs(WRITE)
def invite() -> Response | str | tuple[str, int]:
    """Invites somebody: by mail, or the link is shown this once."""
    try:
        email, role, places = forms.line("email", "The address"), _choice("role", Role), _places()
        _, made = invitations.invite(database(), caller(), email, role, places, by_mail=mail_on())
    except StorewatchError as error:
        told, status = forms.wrong("invite", error, "email", "role", "group", "place")
        return _page(wrong=told), status
    if made.secret is None:
        return redirect(url_for("people.page", done="mailed"), 303)
    return _page(link=link_url(made.secret), invited=made.email)


def _choice(name: str, kind: Any) -> Any:
    try:
        return kind(request.form.get(name, ""))
    except ValueError:
        raise UsageError("Choose one of the list", field=name) from None


def _places() -> dict[UUID, GroupRole]:
    group = request.form.get("group", "")
    try:
        return {UUID(group): _choice("place", GroupRole)} if group else {}
    except ValueError:
        raise UsageError("Choose one of the list", field="group") from None


@blueprint.post("/people/invitations/<uuid:invitation_id>/withdraw")
@needs(WRITE)
def withdraw(invitation_id: UUID) -> Response:
    """Ends an invitation."""
    invitations.withdraw(database(), caller(), invitation_id)
    return redirect(url_for("people.page", done="withdrawn"), 303)


def _page(wrong: Wrong = NOTHING_WRONG, **more: str) -> str:
    asked = {name: request.args.get(name, "").replace("\0", "") for name in ("q", "role", "active", "after")}
    active = {"yes": True, "no": False}.get(asked["active"])
    which = Filter(asked["q"] or None, asked["role"] or None, active)
    found = users.page(database(), caller(), which, asked["after"] or None, _LISTED + 1)
    return render_template(
        "people.html",
        people=found[:_LISTED],
        next=found[_LISTED - 1].account.email.lower() if len(found) > _LISTED else None,
        asked=asked,
        open=invitations.page(database(), caller(), None, 100),
        given=given_groups,
        managed=managed_groups(),
        roles=ROLES if caller().role is Role.ADMIN else {Role.MEMBER: ROLES[Role.MEMBER]},
        places=PLACES if caller().sees_all else {GroupRole.VIEWER: PLACES[GroupRole.VIEWER]},
        mail=mail_on(),
        wrong=wrong,
        done=_DONE.get(request.args.get("done", ""), ""),
        day=day,
        age=ago,
        **more,
    )


def managed_groups() -> list[StoreGroup]:
    """The groups that the caller may put people into."""
    found = groups.page(database(), caller(), "", _GROUPS)
    return [group for group in found if caller().manages(group.group_no)]


def ago(moment: datetime) -> str:
    """`3 h ago`."""
    return age(moment, datetime.now(UTC))


# --- one ------------------------------------------------------------------------------------------


@blueprint.get("/people/<uuid:account_id>")
@needs(READ)
def person(account_id: UUID) -> str:
    """Somebody: role, groups, whether active."""
    return _person(account_id)


@blueprint.post("/people/<uuid:account_id>/role")
@needs(ADMINISTER)
def set_role(account_id: UUID) -> Response | tuple[str, int]:
    """Makes somebody an admin, an operator or a member."""
    try:
        users.change(database(), caller(), account_id, role=_choice("role", Role))
    except UsageError as error:
        told, status = forms.wrong("role", error, "role")
        return _person(account_id, told), status
    return redirect(url_for("people.person", account_id=account_id, done="role"), 303)


@blueprint.post("/people/<uuid:account_id>/disable")
@needs(ADMINISTER)
def disable(account_id: UUID) -> Response:
    """Locks somebody out."""
    users.change(database(), caller(), account_id, active=False)
    return redirect(url_for("people.person", account_id=account_id, done="disabled"), 303)


@blueprint.post("/people/<uuid:account_id>/enable")
@needs(ADMINISTER)
def enable(account_id: UUID) -> Response:
    """Lets somebody in again."""
    users.change(database(), caller(), account_id, active=True)
    return redirect(url_for("people.person", account_id=account_id, done="enabled"), 303)


def _person(account_id: UUID, wrong: Wrong = NOTHING_WRONG) -> str:
    return render_template(
        "person.html",
        person=users.get(database(), caller(), account_id),
        roles=ROLES,
        administers=caller().role is Role.ADMIN,
        wrong=wrong,
        done=_DONE.get(request.args.get("done", ""), ""),
        day=day,
        age=ago,
    )
