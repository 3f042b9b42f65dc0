"""What is thought of each store now, incidents, and who is told of them."""

from storewatch.storage.migrations import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0009_alerts.sql")
