"""/api/v1/reports: asked for, listed, read, pinned, cancelled, removed."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role, Scope
from storewatch.services import making, reporting
from storewatch.storage.db import Database
from storewatch.storage.verify import verify
from tests.factories import load
from tests.web.conftest import said
from tests.web.service import Service, Token

PATH = "/api/v1/reports"
POLLS = """store_id,status,timestamp_utc
maple-1,active,2023-01-23 16:14:00 UTC
maple-1,inactive,2023-01-23 17:15:00 UTC
maple-2,inactive,2023-01-23 16:15:00 UTC
oak-1,active,2023-01-23 16:16:00 UTC
"""
HOURS = "store_id,day,start_time_local,end_time_local\nmaple-1,0,09:00,12:00\n"
NOON = "2023-01-23T18:00:00Z"


@pytest.fixture
def town(service: Service) -> Service:
    """Two stores of Maple's, one of Oak's."""
    load(service.database, POLLS, HOURS)
    service.group("maple", "maple-1", "maple-2")
    service.group("oak", "oak-1")
    return service


@pytest.fixture
def operator(town: Service) -> Token:
    return town.token("olga@example.com", Role.OPERATOR)


@pytest.fixture
def manager(town: Service) -> Token:
    return town.token("mia@example.com", maple=GroupRole.MANAGER)


def asked(token: Token, **body: Any) -> Any:
    """A report that waits."""
    answer = token.post(PATH, json=body)
    assert answer.status_code == 202, answer.text
    return said(answer)


def made(service: Service, token: Token, **body: Any) -> Any:
    """A report that is complete."""
    report_id = asked(token, **body)["report_id"]
    making.make(service.database, UUID(report_id))
    return said(token.get(f"{PATH}/{report_id}"))


def ids(service: Service, token: Token, **body: Any) -> list[str]:
    """The stores of a new report."""
    report_id = made(service, token, **body)["report_id"]
    return [row["store_id"] for row in said(token.get(f"{PATH}/{report_id}/rows"))["items"]]


def count(database: Database, query: str) -> int:
    with database.session() as session:
        return int(session.execute(text(query)).scalar_one())


def group_id(token: Token, name: str) -> str:
    return str(next(g["group_id"] for g in said(token.get("/api/v1/groups"))["items"] if g["name"] == name))


def test_a_report_goes_from_queued_to_complete(town: Service, operator: Token) -> None:
    answer = operator.post(PATH, json={"as_of": NOON})
    waiting = said(answer)
    assert answer.headers["Location"] == f"{PATH}/{waiting['report_id']}"
    assert (waiting["status"], waiting["as_of"], waiting["figures"]) == (
        "queued",
        "2023-01-23T18:00:00.000000Z",
        None,
    )
    making.make(town.database, UUID(waiting["report_id"]))
    done = said(operator.get(answer.headers["Location"] + "?wait=60"))
    assert (done["status"], done["progress"], done["stores"]) == ("complete", 100, 3)
    assert (done["assumed_open_24x7"], done["assumed_default_zone"]) == (2, 3)
    assert done["figures"]["last_hour"] == {
        "open_seconds": 10800.0,
        "up_seconds": 3600.0,
        "down_seconds": 7200.0,
        "down_min_seconds": 0.0,
        "down_max_seconds": 7200.0,
        "unknown_seconds": 0.0,
        "excluded_seconds": 0.0,
        "seen_seconds": 3660.0,
        "inferred_seconds": 7140.0,
        "coverage": 3660 / 10800,
        "availability": 1 / 3,
    }
    with town.database.session() as session:
        row = session.execute(text("SELECT status, pinned, store_ids, webhook FROM report")).one()
    assert tuple(row) == ("complete", False, None, None)


def test_parameters_are_kept_and_shown(town: Service, operator: Token) -> None:
    body = {
        "policy": "previous",
        "max_gap_seconds": 5400.000001,
        "windows": [{"name": "last_month", "length_seconds": 30 * 86400}],
        "store_ids": ["maple-1"],
        "webhook": "https://example.com/hook",
    }
    shown = made(town, operator, **body)
    assert {name: shown[name] for name in body} == body
    assert list(shown["figures"]) == ["last_month"]
    with town.database.session() as session:
        row = session.execute(text("SELECT policy, max_gap_us, window_us, store_ids FROM report")).one()
    assert tuple(row) == ("previous", 5_400_000_001, [30 * 86_400_000_000], ["maple-1"])


def test_stores_and_groups_are_chosen_together(town: Service, operator: Token) -> None:
    maple = group_id(operator, "maple")
    assert ids(town, operator) == ["maple-1", "maple-2", "oak-1"]
    assert ids(town, operator, store_ids=["maple-2"]) == ["maple-2"]
    assert ids(town, operator, group_ids=[maple]) == ["maple-1", "maple-2"]
    assert ids(town, operator, group_ids=[maple], store_ids=["oak-1"]) == ["maple-1", "maple-2", "oak-1"]


def test_what_one_may_not_see_is_not_found(town: Service, operator: Token, manager: Token) -> None:
    stranger = {"group_ids": [group_id(operator, "oak")]}
    for body in ({"store_ids": ["maple-1", "oak-1"]}, stranger, {"store_ids": ["nobody"]}):
        answer = manager.post(PATH, json=body)
        assert answer.status_code == 404
        named = next(iter(body.values()))[-1]
        assert named in said(answer)["detail"]
    assert count(town.database, "SELECT count(*) FROM report") == 0


WINDOW = {"name": "mine", "length_seconds": 60}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"as_of": "yesterday"}, 422, "as_of"),
        ({"as_of": "2999-01-01T00:00:00Z"}, 400, "as_of"),
        ({"policy": "linear"}, 422, "policy"),
        ({"max_gap_seconds": 59}, 422, "max_gap_seconds"),
        ({"max_gap_seconds": "60"}, 422, "max_gap_seconds"),
        ({"max_gap_seconds": True}, 422, "max_gap_seconds"),
        ({"windows": []}, 422, "windows"),
        ({"windows": [WINDOW, WINDOW]}, 400, "windows"),
        ({"windows": [{"name": f"w{n}", "length_seconds": 60} for n in range(13)]}, 422, "windows"),
        ({"windows": [WINDOW | {"name": "Mine"}]}, 422, "windows.0.name"),
        ({"windows": [WINDOW | {"length_seconds": 366 * 86400 + 1}]}, 422, "windows.0.length_seconds"),
        ({"windows": [{"name": "last_day", "length_seconds": 60}]}, 400, "windows"),
        ({"store_ids": []}, 422, "store_ids"),
        ({"store_ids": ["\x00"]}, 422, "store_ids.0"),
        ({"group_ids": ["x"]}, 422, "group_ids.0"),
        ({"webhook": "ftp://example.com"}, 400, "webhook"),
        ({"webhook": "http://me:secret@example.com"}, 400, "webhook"),
        ({"polcy": "nearest"}, 422, "polcy"),
    ],
)
def test_a_field_that_makes_no_sense_is_named(
    town: Service, operator: Token, body: dict[str, Any], status: int, field: str
) -> None:
    answer = operator.post(PATH, json=body)
    assert (answer.status_code, said(answer)["field"]) == (status, field)


def test_without_polls_the_answer_says_what_to_do(service: Service) -> None:
    answer = service.token("olga@example.com", Role.OPERATOR).post(PATH, json={})
    assert (answer.status_code, "import store_status first" in said(answer)["detail"]) == (409, True)


def test_a_list_is_paged_newest_first_and_filtered(town: Service, operator: Token) -> None:
    every = [asked(operator)["report_id"] for _ in range(5)]
    making.make(town.database, UUID(every[2]))
    operator.patch(f"{PATH}/{every[3]}", json={"pinned": True})
    found, cursor = [], ""
    while cursor is not None:
        answer = said(operator.get(f"{PATH}?limit=2&cursor={cursor}"))
        found += [report["report_id"] for report in answer["items"]]
        cursor = answer["next_cursor"]
    assert found == every[::-1]
    for which, expected in {
        "status=complete": [every[2]],
        "pinned=true": [every[3]],
        "pinned=true&status=complete": [],
    }.items():
        items = said(operator.get(f"{PATH}?{which}"))["items"]
        assert [report["report_id"] for report in items] == expected


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJ4IiwgInkiXQ", "WyJcdTAwMDAiLCAiYSJd"])
def test_a_cursor_that_is_not_ours_is_refused(town: Service, operator: Token, cursor: str) -> None:
    answer = operator.get(f"{PATH}?cursor={cursor}")
    assert (answer.status_code, said(answer)["field"]) == (400, "cursor")


def test_a_member_sees_only_reports_of_their_own(town: Service, operator: Token, manager: Token) -> None:
    mine, other = made(town, manager)["report_id"], made(town, operator)["report_id"]
    assert [r["report_id"] for r in said(manager.get(PATH))["items"]] == [mine]
    assert {r["report_id"] for r in said(operator.get(PATH))["items"]} == {mine, other}
    for method, path in (
        ("GET", other),
        ("PATCH", other),
        ("DELETE", other),
        ("POST", f"{other}/cancel"),
        ("GET", f"{other}/rows"),
        ("GET", f"{other}/file"),
    ):
        body = {"json": {"pinned": True}} if method == "PATCH" else {}
        assert manager.send(method, f"{PATH}/{path}", **body).status_code == 404
    unknown = manager.get(f"{PATH}/{uuid4()}")
    assert (unknown.status_code, unknown.mimetype) == (404, "application/problem+json")


def test_a_pinned_report_is_kept_until_it_is_unpinned(town: Service, operator: Token) -> None:
    report = made(town, operator)
    path = f"{PATH}/{report['report_id']}"
    tag = {"If-Match": operator.get(path).headers["ETag"]}
    assert said(operator.patch(path, json={"pinned": True}, headers=tag)) == report | {"pinned": True}
    assert operator.patch(path, json={"pinned": False}, headers=tag).status_code == 412
    assert reporting.remove_old(town.database, -86_400_000_000) == 0
    operator.patch(path, json={"pinned": False})
    assert reporting.remove_old(town.database, -86_400_000_000) == 1
    assert operator.get(path).status_code == 404


def test_a_report_that_waits_is_cancelled_and_never_made(town: Service, operator: Token) -> None:
    report_id = asked(operator)["report_id"]
    cancelled = said(operator.post(f"{PATH}/{report_id}/cancel"))
    assert (cancelled["status"], cancelled["finished_at"] is None) == ("cancelled", False)
    making.make(town.database, UUID(report_id))
    assert said(operator.get(f"{PATH}/{report_id}"))["status"] == "cancelled"
    assert said(operator.get(f"/get_report?report_id={report_id}")) == {
        "status": "Failed",
        "error": "It was cancelled.",
    }
    for path in (f"/download/{report_id}", f"{PATH}/{report_id}/rows", f"{PATH}/{report_id}/file"):
        assert operator.get(path).status_code == 409
    page = operator.get("/reports", headers={"Accept": "text/html"}).text
    assert "The latest report was cancelled." in page
    assert count(town.database, "SELECT count(*) FROM store_report") == 0


def test_a_finished_report_cannot_be_cancelled(town: Service, operator: Token) -> None:
    report_id = made(town, operator)["report_id"]
    answer = operator.post(f"{PATH}/{report_id}/cancel")
    assert (answer.status_code, "it is complete" in said(answer)["detail"]) == (409, True)


def test_a_deleted_report_is_gone_with_its_rows(town: Service, operator: Token) -> None:
    report_id = made(town, operator)["report_id"]
    assert count(town.database, "SELECT count(*) FROM store_report") == 3
    assert operator.delete(f"{PATH}/{report_id}").status_code == 204
    assert operator.get(f"{PATH}/{report_id}").status_code == 404
    assert operator.delete(f"{PATH}/{report_id}").status_code == 404
    assert count(town.database, "SELECT count(*) FROM store_report") == 0


def test_who_did_what_is_in_the_audit_log(town: Service, operator: Token) -> None:
    path = f"{PATH}/{asked(operator)['report_id']}"
    operator.patch(path, json={"pinned": True})
    operator.patch(path, json={"pinned": True})  # it is already
    operator.post(f"{path}/cancel")
    operator.delete(path)
    with town.database.session() as session:
        query = (
            "SELECT action FROM audit WHERE kind = 'report' AND email = 'olga@example.com' ORDER BY audit_no"
        )
        assert session.execute(text(query)).scalars().all() == ["create", "pin", "cancel", "delete"]


def test_a_token_that_reads_does_not_ask_for_reports(town: Service) -> None:
    reader = town.another_token(town.person("ron@example.com", Role.OPERATOR), Scope.READ)
    assert reader.post(PATH, json={}).status_code == 403


def test_after_a_store_left_a_group_nothing_of_it_is_seen(town: Service, manager: Token) -> None:
    """Not in rows, files, sums, counts or parameters; the home page and the original endpoints included."""
    both = made(town, manager, store_ids=["maple-1", "maple-2"], as_of=NOON)
    path, report_id = f"{PATH}/{both['report_id']}", both["report_id"]
    assert both["stores"] == 2
    leave(town.database, "maple-2")
    alone = made(town, manager, store_ids=["maple-1"], as_of=NOON)
    left = said(manager.get(path))
    own = ("report_id", "created_at", "started_at", "finished_at")
    assert {k: v for k, v in left.items() if k not in own} == {k: v for k, v in alone.items() if k not in own}
    assert [row["store_id"] for row in said(manager.get(f"{path}/rows"))["items"]] == ["maple-1"]
    for form in ("classic", "extended"):
        for kind in ("csv", "json"):
            text_of = manager.get(f"{path}/file?format={kind}&form={form}").text
            assert ("maple-1" in text_of, "maple-2" in text_of) == (True, False)
    assert "maple-2" not in manager.get(f"/download/{report_id}").text
    coverage = said(manager.get(f"/get_report?report_id={report_id}"))["coverage"]
    assert coverage == said(manager.get(f"/get_report?report_id={alone['report_id']}"))["coverage"]
    page = manager.get("/reports", headers={"Accept": "text/html"}).text
    assert 'data-label="Stores">2<' not in page
    assert page.count('data-label="Stores">1<') == 2
    page = manager.get(f"/reports/{report_id}", headers={"Accept": "text/html"}).text
    assert ("maple-1" in page, "maple-2" in page) == (True, False)
    assert "1 store, counted in" in page


def test_after_all_stores_left_the_figures_are_empty(town: Service, manager: Token) -> None:
    report = made(town, manager)
    leave(town.database, "maple-1")
    leave(town.database, "maple-2")
    left = said(manager.get(f"{PATH}/{report['report_id']}"))
    assert (left["stores"], left["assumed_open_24x7"]) == (0, 0)
    assert left["figures"]["last_week"]["open_seconds"] == 0
    assert left["figures"]["last_week"]["coverage"] is None
    page = manager.get(f"/reports/{report['report_id']}", headers={"Accept": "text/html"}).text
    assert "0 stores, counted in" in page


def leave(database: Database, store_id: str) -> None:
    """Takes a store out of all groups."""
    with database.transaction() as session:
        session.execute(
            text(
                "DELETE FROM group_store WHERE store_key = (SELECT store_key FROM store WHERE store_id = :id)"
            ),
            {"id": store_id},
        )


def test_other_windows_than_the_classic_have_an_extended_form_only(town: Service, operator: Token) -> None:
    report_id = made(town, operator, windows=[WINDOW])["report_id"]
    assert operator.get(f"/download/{report_id}").status_code == 409
    assert operator.get(f"{PATH}/{report_id}/file").status_code == 409
    assert operator.get(f"{PATH}/{report_id}/file?form=extended").status_code == 200
    page = operator.get(f"/reports/{report_id}", headers={"Accept": "text/html"}).text
    assert f"{PATH}/{report_id}/file?format=csv&amp;form=extended" in page
    assert f"/download/{report_id}" not in page


def test_every_proof_holds_after_all_of_it(town: Service, operator: Token, manager: Token) -> None:
    for token in (operator, manager):
        made(town, token)
        operator.delete(f"{PATH}/{made(town, token)['report_id']}")
        token.post(f"{PATH}/{asked(token)['report_id']}/cancel")
    with town.database.session() as session:
        assert [name for name, wrong in verify(session) if wrong] == []


def test_only_administrators_read_the_webhook_secret(town: Service, operator: Token) -> None:
    admin = town.token("ada@example.com", Role.ADMIN)
    secret = said(admin.get("/api/v1/webhook-secret"))["secret"]
    assert len(secret) == 64
    assert said(admin.get("/api/v1/webhook-secret"))["secret"] == secret
    assert operator.get("/api/v1/webhook-secret").status_code == 403
