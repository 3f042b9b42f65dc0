"""What a handler needs of the app that it runs in."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app

from storewatch.domain.clock import to_us
from storewatch.services.depot import Depot
from storewatch.services.outages import intended
from storewatch.services.reporting import Request
from storewatch.services.storefronts import Reach
from storewatch.services.telling import Ways
from storewatch.storage.db import Database


def database() -> Database:
    """The app's database."""
    found = current_app.extensions["storewatch.database"]
    assert isinstance(found, Database)  # noqa: S101 - create_app put it there
    return found


def default_request() -> Request:
    """The report that is made if nothing is asked for in particular."""
    found = current_app.extensions["storewatch.request"]
    assert isinstance(found, Request)  # noqa: S101 - create_app put it there
    return found


def intended_reasons() -> frozenset[str]:
    """The reasons of intended outages."""
    return intended(current_app.extensions["storewatch.settings"].intended_reasons)


def ways() -> Ways:
    """How alerts are worded here; what goes out, goes by the worker."""
    settings = current_app.extensions["storewatch.settings"]
    base = current_app.extensions["storewatch.base"]
    return Ways(url=base, usual=default_request(), currency=settings.currency)


def depot() -> Depot:
    """Where uploads are kept."""
    found = current_app.extensions["storewatch.depot"]
    assert isinstance(found, Depot)  # noqa: S101 - create_app put it there
    return found


def reach() -> Reach:
    """How storefronts are reached."""
    found = current_app.extensions["storewatch.reach"]
    assert isinstance(found, Reach)  # noqa: S101 - create_app put it there
    return found


def mail_on() -> bool:
    """Whether mails go out: then invitations are mailed; else their link is shown to the inviter."""
    return bool(current_app.extensions["storewatch.mail"])


def link_url(secret: str) -> str:
    """The address of a one-time link: from STOREWATCH_URL or where we listen, never from the Host header."""
    return f"{current_app.extensions['storewatch.base']}/link/{secret}"


def share_url(secret: str) -> str:
    """The address of a link to some days of a store."""
    return f"{current_app.extensions['storewatch.base']}/shared/{secret}"


def now_us() -> int:
    """The machine's clock."""
    return to_us(datetime.now(UTC))


def ending() -> bool:
    """Whether the service is told to stop: who waits within a request is answered now."""
    found = current_app.extensions.get("storewatch.ending")
    return found is not None and bool(found())
