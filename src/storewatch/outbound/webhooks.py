"""POSTs to addresses that users give, without becoming their way into our own network.

The name is looked up once, each address that it has is checked, and the connection goes to an address
that was checked: a name that answers differently the second time gains nothing. No redirect is followed,
and of the answer only its head is read, within a time that is fixed for the whole.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from storewatch.errors import DeliveryError, DeliveryRefusedError, SettingsError, UsageError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 2000
SIGNATURE = "Storewatch-Signature"
_PATIENCE = 10.0  # seconds for all of it
_LONGEST_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True)
class _Target:
    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the header Host has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def check_url(url: str) -> None:
    """UsageError says what is wrong with the address of a webhook. Its name is not looked up."""
    _target(url)


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a setting: `127.0.0.0/8, 10.1.2.0/24`."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(
            f"STOREWATCH_WEBHOOK_NETWORKS is '{text}': write networks like 10.1.2.0/24 ({error})"
        ) from error


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


def _target(url: str) -> _Target:
    wrong = "webhook must be an address like https://example.com/storewatch"
    if len(url) > MAX_URL or not re.fullmatch(r"https?://[\x21-\x7e]+", url):
        raise UsageError(wrong, field="webhook")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{wrong} ({error})", field="webhook") from error
    if not host or "@" in parts.netloc or port == 0 or not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", host):
        raise UsageError(f"{wrong}, without a name or password in it", field="webhook")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(secure, host, port or (443 if secure else 80), path)


# --- where to -------------------------------------------------------------------------------------


def _connected(target: _Target, allowed: Sequence[Network], deadline: float) -> socket.socket:
    """A connection to the first address of the target that takes one, with TLS if it is to be."""
    trouble: OSError | None = None
    for address in _addresses(target, allowed):
        try:
            plain = socket.create_connection((str(address), target.port), _left(deadline))
            return _secured(plain, target, deadline) if target.secure else plain
        except OSError as error:
            trouble = error
    raise trouble or OSError("it has no address")


def _secured(plain: socket.socket, target: _Target, deadline: float) -> ssl.SSLSocket:
    try:
        plain.settimeout(_left(deadline))
        return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
    except OSError:
        plain.close()
        raise


def _addresses(target: _Target, allowed: Sequence[Network]) -> list[Address]:
    """The addresses of the target that one may connect to. DeliveryRefusedError if there is none."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise DeliveryRefusedError(f"{target.host} is no name") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    usable = [address for address in addresses if may_reach(address, allowed)]
    if not usable:
        raise DeliveryRefusedError(
            f"{target.host} is in a private network: STOREWATCH_WEBHOOK_NETWORKS may allow it"
        )
    return usable


def may_reach(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether an address is public, or in a network that is allowed."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in allowed):
        return True
    if isinstance(address, ipaddress.IPv6Address) and (
        address.sixtofour or address.teredo or any(address in network for network in _NAT64)
    ):
        return False  # it leads to an IPv4 address that nobody looked at
    old = isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address.is_reserved)
    return address.is_global and not address.is_multicast and not old


# --- what is said ---------------------------------------------------------------------------------


def _request(target: _Target, body: bytes, headers: Mapping[str, str]) -> bytes:
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
