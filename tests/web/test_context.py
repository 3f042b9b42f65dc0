"""What handlers are told of the app that they run in."""

from __future__ import annotations

import pytest

from storewatch.config import Settings
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from storewatch.web.context import link_url, mail_on


@pytest.mark.parametrize(
    ("edge", "link"),
    [
        (Edge(), "http://127.0.0.1:8000/link/abc"),
        (Edge(at="http://[::1]:9000"), "http://[::1]:9000/link/abc"),
        (Edge(url="https://stores.example"), "https://stores.example/link/abc"),
    ],
)
def test_links_lead_to_our_url_whatever_the_host_header_says(
    database: Database, edge: Edge, link: str
) -> None:
    app = create_app(Settings(), database, edge)
    with app.test_request_context(headers={"Host": "evil.example"}):
        assert link_url("abc") == link


def test_mail_is_off_unless_it_was_set_up(database: Database) -> None:
    for edge in (Edge(), Edge(mail=True)):
        with create_app(Settings(), database, edge).app_context():
            assert mail_on() is edge.mail
