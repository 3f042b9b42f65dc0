"""Brings the embedded server up in a home of its own: the first time, then again. A child process."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from storewatch import embedded


def main() -> None:
    given = json.loads(sys.argv[1])
    first, later = [], []
    for number in range(given["homes"]):
        home = Path(given["folder"]) / f"start{number}"
        first.append(_up(home))
        later += [_up(home) for _ in range(given["again"])]
    print(json.dumps({"first": first, "later": later}))


def _up(home: Path) -> float:
    """Seconds until the server takes connections."""
    began = time.perf_counter()
    with embedded.running(home, lambda _: None):
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
