"""/api/v1/groups."""

from __future__ import annotations

from storewatch.domain.permissions import GroupRole, Role
from tests.web.conftest import said
from tests.web.service import Service


def test_a_group_is_made_read_renamed_filled_and_removed(service: Service) -> None:
    operator = service.token("olga@example.com", Role.OPERATOR)
    service.group("other", "17", "18")
    made = operator.post("/api/v1/groups", json={"name": "Maple St"})
    assert made.status_code == 201
    path = f"/api/v1/groups/{said(made)['group_id']}"
    assert operator.get(path).json == made.json
    filled = operator.post(f"{path}/stores", json={"store_ids": ["17", "18"]})
    assert (filled.status_code, filled.json) == (200, {"changed": 2})
    assert operator.post(f"{path}/stores/remove", json={"store_ids": ["18"]}).json == {"changed": 1}
    renamed = operator.patch(path, json={"name": "Oak St"}, headers={"If-Match": made.headers["ETag"]})
    assert said(renamed)["name"] == "Oak St"
    assert operator.delete(path).status_code == 204
    assert operator.get(path).status_code == 404


def test_a_lost_update_is_refused(service: Service) -> None:
    operator = service.token("olga@example.com", Role.OPERATOR)
    made = operator.post("/api/v1/groups", json={"name": "Maple St"})
    path = f"/api/v1/groups/{said(made)['group_id']}"
    operator.patch(path, json={"name": "Oak St"})
    late = operator.patch(path, json={"name": "Elm St"}, headers={"If-Match": made.headers["ETag"]})
    assert (late.status_code, late.mimetype) == (412, "application/problem+json")
    assert said(operator.get(path))["name"] == "Oak St"


def test_a_member_sees_the_groups_they_belong_to_and_no_other(service: Service) -> None:
    service.group("theirs")
    viewer = service.token("vera@example.com", Role.MEMBER, mine=GroupRole.VIEWER)
    assert [group["name"] for group in said(viewer.get("/api/v1/groups"))["items"]] == ["mine"]
    admin = service.token("ada@example.com", Role.ADMIN)
    names = {group["name"]: group["group_id"] for group in said(admin.get("/api/v1/groups"))["items"]}
    assert set(names) == {"mine", "theirs"}
    assert viewer.get(f"/api/v1/groups/{names['theirs']}").status_code == 404
    assert viewer.patch(f"/api/v1/groups/{names['mine']}", json={"name": "x"}).status_code == 403


def test_the_list_comes_in_pages(service: Service) -> None:
    operator = service.token("olga@example.com", Role.OPERATOR)
    for number in range(5):
        service.group(f"group {number}")
    names, cursor = [], ""
    while cursor is not None:
        found = said(operator.get(f"/api/v1/groups?limit=2&cursor={cursor}"))
        names += [group["name"] for group in found["items"]]
        cursor = found["next_cursor"]
    assert names == [f"group {number}" for number in range(5)]
    assert operator.get("/api/v1/groups?cursor=junk").status_code == 400


def test_errors_name_the_field(service: Service) -> None:
    operator = service.token("olga@example.com", Role.OPERATOR)
    answer = operator.post("/api/v1/groups", json={"name": "", "colour": "red"})
    assert answer.status_code == 422
    assert said(answer)["field"] == "name"
    assert "colour" in said(answer)["detail"]
    assert operator.post("/api/v1/groups", data="{", content_type="application/json").status_code == 400
    assert operator.post("/api/v1/groups", data="a,b", content_type="text/csv").status_code == 415
