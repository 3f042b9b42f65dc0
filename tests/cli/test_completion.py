"""TAB, in a real bash on a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import PATIENCE, storewatch

ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "TERM": "dumb",
    "PS1": "> ",
}


class Terminal:
    """Bash, as a person sits before it."""

    def __init__(self, folder: Path) -> None:
        self.end, there = pty.openpty()
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            stdin=there,
            stdout=there,
            stderr=there,
            env=ENVIRONMENT | {"HOME": str(folder)},
            cwd=folder,
            start_new_session=True,
        )
        os.close(there)

    def types(self, keys: str, shows: str) -> None:
        """Types keys, and waits for what the terminal then shows."""
        os.write(self.end, keys.encode())
        seen, until = "", time.monotonic() + PATIENCE
        while shows not in seen:
            assert select.select([self.end], [], [], until - time.monotonic())[0], seen
            seen += os.read(self.end, 4096).decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.end)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    shell = Terminal(tmp_path)
    yield shell
    shell.close()


@pytest.mark.slow
def test_tab_completes_commands_options_values_and_files(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "last-night.zip").touch()
    terminal.types('eval "$(storewatch completion bash)"; echo $?.done\n', "0.done")
    terminal.types("storewatch rest\t", "restore ")
    terminal.types("--rep\t", "--replace ")
    terminal.types("last-n\t", "last-night.zip ")
    terminal.types("\x15storewatch db upg\t", "upgrade ")
    terminal.types("\x15storewatch report --policy prev\t", "previous ")


def asked(words: str, *options: str) -> subprocess.CompletedProcess[str]:
    """What bash asks at a TAB after these words."""
    return subprocess.run(
        [sys.executable, *options, str(Path(sys.executable).parent / "storewatch")],
        env=ENVIRONMENT | {"_STOREWATCH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )


def test_names_of_commands_come_without_the_commands() -> None:
    told = asked("storewatch re", "-X", "importtime")
    assert told.stdout == "plain,report\nplain,restore\n"
    loaded = {line.split("|")[-1].strip() for line in told.stderr.splitlines()}
    assert "storewatch.cli" in loaded
    assert not {"sqlalchemy", "numpy", "polars", "storewatch.cli.report"} & loaded
    assert "plain,web" not in asked("storewatch ").stdout.splitlines()  # a hidden one
    assert "plain,--version" in asked("storewatch --").stdout.splitlines()


@pytest.mark.parametrize(("shell", "line"), [("zsh", "#compdef storewatch"), ("fish", "complete --no-files")])
def test_other_shells_have_a_script_too(shell: str, line: str) -> None:
    told = storewatch("completion", shell, environment={})
    assert (told.returncode, told.stderr) == (0, "")
    assert line in told.stdout


def test_another_shell_is_refused_with_those_that_there_are() -> None:
    told = storewatch("completion", "tcsh", environment={})
    assert told.returncode == 2
    assert "'bash', 'zsh', 'fish'" in told.stderr
