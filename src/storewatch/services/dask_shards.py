"""Shards on the workers of a Dask cluster. The scheduler has a lost worker's shards made again by another.

Whoever can talk to a scheduler can run what they like on its workers. So only TLS, with certificates on both
sides, is spoken, and plain TCP on this machine's loopback.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from storewatch.errors import ReportFailedError, SettingsError
from storewatch.services.shards import Parts, Shard, in_turn

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_S = 10
_PATIENCE_S = 60.0
_FETCH_S = 20.0
_EACH, _MOST = 2, 64  # shards in flight for each thread of a worker, and in all
_TRIES = 2  # more, if a worker fails; one that dies is another matter


def checked(address: str) -> str:
    """The address of a scheduler that may be used; SettingsError says why not."""
    parts = urlsplit(address)
    if parts.scheme not in ("tls", "tcp") or not parts.hostname or "@" in parts.netloc:
        raise SettingsError(f"The Dask scheduler '{address}' must be written like tls://host:8786")
    if parts.scheme == "tcp" and not _loopback(parts.hostname):
        raise SettingsError(
            f"{address} would be spoken to in the clear, and whoever can reach a scheduler can run programs "
            "on its workers: use tls://, with certificates, or tcp:// on this machine's 127.0.0.1 only"
        )
    return address


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Dask:
    """A cluster, by the address of its scheduler. `work` is what its workers run; it is sent by its name."""

    address: str
    work: Callable[[Shard], Parts]

    def __call__(self, shards: Sequence[Shard], check: Callable[[], None]) -> Generator[Parts, None, None]:
        """See Spread. ReportFailedError if the cluster is not there, or goes away."""
        from distributed import KilledWorker

        try:
            with _connected(checked(self.address)) as client:
                patience = _Patience(client, check)
                at_once = min(_MOST, _EACH * sum(client.nthreads().values()))
                yield from in_turn(
                    lambda shard: _Coming(
                        client.submit(self.work, shard, pure=False, retries=_TRIES), patience
                    ),
                    shards,
                    at_once,
                    patience,
                )
        except KilledWorker as error:
            raise ReportFailedError(f"Worker after worker died at it. {error}") from error
        except (OSError, CancelledError) as error:
            raise ReportFailedError(f"The Dask scheduler at {self.address} went away: {error}") from error


class _Coming:
    """A shard that a worker makes. What comes of it stays there until it is fetched; if it dies before,
    another one makes it anew.
    """

    def __init__(self, future: Future[Parts], patience: Callable[[], None]) -> None:
        self._future = future
        self._patience = patience

    def done(self) -> bool:
        """See Coming."""
        return bool(self._future.done())

    def result(self) -> Parts:
        """See Coming."""
        while True:
            try:
                return self._future.result(timeout=_FETCH_S)
            except TimeoutError:
                if self._future.status == "error":
                    raise
                self._patience()


class _Patience:
    """Checks that the report is wanted, and that somebody is there to make it."""

    def __init__(self, client: Client, check: Callable[[], None]) -> None:
        self._client = client
        self._check = check
        self._seen = time.monotonic()

    def __call__(self) -> None:
        self._check()
        if self._client.nthreads():
            self._seen = time.monotonic()
        elif time.monotonic() > self._seen + _PATIENCE_S:
            raise ReportFailedError(f"The Dask cluster has had no worker for {_PATIENCE_S:.0f} s.")


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """A client of a cluster that has a worker at least. What is not begun when it closes is dropped."""
    from dask import config
    from distributed import Client, Security

    secure = address.startswith("tls://")
    if secure and not all(config.get(f"distributed.comm.tls.{name}", None) for name in _CERTIFICATES):
        raise SettingsError(f"{address} needs certificates: set {', '.join(_CERTIFICATES.values())}")
    try:
        client = Client(
            address, timeout=_CONNECT_S, set_as_default=False, security=Security(require_encryption=secure)
        )
    except OSError as error:
        raise ReportFailedError(f"The Dask scheduler at {address} cannot be reached: {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError as error:
            raise ReportFailedError(f"The Dask scheduler at {address} has no workers") from error
        yield client


_CERTIFICATES = {
    "ca-file": "DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
    "client.cert": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT",
    "client.key": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY",
}
