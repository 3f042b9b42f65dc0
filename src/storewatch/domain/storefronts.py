"""What a look at a storefront says of its store: (answer, rule) -> active, inactive or nothing, and why.

answer                               judged as
none in time, refused, broken off    inactive
another status than expected         inactive
a page that breaks the rule          inactive
429, or we could not even ask        nothing: it says nothing of the store, and no poll is made
else                                 active
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from storewatch.errors import UsageError

MAX_BODY = 512 * 1024
"""So many bytes of a page are read."""

MAX_REASON = 200
MAX_TEXT = 200
EVERY_S = (30, 86_400)
TIMEOUT_S = (1, 60)
USUAL_EVERY_S = 300
USUAL_TIMEOUT_S = 10
USUAL_STATUSES = "2xx"

_STATUSES = re.compile(r"([1-5])xx|([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([0-9]{1,6})\]")
_MISSING = object()


@dataclass(frozen=True)
class Rule:
    """What a storefront answers while its store takes orders. What is empty is not asked for.

    `statuses` is like `2xx`, `200, 404` or `200-299`; `says` and `says_not` are words of the page, capitals
    or not; `json_path` is like `store.offers[0].open`, and `json_value` what stands there.
    """

    statuses: str = USUAL_STATUSES
    says: str = ""
    says_not: str = ""
    json_path: str = ""
    json_value: str = ""

    @property
    def reads_page(self) -> bool:
        """Whether more than the status is needed."""
        return bool(self.says or self.says_not or self.json_path)

    def takes(self, status: int) -> bool:
        """Whether a status is an expected one."""
        return any(low <= status <= high for low, high in _ranges(self.statuses))


class Outcome(Enum):
    """What became of a look."""

    ANSWERED = auto()
    SILENT = auto()
    """There was no answer, or none that can be used."""
    WAIT = auto()
    """The host asked us to come later."""
    UNASKED = auto()
    """We did not get so far as to ask: it is our own matter, not the store's."""


@dataclass(frozen=True)
class Answer:
    """What a look saw: `status` and `body` if there was an answer, else in `trouble` why there was none.

    `cut`: there is more of the body. `wait_s`: for so long the host wants to be left in peace.
    """

    outcome: Outcome
    status: int = 0
    body: bytes = b""
    cut: bool = False
    charset: str = "utf-8"
    trouble: str = ""
    wait_s: int = 0


@dataclass(frozen=True)
class Judgement:
    """Whether the store takes orders; None: nothing is known. `reason` has up to `MAX_REASON` characters."""

    active: bool | None
    reason: str


def judge(answer: Answer, rule: Rule) -> Judgement:
    """What an answer says of the store."""
    if answer.outcome in (Outcome.WAIT, Outcome.UNASKED):
        return Judgement(None, _short(answer.trouble))
    problem = answer.trouble or _problem(answer, rule)
    return Judgement(False, _short(problem)) if problem else Judgement(True, f"answered {answer.status}")


def check(rule: Rule) -> None:
    """UsageError names the field of a rule that cannot be used."""
    if not _ranges(rule.statuses):
        raise UsageError("Write expected statuses like 2xx, 200 or 200-299, 404", field="statuses")
    for name in ("says", "says_not", "json_path", "json_value"):
        text = getattr(rule, name)
        if len(text) > MAX_TEXT or not text.isprintable():
            raise UsageError(
                f"{name} may have {MAX_TEXT} characters at most, all of them printable", field=name
            )
    if rule.json_path and not _steps(rule.json_path):
        raise UsageError("Write a path like store.offers[0].open", field="json_path")
    if rule.json_value and not rule.json_path:
        raise UsageError("Say by its path where this value stands", field="json_path")
    if rule.json_path and not rule.json_value:
        raise UsageError("Say which value must stand there, like true", field="json_value")


# --- statuses -------------------------------------------------------------------------------------


def _ranges(text: str) -> list[tuple[int, int]]:
    """(lowest, highest) of each part; empty if it cannot be read."""
    matches = [_STATUSES.fullmatch(part.strip()) for part in text.split(",")]
    if len(text) > 100:
        return []
    found = [_range(match) for match in matches if match]
    return found if len(found) == len(matches) and all(low <= high for low, high in found) else []


def _range(match: re.Match[str]) -> tuple[int, int]:
    hundred, low, high = match.groups()
    return (int(hundred) * 100, int(hundred) * 100 + 99) if hundred else (int(low), int(high or low))


# --- pages ----------------------------------------------------------------------------------------


def _problem(answer: Answer, rule: Rule) -> str:
    if not rule.takes(answer.status):
        return f"answered {answer.status}"
    page = _squeezed(_text(answer)) if rule.says or rule.says_not else ""
    within = f" in its first {MAX_BODY // 1024} KiB" if answer.cut else ""
    if rule.says and _squeezed(rule.says) not in page:
        return f"the page does not say '{rule.says}'{within}"
    if rule.says_not and _squeezed(rule.says_not) in page:
        return f"the page says '{rule.says_not}'"
    return _problem_of_json(answer, rule) if rule.json_path else ""


def _text(answer: Answer) -> str:
    """By its charset. IDNA and Punycode are for names, and Python 3.13 would make something of any page."""
    charset = "utf-8" if answer.charset.strip().lower() in ("idna", "punycode") else answer.charset
    try:
        return answer.body.decode(charset, "replace")
    except (LookupError, ValueError):  # no such charset, or one that knows no "replace"
        return answer.body.decode("utf-8", "replace")


def _squeezed(text: str) -> str:
    """For comparing: without capitals, and one space where there are several or a line ends."""
    return " ".join(text.casefold().split())


def _problem_of_json(answer: Answer, rule: Rule) -> str:
    try:
        value = _at(json.loads(_text(answer)), rule.json_path)
    except (ValueError, RecursionError):
        return f"the answer is longer than {MAX_BODY // 1024} KiB" if answer.cut else "the answer is no JSON"
    if value is _MISSING:
        return f"the answer has no {rule.json_path}"
    said = value if isinstance(value, str) else json.dumps(value)
    return "" if said == rule.json_value else f"{rule.json_path} is {said[:80]}, not {rule.json_value}"


def _at(value: Any, path: str) -> Any:
    """What stands at a path; `_MISSING` if there is no such place."""
    for step in _steps(path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else _MISSING
        else:
            value = value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
    return value


def _steps(path: str) -> list[str | int]:
    """The names and places of a path, which may begin with `$`; empty if it cannot be read."""
    rest, found = path.removeprefix("$"), list[str | int]()
    while rest:
        match = _STEP.match(rest)
        if not match:
            return []
        found.append(match[1] if match[1] is not None else int(match[2]))
        rest = rest[match.end() :]
    return found


def _short(text: str) -> str:
    """As a reason of a poll: one printable line."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= MAX_REASON else line[: MAX_REASON - 1] + "…"
