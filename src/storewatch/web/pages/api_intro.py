"""What the page of the API says before it lists the resources: what holds for all of them."""

from __future__ import annotations

from typing import Any

INTRO = """\
How much was each store up or down during its opening hours? [Reports](/) · [your account](/account)

**Begin.** Make a token at [/account](/account), or on the server with
`storewatch token add you@example.com --name trial --scope write`, and send it with each request:

```
curl -H "Authorization: Bearer storewatch_…" {base}/api/v1/users/me
```

To try things out on this page, press *Authorize* and paste the token; who is logged in needs none. Then:
make a store, put its hours and its zone, post polls, read its availability, and see its timeline for where
each figure comes from.

**Names and units.** Times are RFC 3339 in UTC (`2023-01-23T16:14:00Z`), ranges hold `start` and end before
`end`, durations are `…_seconds`, days are dates of a store's own calendar, ids are strings. `as_of` is the
newest poll unless you say otherwise: what is "now" in an answer. `up + down + unknown = open`;
availability is up / (up + down), coverage is the share of open time that was seen.

**Errors** are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems: `detail` says what to do, `field`
names what is wrong. A field that is not known is refused. 404: not here, or not yours to see. 403: yours to
see, not to do.

**Lists** hold `items` and `next_cursor`: send that as `cursor` for the next page, until it is null. `limit`
is up to 1,000.

**Lost updates.** What can be changed has an `ETag`. Send it as `If-Match` with your change: 412 says that
somebody else was faster; read again.

**Repeats.** A POST with an `Idempotency-Key` of your own is done once, however often it is sent.

**Limits.** A JSON body has up to 1 MiB, one of polls 16 MiB and 50,000 polls; larger files are uploaded.
Above 100 requests a second the answer is 429: wait as `Retry-After` says.
"""

IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The `ETag` of what you read. 412: it was changed since; read it again.",
}
"""As the OpenAPI document tells it, for every change that looks at it."""

METHODS = ("get", "post", "put", "patch", "delete")
"""In this order a path's operations are shown."""


def paragraphs(operation: dict[str, Any]) -> dict[str, str]:
    """Summary and description out of a docstring, which flask-openapi cuts after its first line."""
    text = operation.get("summary", "") + "<br/>" + operation.get("description", "")
    first, *rest = (part.replace("<br/>", " ").strip() for part in text.split("<br/><br/>"))
    more = "\n\n".join(rest).strip()
    return {"summary": first, "description": more} if more else {"summary": first}
