"""How much memory a control group leaves: as Linux tells it, in both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from storewatch.embedded import memory

GB = 1 << 30


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/a/b", {"a/b/memory.max": f"{GB}\n"}, GB),
        ("0::/a/b", {"a/b/memory.max": "max\n", "a/memory.max": f"{2 * GB}\n"}, 2 * GB),
        ("0::/hidden", {"memory.max": f"{GB}\n"}, GB),
        ("1:cpu:/x\n5:memory:/a", {"memory/a/memory.limit_in_bytes": f"{GB}\n"}, GB),
        ("5:memory:/a", {"memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ("0::/a", {}, None),
    ],
)
def test_the_least_limit_counts(
    tmp_path: Path, groups: str, files: dict[str, str], limit: int | None
) -> None:
    write(tmp_path / "cgroup", groups)
    for name, text in files.items():
        write(tmp_path / "root" / name, text)
    of_machine = memory.limit(tmp_path / "none")
    assert memory.limit(tmp_path / "cgroup", tmp_path / "root") == (limit or of_machine)
    assert of_machine > 0


@pytest.mark.parametrize(("limit", "buffers"), [(GB, 64), (4 * GB, 256), (64 * GB, 256), (GB // 4, 32)])
def test_a_small_machine_gives_little(monkeypatch: pytest.MonkeyPatch, limit: int, buffers: int) -> None:
    monkeypatch.setattr(memory, "limit", lambda: limit)
    assert memory.shared_buffers_mb() == buffers
