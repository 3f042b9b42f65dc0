"""Raw rows of a file of people -> whom to invite as what, and rejections with reasons."""

from __future__ import annotations

import polars as pl

from storewatch.domain.rows import Read, bad_rows, missing, quoted

COLUMNS = ("email", "role")
OPTIONAL = ("group",)
"""A row is one person's place in one group; who has several has as many rows."""

OF_ALL = ("admin", "operator")
OF_A_GROUP = ("manager", "viewer")
MAX_NAME = 200
_ROLES = "admin, operator, manager or viewer"
_CONTROL = r"[\x00-\x1f\x7f]"


def read_people(rows: pl.DataFrame) -> Read:
    """Good rows have (line, email, role, group): trimmed, the role in small letters, `group` null for roles
    that have none. Whether the address is one is looked at elsewhere.
    """
    texts = pl.col(*COLUMNS, *OPTIONAL).str.strip_chars().replace("", None)
    trimmed = rows.with_columns(texts).with_columns(pl.col("role").str.to_lowercase())
    checked = trimmed.with_columns(problem=_problem())
    bad = checked.filter(pl.col("problem").is_not_null())
    good = checked.filter(pl.col("problem").is_null()).drop("problem")
    return Read(good.select("line", *COLUMNS, *OPTIONAL), bad_rows(bad, pl.col("problem")))


def _problem() -> pl.Expr:
    """The first problem of a row; null if there is none."""
    role, group = pl.col("role"), pl.col("group")
    return (
        pl.when(missing("email"))
        .then(pl.lit("no email"))
        .when(missing("role"))
        .then(pl.lit(f"no role: it is {_ROLES}"))
        .when(~role.is_in([*OF_ALL, *OF_A_GROUP]))
        .then(pl.format(f"role {{}} is not {_ROLES}", quoted("role")))
        .when(role.is_in(OF_ALL) & group.is_not_null())
        .then(pl.format("{} sees every group: leave 'group' empty", _a_role()))
        .when(role.is_in(OF_A_GROUP) & group.is_null())
        .then(pl.format("{} needs a group", _a_role()))
        .when(group.str.len_chars() > MAX_NAME)
        .then(pl.lit(f"group has more than {MAX_NAME} characters"))
        .when(group.str.contains(_CONTROL))
        .then(pl.lit("group has characters that cannot be printed"))
    )


def _a_role() -> pl.Expr:
    article = pl.when(pl.col("role").is_in(["admin", "operator"])).then(pl.lit("an")).otherwise(pl.lit("a"))
    return pl.format("{} {}", article, pl.col("role"))
