"""Backups: one file with all that cannot be made again, and the record of the last one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storewatch.embedded.files import write_file

FOLDER, _RECORD = "backups", "last.json"


@dataclass(frozen=True)
class LastBackup:
    """When the last backup was whole, where it was put, and how large it was, in bytes."""

    at: datetime
    path: Path
    bytes: int


def last_backup(home: Path) -> LastBackup | None:
    """The last backup that was made from this home; None if none was, or its record cannot be read.

    The file may have been moved since: only its record is looked at.
    """
    try:
        told = json.loads((home / FOLDER / _RECORD).read_text(encoding="utf-8"))
        return LastBackup(datetime.fromisoformat(told["at"]), Path(told["path"]), int(told["bytes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record(home: Path, made: LastBackup) -> None:
    told = {"at": made.at.isoformat(), "path": str(made.path), "bytes": made.bytes}
    write_file(home / FOLDER / _RECORD, json.dumps(told) + "\n", 0o600)
