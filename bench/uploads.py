"""How long an upload takes, and how much memory: `python -m bench.uploads [MB]`, against a real service."""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from pathlib import Path

from storewatch import embedded
from storewatch.storage import db
from storewatch.storage.db import Database
from tests.acceptance.conftest import serving
from tests.acceptance.test_uploads import peak_kib

ROW = "{store},{status},2023-01-{day:02d} {hour:02d}:{minute:02d}:{second:02d}.{micro:06d} UTC\n"


def polls(path: Path, megabytes: int) -> int:
    """Writes a file of polls of 14,000 stores, hour by hour; returns how many."""
    count = 0
    with path.open("w") as file:
        file.write("store_id,status,timestamp_utc\n")
        while file.tell() < megabytes * 1_000_000:
            hour = count // 14_000
            for store in range(14_000):
                status = "inactive" if (store + hour) % 9 == 0 else "active"
                file.write(
                    ROW.format(
                        store=8_000_000_000_000_000_000 + store * 7919,
                        status=status,
                        day=1 + hour // 24,
                        hour=hour % 24,
                        minute=store % 60,
                        second=store // 60 % 60,
                        micro=store,
                    )
                )
            count += 14_000
    return count


def main() -> None:
    """Prints a line a file: received in, taken in after, the web process's peak memory."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        folder.chmod(0o755)  # as root the server runs as another user, who must get in
        plain, packed = folder / "polls.csv", folder / "polls.csv.gz"
        count = polls(plain, megabytes)
        packed.write_bytes(gzip.compress(plain.read_bytes(), 6))
        with embedded.running(folder / "home", print) as url:
            database = Database(url)
            db.prepare(database)
            database.close()
            environment = {"STOREWATCH_DATABASE_URL": url, "STOREWATCH_UPLOADS": str(folder / "uploads")}
            with serving(environment, folder) as service:
                for file in (plain, packed):
                    before, began = peak_kib(service), time.perf_counter()
                    upload_id = service.upload(file)
                    received = time.perf_counter() - began
                    upload = service.taken(upload_id)
                    print(
                        f"{file.name}: {file.stat().st_size / 1e6:.0f} MB, {count:,} polls, received in "
                        f"{received:.2f} s, {upload['status']} after {time.perf_counter() - began:.2f} s, "
                        f"web {before / 1024:.0f} MiB before, {peak_kib(service) / 1024:.0f} MiB at most"
                    )


if __name__ == "__main__":
    main()
