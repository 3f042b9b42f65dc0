"""The lines of docs/how-to/first-hour-with-the-api.md, run as printed against a real service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import PATIENCE, serving

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs/how-to/first-hour-with-the-api.md"
CUT = "----- next -----"


def test_the_page_says_what_happens(environment: dict[str, str], tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    with serving(environment, tmp_path, login=True) as service:
        link = re.findall(r"http://\S+/link/\S+", service.said("first administrator"))[0]
        page = page.replace("http://127.0.0.1:8000/link/…", link).replace(":8000", f":{service.port}")
        steps = re.findall(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        assert len(steps) == page.count("```sh\n")
        said = run(f"echo '{CUT}'\n".join(lines for lines, _ in steps), environment, tmp_path)
    for (lines, expected), found in zip(steps, said.split(f"{CUT}\n"), strict=True):
        assert re.fullmatch(re.escape(expected).replace("…", ".*"), found), f"{lines}\n{found}"


def run(lines: str, environment: dict[str, str], folder: Path) -> str:
    """What bash prints, with `storewatch` on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", lines],
        env=os.environ | environment | {"PATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return result.stdout + result.stderr
