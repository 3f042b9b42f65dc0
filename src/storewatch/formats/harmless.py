"""Text that a spreadsheet would take for a formula, made harmless."""

from __future__ import annotations

import re

import polars as pl

_FORMULA = r"^([=+\-@\t\r])"


def harmless(text: pl.Expr) -> pl.Expr:
    """Text with an apostrophe before it where a spreadsheet would calculate; digit for digit otherwise."""
    return text.str.replace(_FORMULA, "'$1")


def harmless_text(text: str) -> str:
    """`harmless` of one text."""
    return f"'{text}" if re.match(_FORMULA, text) else text
