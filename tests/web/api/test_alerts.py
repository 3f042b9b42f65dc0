"""Rules and channels by the API: what is not true or false is refused."""

from __future__ import annotations

from typing import Any

import pytest

from storewatch.domain.permissions import Role
from tests.web.service import Service


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("alerts", {"down": 0}, 422),
        ("alerts", {"recovered": "yes"}, 422),
        ("alerts/mine", {"on": 1}, 422),
        ("alerts", {"mass_percent": 30}, 400),
        ("alerts", {"quiet_from": "25:00", "quiet_until": "07:00", "quiet_zone": "UTC"}, 400),
        ("alerts", {"down": False, "still_down_after": [120]}, 200),
    ],
)
def test_a_rule_is_taken_or_refused(service: Service, path: str, body: dict[str, Any], status: int) -> None:
    ada = service.token("ada@example.com", Role.ADMIN)
    service.group("maple", "17")
    group = ada.get("/api/v1/groups").get_json()["items"][0]["group_id"]
    assert ada.put(f"/api/v1/groups/{group}/{path}", json=body).status_code == status
