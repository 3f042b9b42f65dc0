"""The lines of docs/how-to/why-a-month-missed-its-target.md, run as printed against a real service."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.conftest import serving, storewatch
from tests.acceptance.test_first_hour import CUT, run

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs/how-to/why-a-month-missed-its-target.md"
COME_IN = """
accept() {
  word=$(curl -s -c jar "$1" | sed -n 's/.*name="csrf_token" value="\\([^"]*\\)".*/\\1/p')
  curl -s -b jar -o /dev/null "$1" --data-urlencode "csrf_token=$word" -d "email=$2" -d "password=$3"
}
LINK=$(storewatch user add rosa@example.com --group Nonna:manager | tail -1)
accept "${LINK/8000/PORT}" rosa@example.com correct-horse-1
TOKEN=$(storewatch token add rosa@example.com --name trial --scope write | tail -1)
"""


def a_january(folder: Path) -> list[str]:
    """The four files of a store with a real outage and a false one; their paths."""
    polls = ["store_id,status,timestamp_utc,reason"]
    for step in range(48 * 31):
        local = datetime(2023, 1, 1) + step * timedelta(minutes=30)  # noqa: DTZ001
        printer = datetime(2023, 1, 10, 12) <= local <= datetime(2023, 1, 10, 13)  # noqa: DTZ001
        shut_out = datetime(2023, 1, 20, 14) <= local <= datetime(2023, 1, 20, 19, 30)  # noqa: DTZ001
        status = "inactive" if printer or shut_out else "active"
        reason = "printer" if printer else "http 503" if shut_out else ""
        polls.append(f"maple-st,{status},{local + timedelta(hours=6):%Y-%m-%d %H:%M:%S},{reason}")
    files = {
        "stores": ["store_id,name,groups,revenue_per_week", "maple-st,Maple St,Nonna,10080"],
        "store_timezone": ["store_id,timezone_str", "maple-st,America/Chicago"],
        "menu_hours": ["store_id,day,start_time_local,end_time_local"]
        + [f"maple-st,{day},09:00,21:00" for day in range(7)],
        "store_status": polls,
    }
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [str(folder / f"{name}.csv") for name in files]


def test_an_owner_finds_out_why_and_strikes_out_what_was_none(
    environment: dict[str, str], tmp_path: Path
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    loaded = storewatch("import", *a_january(tmp_path), environment=environment)
    assert loaded.returncode == 0, loaded.stderr
    with serving(environment, tmp_path, login=True) as service:
        page = page.replace(":8000", f":{service.port}")
        steps = re.findall(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        assert len(steps) == page.count("```sh\n")
        lines = COME_IN.replace("PORT", str(service.port))
        said = run(lines + f"echo '{CUT}'\n".join(step for step, _ in steps), environment, tmp_path)
    for (step, expected), found in zip(steps, said.split(f"{CUT}\n"), strict=True):
        assert found == expected, step
