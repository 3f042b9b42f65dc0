"""Logging in and out, links from mails."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from storewatch.domain.permissions import PUBLIC, READ
from storewatch.errors import ConflictError, LoginRefusedError, StorewatchError
from storewatch.services import logins, mailing, people
from storewatch.web import access
from storewatch.web.access import address, caller_or_none, needs
from storewatch.web.context import database, mail_on
from storewatch.web.errors import status_of
from storewatch.web.places import ours

blueprint = Blueprint("account", __name__)


@blueprint.get("/login")
@needs(PUBLIC)
def log_in() -> BaseResponse | str:
    """The page to log in."""
    if caller_or_none() is not None:
        return redirect(_next())
    return render_template("login.html", next=_next(), sent=request.args.get("sent"), email="", error="")


@blueprint.post("/login")
@needs(PUBLIC)
def do_log_in() -> BaseResponse:
    """Logs in, and goes on to where the person wanted to be."""
    email = request.form.get("email", "")
    try:
        secret = logins.log_in(database(), email, request.form.get("password", ""), address())
    except LoginRefusedError as error:
        return _again("login.html", error, next=_next(), email=email)
    access.begin(secret)
    return redirect(_next(), 303)


@blueprint.post("/logout")
@needs(READ)
def log_out() -> BaseResponse:
    """Logs out."""
    access.end()
    return access.left()


@blueprint.get("/forgot")
@needs(PUBLIC)
def forgot() -> str:
    """What to do about a forgotten password: ask for a mail, or a person where no mail is sent."""
    return render_template("forgot.html", mail=mail_on(), email="", error="", sent=False)


@blueprint.post("/forgot")
@needs(PUBLIC)
def do_forgot() -> BaseResponse | tuple[str, int]:
    """Has a link mailed. The answer is the same whether there is such an account or not."""
    if not mail_on():
        raise ConflictError("No mail is sent from here: ask who runs this storewatch for a link.")
    email = request.form.get("email", "")
    try:
        mailing.ask_for_reset(database(), email, address())
    except StorewatchError as error:
        return _again("forgot.html", error, mail=True, email=email, sent=False)
    return render_template("forgot.html", mail=True, email=email, error="", sent=True), 202


@blueprint.get("/link/<secret>")
@needs(PUBLIC)
def link(secret: str) -> BaseResponse | str:
    """The page behind a one-time link: choose a password, or log in to accept an invitation."""
    offer = people.offer(database(), secret)
    found = caller_or_none()
    if offer.needs_login and (found is None or found.email is None):
        return redirect(url_for("account.log_in", next=url_for("account.link", secret=secret)), 303)
    return render_template("link.html", offer=offer, error="", email=offer.email or "")


@blueprint.post("/link/<secret>")
@needs(PUBLIC)
def use_link(secret: str) -> BaseResponse:
    """Does what the link is for, then logs in."""
    offer = people.offer(database(), secret)
    email = offer.email or request.form.get("email", "")
    password = request.form.get("password", "")
    try:
        if offer.kind == "first_admin":
            people.become_first_admin(database(), secret, email, password, address())
        elif offer.kind == "reset":
            people.reset(database(), secret, password, address())
        elif offer.needs_login:
            return _accepted(secret)
        else:
            people.accept(database(), secret, password, address())
    except StorewatchError as error:
        return _again("link.html", error, offer=offer, email=email)
    access.begin(logins.log_in(database(), email, password, address()))
    return redirect("/", 303)


def _accepted(secret: str) -> BaseResponse:
    found = caller_or_none()
    if found is None:
        raise LoginRefusedError("Log in to accept this invitation.")
    people.accept_as(database(), secret, found)
    return redirect("/", 303)


def _again(template: str, error: StorewatchError, **values: object) -> BaseResponse:
    """The same page, with what is wrong."""
    response = Response(render_template(template, error=str(error), **values), status_of(error))
    if hasattr(error, "retry_after"):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _next() -> str:
    """Where to go after the login: a page of ours, never another site."""
    return ours(request.values.get("next", ""))
