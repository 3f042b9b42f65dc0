"""Small files written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path


def write_file(path: Path, text: str, mode: int) -> None:
    """Replace `path` by a file of this text and mode; a reader sees the old one or the new, never a part."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        # The mode is set on the descriptor, since the umask would narrow what os.open is given.
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def read_file(path: Path) -> str | None:
    """The text of `path`, or None when there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def remove_leftovers(folder: Path, pattern: str) -> None:
    """Remove what a killed command left half made; what resists is left for the next time."""
    for leftover in folder.glob(pattern):
        shutil.rmtree(leftover, ignore_errors=True)


def trim(path: Path, limit_bytes: int) -> None:
    """Once the log at `path` has grown beyond the limit, keep it as `<name>.1` and empty it.

    The server goes on writing to the same file, which it has open for appending.
    """
    try:
        if path.stat().st_size > limit_bytes:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            os.truncate(path, 0)
    except FileNotFoundError:
        pass
