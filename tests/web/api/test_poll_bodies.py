"""Whatever is sent to /api/v1/polls: an answer that is documented, and counts that add up."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storewatch.storage import verify
from storewatch.storage.db import Database
from tests.web.conftest import said

PATH = "/api/v1/polls"

quietly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
times = st.datetimes().map(str) | st.sampled_from(
    ["2023-01-23T16:14:00Z", "2023-01-23 16:14:00 UTC", "2023-01-23 17:14:00+01:00", "0000-00-00 00:00:00"]
)
cells = {
    "store_id": st.sampled_from(["1", " 2 ", "é", "2.57E+14", "=1"]) | anything,
    "status": st.sampled_from(["active", "inactive", " active"]) | anything,
    "timestamp_utc": times | anything,
}
poll = st.fixed_dictionaries(cells, optional={"reason": anything, "more": anything})
rows = st.lists(poll | anything, max_size=8)
bodies = st.fixed_dictionaries({"polls": rows}, optional={"x": anything}) | anything


def whole(
    client: FlaskClient, sent: int | None, data: str | bytes, content_type: str, **options: Any
) -> None:
    """What holds of every answer; `sent` is how many polls are to be accounted for, if any are taken."""
    answer = client.post(PATH, data=data, content_type=content_type, **options)
    assert answer.status_code in (200, 400, 413, 415, 422), answer.text
    body = said(answer)
    if answer.status_code != 200:
        assert body["detail"]
        return
    taken = sum(body[name] for name in ("new", "corrected", "unchanged", "kept"))
    if sent is not None:
        assert taken + len(body["rejected"]) == sent
        assert all(0 <= row["index"] < sent and row["reason"] for row in body["rejected"])


@quietly
@given(bodies)
def test_any_json_is_answered(client: FlaskClient, body: Any) -> None:
    sent = body["polls"] if isinstance(body, dict) and isinstance(body.get("polls"), list) else []
    whole(client, len(sent), json.dumps(body), "application/json")


@quietly
@given(st.lists(poll | anything, max_size=8), st.booleans())
def test_any_lines_of_json_are_answered(client: FlaskClient, lines: list[Any], packed: bool) -> None:
    data = "\n".join(map(json.dumps, lines)).encode()
    headers = {"Content-Encoding": "gzip"} if packed else {}
    whole(
        client, len(lines), gzip.compress(data) if packed else data, "application/x-ndjson", headers=headers
    )


@quietly
@given(
    st.binary() | st.text(),
    st.sampled_from(["application/json", "application/x-ndjson", "text/csv", "text/html", ""]),
    st.sampled_from(["gzip", "identity", "br"]),
    st.sampled_from(["", "store_id,status,timestamp_utc\n", '{"polls": [']),
)
def test_any_bytes_are_answered(
    client: FlaskClient, data: bytes | str, content_type: str, encoding: str, start: str
) -> None:
    plain = start.encode() + (data if isinstance(data, bytes) else data.encode())
    whole(client, None, plain, content_type, headers={"Content-Encoding": encoding})


@quietly
@given(anything, times, st.sampled_from(["PUT", "PATCH"]))
def test_any_correction_is_answered(client: FlaskClient, body: Any, at: str, method: str) -> None:
    client.post(PATH, json={"polls": [{"store_id": "1", "status": "active", "timestamp_utc": at}]})
    for sent in (body, {"status": "inactive", "reason": body}):
        answer = client.open(
            f"{PATH}/{at}/1", method=method, data=json.dumps(sent), content_type="application/json"
        )
        assert answer.status_code in (200, 400, 404, 422), answer.text


operations = st.lists(
    st.tuples(
        st.sampled_from(["append", "put", "delete", "range"]),
        st.sampled_from(["1", "2"]),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=12,
)


@settings(quietly, max_examples=25)
@given(operations)
def test_whatever_is_done_the_database_adds_up(client: FlaskClient, database: Database, done: Any) -> None:
    for what, store_id, hours, active in done:
        at = f"2023-01-0{1 + hours // 3}T{8 * (hours % 3):02d}:00:00Z"
        status = "active" if active else "inactive"
        if what == "append":
            poll = {"store_id": store_id, "status": status, "timestamp_utc": at}
            client.post(PATH, json={"polls": [poll]})
        elif what == "put":
            client.put(f"{PATH}/{at}/{store_id}", json={"status": status})
        elif what == "delete":
            client.delete(f"{PATH}/{at}/{store_id}?reason=x")
        else:
            client.delete(f"{PATH}?store_id={store_id}&start={at}&end=2023-01-02T12:00:00Z&reason=x")
    with database.session() as session:
        assert [name for name, wrong in verify.verify(session) if wrong] == []
        both = "SELECT count(*) FROM deleted_poll JOIN store_status USING (store_key, timestamp_utc)"
        assert session.execute(text(both)).scalar() == 0


@pytest.mark.parametrize("path", [PATH, f"{PATH}/2023-01-23T16:14:00Z/1"])
@quietly
@given(
    query=st.dictionaries(
        st.sampled_from(["store_id", "start", "end", "cursor", "limit", "reason"]), st.text()
    )
)
def test_any_query_is_answered(client: FlaskClient, path: str, query: dict[str, str]) -> None:
    for method in ("GET", "DELETE"):
        answer = client.open(path, method=method, query_string=query)
        assert answer.status_code in (200, 204, 400, 404, 422), answer.text
