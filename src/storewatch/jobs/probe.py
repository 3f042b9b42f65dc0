"""The probe: looks at storefronts by the clock, and writes what it saw every second.

    every 5 s    the storefronts are read anew, and every minute when their stores are open
    by the grid  looks begin, thousands at once, few at each host; before "inactive" there is a second one
    every 1 s    what was seen is written, in one transaction; until then it is in memory only

One process at a time looks; others wait for its place. If the database is away, looks go on and are written
when it is back.
"""

from __future__ import annotations

import asyncio
import heapq
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from storewatch.domain.clock import MINUTE, to_us
from storewatch.domain.probe_times import may_look, next_look
from storewatch.domain.storefronts import Answer, Judgement, Outcome, judge
from storewatch.domain.zones import DEFAULT_ZONE
from storewatch.errors import BusyError
from storewatch.jobs.hosts import Hosts, host_of
from storewatch.outbound.addresses import Network
from storewatch.outbound.probing import Prober
from storewatch.services import counts, probing
from storewatch.storage.db import Database
from storewatch.storage.storefronts import Look, Place, Plan

log = structlog.get_logger()

_CUT_OFF = "no host answers: is this machine cut off?"
_IN_PEACE = "not looked at: the host asked to be left in peace for a while"
_READ_EVERY_S = 5.0
_WRITE_EVERY_S = 1.0
_TICK_S = 0.05
_TELL_EVERY_S = 60.0
_OPEN_EVERY = MINUTE
_WRITTEN_AT_ONCE = 5_000
_WAITING_AT_MOST = 100_000


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How it is looked. `allowed` are private networks that may be; `agent` is what we call ourselves."""

    allowed: Sequence[Network] = ()
    agent: str = "storewatch-probe"
    default_zone: str = DEFAULT_ZONE
    at_once: int = 500
    per_host: int = 4
    second_look_s: float = 5.0


@dataclass
class _Tally:
    """What was done since it was last told."""

    looks: int = 0
    inactive: int = 0
    nothing: int = 0
    late: int = 0
    written: int = 0


def run(database: Database, manner: Manner, counted: Path | None = None) -> None:
    """Looks until SIGTERM or SIGINT. `counted`: the folder in which what is counted is handed over."""
    asyncio.run(_until_told(database, manner, counted))


async def _until_told(database: Database, manner: Manner, counted: Path | None) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await Probe(database, manner, counted).work(told)


def _now() -> int:
    return to_us(datetime.now(UTC))


class Probe:
    """One process that looks."""

    def __init__(self, database: Database, manner: Manner, counted: Path | None = None) -> None:
        self._database, self._counted = database, counted
        self._manner = manner
        self._prober = Prober(manner.allowed, manner.agent)
        self._hosts = Hosts(manner.at_once, manner.per_host)
        self._place = Place(database)
        self._ours: bool | None = None
        self._plans: dict[int, Plan] = {}
        self._fresh: dict[int, Plan] = {}
        self._spans: probing.Spans = {}
        self._spans_at = 0
        self._due: list[tuple[int, int, Plan]] = []
        self._number = count()
        self._clock = 0
        self._running: dict[int, asyncio.Task[None]] = {}
        self._seen: list[Look] = []
        self._tally = _Tally()

    async def work(self, told: asyncio.Event) -> None:
        """Looks until told to stop; then writes what was seen. What is under way is let go."""
        loops = (
            self._every(_READ_EVERY_S, self._read),
            self._every(_TICK_S, self._begin),
            self._every(_WRITE_EVERY_S, self._write),
            self._every(_TELL_EVERY_S, self._tell),
            self._every(counts.HAND_OVER_EVERY_S, self._hand_over),
        )
        tasks = [asyncio.create_task(loop) for loop in loops]
        stop = asyncio.create_task(told.wait())
        try:
            await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            everything = [stop, *tasks, *self._running.values()]
            for task in everything:
                task.cancel()
            ended = await asyncio.gather(*everything, return_exceptions=True)
            await self._write()
            await asyncio.to_thread(self._place.leave)
            await self._prober.close()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await step()
            await asyncio.sleep(seconds)

    # --- what is to be looked at ------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            await asyncio.to_thread(self._read_now)
        except (DBAPIError, psycopg.Error) as error:
            log.warning("the database cannot be read: looks go on", error=str(error))
            return
        self._hold_to_plans()

    def _read_now(self) -> None:
        """In a thread of its own; `_hold_to_plans` makes it count."""
        ours = self._place.held()
        if ours is not self._ours:
            log.info("looking at storefronts" if ours else "another probe is at work: waiting for its place")
        now, zone, old = _now(), self._manner.default_zone, self._plans
        found = probing.plans(self._database, now, zone) if ours else []
        fresh = {plan.store_key: plan for plan in found}
        if fresh.keys() != old.keys() or not 0 <= now - self._spans_at < _OPEN_EVERY:
            self._spans, self._spans_at = probing.spans(self._database, found, now, zone), now
        self._ours = ours
        self._fresh = fresh

    def _hold_to_plans(self) -> None:
        """A storefront that is new or was changed is looked at right away, those of a start by their grid."""
        first, now = not self._plans, _now()
        for key, plan in self._fresh.items():
            if self._plans.get(key) == plan:
                self._fresh[key] = self._plans[key]
            else:
                self._push(plan, next_look(plan.store_id, plan.every_s, now) if first else now)
        self._plans = self._fresh

    def _push(self, plan: Plan, at: int) -> None:
        heapq.heappush(self._due, (at, next(self._number), plan))

    # --- looking ----------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Begins the looks that are due."""
        now = _now()
        if now < self._clock:  # it was set back
            self._due = []
            for plan in self._plans.values():
                self._push(plan, next_look(plan.store_id, plan.every_s, now))
        self._clock = now
        while self._due and self._due[0][0] <= now:
            _, _, plan = heapq.heappop(self._due)
            if self._plans.get(plan.store_key) is plan:
                self._push(plan, next_look(plan.store_id, plan.every_s, now))
                self._begin_one(plan, now)

    def _begin_one(self, plan: Plan, now: int) -> None:
        if not may_look(self._spans.get(plan.store_key), now) or self._hosts.rests(host_of(plan.url)):
            return
        if plan.store_key in self._running or len(self._seen) >= _WAITING_AT_MOST:
            self._tally.late += 1
            return
        task = asyncio.create_task(self._look(plan))
        self._running[plan.store_key] = task
        task.add_done_callback(lambda ended: self._ended(plan, ended))

    def _ended(self, plan: Plan, task: asyncio.Task[None]) -> None:
        self._running.pop(plan.store_key, None)
        if not task.cancelled() and (fault := task.exception()):
            log.error("a look failed: please report it", store_id=plan.store_id, exc_info=fault)

    async def _look(self, plan: Plan) -> None:
        at, took, judged = await self._once(plan)
        if judged.active is False:
            await asyncio.sleep(self._manner.second_look_s)
            at, took, judged = await self._once(plan)
        self._tally.looks += 1
        self._tally.inactive += judged.active is False
        self._tally.nothing += judged.active is None
        counts.LOOKS.labels({True: "active", False: "inactive", None: "nothing"}[judged.active]).inc()
        self._seen.append(Look(plan.store_key, plan.store_id, at, judged.active, judged.reason, took))

    async def _once(self, plan: Plan) -> tuple[int, int, Judgement]:
        """(when it was asked, milliseconds until the answer, what it says)."""
        host = host_of(plan.url)
        async with self._hosts.turn(host):
            at, began = _now(), time.monotonic()
            if self._hosts.rests(host):  # since we queued
                return at, 0, Judgement(None, _IN_PEACE)
            answer = await self._prober.look(plan.url, plan.rule, plan.timeout_s)
            took = round((time.monotonic() - began) * 1000)
        return at, took, self._judged(answer, plan, host)

    def _judged(self, answer: Answer, plan: Plan, host: str) -> Judgement:
        if answer.outcome is Outcome.WAIT:
            self._hosts.leave_alone(host, answer.wait_s)
        if answer.outcome in (Outcome.ANSWERED, Outcome.WAIT):
            self._hosts.answered()
        elif answer.outcome is Outcome.SILENT and self._hosts.cut_off(host):
            return Judgement(None, _CUT_OFF)
        return judge(answer, plan.rule)

    # --- writing ----------------------------------------------------------------------------------

    async def _write(self) -> None:
        """Writes what was seen; what cannot be written now stays for the next time."""
        while self._seen:
            part = self._seen[:_WRITTEN_AT_ONCE]
            try:
                written = await asyncio.to_thread(probing.write, self._database, part, _now())
            except (BusyError, DBAPIError, psycopg.Error) as error:
                log.warning("what was seen cannot be written yet", looks=len(self._seen), error=str(error))
                return
            del self._seen[: len(part)]
            self._tally.written += written

    async def _hand_over(self) -> None:
        if self._counted is not None:
            await asyncio.to_thread(counts.hand_over, self._counted, "probe")

    async def _tell(self) -> None:
        if self._tally.looks or self._tally.late:
            log.info("looked", **vars(self._tally), storefronts=len(self._plans))
        self._tally = _Tally()
