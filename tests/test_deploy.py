"""What is in `deploy/`: read, not run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from storewatch import config
from storewatch.cli import edge
from storewatch.cli.pgadmin import definition
from storewatch.cli.serve import serve

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]


def test_pgadmin_is_told_of_the_database_that_storewatch_uses() -> None:
    told = json.loads((DEPLOY / "pgadmin/servers.json").read_text(encoding="utf-8"))
    assert told == definition(SERVICES["storewatch"]["environment"]["STOREWATCH_DATABASE_URL"], None)


def test_storewatch_knows_the_settings_and_options_that_it_is_given() -> None:
    service = SERVICES["storewatch"]
    assert {variable for variable, _, _ in config.table()} >= set(service["environment"])
    options = {name for parameter in serve.params for name in parameter.opts}
    assert service["command"][0] == "serve"
    assert {word for word in service["command"] if word.startswith("--")} <= options


def test_it_may_be_served_so() -> None:
    service = SERVICES["storewatch"]
    host = service["command"][service["command"].index("--host") + 1]
    edge.check(host, service["environment"]["STOREWATCH_URL"], no_login=False, insecure=True)


def test_only_this_machine_reaches_the_ports() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_example_of_the_environment_names_all_that_must_be_set() -> None:
    named = re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) == set(named)


def test_what_is_mounted_and_built_is_there() -> None:
    assert (DEPLOY / SERVICES["storewatch"]["build"]["context"] / "deploy/Dockerfile").exists()
    assert (DEPLOY / SERVICES["pgadmin"]["volumes"][0].partition(":")[0]).exists()
