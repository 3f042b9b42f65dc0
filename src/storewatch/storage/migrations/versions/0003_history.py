"""History by store and local day."""

from storewatch.storage.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0003_history.sql")
    run_sql("0003_comments.sql")
