"""The fleet at a glance: how each store stands, the days of groups and of all stores."""

from storewatch.storage.migrations import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0005_fleet.sql")
