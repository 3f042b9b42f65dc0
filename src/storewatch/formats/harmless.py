"""Text that a spreadsheet would take for a formula, made harmless."""

from __future__ import annotations

import polars as pl


def harmless(text: pl.Expr) -> pl.Expr:
    """Text with an apostrophe before it where a spreadsheet would calculate; digit for digit otherwise."""
    return text.str.replace(r"^([=+\-@\t\r])", "'$1")
