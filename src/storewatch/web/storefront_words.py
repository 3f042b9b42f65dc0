"""Storefronts in words: what a form says, and what a look saw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from storewatch.domain.clock import SECOND
from storewatch.domain.outage_words import length_in_words
from storewatch.domain.storefronts import USUAL_EVERY_S, USUAL_STATUSES, USUAL_TIMEOUT_S, Rule
from storewatch.errors import UsageError
from storewatch.services.storefronts import Tried, Wanted
from storewatch.storage.probe_tables import Storefront
from storewatch.web.words import age

RULE = ("statuses", "says", "says_not", "json_path", "json_value")
FIELDS = ("url", "every_s", "timeout_s", *RULE)
USUAL = {
    "url": "",
    "every_s": str(USUAL_EVERY_S),
    "timeout_s": str(USUAL_TIMEOUT_S),
    "statuses": USUAL_STATUSES,
    **dict.fromkeys(RULE[1:], ""),
}


def wanted(form: Mapping[str, str], *, enabled: bool = True) -> Wanted:
    """The storefront of a form. UsageError names the field that cannot be read."""
    said = {name: form.get(name, usual).strip() for name, usual in USUAL.items()}
    if not said["url"]:
        raise UsageError("Write the address of the storefront, like https://example.com/menu", field="url")
    every_s, timeout_s = (_seconds(said, name) for name in ("every_s", "timeout_s"))
    return Wanted(said["url"], every_s, timeout_s, Rule(*(said[name] for name in RULE)), enabled)


def _seconds(said: Mapping[str, str], name: str) -> int:
    text = said[name]
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise UsageError("Write a whole number of seconds", field=name)
    return int(text)


def held(front: Storefront | None) -> dict[str, str]:
    """What the fields of a form hold at first."""
    return USUAL if front is None else {name: str(getattr(front, name)) for name in USUAL}


def tried(seen: Tried) -> tuple[str, str]:
    """(how a try is judged, what was seen)."""
    took = "" if not seen.status else f", after {seen.took_ms / 1000:.1f} s"
    return judged(seen.judged.active), f"{seen.judged.reason}{took}."


def judged(active: bool | None) -> str:
    """In the words of pages."""
    return {True: "It counts as up", False: "It counts as down", None: "It says nothing of the store"}[active]


def often(every_s: int) -> str:
    """How often it is looked at: `every 5 min`."""
    return f"every {length_in_words(every_s * SECOND)}"


def last_look(front: Storefront, now: datetime) -> str:
    """What the last look saw."""
    if front.looked_at is None:
        return "It was not looked at yet."
    return f"Last look {age(front.looked_at, now)}. {judged(front.active)}: {front.said}."
