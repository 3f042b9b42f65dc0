"""Any number of commands share one server on one home."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import pytest

from storewatch.embedded import running, start, stop, waiting
from storewatch.errors import EmbeddedServerError
from tests.embedded.conftest import Begin
from tests.embedded.people import Caller, eventually, is_up, postmaster, query, silent

pytestmark = pytest.mark.xdist_group("sharing")  # they share homes


def test_the_first_start_makes_a_database_and_the_next_finds_the_data_again(
    begin: Begin, caller: Caller, callers_folder: Path
) -> None:
    home = callers_folder / "new"
    first = begin(home, caller=caller)
    url = first.url()
    query(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.end()
    assert not is_up(home)
    second = begin(home, caller=caller)
    assert second.url() == url
    assert query(url, "SELECT answer FROM kept") == 42


def test_two_commands_share_one_server_and_the_last_one_stops_it(
    begin: Begin, caller: Caller, callers_home: Path
) -> None:
    first, second = begin(callers_home, caller=caller), begin(callers_home, caller=caller)
    assert first.url() == second.url()
    server = postmaster(callers_home)
    first.end()
    assert postmaster(callers_home) == server
    second.end()
    assert not is_up(callers_home)


def test_ten_commands_that_begin_at_once_share_one_server(begin: Begin, home: Path) -> None:
    commands = [begin(home) for _ in range(10)]
    urls = {command.url() for command in commands}
    assert len(urls) == 1
    assert query(urls.pop(), "SELECT 1") == 1
    for command in commands:
        command.end()
    assert not is_up(home)


@pytest.mark.slow
def test_no_command_is_stopped_by_another_that_ends_as_it_begins(begin: Begin, home: Path) -> None:
    for _ in range(5):
        first, second = begin(home), begin(home)
        first.end()
        assert query(second.url(), "SELECT 1") == 1
        second.end()
    assert not is_up(home)


def test_a_command_that_waits_for_another_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SILENT_S", 0.05)
    said: list[str] = []
    with (home / "postgres/change.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def say(text: str) -> None:
            said.append(text)
            fcntl.flock(lock, fcntl.LOCK_UN)

        with running(home, say):
            pass
    assert said[0].startswith("Waiting for another storewatch command")


def test_ctrl_c_ends_a_command_and_not_the_server_that_others_use(begin: Begin, home: Path) -> None:
    first = begin(home)
    first.url()
    second = begin(home)
    url = second.url()
    first.kill(signal.SIGINT)
    assert query(url, "SELECT 1") == 1


def test_ctrl_c_in_the_last_command_stops_the_server(begin: Begin, home: Path) -> None:
    command = begin(home)
    command.url()
    command.kill(signal.SIGINT)
    assert not is_up(home)


def test_a_forked_worker_that_unwinds_does_not_stop_the_server(begin: Begin, home: Path) -> None:
    assert query(begin(home, "fork").url(), "SELECT 1") == 1


def test_an_error_in_the_block_stops_the_server_and_goes_through(home: Path) -> None:
    with pytest.raises(ZeroDivisionError), running(home, silent):
        raise ZeroDivisionError
    assert not is_up(home)


def test_a_started_server_stays_until_it_is_stopped(begin: Begin, home: Path) -> None:
    url = start(home, silent)
    command = begin(home)
    assert command.url() == url
    command.end()
    assert is_up(home)
    assert stop(home, silent) is True
    assert not is_up(home)
    assert stop(home, silent) is False


def test_a_server_to_be_kept_up_that_died_is_kept_up_again_by_the_next_command(home: Path) -> None:
    start(home, silent)
    os.kill(postmaster(home).pid, signal.SIGKILL)
    eventually(lambda: not is_up(home))
    with running(home, silent):
        pass
    assert is_up(home)


def test_stop_is_refused_while_a_command_uses_the_server(begin: Begin, home: Path) -> None:
    start(home, silent)
    command = begin(home)
    url = command.url()
    with pytest.raises(EmbeddedServerError, match="Another storewatch command is using"):
        stop(home, silent)
    assert query(url, "SELECT 1") == 1
    command.end()
    assert is_up(home), "a refused stop changes nothing"


def test_a_forced_stop_stops_what_is_in_use(begin: Begin, home: Path) -> None:
    begin(home).url()
    assert stop(home, silent, force=True) is True
    assert not is_up(home)


def test_stop_makes_no_home(new_home: Path) -> None:
    assert stop(new_home, silent) is False
    assert not new_home.exists()
