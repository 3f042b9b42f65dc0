"""Links from the page of a store: made, shown once, listed, revoked."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.browsing import HTML, Browser
from tests.web.service import Service
from tests.web.test_page_files import check, pages

FORM = {"first_day": "2023-01-23", "last_day": "2023-01-23", "days": "7", "label": "Lou <&> Co"}


@pytest.fixture
def mia(service: Service) -> Browser:
    """The manager of a group with the store."""
    load_chicago(service.database)
    service.group("maple", "1")
    return Browser(service, "mia@example.com", maple=GroupRole.MANAGER)


def link_in(page: str) -> str | None:
    found = re.search(r'<input id="link"[^>]*value="http://127\.0\.0\.1:8000(/shared/[\w-]{43})"', page)
    return found[1] if found else None


def test_from_the_days_in_view_to_a_link_and_its_end(service: Service, mia: Browser) -> None:
    store = unescape(mia.read("/stores/1?from=2023-01-20&to=2023-01-23"))
    place = re.search(r'href="(/shares\?[^"]*)">Share these days', store)
    assert place is not None
    form = mia.read(place[1])
    assert 'name="first_day" type="date" required value="2023-01-20"' in form
    assert 'name="last_day" type="date" required value="2023-01-23"' in form
    made = mia.send("/shares?store=1", **FORM).text
    path = link_in(made)
    assert path is not None
    assert "Lou &lt;&amp;&gt; Co" in made
    listed = mia.read("/shares?store=1")
    assert path.rpartition("/")[2] not in listed
    revoke = re.search(r'href="(/shares/[\w-]+/revoke)"', listed)
    assert revoke is not None
    assert "It shows Mon 23 Jan 2023. Last used: never." in mia.read(revoke[1])
    assert service.browser().get(path, headers=HTML).status_code == 200
    assert "The link is revoked" in mia.done(revoke[1])
    assert service.browser().get(path, headers=HTML).status_code == 404
    assert mia.get(revoke[1]).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"label": " "}, "label", "Say in 1 to 200 characters"),
        ({"label": "x" * 201}, "label", "Say in 1 to 200 characters"),
        ({"last_day": "2023-01-22"}, "last_day", "The last day lies before the first one"),
        ({"last_day": "2024-01-22"}, "last_day", "At most 92 days"),
        ({"first_day": ""}, "first_day", "Write the day as"),
        ({"last_day": "1850-01-01"}, "last_day", "Write the day as"),
        ({"days": "8"}, "days", "Choose one of the list"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_entered_stays(
    mia: Browser, wrong: dict[str, str], field: str, said: str
) -> None:
    answer = mia.send("/shares?store=1", **(FORM | wrong))
    assert answer.status_code == 422
    assert re.search(rf'id="e-{field}">{said}', unescape(answer.text))
    assert "Lou &lt;&amp;&gt; Co" in answer.text or "label" in wrong
    assert "None. What was revoked" in mia.read("/shares?store=1")


def test_a_form_of_another_site_makes_no_link_and_ends_none(mia: Browser) -> None:
    mia.send("/shares?store=1", **FORM)
    [revoke] = re.findall(r'href="(/shares/[\w-]+/revoke)"', mia.read("/shares?store=1"))
    for path in ("/shares?store=1", revoke):
        assert mia.client.post(path, data=FORM, headers=HTML).status_code == 400
    assert len(re.findall(r"/revoke", mia.read("/shares?store=1"))) == 1


def test_who_only_reads_finds_no_way_to_share(service: Service, mia: Browser) -> None:
    vera = Browser(service, "vera@example.com", maple=GroupRole.VIEWER)
    assert "Share these days" in mia.read("/stores/1")
    assert "Share these days" not in vera.read("/stores/1")
    assert vera.get("/shares?store=1").status_code == 403


def test_an_id_with_slashes_can_be_shared(client: FlaskClient, database: Database) -> None:
    load(database, "store_id,status,timestamp_utc\neu/1?a=b#c,active,2023-01-23 16:14:00\n")
    place = "/shares?store=eu/1%3Fa%3Db%23c"
    path = link_in(client.post(place, data=FORM, headers=HTML).text)
    assert path is not None
    assert "eu/1?a=b#c was never seen down so far." in unescape(client.get(path, headers=HTML).text)
    check(client, pages(client, place))


@pytest.mark.parametrize("store", ["", "%00", "2"])
def test_a_store_that_is_not_there_is_not_shared(mia: Browser, store: str) -> None:
    assert mia.get(f"/shares?store={store}").status_code == 404
    assert mia.send(f"/shares?store={store}", **FORM).status_code == 404
