"""Storefronts that storewatch looks at itself."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, jsonify
from pydantic import BaseModel, Field, StrictBool, StringConstraints

from storewatch.domain.permissions import READ, WRITE
from storewatch.domain.storefronts import (
    EVERY_S,
    MAX_BODY,
    MAX_TEXT,
    TIMEOUT_S,
    USUAL_EVERY_S,
    USUAL_STATUSES,
    USUAL_TIMEOUT_S,
    Rule,
)
from storewatch.outbound.addresses import MAX_URL
from storewatch.services import storefronts, stores
from storewatch.services.storefronts import Wanted
from storewatch.storage.probe_tables import Storefront as Row
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    Whole,
    answer,
    check_tag,
    database,
    instant,
    resource,
    tag_of,
)
from storewatch.web.api.v1.stores import StorePath
from storewatch.web.context import reach
from storewatch.web.limits import check_tries

blueprint = resource(
    "Storefronts",
    "Where stores take orders, looked at by storewatch itself while they are open. Each look becomes a poll.",
)

Words = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=r"^[^\x00-\x1f\x7f]*$")]


class StorefrontRule(Body):
    """What is left out is as usual: a rule is set as a whole."""

    url: str = Field(
        max_length=MAX_URL, pattern=r"^https?://[\x21-\x7e]+$", examples=["https://example.com/corner-cafe"]
    )
    every_s: Whole = Field(default=USUAL_EVERY_S, ge=EVERY_S[0], le=EVERY_S[1], description="how often, in s")
    timeout_s: Whole = Field(
        default=USUAL_TIMEOUT_S,
        ge=TIMEOUT_S[0],
        le=TIMEOUT_S[1],
        description="no answer after so many seconds, redirects included, counts as inactive",
    )
    statuses: str = Field(
        default=USUAL_STATUSES,
        min_length=3,
        max_length=100,
        pattern=r"^[1-5x0-9, -]*$",
        description="expected ones, like `2xx`, `200-299, 404`; redirects that are not expected are followed",
    )
    says: Words = Field(
        default="",
        description=f"must stand in the first {MAX_BODY // 1024} KiB of the page, capitals or not",
        examples=["Order now"],
    )
    says_not: Words = Field(default="", description="must not stand there")
    json_path: Words = Field(
        default="", description="a place in the answer's JSON, like `store.offers[0].open`"
    )
    json_value: Words = Field(default="", description="what must stand at that place, like `true`")
    enabled: StrictBool = Field(default=True, description="false: kept, and not looked at")

    def wanted(self) -> Wanted:
        """As the service takes it."""
        rule = Rule(self.statuses, self.says, self.says_not, self.json_path, self.json_value)
        return Wanted(self.url, self.every_s, self.timeout_s, rule, self.enabled)


class Storefront(BaseModel):
    store_id: str
    url: str
    every_s: int
    timeout_s: int
    statuses: str
    says: str
    says_not: str
    json_path: str
    json_value: str
    enabled: bool
    looked_at: str | None = Field(description="the last look; null: there was none yet")
    active: bool | None = Field(description="how it was judged; null: it said nothing of the store")
    reason: str | None = Field(description="why")
    took_ms: int | None


class TriedStorefront(BaseModel):
    status: int | None = Field(description="of the answer; null without one")
    active: bool | None = Field(description="how it is judged; null: it says nothing of the store")
    reason: str
    took_ms: int


@blueprint.get(
    "/storefronts/<id:store_id>",
    operation_id="getStorefront",
    responses={"200": answer("The storefront", Storefront)},
)
@needs(READ)
def get_storefront(path: StorePath) -> Response:
    """How the storefront of a store that you decide on is looked at, and what the last look saw."""
    return _answer(path.store_id, storefronts.get(database(), caller(), path.store_id))


@blueprint.put(
    "/storefronts/<id:store_id>",
    operation_id="setStorefront",
    responses={"200": answer("The storefront", Storefront)},
)
@needs(WRITE)
def set_storefront(path: StorePath, body: StorefrontRule) -> Response:
    """Have the storefront of a store looked at, from a few seconds on. For operators, and managers of its
    groups. With If-Match it is refused if somebody else changed it meanwhile.
    """
    found = storefronts.put(database(), caller(), path.store_id, body.wanted(), _check)
    return _answer(path.store_id, found)


@blueprint.delete(
    "/storefronts/<id:store_id>",
    operation_id="deleteStorefront",
    responses={"204": answer("It is not looked at any more")},
)
@needs(WRITE)
def delete_storefront(path: StorePath) -> tuple[str, int]:
    """Have the storefront of a store looked at no more. Its polls stay."""
    storefronts.remove(database(), caller(), path.store_id, _check)
    return "", 204


@blueprint.post(
    "/storefront-tries/<id:store_id>",
    operation_id="tryStorefront",
    responses={"200": answer("What was seen", TriedStorefront)},
)
@needs(WRITE)
def try_storefront(path: StorePath, body: StorefrontRule) -> dict[str, Any]:
    """Look at a storefront once, for at most 15 s, and tell how it is judged. Nothing is stored. At most ten
    tries a minute.
    """
    stores.to_edit(database(), caller(), path.store_id)
    check_tries()
    tried = storefronts.try_out(body.wanted(), reach())
    return {
        "status": tried.status or None,
        "active": tried.judged.active,
        "reason": tried.judged.reason,
        "took_ms": tried.took_ms,
    }


def _check(present: Row | None) -> None:
    check_tag(None if present is None else storefronts.told(present))


def _answer(store_id: str, front: Row) -> Response:
    """The tag is that of what people set: it stays when the storefront is looked at."""
    set_by_people = storefronts.told(front)
    seen = {
        "looked_at": instant(front.looked_at),
        "active": front.active,
        "reason": front.said,
        "took_ms": front.took_ms,
    }
    response = jsonify({"store_id": store_id} | set_by_people | seen)
    response.set_etag(tag_of(set_by_people))
    return response
