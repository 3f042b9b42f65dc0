"""The last backup, as the home remembers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class LastBackup:
    """When it was made, where it lies, and how large it is in bytes."""

    at: datetime
    path: str
    bytes: int


def last_backup(home: Path) -> LastBackup | None:
    """The last backup that was made of this home; None if there was none, or nothing readable tells of it."""
    try:
        told = json.loads((home / "backups" / "last.json").read_text(encoding="utf-8"))
        at = datetime.fromisoformat(told["at"])
        return LastBackup(at if at.tzinfo else at.replace(tzinfo=UTC), str(told["path"]), int(told["bytes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
