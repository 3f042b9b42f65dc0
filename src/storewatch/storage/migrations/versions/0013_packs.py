"""Polls that change no more are read as packs."""

from storewatch.storage.migrations import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0013_packs.sql")
