"""A town for `bench/probe.py`: stores in groups, people and programs that hear of them, a week of history,
and the processes at work.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import polars as pl
from sqlalchemy import text

from bench.measure import say
from bench.told import Group
from storewatch.domain.clock import HOUR, SECOND
from storewatch.domain.permissions import GroupRole, Role
from storewatch.services.importing import import_file
from storewatch.services.simulating import simulate
from storewatch.storage import accounts, alert_rules
from storewatch.storage.db import Database
from tests import alerting
from tests.outbound.receiver import Receiver, receiving
from tests.post_office import PostOffice
from tests.web.service import Service


class Town:
    """The stores in groups: half of those that go down are two groups, whole; of other groups each has five.
    Each has a manager, every second one a webhook. One manager wants no mails, one is in two groups.
    """

    def __init__(self, count: int, off: int, stack: ExitStack) -> None:
        self.receivers: dict[str, Receiver] = {}
        self.groups: list[Group] = []
        half, rest = off // 2, iter(range(off, count))
        for number in range(2):
            self._add(f"whole{number + 1}", range(number * half // 2, (number + 1) * half // 2), (), stack)
        for number in range(half // 5):
            some = range(half + number * 5, half + (number + 1) * 5)
            self._add(f"few{number + 1}", some, islice(rest, 45), stack)
        self._add("others", (), rest, stack)

    def _add(self, name: str, off: Iterable[int], up: Iterable[int], stack: ExitStack) -> None:
        down = tuple(map(str, off))
        readers = [] if name == "few2" else [f"manager@{name}.example"]
        readers += ["manager@few3.example"] if name == "few4" else []
        if len(self.groups) % 2 == 0:
            self.receivers[f"hook of {name}"] = stack.enter_context(receiving())
            readers.append(f"hook of {name}")
        self.groups.append(Group(name, (*down, *map(str, up)), down, tuple(readers)))

    def settle(self, database: Database) -> None:
        """Puts it into the database."""
        people, ways = Service(database), alerting.Town(database)
        for group in self.groups:
            number = people.group(group.name, *group.stores)
            places = {group.name: GroupRole.MANAGER} | (
                {"few4": GroupRole.MANAGER} if group.name == "few3" else {}
            )
            account_id = people.person(f"manager@{group.name}.example", Role.MEMBER, **places)
            if group.name == "few2":
                with database.transaction() as session:
                    account = accounts.by_id(session, account_id)
                    assert account
                    alert_rules.mute(session, account.account_no, number, off=True)
            if (name := f"hook of {group.name}") in self.receivers:
                ways.channel(number, "webhook", self.receivers[name].url)


class Processes:
    """A worker and, later, a probe, with their logs in a folder."""

    def __init__(self, url: str, folder: Path, office: PostOffice) -> None:
        self.folder, self.children = folder, dict[str, subprocess.Popen[bytes]]()
        self._given = os.environ | {
            "STOREWATCH_DATABASE_URL": url,
            "STOREWATCH_PROBE_NETWORKS": "127.0.0.0/8",
            "STOREWATCH_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
            "STOREWATCH_URL": "http://127.0.0.1:9",
        }

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.children[name] = subprocess.Popen(
                [sys.executable, "-m", "storewatch", name], env=self._given, stderr=log, stdout=log
            )
        return self.children[name]

    def stop(self) -> None:
        for child in self.children.values():
            child.send_signal(signal.SIGTERM)
        for child in self.children.values():
            child.wait()


def history(database: Database, processes: Processes, town: Town, office: PostOffice) -> str:
    """A week that ends three hours ago is imported while the rules are on: who heard of it?"""
    folder = processes.folder / "history"
    ids = [store for group in town.groups for store in group.stores]
    end = int(time.time() // 3600 - 3) * HOUR
    files = simulate(folder, stores=len(ids), days=7, seed=11, end_us=end, progress=lambda *_: None)
    polls = pl.read_csv(files.store_status, infer_schema=False)
    names = dict(zip(polls["store_id"].unique(maintain_order=True), ids, strict=False))
    body = polls.with_columns(pl.col("store_id").replace_strict(names)).write_csv().encode()
    processes.start("worker")
    say(f"a week of {len(ids):,} stores is imported: {polls.height:,} polls")
    import_file(database, io.BytesIO(body), "week.csv", now_us=int(time.time() * SECOND))
    while _number(database, _TO_DO):
        time.sleep(0.5)
    messages = len(office.letters) + sum(len(each.came) for each in town.receivers.values())
    downs = _number(database, "SELECT count(*) FROM store_now WHERE state = 'down'")
    return (
        f"a week of history, {polls.height:,} polls, {downs} stores down at its end: "
        f"{_number(database, 'SELECT count(*) FROM incident')} incidents, {messages} messages"
    )


_TO_DO = """
    SELECT (SELECT count(*) FROM watch_due) + (SELECT count(*) FROM history_due)
         + (SELECT count(*) FROM procrastinate_jobs
            WHERE status IN ('todo', 'doing') AND scheduled_at IS NULL)
"""


def _number(database: Database, query: str) -> int:
    with database.session() as session:
        return int(session.execute(text(query)).scalar_one())
