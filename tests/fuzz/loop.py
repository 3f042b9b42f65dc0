"""The loop: an input is changed, tried, and kept for further changes if it ended as none before."""

from __future__ import annotations

import random
import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.mutate import mutated
from tests.fuzz.target import Target

_POOL = 4_000


@dataclass
class Finding:
    """An input that broke a law, and how; the shortest of those that break it in one place."""

    place: str
    told: str
    data: bytes


@dataclass
class Hunt:
    """How often a target was tried, for how long, what was found, and how many ways to end were seen."""

    executions: int = 0
    seconds: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)
    endings: set[str] = field(default_factory=set)


def hunt(target: Target, go_on: Callable[[Hunt], bool], seed: int) -> Hunt:
    """Tries changed inputs as long as `go_on` says so, beginning with those of the corpus as they are."""
    chance, done, began = random.Random(seed), Hunt(), time.perf_counter()  # noqa: S311 - to repeat itself
    pool, tokens = list(target.corpus()), target.tokens()
    for data in list(pool):
        try_one(target, data, done)
    while go_on(done):
        data = mutated(chance, chance.choice(pool), pool, tokens)
        if try_one(target, data, done) and len(pool) < _POOL:
            pool.append(data)
        done.seconds = time.perf_counter() - began
    return done


def try_one(target: Target, data: bytes, done: Hunt) -> bool:
    """Tries an input. Whether it ended as none before."""
    done.executions += 1
    before = time.process_time()
    try:
        ending = _plain(target.run(data))
        if (took := time.process_time() - before) > target.slow_s:
            raise TimeoutError(f"it took {took:.1f} s of the processor")  # noqa: TRY301 - a finding as any
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # what Polars panics with is no Exception
        ending = _place(error)
        known = done.findings.get(ending)
        if known is None or len(data) < len(known.data):
            done.findings[ending] = Finding(ending, f"{type(error).__name__}: {error}"[:500], data)
    fresh = ending not in done.endings
    done.endings.add(ending)
    return fresh


def _plain(ending: str) -> str:
    return re.sub(r"'[^']*'|\d+", "…", ending)[:300]


def _place(error: BaseException) -> str:
    """Where it was raised: what is raised in one place is one finding."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = [each for each in traceback.extract_tb(error.__traceback__) if "storewatch/" in each.filename]
    own = ours[-1] if ours else last
    return f"{type(error).__name__} {own.filename.rpartition('/')[2]}:{own.lineno} {own.name}"
