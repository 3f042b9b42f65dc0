"""How a store stands: its figures in columns of their own, which are added up faster."""

from storewatch.storage.migrations import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0008_sums.sql")
