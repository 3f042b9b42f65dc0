"""The cells in which another program's report differs from ours, a row each, with the cause."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import SECOND
from storewatch.domain.likely_causes import Cells, Found
from storewatch.domain.other_weeks import Bools
from storewatch.domain.their_rules import Cause, Program
from storewatch.formats.report_in import NAMES
from storewatch.storage import stores, weekly
from storewatch.storage.tables import Report

SCHEMA = {
    "store_id": pl.String,
    "column": pl.String,
    "theirs": pl.String,
    "ours": pl.String,
    "difference_seconds": pl.Float64,
    "cause": pl.String,
    "rule": pl.String,
    "whole_row": pl.Boolean,
}
"""`theirs` and `ours` as they are written; `difference_seconds` is null where one has no number; `rule` is
what the other program does; `whole_row` whether that says all of the store's row.
"""


def table(
    ours: pl.DataFrame, texts: pl.DataFrame, same: Bools, times: Int64, theirs: Cells, found: Found
) -> pl.DataFrame:
    """The cells that are not the `same`, bool[stores, windows, 2], of stores in rows of all arguments."""
    row, window, state = np.nonzero(~same)
    column = state * 3 + window
    number = found.program[row, window]
    difference = (theirs.times - times)[row, window, state]
    ours_empty = ours.select(pl.col(NAMES).is_null()).to_numpy()[row, column]
    sized = ~(theirs.empty[row, window, state] | ours_empty)
    tiny = sized & (np.abs(difference) <= 2 * theirs.half[window, state])
    causes, rules = _said(number, ours["adjusted"].to_numpy()[row], tiny, found.programs)
    return pl.DataFrame(
        {
            "store_id": ours["store_id"].gather(row),
            "column": pl.Series(np.array(NAMES)[column], dtype=pl.String),
            "theirs": _picked(texts, row, column),
            "ours": _picked(ours.select(NAMES), row, column),
            "difference_seconds": pl.select(
                pl.when(pl.Series(sized)).then(pl.Series(difference / SECOND))
            ).to_series(),
            "cause": causes,
            "rule": rules,
            "whole_row": found.whole[row],
        },
        SCHEMA,
    )


def _picked(texts: pl.DataFrame, row: Int64, column: Int64) -> pl.Series:
    """The texts of cells."""
    flat = pl.concat([texts[name].cast(pl.String) for name in NAMES])
    return flat.gather(column * len(texts) + row)


def _said(
    number: Int64, adjusted: Bools, tiny: Bools, programs: list[Program]
) -> tuple[pl.Series, pl.Series]:
    """Cause and rule of cells, by the number of the program that says them; -1: none does."""
    nothing = len(programs) * 2
    code = np.where(number < 0, nothing + tiny, 2 * number + adjusted)
    said = [_of_program(program, adjusted=each) for program in programs for each in (False, True)]
    said += [(Cause.UNEXPLAINED.value, ""), (Cause.ROUNDING.value, "off by one in the last digit")]
    causes, rules = (pl.Series([pair[at] for pair in said], dtype=pl.String).gather(code) for at in (0, 1))
    return causes, rules


def _of_program(program: Program, *, adjusted: bool) -> tuple[str, str]:
    """Cause and rule; of a store with exceptions, that these are not known to it comes first."""
    if not program.rules and not adjusted:
        return Cause.CHANGED.value, "what is known now gives their figure"
    if not adjusted:
        return program.cause, program.words
    causes, words = (Cause.EXCEPTIONS.value, program.cause), ("it knows of no exceptions", program.words)
    return " + ".join(filter(None, causes)), "; ".join(filter(None, words))


def missing_theirs(session: Session, report: Report, ids: list[str]) -> pl.DataFrame:
    """A row for each of our stores that they have not, as `table`; the rule says what may have lost it."""
    keys = _keys(session, ids)
    schedule = weekly.schedule(session, keys["store_key"].to_numpy(), report.default_zone)
    lacks = schedule.always * 2 + (schedule.zone == 0)
    words = ("", "it has no zone", "it has no opening hours", "it has no opening hours and no zone")
    return _absent(ids, Cause.MISSING_THEIRS, [words[each] for each in lacks], ours=True)


def missing_ours(session: Session, ids: list[str]) -> pl.DataFrame:
    """A row for each of their stores that our report has not."""
    known = set(_keys(session, ids).drop_nulls()["store_id"])
    return _absent(ids, Cause.MISSING_OURS, [_why(each, known) for each in ids], ours=False)


def _why(store_id: str, known: set[str]) -> str:
    if store_id in known:
        return "it has no poll up to then, or was not chosen for our report"
    if re.fullmatch(r"\d(\.\d+)?[eE]\+?\d+|\d+\.0", store_id):
        return "an id damaged by a spreadsheet or by numbers"
    return "no store has this id"


def _keys(session: Session, ids: list[str]) -> pl.DataFrame:
    known = stores.keys(session, ids)
    asked = pl.DataFrame({"store_id": ids}, {"store_id": pl.String})
    return asked.join(known, on="store_id", how="left", maintain_order="left")


def _absent(ids: list[str], cause: Cause, rules: list[str], *, ours: bool) -> pl.DataFrame:
    there, lacking = pl.Series(ids, dtype=pl.String), pl.Series([None] * len(ids), dtype=pl.String)
    return pl.DataFrame(
        {
            "store_id": there,
            "column": pl.Series(["store_id"] * len(ids), dtype=pl.String),
            "theirs": lacking if ours else there,
            "ours": there if ours else lacking,
            "difference_seconds": pl.Series([None] * len(ids), dtype=pl.Float64),
            "cause": pl.Series([cause.value] * len(ids), dtype=pl.String),
            "rule": pl.Series(rules, dtype=pl.String),
            "whole_row": pl.Series([None] * len(ids), dtype=pl.Boolean),
        }
    )


def by_size(rows: pl.DataFrame) -> pl.DataFrame:
    """The biggest difference first; those without a number last."""
    return rows.sort(
        pl.col("difference_seconds").abs(),
        "store_id",
        "column",
        descending=[True, False, False],
        nulls_last=True,
    )
