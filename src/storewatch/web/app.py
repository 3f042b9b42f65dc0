"""The Flask app."""

from __future__ import annotations

from flask import Flask

from storewatch.config import Settings
from storewatch.domain.clock import parse_duration
from storewatch.errors import SettingsError
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.web import errors, guard
from storewatch.web.api import health, reports
from storewatch.web.pages import home

_MAX_BODY = 64 * 1024


def create_app(settings: Settings, database: Database) -> Flask:
    """The app on a database that is ready. Any number can be made, for tests."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY
    app.extensions["storewatch.database"] = database
    app.extensions["storewatch.request"] = default_request(settings)
    errors.register(app)
    guard.register(app)
    for blueprint in (reports.blueprint, health.blueprint, home.blueprint):
        app.register_blueprint(blueprint)
    return app


def default_request(settings: Settings) -> Request:
    """The report that is made if nothing is asked for in particular."""
    seen_within = parse_duration(settings.seen_within)
    if not seen_within:
        raise SettingsError(f"STOREWATCH_SEEN_WITHIN is '{settings.seen_within}': write it like 45m")
    return Request(seen_within=seen_within, default_zone=settings.default_zone)
