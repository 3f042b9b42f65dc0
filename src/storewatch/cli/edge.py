"""What the settings and options say about the network's edge: our URL, who listens, proxies, mail."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from storewatch.config import Settings
from storewatch.errors import SettingsError, UsageError
from storewatch.outbound import addresses
from storewatch.outbound.mail import parse_server
from storewatch.services.mailing import Mail
from storewatch.services.people import checked_email

_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "write it like https://stores.example.com"


def outside_url(settings: Settings) -> str:
    """STOREWATCH_URL as a browser writes an origin; empty if it is not set. SettingsError if it is none."""
    text = settings.url.strip()
    if not text:
        return ""
    parts, port = _split(text)
    if parts.username is not None or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise SettingsError(f"STOREWATCH_URL is '{text}': a scheme and a host only; {_EXAMPLE}")
    host = _host(parts, text)
    usual = port in (None, _PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"STOREWATCH_URL is '{text}': {error}; {_EXAMPLE}") from error
    if parts.scheme not in _PORTS:
        raise SettingsError(f"STOREWATCH_URL is '{text}': it begins with https:// or http://; {_EXAMPLE}")
    return parts, port


def _host(parts: SplitResult, text: str) -> str:
    """The host in lower case, an IPv6 address in brackets."""
    host = parts.hostname or ""
    if ":" in host:
        return f"[{host}]"
    if not host or not all(c.isascii() and (c.isalnum() or c in "-._") for c in host):
        raise SettingsError(f"STOREWATCH_URL is '{text}': that is no host; {_EXAMPLE}, xn--… for others")
    return host


def local_url(host: str, port: int) -> str:
    """Where a service that listens on `host` is reached from this machine."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def links_at(settings: Settings) -> str:
    """What the links that commands print begin with: STOREWATCH_URL, or where `serve` usually listens."""
    return outside_url(settings) or local_url("127.0.0.1", 8000)


def is_loopback(host: str | None) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def check(host: str, url: str, *, no_login: bool, insecure: bool) -> None:
    """Refuses to serve in ways that would be open to the network by mistake."""
    inside, inside_url = is_loopback(host), not url or is_loopback(urlsplit(url).hostname)
    if no_login and not (inside and inside_url):
        raise UsageError(
            f"--no-login lets anybody do everything, so it is for this machine only: "
            f"{'unset STOREWATCH_URL' if inside else f'take --host 127.0.0.1 in place of {host}'}"
        )
    if not inside and not url:
        raise UsageError(
            f"--host {host} can be reached from other machines, so STOREWATCH_URL must say where people "
            "reach the service: STOREWATCH_URL=https://stores.example.com"
        )
    if url and not url.startswith("https://") and not (inside and inside_url) and not insecure:
        raise UsageError(
            f"STOREWATCH_URL is {url}: without https passwords can be read on the way. Put a proxy with "
            "https before storewatch, or take --insecure if the network is yours alone"
        )


def networks(text: str) -> tuple[str, ...]:
    """The networks of --trusted-proxies: addresses or networks, with commas between them."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            network = ip_network(part)
        except ValueError as error:
            raise UsageError(
                f"--trusted-proxies: {error}; write it like 127.0.0.1 or 10.0.0.0/8,fd00::/8"
            ) from error
        if network.prefixlen == 0:
            raise UsageError(f"--trusted-proxies {part} would believe anybody: name the proxy's own network")
        found.append(str(network))
    return tuple(found)


def probe_networks(settings: Settings) -> tuple[addresses.Network, ...]:
    """The private networks of STOREWATCH_PROBE_NETWORKS. SettingsError if it cannot be read."""
    return addresses.networks(settings.probe_networks, "STOREWATCH_PROBE_NETWORKS")


def check_metrics(settings: Settings) -> None:
    """SettingsError if STOREWATCH_METRICS_TOKEN could be guessed."""
    if settings.metrics_token and len(settings.metrics_token) < 16:
        raise SettingsError(
            "STOREWATCH_METRICS_TOKEN has less than 16 characters and could be guessed: take the output of "
            "`openssl rand -hex 32`"
        )


def mails(settings: Settings) -> bool:
    """Whether mails are set up, with all that they need."""
    return bool(settings.url) and mail(settings) is not None


def mail(settings: Settings) -> Mail | None:
    """How mails are sent; None if STOREWATCH_SMTP_URL is not set. SettingsError if something lacks."""
    if not settings.smtp_url:
        return None
    server, url = parse_server(settings.smtp_url), outside_url(settings)
    for variable, value in (("STOREWATCH_URL", url), ("STOREWATCH_MAIL_FROM", settings.mail_from)):
        if not value:
            raise SettingsError(f"STOREWATCH_SMTP_URL is set, but mails need {variable} too")
    try:
        return Mail(server, checked_email(settings.mail_from), url)
    except UsageError as error:
        raise SettingsError(f"STOREWATCH_MAIL_FROM: {error}") from error
