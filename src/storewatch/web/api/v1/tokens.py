"""Tokens: named keys for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from storewatch.domain.permissions import READ, WRITE, Scope
from storewatch.services import tokens
from storewatch.storage.access_tables import Token as Row
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    Moment,
    PageQuery,
    Text,
    answer,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tag_of,
    tagged,
)
from storewatch.web.idempotency import shows_once

blueprint = resource(
    "Tokens",
    "Keys for programs, sent as `Authorization: Bearer …`. A token sees what its person sees, and its scope "
    "narrows what it may do: `read` reads, `import` loads polls and files and nothing else, `write` does "
    "all that its person may.",
)


class TokenPath(BaseModel):
    token_id: UUID


class TokenQuery(PageQuery):
    account_id: UUID | SkipJsonSchema[None] = Field(
        default=None, description="whose, for admins; else your own"
    )


class NewToken(Body):
    name: Text = Field(min_length=1, description="what it is for", examples=["poller in the Maple St office"])
    scope: Scope = Scope.READ
    expires_at: Moment | None = Field(default=None, description="null: never")
    account_id: UUID | None = Field(default=None, description="whose, for admins; else your own")


class Token(BaseModel):
    token_id: UUID
    name: str
    scope: Scope
    created_at: str
    expires_at: str | None
    last_used_at: str | None = Field(description="to the minute")


class MadeToken(Token):
    secret: str | None = Field(description="what to send; shown this once. Null where a request is repeated")


class TokenPage(BaseModel):
    items: list[Token]
    next_cursor: str | None


_OF_TOKEN = {"token_id": "$response.body#/token_id"}
_LINKS = {
    "read": {"operationId": "getToken", "parameters": _OF_TOKEN},
    "revoke": {"operationId": "revokeToken", "parameters": _OF_TOKEN},
}


@blueprint.get("/tokens", operation_id="listTokens", responses={"200": answer("Newest first", TokenPage)})
@needs(READ)
def list_tokens(query: TokenQuery) -> Response:
    """Your tokens, or for admins those of `account_id`, that were not revoked. Nobody has more than 100."""
    after = read_cursor(query.cursor, str)
    items = [_shown(token) for token in tokens.own(database(), caller(), query.account_id)]
    if after:
        items = [item for item in items if item["created_at"] < after[0]]
    return page(items[: query.limit + 1], query.limit, lambda last: cursor_of(last["created_at"]))


@blueprint.post(
    "/tokens", operation_id="createToken", responses={"201": answer("The token", MadeToken, links=_LINKS)}
)
@needs(WRITE)
@shows_once("secret")
def create_token(body: NewToken) -> Response:
    """Make a token. It takes a login, or a token of scope `write`, which makes none that lasts longer."""
    made, secret = tokens.create(
        database(), caller(), body.name, body.scope, body.expires_at, body.account_id
    )
    response = jsonify({**_shown(made), "secret": secret})
    response.set_etag(tag_of(_shown(made)))
    response.headers["Location"] = f"/api/v1/tokens/{made.token_id}"
    response.status_code = 201
    return response


@blueprint.get(
    "/tokens/<token_id>", operation_id="getToken", responses={"200": answer("The token", Token, links=_LINKS)}
)
@needs(READ)
def get_token(path: TokenPath) -> Response:
    """One token of yours; for admins anybody's."""
    return tagged(_shown(tokens.get(database(), caller(), path.token_id)))


@blueprint.delete(
    "/tokens/<token_id>", operation_id="revokeToken", responses={"204": answer("It works no more")}
)
@needs(WRITE)
def revoke_token(path: TokenPath) -> tuple[str, int]:
    """End a token of yours, at once; for admins anybody's."""
    tokens.revoke(database(), caller(), path.token_id)
    return "", 204


def _shown(token: Row) -> dict[str, Any]:
    return {
        "token_id": str(token.token_id),
        "name": token.name,
        "scope": token.scope,
        "created_at": instant(token.created_at),
        "expires_at": instant(token.expires_at),
        "last_used_at": instant(token.last_used_at),
    }
