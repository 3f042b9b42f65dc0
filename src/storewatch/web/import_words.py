"""What pages say of imports."""

from __future__ import annotations

from storewatch.storage import uploads
from storewatch.storage.access_tables import Upload
from storewatch.storage.tables import Import
from storewatch.web.words import stores

KINDS = {
    "store_status": "Polls",
    "menu_hours": "Opening hours",
    "store_timezone": "Zones",
    "stores": "Stores",
}
SOURCES = {
    "cli": "by a command",
    "upload": "by upload",
    "folder": "from the watched folder",
    "api": "by the API",
    "probe": "by the probe",
    "demo": "by the demo",
}
_DAYS_NAMED = 10


def kind(name: str | None) -> str:
    """`Opening hours`; a dash for what is not recognised."""
    return "–" if name is None else KINDS.get(name, name)


def sender(upload: Upload, email: str | None) -> str:
    """Where a file came from."""
    if uploads.source(upload.upload_id) == "folder":
        return SOURCES["folder"]
    return f"by {email or 'nobody who is known'}"


def size(count: int) -> str:
    """`812 bytes`, `106.2 MB`."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count} bytes"


def outcome(record: Import) -> str:
    """What became of a file's rows, in a sentence: `3,178 new, 12 corrected. 5 could not be read.`"""
    counts = (
        (record.rows_new, "new"),
        (record.rows_corrected, "corrected"),
        (record.rows_unchanged, "unchanged"),
        (record.rows_kept, "kept as put right by hand"),
    )
    told = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    rejected = f" {record.rows_rejected:,} could not be read." if record.rows_rejected else ""
    return f"{told or 'No row was taken'}.{rejected}"


def assumed(record: Import, default_zone: str) -> list[str]:
    """What was taken for granted once it was in, in sentences."""
    notes, said = record.assumptions, []
    if count := notes.get("open_24x7"):
        said.append(f"{stores(count)} with polls had no opening hours: counted as open day and night.")
    if count := notes.get("default_zone"):
        said.append(f"{stores(count)} with polls had no zone: counted in {default_zone}.")
    return said


def consequences(record: Import) -> list[str]:
    """What it changed beside its own rows."""
    notes, said = record.assumptions, []
    if count := notes.get("past_days_changed"):
        said.append(f"{count:,} past days of stores have other opening hours now, so their figures change.")
    if closed := notes.get("closed_days"):
        named = ", ".join(f"{day['day']} of {day['store_id']}" for day in closed[:_DAYS_NAMED])
        more = f" and {len(closed) - _DAYS_NAMED:,} more" if len(closed) > _DAYS_NAMED else ""
        said.append(f"Days that now count as closed, because their row was rejected: {named}{more}.")
    if record.rows_kept:
        said.append(f"{record.rows_kept:,} rows were not taken over what somebody had put right by hand.")
    return said
