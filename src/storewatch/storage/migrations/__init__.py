"""Alembic revisions. Each runs frozen SQL text from `sql/`; later releases only add revisions."""

from __future__ import annotations

from importlib import resources

from alembic import op


def run_sql(name: str) -> None:
    """Runs a file of `sql/` as it is, in the migration's transaction."""
    text = resources.files(__package__).joinpath("sql", name).read_text(encoding="utf-8")
    raw = op.get_bind().connection.driver_connection
    assert raw is not None  # noqa: S101 - a bound migration has a connection
    raw.execute(text)
