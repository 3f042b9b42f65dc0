"""Weeks and months of stores, added up, and the open time ahead of each."""

from storewatch.storage.migrations import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0007_periods.sql")
