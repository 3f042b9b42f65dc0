"""The wheel and the source distribution: what is in them, and that a wheel works where nothing else is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from storewatch import __version__

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src"
NAME = f"storewatch-{__version__}"


def build(kind: str, tree: Path, output: Path) -> Path:
    """One file, built from a tree: `sdist` or `wheel`."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(output)]
    made = subprocess.run(words, cwd=tree, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    (file,) = output.iterdir()
    return file


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution as it is after unpacking."""
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["tar", "-xf", sdist, "-C", folder], check=True)
    return folder / NAME


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, as pip does that finds no wheel."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


def own(tree: Path) -> set[str]:
    """What lies in a tree and is no leftover of running it."""
    found = (path.relative_to(tree) for path in tree.rglob("*") if path.is_file())
    return {str(path) for path in found if not {"__pycache__", "demo-data", ".env"} & set(path.parts)}


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        inside = {name for name in file.namelist() if not name.startswith(f"{NAME}.dist-info/")}
    assert inside == own(SOURCES)
    assert {Path(name).suffix for name in inside} >= {".py", ".sql", ".html", ".css", ".js", ".svg"}


def test_the_wheel_says_what_it_needs_and_which_command_it_brings(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        words = Parser().parsestr(file.read(f"{NAME}.dist-info/METADATA").decode())
        assert "storewatch = storewatch.cli:main" in file.read(f"{NAME}.dist-info/entry_points.txt").decode()
    assert (wheel.name, words["Requires-Python"]) == (f"{NAME}-py3-none-any.whl", ">=3.11")
    needed = words.get_all("Requires-Dist", [])
    assert [line for line in needed if "@" in line or not re.search(r">=\d", line)] == []


def test_who_unpacks_the_source_distribution_can_set_up_and_test(unpacked: Path) -> None:
    for folder in ("src", "tests", "bench", "deploy", "docs", "requirements", "scripts"):
        assert own(unpacked / folder) == own(ROOT / folder)
    assert {path.name for path in unpacked.iterdir()} >= {
        "Makefile",
        "LICENSE",
        "README.md",
        "pyproject.toml",
    }


@pytest.fixture
def clean() -> Iterator[Path]:
    """A folder that other users can enter: as root, PostgreSQL runs as one of them."""
    folder = Path(tempfile.mkdtemp(prefix="storewatch-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def uv(*words: str) -> None:
    """The program that set this tree up; it has the packages at hand, which pip would fetch anew."""
    found = shutil.which("uv", path=f"{ROOT}/.tools/bin:{ROOT}/.tools/venv/bin:{os.environ['PATH']}")
    assert found, "uv is missing: make setup"
    trusts = {"UV_SYSTEM_CERTS": "1"} if Path("/etc/ssl/certs/ca-certificates.crt").exists() else {}
    command = [found, *words]  # it trusts what the machine trusts, as in scripts/setup
    done = subprocess.run(command, env=trusts | os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_wheel_in_a_clean_environment_makes_a_report_within_a_minute(wheel: Path, clean: Path) -> None:
    """By pip and as other users, on each Python: scripts/try-wheel."""
    uv("venv", "--python", sys.executable, str(clean / "venv"))
    pinned = ("--constraints", str(ROOT / "requirements/dev.txt"))
    uv("pip", "install", "--python", str(clean / "venv"), *pinned, str(wheel))
    began = time.monotonic()
    demo = subprocess.run(
        [clean / "venv/bin/storewatch", "demo", "--stores", "200", "--days", "2"],
        env={"PATH": os.defpath, "HOME": str(clean), "STOREWATCH_HOME": str(clean / "home")},
        cwd=clean,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr
    assert f"The whole report: {clean}" in demo.stdout
    assert time.monotonic() - began < 60
