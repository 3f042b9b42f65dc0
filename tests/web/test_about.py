"""The theme, and the page that says how the numbers are counted."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_is_kept_until_it_is_the_systems_again(client: FlaskClient, theme: str) -> None:
    assert "data-theme" not in client.get("/reports").text
    assert client.post("/theme", data={"theme": theme}).status_code == 303
    assert f'<html lang="en" data-theme="{theme}">' in client.get("/reports").text
    client.post("/theme", data={"theme": "system"})
    assert "data-theme" not in client.get("/reports").text


def test_other_themes_are_refused(client: FlaskClient) -> None:
    assert client.post("/theme", data={"theme": "blue"}).status_code == 400
    client.set_cookie("theme", '"><script>')
    assert "data-theme" not in client.get("/reports").text


def test_every_page_leads_to_how_the_numbers_are_counted(client: FlaskClient) -> None:
    assert 'href="/numbers"' in client.get("/reports").text
    assert "never 100%" in client.get("/numbers").text
