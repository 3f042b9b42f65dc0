"""People and what they may see, tokens, uploads, an audit log; more about stores."""

from storewatch.storage.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0002_people.sql")
