"""/: how the stores are. A card each where they are few; else figures, pictures and a list of all."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storewatch.domain.clock import from_us, iso
from storewatch.domain.permissions import READ
from storewatch.services import cards, fleet, fleet_ask, reporting
from storewatch.services.cards import Cards
from storewatch.services.fleet import Fleet
from storewatch.services.fleet_ask import Ask
from storewatch.web import fleet_pictures, fleet_words, live, store_words, strips, times, words
from storewatch.web.access import asked_by_itself, caller, needs
from storewatch.web.context import database, default_request, intended_reasons, now_us
from storewatch.web.fleet_links import Links
from storewatch.web.pages.store import figures_of

blueprint = Blueprint("fleet", __name__)

FIELDS = ("q", "group", "platform", "zone", "state", "days", "sort", "order", "page")


@blueprint.get("/stores")
@needs(READ)
def stores() -> Response:
    """Where the list was; its addresses still lead there."""
    query = request.query_string.decode("ascii", "replace")
    return redirect(url_for("fleet.page") + (f"?{query}" if query else ""), 308)


@blueprint.get("/")
@needs(READ)
def page() -> str:
    """The page. What may be asked for is in `services.fleet_ask`; asked for nothing, few stores are cards."""
    asked = _asked()
    ask = fleet_ask.ask(**asked)
    if not any(asked.values()) and fleet.small(database(), caller(), cards.MOST):
        return _cards()
    return _fleet(ask)


@blueprint.get("/now")
@needs(READ)
@asked_by_itself
def now() -> Response:
    """How the stores stand, for a page whose figures are of the moment `shown`; `cards`: as cards."""
    usual = default_request()
    if request.args.get("cards"):
        few = cards.cards(database(), caller(), usual, intended_reasons())
        html = render_template("_cards_part.html", **_of_cards(few))
        return live.part(html, lambda: html)
    ask = fleet_ask.ask(**_asked())
    found = fleet.standing(database(), caller(), ask, usual)
    said = _said(found.as_of or 0, usual.default_zone)
    return live.part(
        (found, said["dated"], said["age"], said["shown"]),
        lambda: render_template(
            "_fleet_part.html",
            ask=ask,
            fleet=found,
            links=Links(ask),
            headline=fleet_words.many(found),
            **said,
        ),
    )


def _asked() -> dict[str, str]:
    return {name: request.args.get(name, "") for name in FIELDS}


def _empty(count: int) -> str:
    return render_template(
        "fleet_empty.html", stores=count, has_polls=reporting.has_polls(database()),
        default_zone=default_request().default_zone,
    )  # fmt: skip


def _said(as_of: int, zone: str) -> dict[str, object]:
    """What every face of the page says of its moment; and the words it says it with."""
    currency = current_app.extensions["storewatch.settings"].currency
    shown_us = live.shown(as_of)
    return {
        "as_of": as_of,
        "shown_us": shown_us,
        "shown": store_words.dated(shown_us, zone),
        "iso": iso,
        "dated": store_words.dated(as_of, zone),
        "age": words.age(from_us(as_of), datetime.now(UTC)),
        "quiet": fleet_words.quiet(as_of, now_us(), zone),
        "money": lambda cents: fleet_words.money(cents, currency),
        "words": fleet_words,
        "times": times,
        "share": words.share,
        "figures_of": figures_of,
        "near": times.length(default_request().seen_within),
        "strip": lambda line: strips.strip(line.zone, (line.first, line.last), line.opens, line.runs),
    }


def _cards() -> str:
    found = cards.cards(database(), caller(), default_request(), intended_reasons())
    if found.as_of is None or not found.stores:
        return _empty(found.stores)
    together = sum((card.week for card in found.cards), cards.NOTHING)
    return render_template("cards.html", together=together, **_of_cards(found))


def _of_cards(found: Cards) -> dict[str, object]:
    zones = {card.line.zone for card in found.cards}
    zone = zones.pop() if len(zones) == 1 else default_request().default_zone
    return {
        "cards": found.cards,
        "headline": fleet_words.few(found.cards),
        "lead": fleet_words.lead(found.cards),
        "today": fleet_pictures.today,
        "week": fleet_pictures.week_words,
        **_said(found.as_of or 0, zone),
    }


def _fleet(ask: Ask) -> str:
    usual = default_request()
    found = fleet.fleet(database(), caller(), ask, usual)
    if found.as_of is None:
        return _empty(found.stores)
    return render_template(
        "fleet.html",
        ask=ask,
        fleet=found,
        links=Links(ask),
        headline=fleet_words.many(found),
        asked=fleet_words.asked(ask, found),
        words_of=words.stores,
        trend=None if found.days is None else fleet_pictures.trend(found.days),
        heat=None if found.heat is None else fleet_pictures.heat(found.heat),
        pictures=fleet_pictures,
        at_once=fleet.AT_ONCE,
        **_options(ask, found),
        **_said(found.as_of, usual.default_zone),
    )


def _options(ask: Ask, found: Fleet) -> dict[str, object]:
    """What there is to choose from, as (value, words), and what the form keeps of the address."""
    return {
        "state_options": [(state, said) for state, (said, _) in fleet_words.STATES.items()],
        "group_options": [(str(group.group_id), group.name) for group in found.groups],
        "platform_options": [(each, each) for each in found.platforms],
        "zone_options": [(each, each) for each in found.zones],
        "kept": Links(ask).kept,
        "filtered": any((ask.q, ask.state, ask.group, ask.platform, ask.zone)),
    }
