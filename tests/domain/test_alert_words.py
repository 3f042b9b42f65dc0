"""What alerts say: worked examples, subject and first sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storewatch.domain import alert_words
from storewatch.domain.alert_words import (
    Budget,
    Fact,
    Frame,
    Link,
    Mass,
    MassStore,
    Named,
    NoData,
    StoreDown,
    mail,
    said,
)
from storewatch.domain.clock import HOUR, MINUTE, parse_instant
from storewatch.domain.outage_words import Outage

CHICAGO = "America/Chicago"
CAFE = Named("17", "Corner Café", CHICAGO)


def at(text: str) -> int:
    """An instant of 23 January 2023, on Chicago's clock."""
    found = parse_instant(f"2023-01-23T{text}:00-06:00")
    assert found is not None
    return found


GOING_ON = Outage(
    store_id="17", zone=CHICAGO, start=at("11:34"), end=at("12:00"), counted_from=at("11:34"),
    counted_until=None, last_seen_up=at("11:04"), first_seen_down=at("12:05"), last_seen_down=at("12:05"),
    first_seen_up=None, down=26 * MINUTE, seen=26 * MINUTE, down_min=0, down_max=56 * MINUTE, polls=1,
    ongoing=True, reasons={"printer": 1},
)  # fmt: skip
OVER = replace(
    GOING_ON,
    end=at("14:34"),
    counted_until=at("14:34"),
    first_seen_up=at("15:04"),
    down=3 * HOUR,
    ongoing=False,
)
DOWN = StoreDown(store=CAFE, began=at("12:05"), outages=[GOING_ON], lost="26.00 USD")
UP = StoreDown(store=CAFE, began=at("12:05"), outages=[OVER], over=True)
MANY = Mass(
    group="Maple St",
    count=3,
    still_down=2,
    began=at("12:05"),
    zone=CHICAGO,
    stores=[MassStore(CAFE, at("12:05"), False), MassStore(Named("18", None, CHICAGO), at("12:10"), True)],
)
SILENT = NoData(group="Maple St", since=at("12:05"), zone=CHICAGO)
BUDGET = Budget(
    level="99 % a month", of="Maple St", used=5 * HOUR, budget=6 * HOUR, outages=False,
    period="1 Jan 2023 to 31 Jan 2023", target="99 % up",
)  # fmt: skip

TABLE: list[tuple[str, Fact, str, str]] = [
    (
        "begun",
        DOWN,
        "Down: Corner Café, since Mon 23 Jan, 11:34 CST",
        "Corner Café (store 17) has been down since Mon 23 Jan, 11:34 CST.",
    ),
    (
        "begun",
        UP,
        "Down: Corner Café, since Mon 23 Jan, 11:34 CST",
        "Corner Café (store 17) went down on Mon 23 Jan, 11:34 CST, and is up again.",
    ),
    (
        "still",
        DOWN,
        "Still down: Corner Café, for 26 min of open time",
        "Corner Café (store 17) is still down, since Mon 23 Jan, 11:34 CST.",
    ),
    (
        "ended",
        UP,
        "Up again: Corner Café, after 3 h of open time",
        "Corner Café (store 17) is up again. It was down since Mon 23 Jan, 11:34 CST.",
    ),
    (
        "begun",
        replace(DOWN, store=Named("18", None, "Asia/Kolkata"), outages=[]),
        "Down: store 18, since Mon 23 Jan, 23:35 IST",
        "Store 18 has been down since Mon 23 Jan, 23:35 IST.",
    ),
    (
        "begun",
        MANY,
        "3 stores of Maple St down at once, since Mon 23 Jan, 12:05 CST",
        "Of Maple St, 3 stores went down, the first of them on Mon 23 Jan, 12:05 CST. 2 of them are "
        "down now.",
    ),
    (
        "ended",
        replace(MANY, still_down=0, over=True),
        "Over: 3 stores of Maple St down at once",
        "Of Maple St, 3 stores went down from Mon 23 Jan, 12:05 CST on. All of them are up again.",
    ),
    (
        "begun",
        SILENT,
        "No data: no poll of Maple St since Mon 23 Jan, 12:05 CST",
        "No poll of Maple St was made since Mon 23 Jan, 12:05 CST.",
    ),
    (
        "begun",
        replace(SILENT, group=None),
        "No data: no poll of any store since Mon 23 Jan, 12:05 CST",
        "No poll of any store was made since Mon 23 Jan, 12:05 CST.",
    ),
    (
        "ended",
        replace(SILENT, until=at("13:00")),
        "Polls come again: Maple St",
        "Polls come again of Maple St. There were none since Mon 23 Jan, 12:05 CST.",
    ),
    (
        "begun",
        BUDGET,
        "Budget nearly used: 99 % a month, Maple St, 83 %",
        "Maple St used 83 % of what “99 % a month” (99 % up) allows in 1 Jan 2023 to 31 Jan 2023.",
    ),
    (
        "begun",
        replace(BUDGET, used=7 * HOUR),
        "Target missed: 99 % a month, Maple St",
        "Maple St missed the target “99 % a month” (99 % up) of 1 Jan 2023 to 31 Jan 2023.",
    ),
    (
        "ended",
        replace(BUDGET, over=True),
        "Target met: 99 % a month, Maple St",
        "Maple St met the target “99 % a month” (99 % up) of 1 Jan 2023 to 31 Jan 2023.",
    ),
]


@pytest.mark.parametrize(("kind", "fact", "subject", "first"), TABLE)
def test_what_is_said(kind: str, fact: Fact, subject: str, first: str) -> None:
    found = said(kind, fact)
    assert (found.subject, found.parts[0]) == (subject, first)


def test_an_outage_is_told_as_everywhere_with_its_bounds_and_what_it_cost() -> None:
    _, seen, cost = said("begun", DOWN).parts
    assert seen == (
        "What was seen, on the store's clock (America/Chicago):\n"
        "- last seen up 2023-01-23 11:04, first seen down 12:05, counted from 11:34; last seen down "
        "2023-01-23 12:05, and it goes on; 26 min down, between 0 min and 56 min; seen by 1 poll (printer 1)"
    )
    assert cost == "Lost so far: about 26.00 USD, by what the store takes."


def test_many_stores_are_listed_and_those_beyond_the_list_counted() -> None:
    listed = said("begun", MANY).parts[1].splitlines()
    assert listed == [
        "- Corner Café (store 17): since Mon 23 Jan, 12:05 CST",
        "- Store 18: since Mon 23 Jan, 12:10 CST, up again",
        "- and 1 more",
    ]


def test_a_mail_ends_with_why_one_gets_it_how_to_leave_and_its_key() -> None:
    frame = Frame(
        key="k-1",
        why="You get this as manager of Maple St.",
        links=[Link("Hour by hour", "https://a.example/stores/17")],
        leave=Link("To get no more of these", "https://a.example/alerts/t"),
        late=at("13:00"),
        zone=CHICAGO,
    )
    subject, text = mail(said("begun", DOWN), frame)
    assert subject == "Down: Corner Café, since Mon 23 Jan, 11:34 CST (late)"
    assert text.startswith("This comes late: it is of Mon 23 Jan, 13:00 CST.\n\n")
    assert "Hour by hour:\nhttps://a.example/stores/17\n" in text
    assert text.endswith(
        "-- \nYou get this as manager of Maple St.\n\nTo get no more of these:\nhttps://a.example/alerts/t\n\n"
        "Key: k-1 (what comes with the same key is the same again)\n"
    )


def test_names_cannot_break_the_head_of_a_mail() -> None:
    assert alert_words.one_line("Café\r\nBcc: x@y.example\t!") == "Café Bcc: x@y.example !"
