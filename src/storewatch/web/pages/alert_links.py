"""/alerts/<token>: what a link of an alert does, without a login. GET shows and asks, POST does it.

The token is known to nobody but who got the mail: it is what other forms have their word of the session for.
So whoever is logged in in the same browser plays no part.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from flask import Blueprint, Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from storewatch.domain import alert_delivery, zones
from storewatch.domain.clock import MINUTE
from storewatch.domain.clock_words import on_clock
from storewatch.domain.permissions import PUBLIC
from storewatch.errors import ConflictError, NotFoundError, StorewatchError, UsageError
from storewatch.services import alert_answers
from storewatch.services.alert_answers import Closed, Offer
from storewatch.services.exceptions import Clock
from storewatch.web import times
from storewatch.web.access import address, needs, reads_own_form
from storewatch.web.context import database, default_request, now_us, ways
from storewatch.web.errors import prefers_pages, problem, status_of
from storewatch.web.pages import forms
from storewatch.web.pages.forms import NOTHING_WRONG, Wrong

blueprint = Blueprint("alert_links", __name__)

EFFECTS = {
    "closed": "It was closed: the time counts as closed",
    "excluded": "It was open, but the time shall not count",
}


@blueprint.get("/alerts/<token>")
@needs(PUBLIC)
def ask(token: str) -> BaseResponse | str:
    """What the link would do, and a button to do it."""
    try:
        offer = alert_answers.offer(database(), token, now_us(), ways(), address())
    except StorewatchError as error:
        return _over(error)
    return _asking(offer)


@blueprint.post("/alerts/<token>")
@needs(PUBLIC)
@reads_own_form
def take(token: str) -> BaseResponse | str | tuple[str, int]:
    """Does it: by the button, or by a mail program's one click (RFC 8058)."""
    try:
        offer = alert_answers.offer(database(), token, now_us(), ways(), address())
    except StorewatchError as error:
        return _over(error)
    try:
        closed = _closed(offer) if offer.action == "closed" else None
        clock = Clock(now_us(), default_request().default_zone)
        done = alert_answers.take(database(), token, closed, clock, ways(), address())
    except UsageError as error:
        told, status = forms.wrong("closed", error, "effect", "until", "note")
        return _asking(offer, told), status
    except StorewatchError as error:
        return _over(error)
    return render_template("alert_done.html", offer=done, ends=_ends(done))


@blueprint.after_request
def _keep_to_itself(response: Response) -> Response:
    """No search engine may list it, no site may learn its address, no cache may keep it."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _asking(offer: Offer, wrong: Wrong = NOTHING_WRONG) -> str:
    tomorrow = on_clock(alert_delivery.tomorrow(now_us(), offer.zone), offer.zone)
    return render_template(
        "alert_ask.html",
        offer=offer,
        ends=_ends(offer),
        since=None if offer.since is None else times.moment(offer.since - offer.since % MINUTE, offer.zone),
        effects=EFFECTS,
        usual=f"{tomorrow:%Y-%m-%dT%H:%M}",
        wrong=wrong,
    )


def _ends(offer: Offer) -> str | None:
    return None if offer.until is None else times.moment(offer.until - offer.until % MINUTE, offer.zone)


def _over(error: StorewatchError) -> BaseResponse:
    """The same page for links that never were, are too old, or are good for nothing any more."""
    known = isinstance(error, NotFoundError | ConflictError)
    status = status_of(error)
    if not prefers_pages():
        return problem(status, str(error))
    return Response(render_template("alert_over.html", said=str(error), known=known), status)


def _closed(offer: Offer) -> Closed:
    return Closed(request.form.get("effect", ""), _until(offer), forms.line("note", "The reason"))


def _until(offer: Offer) -> int:
    """The instant of a time on the store's clock."""
    try:
        local = datetime.fromisoformat(request.form.get("until", ""))
    except ValueError:
        raise UsageError("Say until when, like 2026-12-25T09:00", field="until") from None
    if local.tzinfo is not None or not 2000 <= local.year < 2100:
        raise UsageError("Say until when, on the store's clock", field="until")
    wall = (local - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - on the store's clock
    found = zones.local_to_utc(np.array([round(wall)], np.int64) * 1_000_000, offer.zone)
    if int(found[0]) <= now_us():
        raise UsageError("Say a time that is to come", field="until")
    return int(found[0])
