"""Which rule of another program makes its cells differ from ours: found by trying, never by guessing.

Every rule of the catalogue is tried alone; the one that explains most becomes part of the program, and every
other is tried beside it; and once more. A row belongs to the first program that reproduces all of it, a cell
of a row that none does to the one that reproduces its window, up and down, and most of the row beside.

A rule is tried on a sample first. So it is known how many rows it would explain, and how many that are
explained it would spoil. One that explains nothing there costs no more; one that spoils more than it explains
comes last and alone, for where it is right it may be so by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from storewatch.domain import their_engine
from storewatch.domain.axis import Int64
from storewatch.domain.other_weeks import Bools
from storewatch.domain.their_engine import Evidence
from storewatch.domain.their_rules import OURS, Program, Rule, Slot

_ROUNDS = 3
_OPEN_SAMPLE, _SETTLED_SAMPLE = 400, 200


@dataclass(frozen=True)
class Cells:
    """What was said of stores: `times` int64[stores, windows, 2] up and down in microseconds; `empty` where
    nothing was said and `lacking` where there is no cell, bool[stores, windows, 2]. `half` int64[windows, 2]
    is half a unit of the last digit, `allowed` how far a cell may be off and still be the same.
    """

    times: Int64
    empty: Bools
    lacking: Bools
    half: Int64
    allowed: Int64

    def __getitem__(self, rows: Int64) -> Cells:
        return Cells(self.times[rows], self.empty[rows], self.lacking[rows], self.half, self.allowed)

    def same(self, times: Int64, nothing: Bools, program: Program = OURS) -> Bools:
        """bool[stores, windows, 2]: the cells that say this; `times` and `nothing` as `their_engine.Said`."""
        factor = program.of(Slot.UNIT)
        if factor is not None and factor.factor is not None:
            times = np.rint(times * np.array(factor.factor)[:, None]).astype(np.int64)
        above, below = self.allowed, -self.allowed
        if program.of(Slot.ROUNDING) is not None:
            above, below = np.ones_like(self.half), -2 * self.half - 1
        difference = self.times - times
        close = (difference <= above) & (difference >= below) & ~self.empty & ~nothing[:, :, None]
        return np.asarray(close | (self.empty & nothing[:, :, None]) | self.lacking)


@dataclass
class Found:
    """`program` int64[stores, windows]: which of `programs` reproduces the window; -1: none. `whole`
    bool[stores]: whether it reproduces the whole row.
    """

    program: Int64
    whole: Bools
    programs: list[Program] = field(default_factory=list)


def explain(of: Evidence, theirs: Cells, agreed: Bools, weight: float, rules: tuple[Rule, ...]) -> Found:
    """What explains the rows that are not `agreed`, bool[stores]. Each agreed one stands for `weight`."""
    return _Search(of, theirs, agreed, weight, rules).run()


class _Search:
    def __init__(
        self, of: Evidence, theirs: Cells, agreed: Bools, weight: float, rules: tuple[Rule, ...]
    ) -> None:
        self._of, self._theirs, self._agreed, self._weight, self._rules = of, theirs, agreed, weight, rules
        stores, windows = theirs.times.shape[:2]
        self._score = np.zeros((stores, windows), np.int64)
        self._found = Found(np.full((stores, windows), -1, np.int64), np.zeros(stores, np.bool_))

    def run(self) -> Found:
        """Tries everything."""
        self._try(OURS, self._open())  # what is known now may differ from what the report knew
        base, reproduced = OURS, self._agreed
        last: list[tuple[float, Program]] = []
        for _ in range(_ROUNDS):
            ranked = sorted(self._ranked(base, reproduced), key=lambda each: -each[0])
            if not ranked or ranked[0][0] <= 0:
                last += [] if base.rules else ranked
                break
            base, later = self._try_likely(ranked, first=not base.rules)
            last += later
            if not len(self._open()):
                break
            every = np.arange(len(self._agreed))
            reproduced = np.asarray(self._reproduced(base, every).all(axis=1))
        for _, program in sorted(last, key=lambda each: -each[0]):
            self._try(program, self._open())
        return self._found

    def _try_likely(
        self, ranked: list[tuple[float, Program]], *, first: bool
    ) -> tuple[Program, list[tuple[float, Program]]]:
        """Tries what wins more than it loses. Returns the best, and what is to be tried last of all: rules
        about the same as the best's, for a program has but one, and those that lose more, but only alone.
        """
        best, later = ranked[0][1], []
        for gain, program in ranked:
            rival = program is not best and program.rules[-1].slot is best.rules[-1].slot
            if gain > 0 and not rival:
                self._try(program, self._open())
            elif gain > 0 or first:
                later.append((gain, program))
        return best, later

    def _open(self) -> Int64:
        """The rows that nothing explains yet."""
        return np.flatnonzero(~self._agreed & ~self._found.whole)

    def _reproduced(self, program: Program, rows: Int64) -> Bools:
        """bool[rows, windows]: whether the program says both cells of a window."""
        said = their_engine.figures(self._of.some(rows), program)
        return np.asarray(self._theirs[rows].same(said.times, said.nothing, program).all(axis=2))

    def _ranked(self, base: Program, reproduced: Bools) -> list[tuple[float, Program]]:
        """The programs that explain something of a sample, and how many rows they win."""
        found = []
        for rule in self._rules:
            if base.of(rule.slot) is None:
                program = base + rule
                gain = self._gain(program, reproduced)
                if gain is not None:
                    found.append((gain, program))
        return found

    def _gain(self, program: Program, reproduced: Bools) -> float | None:
        """Rows that a program wins less those that it loses, as far as a sample tells; None: it says
        nothing of what is open.
        """
        touched = their_engine.touched(self._of, program)
        wanted = np.flatnonzero(touched & ~self._agreed & ~self._found.whole)
        settled = np.flatnonzero(touched & reproduced)
        first, second = _sample(wanted, _OPEN_SAMPLE), _sample(settled, _SETTLED_SAMPLE)
        if not len(first):
            return None
        rows = np.union1d(first, second)
        windows = self._reproduced(program, rows)
        whole = np.asarray(windows.all(axis=1))
        if not windows[np.isin(rows, first)].any():
            return None
        won = whole[np.isin(rows, first)].mean() * len(wanted)
        if not len(second):
            return float(won)
        weights = np.where(self._agreed[settled], self._weight, 1.0).sum()
        return float(won - (~whole[np.isin(rows, second)]).mean() * weights)

    def _try(self, program: Program, rows: Int64) -> None:
        """Notes what a program reproduces of rows that are open."""
        if program.rules:
            rows = rows[their_engine.touched(self._of, program)[rows]]
        if not len(rows):
            return
        number = len(self._found.programs)
        self._found.programs.append(program)
        windows = self._reproduced(program, rows)
        score = windows.sum(axis=1, keepdims=True)
        better = windows & (score > self._score[rows])
        self._score[rows] = np.where(better, score, self._score[rows])
        self._found.program[rows] = np.where(better, number, self._found.program[rows])
        self._found.whole[rows] = windows.all(axis=1)


def _sample(rows: Int64, most: int) -> Int64:
    """So many at most, evenly among them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
