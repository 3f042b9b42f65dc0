"""What the page of the fleet, and the cards of a few stores, say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from storewatch.domain.clock import HOUR
from storewatch.domain.cost import rounded
from storewatch.services.cards import Card
from storewatch.services.fleet import Fleet, Standing
from storewatch.services.fleet_ask import Ask
from storewatch.web import store_words, times

QUIET = 3 * HOUR
"""Once the newest poll is older, the page says that no data comes."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
STATES = {
    "up": ("Open and up", "taking orders at the last look"),
    "down": ("Open and down", "should be taking orders, and is not"),
    "closed": ("Closed", "outside its opening hours"),
    "unseen": ("Not seen", "open, but no poll near enough"),
    "excluded": ("Open, excluded", "left out by an exception"),
}


def money(cents: Fraction, currency: str) -> str:
    """`$1,069`, `1,069 EUR`: whole, half away from zero."""
    whole = rounded(cents).quantize(Decimal(1), ROUND_HALF_UP)
    return f"${whole:,}" if currency == "USD" else f"{whole:,} {currency}"


# --- cards ----------------------------------------------------------------------------------------


def few(cards: Sequence[Card]) -> str:
    """The answer first: `One of your three stores is down.`"""
    down, count = sum(card.now.state == "down" for card in cards), len(cards)
    if count == 1:
        said = {"up": "is up", "down": "is down", "closed": "is closed", "unseen": "was not seen of late"}
        return f"Your store {said.get(cards[0].now.state, 'is left out by an exception')}."
    if not down:
        return f"None of your {NUMBERS[count]} stores is down."
    if down == count:
        return (
            "Both of your stores are down." if count == 2 else f"All your {NUMBERS[count]} stores are down."
        )
    return (
        f"{NUMBERS[down].capitalize()} of your {NUMBERS[count]} stores {'is' if down == 1 else 'are'} down."
    )


def lead(cards: Sequence[Card]) -> str:
    """Which of them need a look, and that the others don't."""
    down, unseen = ([_name(card) for card in cards if card.now.state == each] for each in ("down", "unseen"))
    said = []
    if down:
        verbs = ("is", "is") if len(down) == 1 else ("are", "are")
        said.append(f"{_listed(down)} should be open and {verbs[0]} not taking orders.")
    if unseen:
        said.append(f"Nobody knows of {_listed(unseen)}: open, but no poll near enough.")
    rest = len(cards) - len(down) - len(unseen)
    if rest == len(cards):
        return "Nothing to do." if rest == 1 else "They need nothing."
    if rest:
        said.append(
            "The other one needs nothing." if rest == 1 else f"The other {NUMBERS[rest]} need nothing."
        )
    return " ".join(said)


def _name(card: Card) -> str:
    store = card.store
    return store.name or store.store_id


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def happened(card: Card, as_of: int) -> str:
    """`Down since 11:34 CDT, for 3 h 9 min. Last seen up … The polls say: tablet offline.`"""
    now, zone = card.now, card.line.zone
    if now.state == "closed":
        return f"Closed{store_words.now_words(now, as_of, zone)}"
    if now.state == "unseen":
        return f"Open, but no poll is near enough to say whether it is up. {store_words.now_note(now, zone)}"
    start = {"up": "Up", "down": "Down"}.get(now.state, "Left out by an exception")
    known = now.since if now.outage is None else now.outage.counted_from
    since = store_words.now_words(now, as_of, zone) if known is not None else " for 7 days at least."
    return f"{start}{since} {store_words.now_note(now, zone)}" if now.state == "down" else f"{start}{since}"


def to_do(card: Card) -> str:
    """What to do about it."""
    platform = card.store.platform
    if card.now.state == "down":
        where = f"on {platform}" if platform else "on its platform"
        return f"Look whether its tablet is on and online, and whether it is paused {where}."
    if card.now.state == "unseen":
        return "Look whether polls arrive."
    return "Nothing to do."


# --- fleet ----------------------------------------------------------------------------------------


def many(of: Fleet | Standing) -> str:
    """`231 of 11,758 open stores are down.`"""
    down, opened = of.states["down"], of.stores - of.states["closed"]
    if not of.stores:
        return "No store fits that."
    if not opened:
        return f"All {of.stores:,} stores are closed." if of.stores > 1 else "The store is closed."
    if opened == 1:
        return f"The one open store is {'' if down else 'not '}down."
    return f"{down:,} of {opened:,} open stores {'is' if down == 1 else 'are'} down."


def asked(ask: Ask, of: Fleet) -> str:
    """Which stores these are: `14,092 stores · platform Dashly`; all of them if nothing is asked for."""
    group = next((each.name for each in of.groups if str(each.group_id) == ask.group), None)
    parts = [
        f"group {group}" if group else "",
        f"platform {ask.platform}" if ask.platform else "",
        f"zone {ask.zone}" if ask.zone else "",
        f"like “{ask.q}”" if ask.q else "",
    ]
    count = "1 store" if of.stores == 1 else f"{of.stores:,} stores"
    return " · ".join(
        [count, *(part for part in parts if part)] if any(parts) else [count, "all that you see"]
    )


def quiet(as_of: int, now_us: int, zone: str) -> str | None:
    """Since when no data comes, once that is long."""
    if now_us - as_of < QUIET:
        return None
    return f"No poll has come since {times.moment(as_of, zone)}. All that follows is of then."
