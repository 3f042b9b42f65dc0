"""Looks at storefronts: one GET each, without becoming a way into our own network.

Every hop, that of a redirect too, goes to an address that was checked (`addresses`). Time, hops and the
bytes that are read are limited, and so are the headers, by h11. No cookie is kept, and no proxy of the
environment is asked: it would look names up itself.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin

import httpx

from storewatch import __version__
from storewatch.domain.storefronts import MAX_BODY, Answer, Outcome, Rule
from storewatch.errors import DeliveryRefusedError, UsageError
from storewatch.outbound import addresses
from storewatch.outbound.addresses import Address, Network, Target

HOPS = 3
"""So many redirects are followed."""

_LONGEST_WAIT_S = 3600
_USUAL_WAIT_S = 60
_NAMES_AT_ONCE = 64
_ADDRESSES_TRIED = 4
_IN_URLS = "%/:?#[]@!$&'()*+,;=~"
_REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Awaitable[Iterable[str]]]
"""(host, port) -> its addresses, by the network's names."""


def agent(url: str) -> str:
    """What we call ourselves: with the address of the service, so that a host can ask who that is."""
    return f"storewatch-probe/{__version__}" + (f" (+{url})" if url else "")


class Prober:
    """Looks at storefronts; made once in an event loop, `close` when done.

    `allowed` are private networks that may be looked at; `agent` is what we call ourselves.
    """

    def __init__(self, allowed: Sequence[Network], agent: str, resolve: Resolve | None = None) -> None:
        self._allowed = allowed
        self._agent = agent
        self._names = ThreadPoolExecutor(_NAMES_AT_ONCE, "names")
        self._resolve = resolve or self._looked_up
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl.create_default_context(),
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        """Ends what is open."""
        await self._transport.aclose()
        self._names.shutdown(wait=False, cancel_futures=True)

    async def look(self, url: str, rule: Rule, timeout_s: int) -> Answer:
        """What a storefront answers within a time that is fixed for the whole, redirects included."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._followed(url, rule, timeout_s)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(Outcome.SILENT, trouble=f"no answer within {timeout_s} s")
        except (DeliveryRefusedError, UsageError) as error:
            return Answer(Outcome.UNASKED, trouble=f"not looked at: {error}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
            return _troubled(error)

    async def _followed(self, url: str, rule: Rule, timeout_s: int) -> Answer:
        for _ in range(HOPS + 1):
            found, further = await self._one(url, rule, timeout_s)
            if further is None:
                return found
            url = further
        return Answer(Outcome.SILENT, trouble=f"it leads on from page to page, more than {HOPS} times")

    async def _one(self, url: str, rule: Rule, timeout_s: int) -> tuple[Answer, str | None]:
        """One answer, and where it sends us on to."""
        response = await self._got(addresses.target(url, "url"), timeout_s)
        try:
            status, further = response.status_code, response.headers.get("Location")
            if status == 429:
                return _asked_to_wait(response), None
            if status in _REDIRECTS and further and not rule.takes(status):
                return Answer(Outcome.ANSWERED, status), urljoin(url, quote(further, safe=_IN_URLS))
            if not (rule.reads_page and rule.takes(status)):
                return Answer(Outcome.ANSWERED, status), None
            body, cut = await _read(response)
            charset = _charset(response.headers.get("Content-Type", ""))
            return Answer(Outcome.ANSWERED, status, body, cut, charset), None
        finally:
            await response.aclose()

    # --- the way there ----------------------------------------------------------------------------

    async def _got(self, target: Target, timeout_s: int) -> httpx.Response:
        """The head of what the first address that takes a connection answers. None of several may use up
        the time of all.
        """
        found = await self._addresses(target)
        for number, address in enumerate(found, start=1):
            request = self._request(target, address, timeout_s / len(found))
            try:
                return await self._transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(found):
                    raise
        raise OSError("it has no address")

    def _request(self, target: Target, address: Address, connect_s: float) -> httpx.Request:
        """Goes to the address; the certificate and the header Host are those of the name."""
        scheme, port = "https" if target.secure else "http", target.port
        host = f"[{address}]" if address.version == 6 else str(address)
        headers = {
            "Host": target.authority,
            "User-Agent": self._agent,
            "Accept": "text/html,application/json,*/*;q=0.5",
            "Accept-Encoding": "gzip",
            "Connection": "close",
        }
        return httpx.Request(
            "GET",
            f"{scheme}://{host}:{port}{target.path}",
            headers=headers,
            extensions={"sni_hostname": target.host, "timeout": {"connect": connect_s}},
        )

    async def _addresses(self, target: Target) -> list[Address]:
        try:
            found = addresses.usable(await self._resolve(target.host, target.port), self._allowed)
        except UnicodeError as error:
            raise DeliveryRefusedError(f"{target.host} is no name") from error
        if not found:
            raise DeliveryRefusedError(
                f"{target.host} is in a private network: STOREWATCH_PROBE_NETWORKS may allow it"
            )
        return found[:_ADDRESSES_TRIED]

    async def _looked_up(self, host: str, port: int) -> list[str]:
        """In threads, for the resolver of the system waits."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._names, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(entry[4][0]) for entry in found]


# --- what came ------------------------------------------------------------------------------------


async def _read(response: httpx.Response) -> tuple[bytes, bool]:
    """(the body as far as we read it, whether there is more). What is packed is unpacked no further."""
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError(f"it is packed by {packed}, which we did not ask for")
    unpack = zlib.decompressobj(47) if packed not in ("", "identity") else None
    body, came = b"", 0
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - of an asynchronous transport
    async for part in response.stream:
        came += len(part)
        room = MAX_BODY + 1 - len(body)
        try:
            body += unpack.decompress(part, room) if unpack else part[:room]
        except zlib.error as error:
            raise httpx.DecodingError("it is packed in a way that cannot be unpacked") from error
        if len(body) > MAX_BODY or came > MAX_BODY:
            return body[:MAX_BODY], True
    return body, False


def _charset(content_type: str) -> str:
    found = re.search(r"charset=\"?([A-Za-z0-9._-]{1,40})", content_type)
    return found[1] if found else "utf-8"


def _asked_to_wait(response: httpx.Response) -> Answer:
    wait_s = _seconds(response.headers.get("Retry-After", ""))
    return Answer(Outcome.WAIT, 429, trouble=f"answered 429: it asks us to wait {wait_s} s", wait_s=wait_s)


def _seconds(text: str) -> int:
    """A Retry-After, in seconds or a date, within reason."""
    if text.strip().isascii() and text.strip().isdigit():
        return min(max(int(text.strip()[:9]), 1), _LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(text)
        seconds = (until if until.tzinfo else until.replace(tzinfo=UTC)) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return _USUAL_WAIT_S
    return min(max(int(seconds.total_seconds()), 1), _LONGEST_WAIT_S)


def _troubled(error: Exception) -> Answer:
    """Why there is no answer, in plain words, by the deepest cause that we know."""
    causes: list[BaseException] = [error]
    while (deeper := causes[-1].__cause__ or causes[-1].__context__) and deeper not in causes:
        causes.append(deeper)
    for cause in reversed(causes):
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
            return Answer(Outcome.UNASKED, trouble="not looked at: our name server does not answer")
        words = _words(cause)
        if words:
            return Answer(Outcome.SILENT, trouble=words)
    return Answer(Outcome.SILENT, trouble="the connection broke off")


def _words(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {cause.verify_message}"
    return next((words for kind, words in _WORDS if isinstance(cause, kind)), "")


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "it does not answer in TLS"),
    (socket.gaierror, "its name cannot be found"),
    (ConnectionRefusedError, "the connection is refused"),
    (httpx.RemoteProtocolError, "it does not answer in HTTP"),
    (httpx.DecodingError, "its answer cannot be unpacked"),
    (ConnectionResetError, "the connection broke off"),
)
