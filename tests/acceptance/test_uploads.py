"""Uploads to the real service: connections that are cut, files that are too large, memory."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from storewatch.storage import imports
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, serving
from tests.factories import CHICAGO_MONDAY, load_chicago

pytestmark = pytest.mark.slow

PATH = "/api/v1/uploads"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"


@pytest.fixture
def folder(environment: dict[str, str]) -> Path:
    return Path(environment["STOREWATCH_UPLOADS"])


def file_of(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "polls.csv"
    path.write_bytes(data)
    return path


def test_an_upload_becomes_polls(service: Service, tmp_path: Path) -> None:
    upload_id = service.upload(file_of(tmp_path, gzip.compress(CHICAGO_MONDAY.encode())))
    upload = service.taken(upload_id)
    assert (upload["status"], upload["kind"]) == ("complete", "store_status")
    assert len(service.get("/api/v1/polls?store_id=1")["items"]) == 2


def came(folder: Path, size: int) -> bool:
    """Whether a file of at least that size is coming in."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if any(path.stat().st_size >= size for path in folder.glob("*.part")):
            return True
        time.sleep(0.01)
    return False


def emptied(folder: Path) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not list(folder.iterdir()):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("head", "start"),
    [("Content-Length: 10000000\r\n\r\n", ""), ("Transfer-Encoding: chunked\r\n\r\n", "200000\r\n")],
    ids=["length", "chunked"],
)
def test_a_connection_that_is_cut_leaves_nothing(
    service: Service, folder: Path, head: str, start: str
) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall((HEAD + head + start).encode() + b"x" * 1_000_000)
        assert came(folder, 500_000)
    assert emptied(folder)
    assert service.get(PATH)["items"] == []


def test_chunks_that_are_none_are_refused(service: Service, folder: Path) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall((HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n").encode())
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    assert emptied(folder)


def test_a_killed_service_leaves_nothing_that_stays(
    environment: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    with serving(environment, tmp_path) as service:
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.sendall(f"{HEAD}Content-Length: 10000000\r\n\r\n".encode() + b"x" * 1_000_000)
            assert came(folder, 500_000)
            answering(service).kill()
            service.get("/healthz")
        [left] = folder.iterdir()
        assert service.get(PATH)["items"] == []
    old = time.time() - 7200
    os.utime(left, (old, old))
    with serving(environment, tmp_path):
        assert emptied(folder)


@pytest.fixture
def small(environment: dict[str, str], tmp_path: Path) -> Iterator[Service]:
    """A service that takes files of up to a mebibyte."""
    with serving(environment | {"STOREWATCH_MAX_UPLOAD": "1MiB"}, tmp_path) as running:
        yield running


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_client_hears_that_a_file_is_too_large(small: Service, folder: Path, chunked: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=PATIENCE)
    body = (b"x" * 100_000 for _ in range(30))
    headers = {"Content-Type": "text/csv"} | ({} if chunked else {"Content-Length": "3000000"})
    connection.request("POST", PATH, body, headers, encode_chunked=chunked)
    answer = connection.getresponse()
    problem = json.load(answer)
    connection.close()
    assert (answer.status, "1,048,576 bytes" in problem["detail"]) == (413, True)
    assert not folder.exists() or not list(folder.iterdir())


def answering(service: Service) -> psutil.Process:
    """The process that answers requests."""
    [process] = service.child("web").children()
    return process


def peak_kib(service: Service) -> int:
    """The most memory that it ever had."""
    status = Path(f"/proc/{answering(service).pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def test_a_large_file_takes_no_more_memory_than_a_small_one(service: Service, tmp_path: Path) -> None:
    service.upload(file_of(tmp_path, b"a,b\n" * 1000))
    before = peak_kib(service)
    service.upload(file_of(tmp_path, b"a,b\n" * (30 << 20)))  # 120 MiB
    assert peak_kib(service) - before < 32 << 10


def test_a_gzip_bomb_is_refused(small: Service, tmp_path: Path) -> None:
    bomb = gzip.compress(CHICAGO_MONDAY.encode() + b"\n" * (64 << 20))
    upload = small.taken(small.upload(file_of(tmp_path, bomb)))
    assert (upload["status"], "unpacks to more than" in upload["error"]) == ("failed", True)


def test_a_report_is_made_beside_an_import_that_runs(
    service: Service, database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    with database.transaction() as session:
        imports.lock(session, "store_status")  # the upload's import waits, and is running
        upload_id = service.upload(file_of(tmp_path, CHICAGO_MONDAY.encode()))
        assert service.complete(service.trigger())["status"] == "Complete"
        assert service.get(f"{PATH}/{upload_id}")["status"] in ("queued", "running")
    assert service.taken(upload_id)["status"] == "complete"
