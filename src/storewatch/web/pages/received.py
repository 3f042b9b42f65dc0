"""Files of a form, written to the disk as they come: nothing is held in memory, and no file is cut off."""

from __future__ import annotations

from collections.abc import Iterator

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from storewatch.errors import TooLargeError, UsageError
from storewatch.services.depot import Part
from storewatch.web.bodies import blocks, tidy

MOST_FILES = 20
_MOST_PARTS = MOST_FILES + 10
_MOST_HELD = 1 << 20  # bytes of a block, of a part's head, of all fields
_BAD = "The form is not as a browser sends it: reload the page, then try again"


class Form:
    """A form that is being read: fields as they have come so far, and its files one by one, in order."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: so large may each file be."""
        self.fields: dict[str, str] = {}
        self._most_bytes = most_bytes
        self._events = _events(most_bytes * MOST_FILES)

    def files(self) -> Iterator[str]:
        """The names of files that somebody chose. Each must be read, by `write_to`, before the next."""
        held = 0
        for event in self._events:
            if isinstance(event, Field):
                value = self._value()
                held += len(value)
                if held > _MOST_HELD:
                    raise TooLargeError("The fields of the form are too long")
                self.fields[event.name] = value.decode(errors="replace")
            elif isinstance(event, File):
                if event.filename:
                    yield tidy(event.filename) or "upload"
                else:
                    self._value()  # a browser sends an empty part if no file was chosen

    def write_to(self, part: Part | None) -> None:
        """Writes the present file. TooLargeError once all of it has come, if it is too large."""
        came = 0
        for data in self._data():
            came += len(data)
            if part is not None and came <= self._most_bytes:
                part.write(data)
        if came > self._most_bytes:
            raise TooLargeError(f"it is larger than the {self._most_bytes:,} bytes that are allowed")

    def _value(self) -> bytes:
        value = bytearray()
        for data in self._data():
            value += data
            if len(value) > _MOST_HELD:
                raise TooLargeError("A field of the form is too long")
        return bytes(value)

    def _data(self) -> Iterator[bytes]:
        for event in self._events:
            assert isinstance(event, Data)  # noqa: S101 - the decoder gives a part's data after its head
            yield event.data
            if not event.more_data:
                return


def _events(most_bytes: int) -> Iterator[Event]:
    boundary = request.mimetype_params.get("boundary", "").encode()
    if request.mimetype != "multipart/form-data" or not boundary:
        raise UsageError(_BAD)
    decoder = MultipartDecoder(boundary, _MOST_HELD, max_parts=_MOST_PARTS)
    body = blocks(most_bytes + _MOST_HELD)
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, NeedData):
                decoder.receive_data(next(body, None))
            elif isinstance(event, Field | File | Data):
                yield event
    except RequestEntityTooLarge as error:
        raise TooLargeError(f"The form is too large: send {MOST_FILES} files at once at most") from error
    except ValueError as error:
        raise UsageError(_BAD) from error
