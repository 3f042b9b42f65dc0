"""Addresses that users give, and which of them we may connect to: public ones, and networks that are allowed.

A name is looked up once, each address that it has is checked, and the connection goes to an address that was
checked: a name that answers differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from storewatch.errors import SettingsError, UsageError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL = 2000
_NETLOC = r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]*)?"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True)
class Target:
    """What an address means: where to connect to, and what to ask for."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the header Host has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def target(url: str, field: str) -> Target:
    """What an address means. UsageError, with the name of its field, says what is wrong with it."""
    wrong = f"{field} must be an address like https://example.com/storewatch"
    if len(url) > MAX_URL or not re.fullmatch(r"https?://[\x21-\x7e]+", url):
        raise UsageError(wrong, field=field)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{wrong} ({error})", field=field) from error
    if not host or port == 0 or not re.fullmatch(_NETLOC, parts.netloc):
        raise UsageError(f"{wrong}, without a name or password in it", field=field)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, port or (443 if secure else 80), path)


def networks(text: str, variable: str) -> tuple[Network, ...]:
    """The networks of a setting: `127.0.0.0/8, 10.1.2.0/24`. SettingsError names the variable."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(f"{variable} is '{text}': write networks like 10.1.2.0/24 ({error})") from error


def usable(found: Iterable[str], allowed: Sequence[Network]) -> list[Address]:
    """Those of the addresses of a name that one may connect to, in their order, each once."""
    addresses = dict.fromkeys(ipaddress.ip_address(each.partition("%")[0]) for each in found)
    return [address for address in addresses if may_reach(address, allowed)]


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
