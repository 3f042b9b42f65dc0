"""Bodies that are read in blocks: what comes is bounded, and what is cut off is not taken for whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from flask import request
from werkzeug.exceptions import BadRequest, ClientDisconnected

from storewatch.errors import TooLargeError

_BLOCK = 1 << 18


def blocks(at_most: int) -> Iterator[bytes]:
    """The request's body. TooLargeError beyond `at_most` bytes, BadRequest if it ended too early.

    The server hands over what has come when a connection is cut: only the length that was announced
    tells that something is missing. A chunked body has no such length; its reader notices by itself.
    """
    announced = request.content_length
    if announced is not None and announced > at_most:
        raise _too_large(at_most)
    request.max_content_length = at_most + 1  # reading past exactly the limit would fail
    came = 0
    while data := _read():
        came += len(data)
        if came > at_most:
            raise _too_large(at_most)
        yield data
    if announced is not None and came < announced:
        raise BadRequest(f"The body ended after {came:,} of {announced:,} bytes")


def _read() -> bytes:
    try:
        return request.stream.read(_BLOCK)
    except ClientDisconnected as error:
        raise BadRequest("The body is cut off") from error


def _too_large(at_most: int) -> TooLargeError:
    return TooLargeError(f"The body is larger than the {at_most:,} bytes that are allowed")


def tidy(name: str) -> str:
    """A file's name without folders and what cannot be printed."""
    plain = PurePosixPath(name.replace("\\", "/")).name
    return "".join(letter for letter in plain if letter.isprintable())[:200]
