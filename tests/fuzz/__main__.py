"""`make fuzz`: every target in turn, each in a process of its own, then schemathesis over the API.

Prints what was found, keeps its inputs in `build/fuzz`, and writes the table of docs/explanation/fuzzing.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fuzz import page
from tests.fuzz.page import Stand
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build/fuzz"
_STUCK_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="else another one each time")
    parser.add_argument("--at-once", type=int, default=1, help="so many processes")
    parser.add_argument("--examples", type=int, default=0, help="of schemathesis for each operation; 0: not")
    parser.add_argument("--only", nargs="*", choices=list(TARGETS), default=list(TARGETS))
    told = parser.parse_args()
    stands = list(_all(told))
    if told.only == list(TARGETS):
        page.write(stands, told.minutes, told.seed)
    for stand in stands:
        print(f"{stand.what}: {stand.executions:,} in {stand.seconds:.0f} s", *stand.findings, sep="\n  ")
    sys.exit(any(stand.findings for stand in stands))


def _all(told: argparse.Namespace) -> Iterator[Stand]:
    seconds = told.minutes * 60 * told.at_once / len(told.only)
    with ThreadPoolExecutor(told.at_once) as pool:
        yield from pool.map(lambda name: run(TARGETS[name], seconds, told.seed), told.only)
    if told.examples:
        yield _contract(told.examples, told.seed)


def run(target: Target, seconds: float, seed: int) -> Stand:
    """A process for a target. That it dies, or does not end, is a finding as any other."""
    folder = KEPT / target.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.fuzz.one", target.name, str(seconds), str(seed), str(folder)]
    with (folder / "log").open("wb") as log:
        try:
            done = subprocess.run(
                command, cwd=ROOT, stdout=log, stderr=log, timeout=seconds + _STUCK_S, check=False
            )
            ended = "" if done.returncode == 0 else f"the process ended with {done.returncode}"
        except subprocess.TimeoutExpired:
            ended = "the process did not end"
    stand = _stand(folder)
    findings = [f"{each['place']}: {each['told']}" for each in stand["findings"]]
    findings += [f"{ended}; see {folder}"] if ended else []
    return Stand(target.what, stand["executions"], stand["seconds"], findings)


def _stand(folder: Path) -> dict[str, Any]:
    """What a process wrote down of itself, if it came so far."""
    file = folder / "stand.json"
    none: dict[str, Any] = {"executions": 0, "seconds": 0.0, "findings": []}
    return none | json.loads(file.read_text()) if file.exists() else none


def _contract(examples: int, seed: int) -> Stand:
    """The contract test with so many examples of each operation."""
    began, count = time.monotonic(), KEPT / "requests"
    count.unlink(missing_ok=True)
    more = {"STOREWATCH_CONTRACT_EXAMPLES": str(examples), "STOREWATCH_CONTRACT_SEED": str(seed % 10_000)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-q", "--timeout", "0", "tests/web/test_contract.py"],
        cwd=ROOT,
        env=os.environ | more | {"STOREWATCH_CONTRACT_COUNT": str(count)},
        capture_output=True,
        text=True,
        check=False,
    )
    (KEPT / "schemathesis.log").write_text(done.stdout)
    requests = int(count.read_text()) if count.exists() else 0
    findings = [] if done.returncode == 0 else [done.stdout[-6_000:]]
    return Stand("all of the API, by schemathesis", requests, time.monotonic() - began, findings)


if __name__ == "__main__":
    main()
