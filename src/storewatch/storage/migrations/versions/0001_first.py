"""The first schema: stores, hours, zones, polls, imports, reports, and procrastinate's job queue."""

from storewatch.storage.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0001_first.sql")
    run_sql("procrastinate_3_10.sql")
