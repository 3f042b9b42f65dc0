"""The workflow for GitHub, which does not run here: what it names exists, and it leaves no version out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
COMMANDS = [step["run"] for step in STEPS if "run" in step]


def test_every_target_is_one_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {target for line in COMMANDS for target in re.findall(r"\bmake ([a-z-]+)", line)}
    assert {"check", "test"} <= named <= targets


def test_every_folder_of_tests_is_there() -> None:
    folders = {folder for line in COMMANDS for folder in re.findall(r"tests/\w+", line)}
    assert folders
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_every_action_is_pinned_to_a_major_version() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []


def test_every_postgresql_and_python_that_is_promised_is_tried() -> None:
    page = (ROOT / "docs/how-to/use-your-own-postgresql.md").read_text(encoding="utf-8")
    oldest = re.search(r"PostgreSQL (\d+) or newer", page)
    assert oldest
    matrix = JOBS["databases"]["strategy"]["matrix"]
    assert matrix["postgresql"] == [str(version) for version in range(int(oldest[1]), 19)]
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "requires-python"
    ]
    assert lowest == f">={matrix['python'][0]}"
    assert matrix["python"] == JOBS["whole"]["strategy"]["matrix"]["python"]


def test_the_tests_are_told_of_the_server_beside_them() -> None:
    job = JOBS["databases"]
    password = job["services"]["postgres"]["env"]["POSTGRES_PASSWORD"]
    url = f"postgresql://postgres:{password}@127.0.0.1:5432/postgres"
    assert job["env"] == {"STOREWATCH_TEST_DATABASE_URL": url}
    assert job["services"]["postgres"]["ports"] == ["5432:5432"]
