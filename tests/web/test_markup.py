"""Names that are markup: everything that people write is shown as they wrote it, nothing of it is run."""

from __future__ import annotations

from uuid import uuid4

from storewatch.domain.permissions import GroupRole, Role
from tests.factories import load
from tests.web.browsing import Browser
from tests.web.service import Service
from tests.web.test_permissions import HOURS, POLLS

EVIL = "\"'><zqx onerror=alert(1)>{{31337*31337}}${31337*31337}</title></script>"
STORE = "<zqx>\"'&"


def test_no_page_runs_what_people_wrote(service: Service) -> None:
    load(
        service.database, POLLS.replace("maple-17", '"<zqx>""\'&"'), HOURS.replace("maple-17", '"<zqx>""\'&"')
    )
    service.group(EVIL, STORE)
    mia = Browser(service, "mia@maple.example", Role.ADMIN)
    service.person("vera'<zqx>@maple.example", Role.MEMBER, **{EVIL: GroupRole.MANAGER})
    for path, fields in FORMS.items():
        answer = mia.send(path, **fields)
        assert answer.status_code in (200, 303), (path, answer.text)
    group = mia.client.get("/api/v1/groups").json
    assert group
    group_id = group["items"][0]["group_id"]
    made = mia.send(f"/groups/{group_id}/channels", name=EVIL, kind="mail", url="a@maple.example")
    assert made.status_code == 200
    levels = mia.client.get("/api/v1/service-levels").json
    assert levels
    level_id = levels["items"][0]["level_id"]
    store = "/stores/" + STORE.replace("<", "%3C").replace(">", "%3E").replace('"', "%22").replace("&", "%26")
    pages = (
        *(store, f"{store}?day=2023-01-23", "/", "/now", "/groups", f"/groups/{group_id}", "/people"),
        *(f"/groups/{group_id}/alerts", "/levels", f"/levels/{level_id}", "/schedules", "/account", "/audit"),
        *("/months/2023-01", f"/months/2023-01?group={group_id}", "/reports", "/imports"),
        *(f"/?q={STORE.replace('&', '%26')}", f"/login?next={EVIL}", f"/{EVIL}", f"/stores/{EVIL}"),
        *(f"/reports/{uuid4()}?x={EVIL}", f"/audit?subject={EVIL}", f"/people?q={EVIL}"),
    )
    shown = 0
    for path in pages:
        text = mia.client.get(path, headers={"Accept": "text/html"}, follow_redirects=True).text
        assert "<zqx" not in text, path
        assert "982007569" not in text, path
        assert "{{31337*31337}}</title>" not in text, path
        shown += "&lt;zqx" in text
    assert shown > 10


FORMS = {
    "/levels": {"name": EVIL, "target": "99"},
    "/schedules": {"name": EVIL, "what": "digest", "every": "day", "at": "08:00", "format": "csv"},
    "/account/tokens": {"name": EVIL, "scope": "read", "life": "30d"},
}
