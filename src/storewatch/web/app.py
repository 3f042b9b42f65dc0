"""The Flask app."""

from __future__ import annotations

from flask import Flask

from storewatch.config import Settings
from storewatch.services.reporting import usual
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
    app.extensions["storewatch.request"] = usual(settings.seen_within, settings.default_zone)
    errors.register(app)
    guard.register(app)
    for blueprint in (reports.blueprint, health.blueprint, home.blueprint):
        app.register_blueprint(blueprint)
    return app
