"""Every command of README and `docs/` is run as it is printed, or stands in a table that says why it is not.

The pages share a running service and its database; each has a folder of its own, in which its blocks run in
order in one shell. What stands for a value (`YOUR_TOKEN`, `REPORT_ID`) is filled in; an answer of 400 or
above fails, as does any command that ends with another code than 0.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from storewatch.domain.permissions import Role
from storewatch.storage.db import Database
from tests.acceptance.conftest import Service, free_port, serving
from tests.conftest import clone_of
from tests.web.service import Service as People

ROOT = Path(__file__).parents[2]

OTHER_MACHINES = "it is about other machines, or changes this one as root"
NOT_HERE = {
    ("README.md", "make demo"): "it makes the whole demo, and then runs all tests, this one among them",
    ("CONTRIBUTING.md", "make setup"): "this tree is set up already, or no test would run",
    ("CONTRIBUTING.md", "STOREWATCH_TEST_DATABASE_URL="): "it runs all tests, this one among them",
    ("docs/tutorial.md", "make setup"): "this tree is set up already, or no test would run",
    ("docs/how-to/install.md", "pipx install"): "scripts/try-wheel does it, for minutes",
    ("docs/how-to/install.md", "python3 -m venv"): "tests/test_package.py does it with packages at hand",
    ("docs/how-to/install.md", "pipx uninstall"): "there is no pipx",
    ("docs/how-to/run-in-containers.md", "cp deploy/env.example"): "there is no Docker engine",
    ("docs/how-to/run-in-containers.md", "docker compose"): "there is no Docker engine",
    ("docs/how-to/run-as-a-service.md", "useradd"): OTHER_MACHINES,
    (
        "docs/how-to/run-as-a-service.md",
        "systemctl restart",
    ): "tests/acceptance/test_restart.py does the same",
    ("docs/how-to/run-as-a-service.md", "sudo -u storewatch"): OTHER_MACHINES,
    ("docs/how-to/run-as-a-service.md", "ssh -L"): OTHER_MACHINES,
    ("docs/how-to/run-as-a-service.md", "storewatch user add"): "it reads systemd's journal",
    ("docs/how-to/put-it-behind-nginx.md", "systemctl daemon-reload"): OTHER_MACHINES,
    ("docs/how-to/put-it-behind-nginx.md", "apt-get install"): OTHER_MACHINES,
    ("docs/how-to/put-it-behind-nginx.md", "ln -s"): "tests/acceptance/test_nginx.py does the same",
    ("docs/how-to/put-it-behind-nginx.md", "curl https://"): "tests/acceptance/test_nginx.py does the same",
    ("docs/how-to/open-the-database.md", "python3 -m venv"): "pgAdmin is a large program, seen by hand",
    ("docs/how-to/open-the-database.md", "storewatch db start"): "pgAdmin is a large program, seen by hand",
    ("docs/how-to/open-the-database.md", "export PGADMIN"): "pgAdmin is a large program, seen by hand",
    ("docs/how-to/use-your-own-postgresql.md", "createdb"): OTHER_MACHINES,
    ("docs/how-to/watch-storewatch-itself.md", "openssl rand"): OTHER_MACHINES,
    (
        "docs/how-to/watch-storewatch-itself.md",
        "journalctl",
    ): "tests/acceptance/test_watched.py does the same",
    ("docs/how-to/make-large-reports-together.md", "dask scheduler"): OTHER_MACHINES,
    ("docs/how-to/make-large-reports-together.md", "STOREWATCH_DATABASE_URL="): OTHER_MACHINES,
    ("docs/how-to/make-large-reports-together.md", "export STOREWATCH_DASK"): OTHER_MACHINES,
    ("docs/how-to/reports-that-come-by-themselves.md", "storewatch db restored"): "tests/jobs/ do the same",
}
ELSEWHERE = {
    "docs/how-to/back-up.md": "tests/acceptance/test_backup.py",
    "docs/how-to/first-hour-with-the-api.md": "tests/acceptance/test_first_hour.py",
    "docs/how-to/why-a-month-missed-its-target.md": "tests/acceptance/test_missed_target.py",
}


@dataclass(frozen=True)
class Block:
    """Lines that a page prints as commands."""

    page: str
    number: int
    lines: str

    @property
    def why_not(self) -> list[str]:
        """The reasons not to run it here: none, or one."""
        return [
            why
            for (page, start), why in NOT_HERE.items()
            if page == self.page and self.lines.startswith(start)
        ]


def blocks_of(page: Path) -> list[Block]:
    """A block in a list is indented as the list is."""
    found = re.findall(r"^( *)```sh\n(.*?)^\1```$", page.read_text(), re.MULTILINE | re.DOTALL)
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(name, number, re.sub(rf"^{indent}", "", lines, flags=re.MULTILINE))
        for number, (indent, lines) in enumerate(found, start=1)
    ]


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {page.relative_to(ROOT).as_posix(): blocks_of(page) for page in PAGES}
RUN = [
    name for name, blocks in BLOCKS.items() if name not in ELSEWHERE and any(not b.why_not for b in blocks)
]


def test_what_is_not_run_is_there_and_is_told_once() -> None:
    everything = [block for blocks in BLOCKS.values() for block in blocks]
    assert len(everything) >= 90
    assert [block for block in everything if len(block.why_not) > 1] == []
    told = {(page, start): sum(b.lines.startswith(start) for b in BLOCKS[page]) for page, start in NOT_HERE}
    assert set(told.values()) == {1}, [key for key, count in told.items() if count != 1]
    assert len([block for block in everything if block.why_not]) < len(everything) / 3
    for page, test in ELSEWHERE.items():
        assert page in (ROOT / test).read_text()


# --- the place where they run ---------------------------------------------------------------------

PROLOGUE = r"""
set -eo pipefail
curl() {  # as the reader's, but an answer of 400 or above is a failure, and who asks is known
  local words=(-sS --fail-with-body --max-time 60)
  case "$*" in *Authorization*) ;; *) words+=(-H "Authorization: Bearer $TOKEN") ;; esac
  command curl "${words[@]}" "$@" && echo
}
storewatch() {  # `serve` goes on until Ctrl-C: it is waited for until it answers, and ended
  if [ "$1" = compare ]; then command storewatch "$@" || [ $? = 1 ]; return; fi  # 1: something differs
  if [ "$1" != serve ]; then command storewatch "$@"; return; fi
  command storewatch "$@" --port "$OTHER_PORT" & local process=$!
  until command curl -s -o /dev/null "http://127.0.0.1:$OTHER_PORT/healthz"; do
    kill -0 $process && sleep 0.1
  done
  kill $process && wait $process
}
"""


@dataclass(frozen=True)
class Place:
    """A service that answers, what the commands need to reach it, and files to work with."""

    service: Service
    environment: dict[str, str]
    values: dict[str, str]

    def filled(self, block: Block) -> str:
        """The block with values in the place of what stands for them."""
        lines = block.lines
        for there, here in self.values.items():
            lines = lines.replace(there, here)
        if lines.startswith("#!"):
            return f"cat > script <<'SCRIPT'\n{lines}SCRIPT\nsh script \"$PWD\"\n"
        return lines

    def run(self, lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """By bash, with `storewatch` on the path."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", PROLOGUE + lines],
            env=os.environ | self.environment | {"PATH": path, "HOME": str(folder)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )


POLL = {"store_id": "corner-cafe", "status": "active", "timestamp_utc": "2023-01-23T16:20:00Z"}


def csv_files() -> dict[str, str]:
    """The files that pages speak of."""
    tutorial = re.findall(r"^```csv\n(.*?)^```$", (ROOT / "docs/tutorial.md").read_text(), re.M | re.S)
    zones, hours, polls, report = tutorial
    more = "".join(f"corner-cafe,active,2023-01-2{day} 17:00:00 UTC\n" for day in (4, 5))
    return {
        "store_timezone.csv": zones,
        "menu_hours.csv": hours,
        "corrected_hours.csv": hours,
        "store_status.csv": polls + more,
        "polls.csv": polls,
        "polls.ndjson": json.dumps(POLL) + "\n",
        "stores.csv": "store_id,groups,revenue_per_week\ncorner-cafe,Maple St,100\nmaple-st,Maple St,100\n",
        "people.csv": "email,role,group\nben@maple.example,manager,Maple St\n",
        "their_report.csv": report,
        "queries.sql": "SELECT 1;\n",
        "incoming/polls.csv": polls,
    }


def lay_files(folder: Path) -> None:
    """Puts them where a page's commands look, with the folders that its prose asks for."""
    for name in ("done", "rejected", "incoming", "srv/storewatch", "srv/polls", "corner-cafe"):
        (folder / name).mkdir(parents=True)
    for name, text in csv_files().items():
        (folder / name).write_text(text)
        if name in ("store_timezone.csv", "menu_hours.csv", "store_status.csv"):
            (folder / "corner-cafe" / name).write_text(text)  # the tutorial has them made there
    for name in ("store_status.csv", "polls.csv"):
        subprocess.run(["gzip", "-k", name], cwd=folder, check=True)


PREPARE = r"""
storewatch import stores.csv store_timezone.csv menu_hours.csv store_status.csv >&2
export TOKEN=$(storewatch token add you@example.com --name docs --scope write | tail -1)
made() {  # the name of a field: its value in an answer
  python3 -c 'import json, sys; print(f"{sys.argv[1]}={json.load(sys.stdin)[sys.argv[1]]}")' "$1"
}
echo token=$TOKEN
curl $API/groups --json '{"name": "Docs"}' | made group_id
curl $API/service-levels --json '{"name": "docs", "store_id": "corner-cafe", "target": 90}' | made level_id
curl "$API/uploads?file_name=polls.csv" -H 'Content-Type: text/csv' --data-binary @polls.csv | made upload_id
curl $API/exceptions --json '{"effect": "up", "store_id": "corner-cafe", "note": "docs",
  "start": "2023-01-20T17:00:00Z", "end": "2023-01-20T18:00:00Z"}' | made exception_id
curl $API/reports --json '{}' | made report_id | tee report
curl "$API/reports/$(sed s/report_id=// report)?wait=30" | made status
"""


@pytest.fixture(scope="module")
def place(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("docs")
    lay_files(folder)
    with clone_of(server_url, template) as url:
        database = Database(url)
        People(database).person("you@example.com", Role.ADMIN)
        environment = {"STOREWATCH_DATABASE_URL": url, "STOREWATCH_UPLOADS": str(folder / "uploads")}
        environment["OTHER_PORT"] = str(free_port())
        environment["STOREWATCH_HOME"] = str(folder / "home")  # the doctor looks into it
        with serving(environment, folder, login=True) as service:
            root = f"http://127.0.0.1:{service.port}"
            environment |= {"STOREWATCH": root, "API": f"{root}/api/v1"}
            made = Place(service, environment, {}).run(PREPARE, folder)
            assert made.returncode == 0, made.stderr + made.stdout
            told = dict(re.findall(r"^(\w+)=(.+)$", made.stdout, re.MULTILINE))
            environment |= {"TOKEN": told["token"], "AUTH": f"Authorization: Bearer {told['token']}"}
            environment |= {"UPLOAD_ID": told["upload_id"], "LEVEL_ID": told["level_id"]}
            yield Place(service, environment, values(told, service.port))
        database.close()


def values(told: dict[str, str], port: int) -> dict[str, str]:
    """What stands in the pages for a value, and the value here."""
    return {
        "storewatch_…": told["token"],
        "YOUR_TOKEN": told["token"],
        "REPORT_ID": told["report_id"],
        "1f2d6e66-8a25-46b4-ab1d-77665385dd64": told["report_id"],
        "b1bcd31e-eee6-41b3-8cf4-aa33a2a2e23f": told["report_id"],
        "5f0c1b9e-3c1e-4d6c-9f54-0a3c6a1f7f11": told["group_id"],
        "EXCEPTION_ID": told["exception_id"],
        "8419537941919820732": "corner-cafe",
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        ".venv/bin/storewatch": "storewatch",
        " /srv/": " ./srv/",
        '"$REPORT/cancel"': '"$REPORT/cancel" || [ $? = 22 ]',  # it is finished, and a 409 says so
    }


@pytest.mark.slow
@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_do_what_they_say(page: str, place: Place, tmp_path: Path) -> None:
    lay_files(tmp_path)
    runs = [block for block in BLOCKS[page] if not block.why_not]
    script = "".join(f"echo '--- block {block.number} ---' >&2\n{place.filled(block)}" for block in runs)
    done = place.run(script, tmp_path)
    reached = re.findall(r"^--- block (\d+) ---$", done.stderr, re.MULTILINE)
    last = next(block for block in runs if str(block.number) == reached[-1])
    assert done.returncode == 0, f"{page}: this failed:\n{last.lines}\n{done.stderr}\n{done.stdout[-2000:]}"
    assert len(reached) == len(runs)
