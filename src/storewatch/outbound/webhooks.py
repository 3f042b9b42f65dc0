"""POSTs to addresses that users give, without becoming their way into our own network.

The name is looked up once, each address that it has is checked, and the connection goes to an address
that was checked (`addresses`). No redirect is followed,
and of the answer only its head is read, within a time that is fixed for the whole.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import closing

from storewatch.errors import DeliveryError, DeliveryRefusedError
from storewatch.outbound import addresses
from storewatch.outbound.addresses import MAX_URL as MAX_URL
from storewatch.outbound.addresses import Address, Network, Target

SIGNATURE = "Storewatch-Signature"
_PATIENCE = 10.0  # seconds for all of it
_LONGEST_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")


def check_url(url: str) -> None:
    """UsageError says what is wrong with the address of a webhook. Its name is not looked up."""
    _target(url)


def _target(url: str) -> Target:
    return addresses.target(url, "webhook")


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a setting: `127.0.0.0/8, 10.1.2.0/24`."""
    return addresses.networks(text, "STOREWATCH_WEBHOOK_NETWORKS")


def signature(secret: str, body: bytes, now_s: int) -> str:
    """`t=1674497640,v1=…`: the time, and the HMAC-SHA256 of the time, a dot and the body, in hex."""
    digest = hmac.new(secret.encode(), str(now_s).encode() + b"." + body, hashlib.sha256)
    return f"t={now_s},v1={digest.hexdigest()}"


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network]) -> int:
    """Sends JSON and returns the status, which is 200 to 299.

    DeliveryRefusedError if it must not go there, DeliveryError if it did not arrive or was not taken.
    """
    target, deadline = _target(url), time.monotonic() + _PATIENCE
    try:
        with closing(_connected(target, allowed, deadline)) as connection:
            connection.settimeout(_left(deadline))
            connection.sendall(_request(target, body, headers))
            status = _status(connection, deadline)
    except (OSError, ssl.CertificateError) as error:
        raise DeliveryError(f"{target.host} cannot be reached: {error}") from error
    if not 200 <= status < 300:
        raise DeliveryError(f"{target.host} answered {status}")
    return status


# --- where to -------------------------------------------------------------------------------------


def _connected(target: Target, allowed: Sequence[Network], deadline: float) -> socket.socket:
    """A connection to the first address of the target that takes one, with TLS if it is to be."""
    trouble: OSError | None = None
    for address in _addresses(target, allowed):
        try:
            plain = socket.create_connection((str(address), target.port), _left(deadline))
            return _secured(plain, target, deadline) if target.secure else plain
        except OSError as error:
            trouble = error
    raise trouble or OSError("it has no address")


def _secured(plain: socket.socket, target: Target, deadline: float) -> ssl.SSLSocket:
    try:
        plain.settimeout(_left(deadline))
        return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
    except OSError:
        plain.close()
        raise


def _addresses(target: Target, allowed: Sequence[Network]) -> list[Address]:
    """The addresses of the target that one may connect to. DeliveryRefusedError if there is none."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise DeliveryRefusedError(f"{target.host} is no name") from error
    usable = addresses.usable((str(entry[4][0]) for entry in found), allowed)
    if not usable:
        raise DeliveryRefusedError(
            f"{target.host} is in a private network: STOREWATCH_WEBHOOK_NETWORKS may allow it"
        )
    return usable


# --- what is said ---------------------------------------------------------------------------------


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    fields = {
        "Host": target.authority,
        "User-Agent": "storewatch",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _status(connection: socket.socket, deadline: float) -> int:
    """The status of the answer; its head is read and no more."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
        connection.settimeout(_left(deadline))
        block = connection.recv(4096)
        if not block:
            break
        head += block
    found = _STATUS.match(head)
    if not found:
        raise OSError("it does not answer in HTTP")
    return int(found[1])


def _left(deadline: float) -> float:
    """Seconds until the deadline. TimeoutError after it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it takes too long")
    return left
