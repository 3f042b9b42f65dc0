"""Days and periods are kept without a look at their store for each."""

from storewatch.storage.migrations import run_sql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0016_cheaper_days.sql")
