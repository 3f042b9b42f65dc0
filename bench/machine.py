"""Where, when and with what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench.measure import ROOT
from bench.server import Server
from bench.table import table
from storewatch import __version__
from storewatch.domain import zones

_PACKAGES = (
    "numpy",
    "polars",
    "psycopg",
    "sqlalchemy",
    "procrastinate",
    "flask",
    "gunicorn",
    "duckdb",
    "pandas",
)


def described(server: Server, load_before: float, minutes: float) -> str:
    """A table for the document."""
    settings = ", ".join(f"{name} = {value}" for name, value in server.settings().items())
    kind = "storewatch's own" if server.own else "given"
    rows = [
        *here(load_before, minutes),
        ["PostgreSQL", f"{server.version()}, {kind} ({settings})"],
        ["packages", ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)],
    ]
    return table(("", ""), rows)


def here(load_before: float, minutes: float) -> list[list[str]]:
    """Rows of a table: when it was, on which machine, with which storewatch."""
    return [
        ["date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; the whole run took {minutes:.1f} minutes"],
        [
            "machine",
            f"{_processor()}, {_cores()} cores, {_memory_gb():.0f} GB; {platform.system()} {_release()}",
        ],
        ["load before the run", f"{load_before:.2f} (processes that wanted to run in the minute before)"],
        ["storewatch", f"{__version__}{_commit()}, zone data {zones.version()}"],
        ["Python", platform.python_version()],
    ]


def load() -> float:
    """Processes that wanted to run, on average, in the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _release() -> str:
    return platform.release()


def _commit() -> str:
    """The commit that was measured, and whether files were changed since."""
    git = ["git", "-C", str(ROOT)]
    try:
        commit = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", "src"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f" at {commit.stdout.strip()}" + (" with changes in src/" if changed.stdout.strip() else "")
