"""The Flask app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from flask_openapi.openapi import OpenAPI
from werkzeug.routing import BaseConverter

from storewatch import embedded
from storewatch.config import Settings
from storewatch.outbound.addresses import networks
from storewatch.outbound.probing import agent
from storewatch.services import depot, logins, secrets
from storewatch.services.metrics import Sources
from storewatch.services.reporting import usual
from storewatch.services.storefronts import Reach
from storewatch.storage.db import Database
from storewatch.web import access, errors, guard, limits, metrics, request_log
from storewatch.web.api import health, reports, v1
from storewatch.web.pages import (
    about,
    account,
    alert_links,
    api_page,
    audit,
    fleet,
    group_alerts,
    groups,
    imports,
    levels,
    months,
    own,
    people,
    samples,
    schedules,
    shared,
    store,
    store_add,
    store_exceptions,
    store_front,
    store_hours,
    store_notes,
    store_shares,
)
from storewatch.web.pages import report as report_page
from storewatch.web.pages import reports as reports_page

_MAX_BODY = 64 * 1024


@dataclass(frozen=True)
class Edge:
    """How the service meets the network.

    `login`: whether people must log in. `url`: where it is reached from outside; links, cookies and the
    allowed hosts come from it. `at`: where it listens on this machine; links lead there if there is no
    `url`. `trusted_proxies`: networks that may say who a request comes from. `mail`: whether mails go out.
    `counted`: the folder of what the other processes of the service counted.
    """

    login: bool = True
    url: str = ""
    at: str = "http://127.0.0.1:8000"
    trusted_proxies: tuple[str, ...] = ()
    mail: bool = False
    limits: bool = True
    counted: Path | None = None


class Json(DefaultJSONProvider):
    """JSON that is nested too deep to be read is no JSON."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value; ValueError if there is none."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


class Anything(BaseConverter):
    """The rest of a path, whatever it is: ids of stores may hold slashes."""

    regex = ".+"
    part_isolating = False


def create_app(settings: Settings, database: Database, edge: Edge = Edge()) -> Flask:
    """The app on a database that is ready. Any number can be made, for tests."""
    app = OpenAPI(__name__, doc_ui=False, **api_page.DOCUMENT)
    app.openapi_version = "3.1.0"
    app.json_provider_class, app.json = Json, Json(app)  # Flask-Security makes its own of the class
    app.url_map.converters["id"] = Anything
    app.url_map.merge_slashes = False
    app.config.update(_config(database, edge))
    app.extensions["storewatch.database"] = database
    app.extensions["storewatch.settings"] = settings
    app.extensions["storewatch.base"] = edge.url or edge.at
    app.extensions["storewatch.mail"] = edge.mail
    app.extensions["storewatch.reach"] = Reach(
        networks(settings.probe_networks, "STOREWATCH_PROBE_NETWORKS"), agent(edge.url)
    )
    app.extensions["storewatch.depot"] = _depot(settings)
    app.extensions["storewatch.request"] = usual(settings.seen_within, settings.default_zone)
    request_log.register(app)
    metrics.register(app, Sources(settings.home_path or embedded.default_home(), edge.counted))
    errors.register(app)
    guard.register(app, edge.url)
    access.register(app, login=edge.login, metrics_token=settings.metrics_token)
    limits.register(app, on=edge.limits)
    access.register_admission(app)
    for part in (
        reports,
        health,
        metrics,
        reports_page,
        report_page,
        about,
        fleet,
        store,
        store_add,
        store_exceptions,
        store_front,
        store_hours,
        store_notes,
        store_shares,
        shared,
        alert_links,
        levels,
        months,
        imports,
        samples,
        schedules,
        people,
        groups,
        group_alerts,
        audit,
        account,
        own,
        api_page,
    ):
        app.register_blueprint(part.blueprint)
    for resource in v1.RESOURCES:
        app.register_api(resource)
    guard.behind(app, edge.trusted_proxies)
    return app


def _depot(settings: Settings) -> depot.Depot:
    home = settings.home_path or embedded.default_home()
    return depot.usual(settings.uploads, home, settings.max_upload)


def _config(database: Database, edge: Edge) -> dict[str, object]:
    https = edge.url.startswith("https://")
    return {
        "MAX_CONTENT_LENGTH": _MAX_BODY,
        "SECRET_KEY": secrets.signing_key(database) if edge.login else None,
        "SESSION_COOKIE_NAME": "__Host-storewatch" if https else "storewatch",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": logins.LONGEST,  # what counts is kept in the database
        "SESSION_PROTECTION": None,
        "WTF_CSRF_CHECK_DEFAULT": False,  # `access` checks
        "WTF_CSRF_TIME_LIMIT": None,
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
    }
