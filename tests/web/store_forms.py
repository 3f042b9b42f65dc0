"""The forms of a store's page, as tests fill them in and read them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch.storage.db import Database
from tests.web.browsing import HTML

NEW, HOURS, ZONE = "/exceptions/new?store=1", "/hours/edit?store=1", "/zones/edit?store=1"
DAY = "?from=2023-01-23&to=2023-01-23"
STRUCK = {"effect": "up", "start": "2023-01-23T10:00", "end": "2023-01-23T12:00", "note": "a false alarm"}
CLOSED = STRUCK | {"effect": "closed", "start": "2023-01-23T09:00", "end": "2023-01-23T10:00"}

Figures = dict[str, tuple[str, str]]


def got(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return plain(answer)


def plain(answer: TestResponse) -> str:
    """Its text, fractions of seconds like the rest."""
    return unescape(re.sub(r'<span class="frac">(.*?)</span>', r"\1", answer.text))


def sent(client: FlaskClient, path: str, fields: dict[str, str] | None = None, status: int = 200) -> str:
    """The answer to a form."""
    answer = client.post(path, data=fields, headers=HTML)
    assert answer.status_code == status, answer.text
    return plain(answer)


def previewed(page: str) -> Figures:
    """(before, after) by the name of the figure."""
    table = re.search(r'<table class="stack what-if">.*?</table>', page, re.S)
    if table is None:
        return {}
    rows = re.findall(
        r'<th scope="row">(.*?)</th><td.*?>(.*?)</td><td.*?>(?:<b>)?(.*?)(?:</b>)?</td>', table.group()
    )
    return {name: (was, was if then == "the same" else then) for name, was, then in rows}


def shown(client: FlaskClient, query: str = DAY) -> dict[str, str]:
    """The figures of the page of the store."""
    page = got(client, f"/stores/1{query}")
    told = dict(re.findall(r"<dt>(Up|Down|Unknown|Excluded|Open)</dt><dd>([\d:.,]+)</dd>", page))
    for name in ("Availability", "Coverage"):
        found = re.search(rf'<dt>{name}</dt><dd><span class="n.*?">(.*?)</span>', page)
        assert found is not None
        told[name] = found[1]
    return {"Excluded": "0:00:00"} | told


def hidden(page: str) -> dict[str, str]:
    """What the form that does it sends."""
    form = re.search(r'<form class="row after".*?</form>', page, re.S)
    assert form is not None
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', form.group()))


def tag(page: str) -> str:
    found = re.search(r'name="tag" value="(.*?)"', page)
    assert found is not None
    return found[1]


def rows(database: Database) -> list[Any]:
    tables = ("exception", "hours_week", "menu_hours", "store_timezone", "audit", "history_due")
    with database.session() as session:
        held = session.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        names = [name for name in held if name in tables or name.startswith("procrastinate_jobs")]
        return [session.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in sorted(names)]


def week(**days: str) -> dict[str, str]:
    return {f"day{number}": "closed" for number in range(7)} | {"since": "always"} | days
