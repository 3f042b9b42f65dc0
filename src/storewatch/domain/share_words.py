"""Shares as people read them."""

from __future__ import annotations


def share(value: float | None, digits: int) -> str:
    """A share in per cent, rounded down so that 99.99 never reads 100; a dash where there is no figure."""
    if value is None:
        return "–"
    scale = 10**digits
    return f"{int(value * 100 * scale) / scale:.{digits}f}%"
