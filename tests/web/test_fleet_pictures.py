"""Trend and hours of the week as pictures: small arrays, to scale."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from storewatch.domain.clock import HOUR
from storewatch.services.fleet_ask import Ask
from storewatch.web import fleet_words
from storewatch.web.fleet_links import Links
from storewatch.web.fleet_pictures import heat, trend


def totals(up: int, down: int, inferred: int = 0) -> list[int]:
    """Hours that were seen up and down, and inferred to be up."""
    return [up * HOUR, inferred * HOUR, down * HOUR, 0, 0, 0]


def test_days_are_joined_by_a_line_on_the_scale_below_the_lowest() -> None:
    found = trend([(0, totals(10, 0)), (1, totals(9, 1)), (2, totals(19, 1))])
    assert found is not None
    assert (found.floor, found.width) == (0.9, 30)
    assert found.line == "M5 0L15 120L25 60"
    assert (found.faint, found.hollow) == ("", "")
    assert found.dots == "M5 0h0M15 120h0M25 60h0"
    assert (found.lowest.name, found.highest.name) == ("Fri 2 Jan", "Thu 1 Jan")


def test_days_of_which_little_was_seen_are_hollow_and_their_lines_broken() -> None:
    found = trend([(0, totals(10, 0)), (1, totals(5, 0, 5)), (2, totals(10, 0))])
    assert found is not None
    assert (found.line, found.faint) == ("", "M5 0L15 0L25 0")
    assert (found.dots, found.hollow) == ("M5 0h0M25 0h0", "M15 0h0")
    assert found.bars == "M1 20v-20h8v20zM11 20v-10h8v10zM21 20v-20h8v20z"


def test_a_day_of_which_nothing_is_known_leaves_a_gap_and_days_before_the_first_are_left_out() -> None:
    nothing = [0] * 6
    found = trend([(0, nothing), (1, totals(10, 0)), (2, nothing), (3, totals(10, 0))])
    assert found is not None
    assert [day.day for day in found.days] == [1, 2, 3]
    assert found.line == ""
    assert found.dots == "M5 0h0M25 0h0"
    assert trend([(0, nothing)]) is None


@pytest.mark.parametrize(
    ("down", "grid"),
    [
        (0, ["99.0%", "99.5%", "100.0%"]),
        (4, ["95%", "96%", "97%", "98%", "99%", "100%"]),
        (40, ["50.0%", "62.5%", "75.0%", "87.5%", "100.0%"]),
    ],
)
def test_the_scale_says_what_it_shows(down: int, grid: list[str]) -> None:
    found = trend([(0, totals(100 - down, down))])
    assert found is not None
    assert [words for _, words in found.grid] == grid


def test_hours_of_the_week_are_shaded_by_their_share() -> None:
    told = np.zeros((7, 24, 2), np.int64)
    told[..., 1] = 100 * HOUR
    told[4, 19], told[5, 18] = (40 * HOUR, 100 * HOUR), (30 * HOUR, 50 * HOUR)
    told[6] = 0
    found = heat(told)
    assert found is not None
    assert [found.rows[day][hour].look for day, hour in ((0, 0), (4, 19), (5, 18), (6, 0))] == [
        "h0",
        "h4",
        "h4",
        "",
    ]
    assert [cell.name for cell in found.costliest] == ["Fridays, 19:00 to 20:00", "Saturdays, 18:00 to 19:00"]
    assert found.costliest[0].share == 0.4
    assert [words for _, words in found.legend] == [
        "under 10%",
        "10 to 20",
        "20 to 30",
        "30 to 40",
        "40% or more",
    ]
    assert heat(np.zeros((7, 24, 2), np.int64)) is None


def test_addresses_say_no_more_than_they_must() -> None:
    links = Links(Ask(platform="Uber & Co", page=3))
    assert links.here == "/?platform=Uber+%26+Co&page=3"
    assert links.to(state="down") == "/?platform=Uber+%26+Co&state=down"
    assert links.sorted_by("name") == "/?platform=Uber+%26+Co&sort=name"
    assert links.sorted_by("down") == "/?platform=Uber+%26+Co&order=asc"
    assert (links.order_of("down"), links.order_of("name")) == ("descending", None)
    assert Links(Ask(sort="name", descending=False)).sorted_by("name") == "/?sort=name&order=desc"
    assert Links(Ask()).here == "/"


@pytest.mark.parametrize(
    ("cents", "currency", "said"),
    [(106_950, "USD", "$1,070"), (106_949, "EUR", "1,069 EUR"), (0, "USD", "$0")],
)
def test_money_is_whole(cents: int, currency: str, said: str) -> None:
    assert fleet_words.money(Fraction(cents), currency) == said
