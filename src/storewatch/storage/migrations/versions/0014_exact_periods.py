"""Weeks and months of days that run on are found at once."""

from storewatch.storage.migrations import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0014_exact_periods.sql")
