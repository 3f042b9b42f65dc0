"""The documentation as a site: every page is there and can be reached, and a broken link is noticed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def build(tree: Path, output: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(tree / "scripts/site/build.py"), str(output)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    done = build(ROOT, folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_every_page_is_there_and_every_page_leads_to_it(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert pages <= {path.relative_to(site) for path in site.rglob("*.html")}
    navigation = (site / "reference/cli.html").read_text().partition("<main")[0]
    led = {(site / "reference" / link).resolve() for link in re.findall(r'href="([^"#]+\.html)"', navigation)}
    assert {site / page for page in pages} <= led | {site / "benchmarks.html"}


def test_nothing_is_loaded_from_another_host_and_no_script_runs(site: Path) -> None:
    for page in site.rglob("*.html"):
        head = page.read_text().partition("<main")[0]
        assert re.findall(r'(?:src|href)="(https?:[^"]*)"', head) == []
        assert "<script" not in page.read_text()
        assert re.findall(r'src="https?:', page.read_text()) == []
    assert "url(" not in (site / "style.css").read_text()


def test_code_keeps_every_character(site: Path) -> None:
    text = (site / "how-to/put-it-behind-nginx.html").read_text()
    assert "$request_uri" in text
    assert 'class="language-sh"' in text


@pytest.mark.parametrize(
    "line", ["[x](nowhere.md)", "[x](index.md#no-such-heading)", "[x](#nothing)", "[x](a.csv)"]
)
def test_a_link_that_leads_nowhere_ends_it(line: str, tmp_path: Path) -> None:
    for folder in ("docs/pictures", "scripts/site"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "docs/index.md").write_text(f"# Index\n\n{line}\n")
    done = build(tmp_path, tmp_path / "out")
    assert done.returncode == 1
    assert f"index.html: {line[4:-1].replace('.md', '.html') if '#no' in line else line[4:-1]}" in done.stderr
