"""What is fuzzed: a function of bytes that raises if a law is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

CORPUS, TOKENS = (Path(__file__).with_name(name) for name in ("corpus", "tokens"))

Run = Callable[[bytes], str]
"""Tries one input and says in a few words what became of it: what ends in new words is worth changing
further. Whatever it raises is a finding.
"""


def _as_it_is() -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Target:
    """`dictionary` names the file of pieces that such inputs are made of, or none; `around` is what must be
    there meanwhile.

    `slow_s`: an input that takes so many seconds of the processor is a finding too.
    """

    name: str
    what: str
    run: Run
    dictionary: str = ""
    around: Callable[[], AbstractContextManager[None]] = _as_it_is
    slow_s: float = 5.0

    def tokens(self) -> list[bytes]:
        """The pieces of its dictionary: a line each, with escapes."""
        lines = (TOKENS / self.dictionary).read_text().splitlines() if self.dictionary else []
        return [line.encode().decode("unicode_escape").encode("latin-1") for line in lines]

    def corpus(self) -> Iterator[bytes]:
        """The inputs of its corpus, in order: each a file, or many in one."""
        for path in sorted((CORPUS / self.name).iterdir()):
            data = path.read_bytes()
            yield from data.split(b"\n====\n") if path.suffix == ".many" else [data]
