"""What a store takes: in a week, or in each hour of the week."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, Field

from storewatch.domain import store_rows
from storewatch.domain.periods import WEEK_HOURS
from storewatch.domain.permissions import READ, WRITE
from storewatch.errors import UsageError
from storewatch.services import revenue
from storewatch.services.revenue import Takings
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import Body, Number, answer, check_tag, database, resource, tagged
from storewatch.web.api.v1.figures import currency
from storewatch.web.api.v1.stores import StorePath

blueprint = resource("Revenue", "What a store takes, from which follows what downtime costs.")

Amount = Annotated[Number, Field(ge=0, le=store_rows.MAX_REVENUE)]


class NewRevenue(Body):
    """One of the two, in place of what there is."""

    weekly: Amount | None = Field(default=None, description="spread over the open hours; to the cent")
    by_hour: list[Amount] | None = Field(
        default=None,
        min_length=WEEK_HOURS,
        max_length=WEEK_HOURS,
        description="168 amounts, from Monday 0 to Sunday 23 on the store's clock",
    )


class Revenue(BaseModel):
    store_id: str
    currency: str
    weekly: float | None
    by_hour: list[float] | None


@blueprint.get(
    "/revenue/<id:store_id>", operation_id="getRevenue", responses={"200": answer("The revenue", Revenue)}
)
@needs(READ)
def get_revenue(path: StorePath) -> Response:
    """What a store takes; null in both: not known."""
    return tagged(_shown(path.store_id, revenue.get(database(), caller(), path.store_id)))


@blueprint.put(
    "/revenue/<id:store_id>", operation_id="setRevenue", responses={"200": answer("The revenue", Revenue)}
)
@needs(WRITE)
def set_revenue(path: StorePath, body: NewRevenue) -> Response:
    """Say what a store takes in a week, or in each of its 168 hours. For operators."""
    if (body.weekly is None) == (body.by_hour is None):
        raise UsageError("Give weekly or by_hour, one of the two", field="weekly")
    hours = None if body.by_hour is None else [_cents(amount) for amount in body.by_hour]
    return _put(path.store_id, Takings(None if body.weekly is None else _cents(body.weekly), hours))


@blueprint.delete(
    "/revenue/<id:store_id>", operation_id="deleteRevenue", responses={"204": answer("It is not known now")}
)
@needs(WRITE)
def delete_revenue(path: StorePath) -> tuple[str, int]:
    """Forget what a store takes. For operators."""
    _put(path.store_id, Takings())
    return "", 204


def _put(store_id: str, wanted: Takings) -> Response:
    def check(present: Takings) -> None:
        check_tag(_shown(store_id, present))

    return tagged(_shown(store_id, revenue.put(database(), caller(), store_id, wanted, check)))


def _cents(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")


def _shown(store_id: str, takings: Takings) -> dict[str, Any]:
    return {
        "store_id": store_id,
        "currency": currency(),
        "weekly": None if takings.weekly is None else float(takings.weekly),
        "by_hour": None if takings.by_hour is None else [float(amount) for amount in takings.by_hour],
    }
