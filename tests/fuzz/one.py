"""`python -m tests.fuzz.one TARGET SECONDS SEED FOLDER`: one target in a process of its own.

What it found and how far it came is in FOLDER, at any time; an input that ends the process is there as
`trying`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.fuzz.loop import Hunt, hunt
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

_MEMORY = 6 << 30


def main(name: str, seconds: float, seed: int, folder: Path) -> None:
    """Hunts for so long, writing down every half a second how it stands."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    target = TARGETS[name]
    until, told = time.monotonic() + seconds, 0.0

    def go_on(done: Hunt) -> bool:
        nonlocal told
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            _tell(folder, done)
        return time.monotonic() < until

    with target.around():
        _tell(folder, hunt(_noted(target, folder / "trying"), go_on, seed))
    (folder / "trying").unlink()


def _noted(target: Target, trying: Path) -> Target:
    """The target, with each input in a file while it is tried."""

    def run(data: bytes) -> str:
        trying.write_bytes(data)
        return target.run(data)

    return replace(target, run=run)


def _tell(folder: Path, done: Hunt) -> None:
    for number, finding in enumerate(done.findings.values()):
        (folder / f"finding-{number}").write_bytes(finding.data)
    found = [{"place": each.place, "told": each.told} for each in done.findings.values()]
    figures = {"executions": done.executions, "seconds": done.seconds, "endings": len(done.endings)}
    draft = folder / "stand.new"
    draft.write_text(json.dumps(figures | {"findings": found}, indent=1))
    draft.replace(folder / "stand.json")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
