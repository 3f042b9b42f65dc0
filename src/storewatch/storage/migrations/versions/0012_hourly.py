"""A day that runs on costs little."""

from storewatch.storage.migrations import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0012_hourly.sql")
