"""Chat services, by Apprise: addresses as people paste them, sent under the same network rule as webhooks.

Apprise connects by itself and follows redirects. So while it sends, connections are made by us: each name is
looked up once, and only addresses that may be reached are connected to.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import urllib3.util.connection

from storewatch.errors import DeliveryError, DeliveryRefusedError, UsageError
from storewatch.outbound.addresses import Network, may_reach
from storewatch.outbound.webhooks import MAX_URL

SLACK, TEAMS, OTHER = "slack", "teams", "other"
_SLACK = re.compile(r"https://hooks\.slack(?:-gov)?\.com/services/[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]+/?")
_TEAMS_HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com", ".webhook.office.com")
_WANTED = {
    SLACK: "the address of an incoming webhook, like https://hooks.slack.com/services/T…/B…/…",
    TEAMS: "the address that “Post to a channel when a webhook request is received” of Teams gives, which "
    "begins with https:// and holds .logic.azure.com or .powerplatform.com",
}


def check(kind: str, url: str, schemes: frozenset[str]) -> None:
    """UsageError says what is wrong with the address of a channel, and never shows it."""
    if len(url) > MAX_URL or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise UsageError("The address may have 2,000 characters at most, without spaces", field="url")
    if kind == SLACK and not _SLACK.fullmatch(url):
        raise UsageError(f"This is not Slack's: give {_WANTED[SLACK]}", field="url")
    if kind == TEAMS and not _is_of_teams(url):
        raise UsageError(f"This is not Teams': give {_WANTED[TEAMS]}", field="url")
    if kind == OTHER and urlsplit(url).scheme.lower() not in schemes:
        allowed = ", ".join(sorted(schemes)) or "none"
        raise UsageError(
            f"Addresses of this kind are not allowed here (allowed: {allowed}); who runs this storewatch "
            "may add its scheme to STOREWATCH_APPRISE_SCHEMES",
            field="url",
        )
    _notifier(url)


def _is_of_teams(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and (parts.hostname or "").endswith(_TEAMS_HOSTS)


def _notifier(url: str) -> Any:
    """What Apprise makes of an address. UsageError if nothing, or something that is not sent by HTTP."""
    with _quiet():
        found = _apprise().Apprise.instantiate(url, suppress_exceptions=True)
    if found is None:
        raise UsageError("This address is not complete, or of no service that is known", field="url")
    if not hasattr(sys.modules[type(found).__module__], "requests"):
        raise UsageError("Only services that are reached by HTTP can be used", field="url")
    return found


@cache
def _apprise() -> Any:
    """Slow to import, and only channels need it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its optional parts
        import apprise

        apprise.Apprise.instantiate("json://localhost", suppress_exceptions=True)  # loads them all
    logging.getLogger("apprise").propagate = False  # addresses are secrets, and it logs some
    return apprise


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# --- sending --------------------------------------------------------------------------------------


def send(url: str, subject: str, text: str, allowed: Sequence[Network]) -> None:
    """Sends a text. DeliveryRefusedError if it must not go there, DeliveryError if it was not taken."""
    try:
        notifier = _notifier(url)
    except UsageError as error:
        raise DeliveryRefusedError(str(error)) from error
    rule = _Rule(tuple(allowed))
    told = _rule.set(rule)
    try:
        with _heard() as said, _quiet():
            taken = bool(notifier.notify(title=subject, body=text))
    finally:
        _rule.reset(told)
    if rule.refused:
        raise DeliveryRefusedError(rule.refused)
    if not taken:
        raise DeliveryError(_why(said, url) or "The service did not take it, and did not say why")


def _why(said: list[str], url: str) -> str:
    """What Apprise said, without the address if it should hold it."""
    secrets = [part for part in re.split(r"[/?&=:@]+", url) if len(part) >= 8]
    text = " ".join(" ".join(said).split())
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text[:300]


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """The warnings of Apprise that come of this thread."""
    said: list[str] = []
    thread = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                said.append(record.getMessage())

    ear, logger = Ear(logging.WARNING), logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        yield said
    finally:
        logger.removeHandler(ear)


# --- the network rule -----------------------------------------------------------------------------


class _Rule:
    def __init__(self, allowed: tuple[Network, ...]) -> None:
        self.allowed, self.refused = allowed, ""


_rule: ContextVar[_Rule | None] = ContextVar("rule", default=None)
_connect = urllib3.util.connection.create_connection


def _create_connection(address: tuple[str, int], *arguments: Any, **named: Any) -> socket.socket:
    """urllib3's, which under a rule connects only to addresses that may be reached."""
    rule = _rule.get()
    if rule is None:
        return _connect(address, *arguments, **named)
    host, port = address[0].strip("[]"), address[1]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    usable = [each for each in addresses if may_reach(ip_address(each), rule.allowed)]
    if not usable:
        rule.refused = f"{host} is in a private network: STOREWATCH_WEBHOOK_NETWORKS may allow it"
        raise OSError(rule.refused)
    trouble: OSError | None = None
    for each in usable:
        try:
            return _connect((each, port), *arguments, **named)
        except OSError as error:
            trouble = error
    raise trouble or OSError("it has no address")


urllib3.util.connection.create_connection = _create_connection
