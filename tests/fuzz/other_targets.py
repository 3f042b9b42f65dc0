"""Bodies, packs, addresses, pages of storefronts and Parquet."""

from __future__ import annotations

import io
import ipaddress
import json

import httpx
import numpy as np
import polars as pl

from storewatch.domain import packs, polls, storefronts
from storewatch.domain.axis import Axis
from storewatch.domain.clock import DAY
from storewatch.errors import StorewatchError
from storewatch.formats.json_in import JsonPolls
from storewatch.formats.parquet_in import ParquetFile
from storewatch.outbound import addresses
from tests.fuzz.target import Target

_NOW = 1_800_000_000_000_000

# --- bodies ---------------------------------------------------------------------------------------


def try_body(data: bytes) -> str:
    """A body of polls: every item a poll, or rejected with its number and a reason; both ways of writing."""
    told = []
    for by_line in (False, True):
        try:
            file = JsonPolls(io.BytesIO(data), "body", by_line=by_line)
        except StorewatchError as error:
            told.append(str(error))
            continue
        (block,) = file.blocks({})
        read = polls.read_polls(block.rows, _NOW)
        assert len(read.good) + len(read.bad) == len(block.rows)
        bad = pl.concat([block.bad, read.bad])
        assert not bad["line"].is_duplicated().any()
        for line, reason in bad.iter_rows():
            assert reason
            assert "\0" not in reason + block.row_text(line)
        told.append("; ".join(sorted(set(bad["reason"]))))
    return " | ".join(told)


# --- packs ----------------------------------------------------------------------------------------

_DAY_NO = 19_380
_POSITION = np.full(3 * packs.SHARD, -1, np.int32)
_POSITION[packs.SHARD + 3 : 2 * packs.SHARD - 3] = np.arange(packs.SHARD - 6)


def try_pack(data: bytes) -> str:
    """A pack is known to be damaged, or all that comes out lies on the axis: a store and an instant that were
    asked for.
    """
    for start, until in ((0, DAY), (DAY // 3, DAY // 2)):
        axis = Axis(_DAY_NO * DAY + start, _DAY_NO * DAY + until)
        try:
            place = packs.Unpacking(axis, _POSITION).places(_DAY_NO, 1, data)
        except packs.DamagedPackError as error:
            return str(error)
        assert len(place) <= len(data) // 8
        store, at = axis.store(place >> 1), axis.at(place >> 1)
        assert ((store >= 0) & (store < packs.SHARD - 6)).all(), "a store that was not asked for"
        assert ((at >= axis.start) & (at <= axis.until)).all(), "an instant that was not asked for"
        assert (np.diff(place >> 1) > 0).all(), "polls are not in order, or there twice"
    return f"{'p' * min(len(place), 9)} of {'n' * min(len(data) // 8, 9)}"


# --- addresses ------------------------------------------------------------------------------------

_INSIDE = [
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/29", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b::/96", "2002::/16"),
        *("2001::/32", "2001:db8::/32", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "100::/64"),
    )
]


def try_address(data: bytes) -> str:
    """An address is refused, or means to us what it means to another reader of addresses; and none that is
    written as a number leads inside.
    """
    url = data.decode("utf-8", "replace")
    try:
        target = addresses.target(url, "url")
    except StorewatchError as error:
        return str(error)
    assert not set(target.authority + target.path) & set("\r\n \0"), "it could end a line of a request"
    again = addresses.target(f"http{'s' * target.secure}://{target.authority}{target.path}", "url")
    assert again == target, "what we made of it means something else"
    try:
        theirs = httpx.URL(url)
        host = theirs.host.lower()
    except (httpx.InvalidURL, UnicodeError):
        return "the other refuses it"
    assert target.secure == (theirs.scheme == "https")
    assert target.host.lower() == host, f"{target.host} is {host} to another"
    assert target.port == (theirs.port or (443 if target.secure else 80))
    return _reach(target.host)


def _reach(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "a name"
    reached = addresses.usable([host], ())
    mapped = getattr(address, "ipv4_mapped", None) or address
    inside = any(mapped in network for network in _INSIDE)
    assert not (inside and reached), f"{host} leads inside"
    return f"{type(address).__name__} {bool(reached)}"


# --- storefronts ----------------------------------------------------------------------------------


def try_page(data: bytes) -> str:
    """A rule is refused, or judges any page: a state and one printable line."""
    head, _, body = data.partition(b"\n\n")
    try:
        said = json.loads(head)
        fields = ("statuses", "says", "says_not", "json_path", "json_value")
        rule = storefronts.Rule(**{name: str(said.get(name, "")) for name in fields})
        charset, status = str(said.get("charset", "utf-8")), int(said.get("status", 200))
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
        return "no rule"
    try:
        storefronts.check(rule)
    except StorewatchError as error:
        return str(error)
    answer = storefronts.Answer(storefronts.Outcome.ANSWERED, status, body, charset=charset)
    judged = storefronts.judge(answer, rule)
    assert judged.active is not None
    assert len(judged.reason) <= storefronts.MAX_REASON
    assert judged.reason.isprintable()
    assert judged.reason.encode()
    return judged.reason


# --- Parquet --------------------------------------------------------------------------------------


def try_parquet(data: bytes) -> str:
    """A Parquet file is read, or refused."""
    try:
        file = ParquetFile(io.BytesIO(data), "a.parquet")
        columns = {name: at for at, name in enumerate(file.header) if name in polls.COLUMNS}
        rows = 0
        for block in file.blocks(columns, ("reason",)):
            if len(columns) == len(polls.COLUMNS):
                read = polls.read_polls(block.rows, _NOW)
                assert len(read.good) + len(read.bad) == len(block.rows)
            rows += len(block.rows)
            if rows > 1 << 20:
                break
    except StorewatchError as error:
        return str(error)
    return f"{len(columns)} columns"


TARGETS = [
    Target("bodies", "bodies of polls, JSON and a line each", try_body, "bodies"),
    Target("packs", "packs of polls", try_pack),
    Target("addresses", "addresses of webhooks and storefronts, against httpx", try_address, "addresses"),
    Target("pages", "pages of storefronts with rules on them", try_page, "pages"),
    Target("parquet", "Parquet files", try_parquet, "parquet"),
]
