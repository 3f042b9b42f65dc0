"""Which rows of a report an address asks for; and the addresses of other views of the same report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from flask import request

from storewatch.domain.clock import HOUR
from storewatch.errors import UsageError
from storewatch.storage.report_rows import Asked
from storewatch.web.report_words import Column

ROWS = 25
"""Rows a page."""

DOWN = {"some": ("Any at all", 1), "1h": ("1 h or more", HOUR), "8h": ("8 h or more", 8 * HOUR)}
COVERAGE = {"50": ("50% or less", 0.5), "80": ("80% or less", 0.8)}
_FIGURES = ("up", "down", "coverage")
_LONGEST = 200
_MOST_PAGES = 1_000_000


@dataclass(frozen=True)
class Asking:
    """What the rows are asked for. `figure` is `store_id`, `name`, `up`, `down` or `coverage`; figures are
    those of `column`; `down` and `coverage` are about the last column.
    """

    figure: str = "store_id"
    column: Column | None = None
    descending: bool = False
    q: str = ""
    down: str = ""
    coverage: str = ""
    group: UUID | None = None
    other: UUID | None = None
    page: int = 1
    last: int = 0

    @classmethod
    def of_request(cls, shown: Sequence[Column]) -> Asking:
        """What the address asks for. UsageError says which part of it makes no sense."""
        figure, column = _sorted_by(_text("sort"), shown)
        return cls(
            figure,
            column,
            _descending(figure),
            _text("q"),
            _one_of("down", DOWN),
            _one_of("coverage", COVERAGE),
            _id("group"),
            _id("with"),
            _page(),
            shown[-1].place,
        )

    @property
    def offset(self) -> int:
        """How many rows come before."""
        return (self.page - 1) * ROWS

    @property
    def sifted(self) -> bool:
        """Whether some rows are left out."""
        return bool(self.q or self.down or self.coverage or self.group)

    def asked(self) -> Asked:
        """The same for the storage."""
        at_least = {"down": float(DOWN[self.down][1])} if self.down else {}
        at_most = {"coverage": COVERAGE[self.coverage][1]} if self.coverage else {}
        return Asked(
            self.column.place if self.column else self.last,
            self.figure,
            self.descending,
            self.q or None,
            self.group,
            at_least,
            at_most,
            bounds_window=self.last,
        )

    @property
    def order_key(self) -> str:
        """How an address names the order; empty for the usual one."""
        if self.column:
            return f"{self.figure}.{self.column.name}"
        return "" if self.figure == "store_id" else self.figure

    @property
    def order(self) -> str:
        """`asc` or `desc`; empty for what is usual with such a figure."""
        if self.descending == _usually_descending(self.figure):
            return ""
        return "desc" if self.descending else "asc"

    def here(self, figure: str, column: Column | None = None) -> str:
        """`ascending` or `descending` if rows are sorted so, else nothing."""
        if (figure, column) != (self.figure, self.column):
            return ""
        return "descending" if self.descending else "ascending"

    def sorted_so(self, figure: str, column: Column | None = None) -> str:
        """The address of the first page by another order; the other way round if it is the present one."""
        present = self.here(figure, column)
        descending = present == "ascending" if present else _usually_descending(figure)
        return self._query(replace(self, figure=figure, column=column, descending=descending, page=1))

    def paged(self, page: int) -> str:
        """The address of another page."""
        return self._query(replace(self, page=page))

    def alone(self) -> str:
        """The address without another report beside."""
        return self._query(replace(self, other=None))

    def _query(self, of: Asking) -> str:
        said = {
            "sort": of.order_key,
            "order": of.order,
            "q": of.q,
            "down": of.down,
            "coverage": of.coverage,
            "group": str(of.group or ""),
            "with": str(of.other or ""),
            "page": str(of.page) if of.page > 1 else "",
        }
        return "?" + urlencode({name: value for name, value in said.items() if value})


def _sorted_by(text: str, shown: Sequence[Column]) -> tuple[str, Column | None]:
    figure, _, name = text.partition(".")
    if not name and figure in ("", "store_id", "name"):
        return figure or "store_id", None
    column = next((each for each in shown if each.name == name), None)
    if figure not in _FIGURES or column is None:
        raise UsageError("sort is no column of the table", field="sort")
    return figure, column


def _usually_descending(figure: str) -> bool:
    """Whether the highest come first: so that the worst do."""
    return figure == "down"


def _descending(figure: str) -> bool:
    order = _text("order")
    return order == "desc" if order else _usually_descending(figure)


def _text(name: str) -> str:
    text = request.args.get(name, "").strip()
    if len(text) > _LONGEST or not text.isprintable():
        raise UsageError(f"{name} must be printable, and {_LONGEST} characters at most", field=name)
    return text


def _one_of(name: str, known: Mapping[str, tuple[str, float]]) -> str:
    text = _text(name)
    if text and text not in known:
        raise UsageError(f"{name} is one of {', '.join(known)}", field=name)
    return text


def _id(name: str) -> UUID | None:
    text = _text(name)
    try:
        return UUID(text) if text else None
    except ValueError:
        raise UsageError(f"{name} must be an id", field=name) from None


def _page() -> int:
    text = _text("page") or "1"
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= _MOST_PAGES:
        raise UsageError("page must be a number from 1 on", field="page")
    return int(text)
