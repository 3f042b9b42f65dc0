"""Requests that a client may send again: what was done under a key is done once, and answered again.

What a request does and the answer that is kept for it are one transaction: whatever breaks off between
them, either both are there or neither is. So a request under a key runs in a transaction that is begun
here, and the services that it calls join it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storewatch.errors import ConflictError
from storewatch.storage import idempotency
from storewatch.storage.access_tables import IdempotencyKey
from storewatch.storage.db import Database, Shared

KEPT = timedelta(hours=24)
"""A key stands for its request for so long."""

RUNNING = "A request with this Idempotency-Key is still running: wait, then send it again"


class Attempt:
    """A request under a key, between `begin` and `keep` or `give_up`. One ends before its thread's next."""

    def __init__(self, database: Database, account_no: int, key: str, fingerprint: bytes) -> None:
        self._shared = Shared(database)
        self._account_no, self._key, self._fingerprint = account_no, key, fingerprint

    def begin(self) -> IdempotencyKey | None:
        """What was answered before, if it was. Else the services join from now on.

        ConflictError if a request with this key is running.
        """
        try:
            found = self._found()
        except BaseException:
            self.give_up()
            raise
        if found is None:
            self._shared.join()
        else:
            self.give_up()
        return found

    def _found(self) -> IdempotencyKey | None:
        session, mine = self._shared.session, (self._account_no, self._key)
        if not idempotency.try_lock(session, *mine):
            raise ConflictError(RUNNING)
        return idempotency.find(session, *mine, datetime.now(UTC) - KEPT)

    def keep(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Commits what was done, and the answer with it."""
        idempotency.keep(
            self._shared.session,
            account_no=self._account_no,
            key=self._key,
            fingerprint=self._fingerprint,
            status=status,
            headers=headers,
            body=body,
        )
        self._shared.commit()

    def give_up(self) -> None:
        """Leaves everything as it was."""
        self._shared.roll_back()


def remove_old(database: Database) -> int:
    """Removes keys that stand for nothing any more. Returns how many."""
    with database.transaction() as session:
        return idempotency.remove_old(session, datetime.now(UTC) - KEPT)
