"""Who asks, and whether they may. No view is open unless it says what it needs.

A request is recognised by its token, else by its session's cookie; a bad token is refused even beside a
good cookie. Flask-Security keeps the session; what a session or a token stands for is looked up anew for
each request, so what is ended or taken away is gone at once.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Request, Response, abort, current_app, g, redirect, request, session, url_for
from flask_login import current_user
from flask_security import RoleMixin, Security, UserDatastore, UserMixin, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, validate_csrf
from werkzeug.wrappers import Response as BaseResponse
from wtforms import ValidationError

from storewatch.domain.permissions import Caller, Need, Role, Scope, Via, anybody
from storewatch.errors import UsageError
from storewatch.services import logins
from storewatch.web.context import database
from storewatch.web.errors import prefers_pages, problem
from storewatch.web.places import asked_for, page_before
from storewatch.web.problem_words import FORGED

View = TypeVar("View", bound=Callable[..., Any])

_METRICS = "metrics.told"
_READING = ("GET", "HEAD", "OPTIONS")
FILES = ("static", "api_page.static")
"""Endpoints of files that are the same for everybody; only these two are open without a word of `needs`."""


def needs(need: Need) -> Callable[[View], View]:
    """Says what a view needs; stands right above it, below its route."""

    def mark(view: View) -> View:
        view.need = need  # type: ignore[attr-defined]
        return view

    return mark


def reads_own_form(view: View) -> View:
    """Says that a view reads its form itself as it comes, and calls `check_word` before it does anything."""
    view.reads_own_form = True  # type: ignore[attr-defined]
    return view


def asked_by_itself(view: View) -> View:
    """Says that pages ask for a view again and again: a login that does nothing else is idle."""
    view.asked_by_itself = True  # type: ignore[attr-defined]
    return view


def need_of(app: Flask, endpoint: str) -> Need | None:
    """What the view of an endpoint needs; None if it says nothing, and nobody may use it."""
    need = getattr(app.view_functions[endpoint], "need", None)
    return need if isinstance(need, Need) else None


def caller() -> Caller:
    """Who asks. Only for views that need somebody."""
    found = g.caller
    assert isinstance(found, Caller)  # noqa: S101 - `_admit` let nobody else in
    return found


def caller_or_none() -> Caller | None:
    """Who asks, on a view that is open to all."""
    found = g.get("caller")
    return found if isinstance(found, Caller) else None


def seen_by() -> int | None:
    """The account whose groups limit what may be seen; None for all."""
    return caller().seen_by


def address() -> str:
    """Where the request comes from."""
    return request.remote_addr or ""


# --- sessions -------------------------------------------------------------------------------------


@dataclass(eq=False)
class Person(UserMixin):
    """A caller as Flask-Security has it; known by the secret of the session."""

    fs_uniquifier: str = ""
    active: bool = True
    caller: Caller | None = None


class _People(UserDatastore):
    """Flask-Security asks us only who a session belongs to; our own services do the rest."""

    def __init__(self) -> None:
        super().__init__(Person, RoleMixin)

    def find_user(self, *_: object, **which: Any) -> Person | None:
        """The person of a session."""
        secret, view = str(which["fs_uniquifier"]), current_app.view_functions.get(request.endpoint or "")
        used = not getattr(view, "asked_by_itself", False)
        found = logins.by_session(database(), secret, address(), used=used)
        return Person(secret, True, found) if found else None


def begin(secret: str) -> None:
    """Gives the browser the cookie of a session. The one that it had, maybe somebody else's, ends."""
    before = session_secret()
    if before:
        logins.replace(database(), before)
    session.clear()
    session.permanent = True
    login_user(Person(secret), remember=False, authn_via=["password"])


def end() -> None:
    """Ends the session, here and in the browser."""
    logins.log_out(database(), session_secret(), caller())
    logout_user()
    session.clear()


def left() -> BaseResponse:
    """The way out after a logout: the browser forgets what it kept of our pages."""
    response = redirect(url_for("account.log_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def session_secret() -> str:
    """The secret of the session that the request belongs to."""
    return str(session.get("_user_id", ""))


# --- every request --------------------------------------------------------------------------------


def register(app: Flask, *, login: bool, metrics_token: str = "") -> None:
    """Recognises callers from here on; `admit` lets them in. Without logins everybody is everything.

    `metrics_token` is Prometheus's; empty: it has none.
    """
    app.extensions["storewatch.login"] = login
    app.extensions["storewatch.metrics_token"] = metrics_token.encode()
    app.before_request(_recognise)
    if not login:
        return
    CSRFProtect(app)
    Security(app, _People(), register_blueprint=False)
    manager = app.login_manager  # type: ignore[attr-defined]
    manager.user_loader(_by_cookie)
    manager.request_loader(_by_token)


def register_admission(app: Flask) -> None:
    """Lets in who may, after requests were counted."""
    app.before_request(_admit)


def ask_again() -> None:
    """Looks up anew who asks, after a wait: what was ended or taken away meanwhile is gone."""
    g.pop("_login_user", None)
    _recognise()
    refused = _admit()
    if refused is not None:
        abort(refused)


def _by_cookie(secret: str) -> Person | None:
    if "Authorization" in request.headers:
        return None
    return _People().find_user(fs_uniquifier=secret)


def _by_token(asked: Request) -> Person | None:
    kind, _, secret = asked.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        return None
    if _is_prometheus(asked, secret.strip()):
        return Person("", True, Caller(Role.OPERATOR, Via.TOKEN, scope=Scope.READ, address=address()))
    found = logins.by_token(database(), secret.strip(), address())
    return Person("", True, found) if found else None


def _is_prometheus(asked: Request, secret: str) -> bool:
    """Its token is one of the settings, so it works while the database is away. It opens one endpoint."""
    known: bytes = current_app.extensions["storewatch.metrics_token"]
    return asked.endpoint == _METRICS and bool(known) and hmac.compare_digest(secret.encode(), known)


def _recognise() -> None:
    if not current_app.extensions["storewatch.login"]:
        g.caller = anybody(Via.NO_LOGIN)
    elif request.endpoint not in FILES:
        person = current_user._get_current_object()
        g.caller = person.caller if isinstance(person, Person) else None


def _admit() -> BaseResponse | None:
    if request.endpoint is None or request.endpoint in FILES:
        return None  # Flask answers 404 or 405 itself
    need = need_of(current_app, request.endpoint)
    if need is None:
        return problem(403, "This is not open to anybody.")
    found = caller_or_none()
    if need.role is not None:
        if found is None:
            return _stranger()
        if not need.met_by(found):
            return problem(403, "You are known here, but this is not yours to do.")
    return _forged() if found is not None and found.via is Via.SESSION else None


def _stranger() -> BaseResponse:
    if prefers_pages() and "Authorization" not in request.headers:
        sent = None if request.method in _READING else "yes"
        return redirect(url_for("account.log_in", next=_wanted(), sent=sent), 303)
    response = problem(401, "Log in, or send a token: Authorization: Bearer …")
    response.headers["WWW-Authenticate"] = 'Bearer realm="storewatch"'
    return response


def _wanted() -> str:
    """Where a stranger wanted to be; who sent a form, on its page."""
    return asked_for() if request.method in _READING else page_before()


def check_word(word: str | None) -> None:
    """Refuses the form of a session that lacks the word of our page: of another site, or too old."""
    found = caller_or_none()
    if found is None or found.via is not Via.SESSION:
        return
    try:
        validate_csrf(word)
    except ValidationError:
        raise UsageError(FORGED) from None


def _forged() -> Response | None:
    """A form of another site can make a browser send its cookie, but not our token beside it."""
    if request.method in _READING:
        return None
    if getattr(current_app.view_functions[request.endpoint or ""], "reads_own_form", False):
        return None  # it asks `check_word` itself
    token = request.headers.get("X-CSRFToken")
    if token is None and request.mimetype == "application/x-www-form-urlencoded":
        token = request.form.get("csrf_token")
    try:
        validate_csrf(token)
    except ValidationError:
        return problem(400, FORGED)
    return None
