"""What is in `deploy/`: containers are read, not run; units are checked by systemd, where it is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from storewatch import config
from storewatch.cli import cli, edge
from storewatch.cli.pgadmin import definition

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "storewatch"}
UNITS = sorted((DEPLOY / "systemd").glob("storewatch*.service"))
SOCKETS = sorted((DEPLOY / "systemd").glob("*.socket"))
PROGRAM = "/opt/storewatch/bin/storewatch"


def check_command(words: list[str]) -> None:
    """Whether each word is a command, an option of it, or a value."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


# --- containers -----------------------------------------------------------------------------------


def test_pgadmin_is_told_of_the_database_that_storewatch_uses() -> None:
    told = json.loads((DEPLOY / "pgadmin/servers.json").read_text(encoding="utf-8"))
    assert told == definition(OURS["web"]["environment"]["STOREWATCH_DATABASE_URL"], None)


def test_the_database_is_upgraded_once_and_then_each_part_begins() -> None:
    assert set(OURS) == {"migrate", "web", "worker", "probe"}
    assert OURS["migrate"]["command"] == ["db", "upgrade"]
    assert OURS["migrate"]["restart"] == "no"
    assert OURS["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in ("web", "worker", "probe"):
        assert OURS[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert OURS[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_storewatch_knows_the_settings_and_options_that_it_is_given(name: str) -> None:
    assert {variable for variable, _, _ in config.table()} >= set(OURS[name]["environment"])
    check_command(list(OURS[name]["command"]))


def test_it_may_be_served_so() -> None:
    web = OURS["web"]
    host = web["command"][web["command"].index("--host") + 1]
    edge.check(host, web["environment"]["STOREWATCH_URL"], no_login=False, insecure=True)


def test_only_this_machine_reaches_the_ports() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_pgadmin_is_there_for_who_asks() -> None:
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == {
        "pgadmin": ["pgadmin"]
    }


def test_the_example_of_the_environment_names_all_that_must_be_set() -> None:
    named = re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) == set(named)


def test_what_is_mounted_and_built_is_there() -> None:
    assert (DEPLOY / OURS["migrate"]["build"]["context"] / "deploy/Dockerfile").exists()
    assert (DEPLOY / SERVICES["pgadmin"]["volumes"][0].partition(":")[0]).exists()


def test_what_was_not_run_says_so() -> None:
    for name in ("compose.yaml", "Dockerfile"):
        assert "NOT RUN by its authors" in "".join((DEPLOY / name).read_text().splitlines(True)[:6])


# --- systemd --------------------------------------------------------------------------------------


def read_unit(path: Path) -> dict[str, dict[str, Any]]:
    """Sections of a unit, each with its settings; of one that is named twice, the last."""
    found: dict[str, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line[1:-1], {})
        elif line and line[0] != "#":
            name, _, value = line.partition("=")
            section[name] = value
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    program, *words = read_unit(unit)["Service"]["ExecStart"].split()
    assert program == PROGRAM
    check_command(words)


def test_all_units_are_hardened_alike() -> None:
    own = {"Type", "NotifyAccess", "ExecStart", "TimeoutStartSec", "TimeoutStopSec", "Restart", "RestartSec"}
    own |= {"StandardOutput", "StandardError", "Nice", "IOSchedulingClass", "KillMode"}
    shared = [{k: v for k, v in read_unit(unit)["Service"].items() if k not in own} for unit in UNITS]
    assert len(shared) >= 4
    assert all(one == shared[0] for one in shared)


def test_a_service_that_requests_wait_for_stops_with_its_port_kept() -> None:
    assert [path.stem for path in SOCKETS] == ["storewatch-web", "storewatch"]
    for path in SOCKETS:
        assert read_unit(path)["Socket"]["ListenStream"].startswith("127.0.0.1:")
        service = read_unit(path.with_suffix(".service"))
        assert service["Service"]["Type"] == "notify"
        assert service["Unit"]["Requires"] == path.name


def test_the_settings_in_the_example_of_the_environment_exist() -> None:
    text = (DEPLOY / "systemd/environment.example").read_text(encoding="utf-8")
    named = {name.removesuffix("_FILE") for name in re.findall(r"^#(STOREWATCH_\w+)=", text, re.MULTILINE)}
    assert named
    assert {variable for variable, _, _ in config.table()} >= named


def systemd_analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Skips where there is no systemd."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    environment = os.environ | {"SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, env=environment)


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for path in (*UNITS, *SOCKETS):
        (tmp_path / path.name).write_text(path.read_text().replace(PROGRAM, "/bin/true"))
    done = systemd_analyze("verify", "--man=no", *(str(tmp_path / path.name) for path in (*UNITS, *SOCKETS)))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_calls_the_units_exposure_low(unit: Path) -> None:
    """Of ten, in tenths; a service without any of it has 96."""
    done = systemd_analyze("security", "--offline=true", "--threshold=20", str(unit))
    assert done.returncode == 0, done.stdout + done.stderr
