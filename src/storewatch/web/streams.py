"""Answers that are sent as they are made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice


def begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, of which the first two are made at once: a header, and the first that needs the
    database. What goes wrong by then is answered as an error; later it can but break the answer off.
    """
    head = list(islice(chunks, 2))
    return _joined(head, chunks)


def _joined(head: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from head
    yield from rest
