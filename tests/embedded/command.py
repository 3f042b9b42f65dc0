"""A storewatch command in small, for the tests: `command.py MODE HOME`. It ends when its input does."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

from storewatch.embedded import ensure_running, running, stop
from storewatch.errors import EmbeddedServerError


def hold(home: Path) -> None:
    """Use the server."""
    with running(home, say) as url:
        print("up", url, flush=True)
        sys.stdin.read()


def supervise(home: Path) -> None:
    """The same, as `storewatch serve` does: starting the server again whenever it dies."""
    with running(home, say) as url:
        print("up", url, flush=True)
        while not select.select([sys.stdin], [], [], 0.02)[0]:
            try:
                ensure_running(home, say)
            except EmbeddedServerError as error:  # killed even as it started: the next round sees to it
                say(str(error))


def fork(home: Path) -> None:
    """Have a worker that leaves the block by an exception, as gunicorn's do."""
    with running(home, say) as url:
        worker = os.fork()
        if worker == 0:
            sys.exit(0)
        os.waitpid(worker, 0)
        print("up", url, flush=True)
        sys.stdin.read()


def end(home: Path) -> None:
    """Stop the server, whoever uses it."""
    print("stopped", stop(home, say, force=True), flush=True)


def say(text: str) -> None:
    print("said", text, flush=True)


if __name__ == "__main__":
    mode, where = sys.argv[1:]
    try:
        {"hold": hold, "supervise": supervise, "fork": fork, "end": end}[mode](Path(where))
    except EmbeddedServerError as error:
        print("refused", error, flush=True)
