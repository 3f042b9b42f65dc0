"""Packs: what is packed comes out as it was, and stores are cut where packs end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewatch.domain import packs
from storewatch.domain.axis import Axis
from storewatch.domain.clock import DAY

DAY_NO = 19_380


@given(st.dictionaries(st.tuples(st.integers(2_048, 2_060), st.integers(0, DAY - 1)), st.booleans()))
def test_what_is_packed_comes_out_in_order(polls: dict[tuple[int, int], bool]) -> None:
    key, at = np.array(list(polls), np.int64).reshape(-1, 2).T
    pack = packs.packed(
        DAY_NO, key.astype(np.int32), at + DAY_NO * DAY, np.array(list(polls.values()), np.bool_)
    )
    axis = Axis(DAY_NO * DAY - 7, (DAY_NO + 1) * DAY)
    place = packs.Unpacking(axis, np.arange(2_061, dtype=np.int32)).places(DAY_NO, 2, pack)
    found = zip(
        axis.store(place >> 1).tolist(), axis.at(place >> 1).tolist(), (place & 1).tolist(), strict=True
    )
    assert [((key, at - DAY_NO * DAY), bool(up)) for key, at, up in found] == sorted(polls.items())
    assert len(pack) == 8 * len(polls)


@pytest.mark.parametrize(
    ("start", "until", "expected"),
    [(0, DAY, [10, 20, 30]), (10, 30, [10, 20, 30]), (11, 29, [20]), (31, DAY, []), (-DAY, 9, [])],
)
def test_only_instants_that_are_asked_for_come_out(start: int, until: int, expected: list[int]) -> None:
    at = np.array([10, 20, 30], np.int64)
    pack = packs.packed(0, np.full(3, 5, np.int32), at, np.ones(3, np.bool_))
    axis = Axis(start, until)
    place = packs.Unpacking(axis, np.arange(6, dtype=np.int32)).places(0, 0, pack)
    assert axis.at(place >> 1).tolist() == expected


def test_only_stores_that_are_asked_for_come_out() -> None:
    key = np.array([1, 2, 3], np.int32)
    pack = packs.packed(0, key, np.array([7, 8, 9], np.int64), np.array([True, False, True]))
    position = np.array([-1, 1, -1, 0], np.int32)
    place = packs.Unpacking(Axis(0, DAY), position).places(0, 0, pack)
    assert sorted(Axis(0, DAY).store(place >> 1).tolist()) == [0, 1]


def test_more_stores_than_fit_on_an_axis_are_refused() -> None:
    with pytest.raises(OverflowError, match="do not fit"):
        packs.Unpacking(Axis(0, 1 << 58), np.arange(20, dtype=np.int32))


@pytest.mark.parametrize(
    ("keys", "most", "lengths"),
    [
        (np.arange(1, 14_093), 8_192, [7_167, 6_925]),
        (np.arange(1, 3_000), 1_024, [1_023, 1_024, 952]),
        (np.arange(1, 3_000), 1_500, [1_023, 1_024, 952]),
        (np.array([5, 90_000]), 1_024, [1, 1]),
        (np.arange(250), 100, [100, 100, 50]),
        (np.arange(10), 4_096, [10]),
        (np.arange(0), 4_096, []),
    ],
)
def test_stores_are_cut_where_shards_end(keys: np.ndarray, most: int, lengths: list[int]) -> None:
    parts = packs.cut(keys.astype(np.int32), most)
    assert [len(part) for part in parts] == lengths
    assert np.array_equal(np.concatenate([*parts, keys[:0]]), keys)


ONE = (5 << 38) + (10 << 1)
"""The poll of a store at an instant."""


@pytest.mark.parametrize(
    ("polls", "problem"),
    [
        ([ONE, ONE], "out of order"),
        ([ONE, ONE + 1], "out of order"),
        ([ONE + 2, ONE], "out of order"),
        ([-1], "no poll"),
        ([1 << 48], "no poll"),
        ([ONE, (5 << 38) + 2 * DAY], "no poll"),
    ],
)
def test_a_pack_that_is_damaged_is_known_for_it(polls: list[int], problem: str) -> None:
    unpacking = packs.Unpacking(Axis(0, DAY), np.arange(9, dtype=np.int32))
    with pytest.raises(packs.DamagedPackError, match=problem):
        unpacking.places(0, 0, np.array(polls, "<i8").tobytes())


def test_a_pack_that_is_cut_off_is_known_for_it() -> None:
    with pytest.raises(packs.DamagedPackError, match="cut off"):
        packs.Unpacking(Axis(0, DAY), np.arange(9, dtype=np.int32)).places(0, 0, bytes(12))
