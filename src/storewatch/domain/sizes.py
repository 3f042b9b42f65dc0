"""Sizes in bytes, as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE = re.compile(r"(\d{1,15}) ?(KiB|MiB|GiB|TiB)?", re.ASCII)


def parse_size(text: str) -> int | None:
    """Bytes of `1GiB`, `500 MiB` or `1000000`; None if unreadable."""
    match = _SIZE.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2] or ""] if match else None
