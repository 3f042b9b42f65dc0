"""Which passwords will do."""

from __future__ import annotations

import pytest

from storewatch.errors import UsageError
from storewatch.services import secrets

EMAIL = "vera.miller@maple.example"


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("nine char", "10 characters or more"),
        ("x" * 201, "200 characters at most"),
        ("vera.miller@maple.example", "not be the email address"),
        ("VERA.MILLER", "not be the email address"),
        ("aaabbbaaabbb", "repeats too few"),
        ("1234567890", "tried first"),
        ("qwertyuiop", "tried first"),
        ("password123", "tried first"),
        ("PassWord123", "tried first"),
        ("iloveyou123", "tried first"),
        ("storewatch2026!", "tried first"),
        ("Store-Watch-Admin", "tried first"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(password: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        secrets.checked_password(password, EMAIL)
    assert refused.value.field == "password"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "only lower case letters",
        "ÄÖÜ и ελληνικά 漢字 🍕",
        "  spaces around  ",
        "7315946028431",
        "storewatch is down again",
        "x7" + "ab c" * 49,
    ],
)
def test_a_password_of_any_kind_of_characters_will_do(password: str) -> None:
    assert secrets.checked_password(password, EMAIL) == password
    secrets.Hasher.time_cost, secrets.Hasher.memory_cost = 1, 8
    kept = secrets.hashed(password)
    assert kept.startswith("$argon2id$")
    assert secrets.matches(password, kept)
    assert not secrets.matches(password.swapcase() + "x", kept)
    assert not secrets.matches(password[:-1], kept)
