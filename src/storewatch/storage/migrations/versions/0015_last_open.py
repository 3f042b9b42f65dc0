"""How a closed store stood when it was last open is kept."""

from storewatch.storage.migrations import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0015_last_open.sql")
