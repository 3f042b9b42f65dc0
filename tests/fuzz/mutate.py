"""Inputs from inputs: bits, ranges, tokens, numbers and whole lines are changed, or two inputs are joined."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

MOST = 1 << 15
"""So many bytes has an input at most; long lines need more than the limits that `csv_targets` sets."""

_SMALL = "0 1 7 9 10 23 24 29 30 31 59 60 99 255 366 1023 1024 9999 86399 86400 -1"
_LARGE = [(1 << bits) - less for bits in (31, 32, 63, 64, 100) for less in (0, 1)]
_EDGES = [*map(int, _SMALL.split()), *_LARGE]
_TEXTS = '\0 \ufeff \r \r\n " "" é \u202e \u0660 \U0001f355 \x85 \t'
_NO_TEXTS = (b"", b" ", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x1f\x8b")
_ODD = [*_TEXTS.encode().split(b" "), *_NO_TEXTS]


def mutated(chance: random.Random, data: bytes, pool: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """A new input: one of the pool, or two of them joined, with one to six changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        data = chance.choice(_WAYS)(chance, data, pool, tokens)
    return data[:MOST]


Pool = Sequence[bytes]


def _range(chance: random.Random, data: bytes) -> tuple[int, int]:
    first = chance.randint(0, len(data))
    return first, min(len(data), first + chance.choice((0, 1, 1, 2, 4, 8, 32, 256)))


def _bit(chance: random.Random, data: bytes, _pool: Pool, _tokens: Pool) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _byte(chance: random.Random, data: bytes, _pool: Pool, _tokens: Pool) -> bytes:
    first, last = _range(chance, data)
    return data[:first] + chance.randbytes(last - first) + data[last:]


def _gone(chance: random.Random, data: bytes, _pool: Pool, _tokens: Pool) -> bytes:
    first, last = _range(chance, data)
    return data[:first] + data[last:]


def _again(chance: random.Random, data: bytes, _pool: Pool, _tokens: Pool) -> bytes:
    first, last = _range(chance, data)
    return data[:last] + data[first:last] * chance.choice((1, 1, 2, 50)) + data[last:]


def _token(chance: random.Random, data: bytes, _pool: Pool, tokens: Pool) -> bytes:
    first, last = _range(chance, data)
    return data[:first] + chance.choice((*tokens, *_ODD)) + data[chance.choice((first, last)) :]


def _number(chance: random.Random, data: bytes, _pool: Pool, _tokens: Pool) -> bytes:
    found = list(re.finditer(rb"[0-9]+", data))
    if not found:
        return data
    one = chance.choice(found)
    edge = chance.choice((*_EDGES, int(one[0][:18]) + 1, int(one[0][:18]) - 1))
    return data[: one.start()] + str(edge).encode() + data[one.end() :]


def _lines(chance: random.Random, data: bytes, _pool: Pool, _tokens: Pool) -> bytes:
    lines = data.split(b"\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            lines.insert(to, lines[at])
        case 1:
            del lines[at]
        case 2:
            lines[at], lines[to] = lines[to], lines[at]
        case _:
            lines[1:1] = lines[1:] * chance.choice((1, 3, 20))
    return b"\n".join(lines)


def _joined(chance: random.Random, data: bytes, pool: Pool, _tokens: Pool) -> bytes:
    other = chance.choice(pool)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _cut(chance: random.Random, data: bytes, _pool: Pool, _tokens: Pool) -> bytes:
    return data[: chance.randint(0, len(data))]


_WAYS = (_bit, _byte, _again, _joined, _cut) + 2 * (_bit, _gone, _number, _lines, _token)
