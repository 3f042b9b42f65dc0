"""A sign of life for a service such as Healthchecks, which tells people if none comes.

It is sent while feed, worker and backups are well; else it goes to `/fail` with what ails. The address is a
setting of whoever runs the machine, not a user's: so it may lie anywhere, also in a private network, without
opening that network to the webhooks of users. Otherwise it goes the way of webhooks: the name is looked up
once, no redirect is followed, certificates are checked, and of the answer only the status is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.exc import DBAPIError

from storewatch.domain import checkup as judge
from storewatch.domain.checkup import Finding, State
from storewatch.domain.clock import SECOND
from storewatch.outbound import addresses, webhooks
from storewatch.services import checkup
from storewatch.services.backups import last_backup
from storewatch.storage import condition
from storewatch.storage.condition import Condition
from storewatch.storage.db import Database

_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_LONGEST = 8_000  # Healthchecks keeps 100 kB; others less


@dataclass(frozen=True)
class Limits:
    """From when on something ails. `feed_us` None: the feed is not looked at."""

    home: Path
    feed_us: int | None
    backup_us: int


def check_url(url: str) -> None:
    """UsageError says what is wrong with the address."""
    addresses.target(url, "STOREWATCH_HEARTBEAT_URL")


def ailments(database: Database, limits: Limits) -> list[str]:
    """What ails, a line each; nothing if all is well."""
    try:
        with database.session() as session:
            now = condition.now(session)
    except DBAPIError as error:
        return [f"database: {' '.join(str(error.orig).split())}"]
    return [f"{each.about}: {each.what}" for each in _findings(now, limits) if each.state is State.BAD]


def _findings(now: Condition, limits: Limits) -> Iterator[Finding]:
    yield judge.queue(now.waits, now.oldest_s, now.stalled, working=now.working)
    if limits.feed_us is not None and now.last_feed_s is not None:
        yield judge.feed(now.last_feed_s, now.newest_poll_s, limits.feed_us / SECOND)
    if last_backup(limits.home) is not None:
        yield checkup.of_backup(limits.home, limits.backup_us)


def beat(url: str, ailing: list[str]) -> None:
    """Tells that all is well, or what ails. DeliveryError if it did not arrive."""
    body = "\n".join(ailing).encode()[:_LONGEST]
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    webhooks.post(_failing(url) if ailing else url, body, headers, _ANYWHERE)


def _failing(url: str) -> str:
    """The address to tell of what ails: `/fail` after the path."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/fail").geturl()
