"""/shared/<secret>: some days of one store, for whoever has the link. Nothing on it leads into the app."""

from __future__ import annotations

from flask import Blueprint, Response, render_template
from werkzeug.wrappers import Response as BaseResponse

from storewatch.domain.clock import iso, to_us
from storewatch.domain.permissions import PUBLIC
from storewatch.errors import NotFoundError
from storewatch.services import shared, shares
from storewatch.services.pieces import Picture
from storewatch.services.shared import Shared
from storewatch.storage.shares import Found
from storewatch.web import pictures, shapes, shared_words, store_words, times, words
from storewatch.web.access import address, needs
from storewatch.web.context import database, default_request, now_us
from storewatch.web.errors import prefers_pages, problem
from storewatch.web.pages.store import figures

blueprint = Blueprint("shared", __name__)

_TICKS_UP_TO = 14  # days, as on the page of the store
_MOST_OUTAGES = 100


@blueprint.get("/shared/<secret>")
@needs(PUBLIC)
def page(secret: str) -> BaseResponse | str:
    """The page; the same 404 for a link that never was, has expired, or was revoked."""
    try:
        found = shares.opened(database(), secret, address())
    except NotFoundError as error:
        if not prefers_pages():
            return problem(404, str(error))
        return Response(render_template("shared_over.html", said=str(error)), 404)
    return _page(found, shared.page(database(), found, default_request(), now_us()))


@blueprint.after_request
def _keep_to_itself(response: Response) -> Response:
    """No search engine may list it, no site may learn its address, no cache may keep it."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


class _Rows:
    """Where a piece of the timeline leads to: its row in the table of the same page."""

    def at(self, instant: str) -> str:
        """Of the piece that an instant stands for."""
        return f"#at-{instant}"


def _page(found: Found, of: Shared) -> str:
    usual = default_request()
    return render_template(
        "shared.html",
        of=of,
        name=shared_words.name(of),
        days=shared_words.days(found.share.first_day, found.share.last_day),
        ends=store_words.dated(to_us(found.share.expires_at), "UTC"),
        near=times.length(usual.seen_within),
        gap=times.length(usual.max_gap),
        **(_drawn(of, of.picture, usual.seen_within) if of.picture else {}),
    )


def _drawn(of: Shared, picture: Picture, seen_within: int) -> dict[str, object]:
    ticks = picture.last - picture.first < _TICKS_UP_TO
    told = figures(picture)
    return {
        "picture_of": picture,
        "figures": told,
        "headline": shared_words.headline(of, told),
        "lanes": pictures.lanes(picture, 4 * seen_within, None, every=ticks, pieces=ticks),
        "ticks": ticks,
        "links": _Rows() if ticks else None,
        "at": lambda run: iso(pictures.within(run)),
        "dated": store_words.dated(picture.as_of, picture.zone),
        "downs": of.downs[:_MOST_OUTAGES],
        "told": shapes.WORDS,
        "times": times,
        "share": words.share,
    }
