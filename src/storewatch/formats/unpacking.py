"""gzip in memory, bounded: a bomb costs as much as what is allowed, and no more."""

from __future__ import annotations

import gzip
import io
import zlib

from storewatch.errors import FileRefusedError, TooLargeError


def unpacked(data: bytes, at_most: int) -> bytes:
    """What gzip data hold. TooLargeError beyond `at_most` bytes, FileRefusedError if they are damaged."""
    try:
        found = gzip.GzipFile(fileobj=io.BytesIO(data)).read(at_most + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileRefusedError(f"The gzip data are damaged or cut off ({error})") from error
    if len(found) > at_most:
        raise TooLargeError(f"It unpacks to more than {at_most:,} bytes")
    return found
