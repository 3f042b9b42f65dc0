"""Every error that storewatch raises on purpose.

    StorewatchError              what happened and what to do, in a sentence for the user
    ├── UsageError               the caller asked for something that makes no sense (HTTP 400, exit 2)
    ├── NotFoundError            what was asked for is not here (HTTP 404)
    │   └── GoneError            it was, or might have been: a link that was used or has run out (HTTP 410)
    ├── ConflictError            right in itself, but not in the present state (HTTP 409)
    │   └── NoPollsError         a report was asked for, but there is no poll to make it from
    ├── BusyError                something else is at it just now; in a moment again (HTTP 503)
    ├── LoginRefusedError        who asks is not known, or may not (HTTP 401)
    │   └── SlowDownError        too many tries; after a pause again (HTTP 429)
    ├── ForbiddenError           who asks is known, and may not (HTTP 403)
    ├── FileRefusedError         a whole file cannot be read; nothing of it was stored (HTTP 422)
    │   └── TooLargeError        it, or what it unpacks to, is larger than allowed (HTTP 413)
    ├── DeliveryError            what we sent to the outside did not arrive; later it may
    │   └── DeliveryRefusedError we do not send there, now or later
    ├── SettingsError            a setting or an environment variable is wrong
    ├── EmbeddedServerError      the PostgreSQL that storewatch starts itself cannot run
    ├── MailFailedError          a mail could not be sent; later it may
    │   └── MailRefusedError     it never will be: its address is refused for good
    └── ReportFailedError        a report could not be made

The message of each is shown to people as it is: it says what happened, where, and what to do.
"""

from __future__ import annotations


class StorewatchError(Exception):
    """The root: its text is fit to be shown to a user."""


class UsageError(StorewatchError):
    """A parameter is missing, malformed or out of bounds; `field` names it."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFoundError(StorewatchError):
    """Nothing of that name or id exists."""


class GoneError(NotFoundError):
    """A link works no more; whether it ever did is not told."""


class ConflictError(StorewatchError):
    """The request is sound but cannot be met in the present state."""


class NoPollsError(ConflictError):
    """The database holds no poll, so no report can be made."""


class BusyError(StorewatchError):
    """What is needed is taken just now; the same again in `retry_after` seconds may do."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LoginRefusedError(StorewatchError):
    """Who asks is not known. The message never tells whether an account exists."""


class SlowDownError(LoginRefusedError):
    """Too many tries; `retry_after` says in how many seconds the next one is heard."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ForbiddenError(StorewatchError):
    """Who asks is known, and this is not theirs to do."""


class FileRefusedError(StorewatchError):
    """The file as a whole is unusable; no row of it was stored."""


class TooLargeError(FileRefusedError):
    """A file or body is larger than is allowed, as it came or unpacked."""


class DeliveryError(StorewatchError):
    """What we sent to the outside did not arrive, or was not taken. Trying again later may help."""


class DeliveryRefusedError(DeliveryError):
    """We do not send there; trying again does not help."""


class SettingsError(StorewatchError):
    """A setting has a value that cannot be used."""


class EmbeddedServerError(StorewatchError):
    """Our own PostgreSQL cannot be set up, started, reached or stopped."""


class MailFailedError(StorewatchError):
    """A mail could not be handed over; it is worth another try."""


class MailRefusedError(MailFailedError):
    """The mail server refuses the address for good; no try will help."""


class ReportFailedError(StorewatchError):
    """A report cannot be made; the text says why in plain words."""
