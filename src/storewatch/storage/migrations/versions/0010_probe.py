"""Storefronts that we look at ourselves."""

from storewatch.storage.migrations import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0010_probe.sql")
