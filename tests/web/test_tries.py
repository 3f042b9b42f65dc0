"""What sends something to the outside at the press of a button can be pressed ten times a minute."""

from __future__ import annotations

from storewatch.domain.permissions import GroupRole
from tests.web.service import Service


def test_nobody_makes_us_flood_a_mailbox(service: Service) -> None:
    mia = service.token("mia@maple.example", maple=GroupRole.MANAGER)
    groups = mia.get("/api/v1/groups").json
    assert groups
    path = f"/api/v1/groups/{groups['items'][0]['group_id']}/channels"
    channel = mia.post(path, json={"name": "x", "kind": "mail", "url": "victim@example.com"}).json
    schedule = mia.post("/api/v1/schedules", json={"name": "Weekly"}).json
    assert channel
    assert schedule
    test, send = f"{path}/{channel['channel_id']}/test", f"/api/v1/schedules/{schedule['schedule_id']}/send"
    codes = [mia.post(test).status_code for _ in range(5)] + [mia.post(send).status_code for _ in range(5)]
    assert codes == [202] * 10
    refused = mia.post(test)
    assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert mia.post(send).status_code == 429
