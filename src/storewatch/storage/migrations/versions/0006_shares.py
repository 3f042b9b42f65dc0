"""Links by which people without an account see some days of one store."""

from storewatch.storage.migrations import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0006_shares.sql")
