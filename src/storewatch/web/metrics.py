"""Counts requests, and tells Prometheus of all that is counted.

A label never holds an id: it is the route as it is written in the code, such as `/stores/<id:store_id>`, so
there are as many figures as routes, and no caller can make more of them.
"""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import Gauge, Histogram

from storewatch.domain.permissions import READ_ALL
from storewatch.services import counts, metrics
from storewatch.services.metrics import Sources
from storewatch.web.access import needs
from storewatch.web.context import database

blueprint = Blueprint("metrics", __name__)

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

REQUESTS = Histogram(
    "storewatch_http_request_duration_seconds",
    "How long requests took, until the head of their answer, by method, route and status",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=counts.REGISTRY,
)
IN_PROGRESS = Gauge(
    "storewatch_http_requests_in_progress", "Requests that are being answered", registry=counts.REGISTRY
)


def register(app: Flask, sources: Sources) -> None:
    """Counts every request from here on."""
    app.extensions["storewatch.metrics"] = sources
    app.before_request(_begin)
    app.after_request(_count)
    app.teardown_request(_end)


def _begin() -> None:
    g.in_progress = True
    IN_PROGRESS.inc()


def _count(response: Response) -> Response:
    method = request.method if request.method in _METHODS else "other"
    route = request.url_rule.rule if request.url_rule else "none"
    took = time.perf_counter() - g.request_began
    REQUESTS.labels(method, route, str(response.status_code)).observe(took)
    return response


def _end(_: BaseException | None) -> None:
    if g.pop("in_progress", False):
        IN_PROGRESS.dec()


@blueprint.get("/metrics")
@needs(READ_ALL)
def told() -> Response:
    """Figures of the service for Prometheus; no store and no person is in them."""
    text = metrics.text(database(), current_app.extensions["storewatch.metrics"])
    return Response(text, content_type=metrics.CONTENT_TYPE)
