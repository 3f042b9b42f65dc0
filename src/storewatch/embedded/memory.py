"""How much memory the server may count on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_MB = 1 << 20
_LEAST_MB, _MOST_MB = 32, 256
_PART = 16  # the rest is for queries, for us, and for what Linux keeps of files


def shared_buffers_mb() -> int:
    """What the server keeps of its tables: little on a small machine, where the programs need the room."""
    return max(_LEAST_MB, min(_MOST_MB, limit() // _PART // _MB))


def limit(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of the machine, or fewer if a control group that we are in, or one above it, says so."""
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *_limits(groups, root)])


def _limits(groups: Path, root: Path) -> Iterator[int]:
    """Of version 2 of control groups (`0::/path`), and of version 1 (`5:memory:/path`)."""
    for line in _read(groups).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _upwards(root, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _upwards(root / "memory", path, "memory.limit_in_bytes")


def _upwards(root: Path, path: str, name: str) -> Iterator[int]:
    """A container may not see its own group by its path, but sees it as the root then."""
    group = root / path.lstrip("/")
    for place in (group, *group.parents):
        if place.is_relative_to(root):
            told = _read(place / name).strip()
            if told.isdecimal():
                yield int(told)


def _read(path: Path) -> str:
    """Nothing where there is no such file, or it is not ours to read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
