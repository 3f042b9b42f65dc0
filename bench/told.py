"""Who is to be told what when stores go down and come back, by a plain model, and who was told.

The model knows the town, when it went dark, and the grid of the looks: nothing of incidents, rules or jobs.
A store's downtime is due to be told with its second look that finds it down, its end with the second one that
finds it up. Where a whole group goes down it is told once, from the store on with which more than 30 % are,
and at least five; those before it may have been told one by one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage

import numpy as np

from storewatch.domain.clock import SECOND
from storewatch.domain.probe_times import next_look
from tests.outbound.receiver import Receiver
from tests.post_office import PostOffice

SECOND_LOOK_S = 5.0
"""Before it is said to be down, a storefront is looked at again after so long."""

Told = tuple[str, str, str]
"""(to whom, of which store or group, begun or ended)."""


@dataclass(frozen=True)
class Group:
    """`off` are its stores that go down; `readers` who hears of it: addresses, and names of channels."""

    name: str
    stores: tuple[str, ...]
    off: tuple[str, ...]
    readers: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether so many go down that they are told together."""
        return len(self.off) > self.few

    @property
    def few(self) -> int:
        """So many of them may be down, and are told one by one: 30 %, and four at least."""
        return max(int(0.3 * len(self.stores)), 4)


@dataclass(frozen=True)
class Expected:
    """When each thing is due to be told, and what may be told before it is clear that many are down."""

    due: dict[Told, float]
    may: dict[Told, float]


def expected(groups: Iterable[Group], every_s: int, down_at: float, up_at: float) -> Expected:
    """By the model."""
    due: dict[Told, float] = {}
    may: dict[Told, float] = {}
    for group in groups:
        down = [_second(store, every_s, down_at) + SECOND_LOOK_S for store in group.off]
        up = [_second(store, every_s, up_at) for store in group.off]
        for reader in group.readers:
            singly = zip(group.off, down, up, strict=True)
            (may if group.whole else due).update(
                ((reader, store, kind), at)
                for store, began, ended in singly
                for kind, at in (("begun", began), ("ended", ended))
            )
            if group.whole:
                due[reader, group.name, "begun"] = sorted(down)[group.few]
                due[reader, group.name, "ended"] = sorted(up)[len(up) // 2]
    return Expected(due, may)


def _second(store: str, every_s: int, since: float) -> float:
    """When a store is looked at for the second time from an instant on."""
    return next_look(store, every_s, int(since * SECOND)) / SECOND + every_s


# --- what came ------------------------------------------------------------------------------------


def came(office: PostOffice, receivers: dict[str, Receiver]) -> list[tuple[Told, float, str]]:
    """(what was told, when, its key) of all that came."""
    letters = zip(office.letters, office.at, strict=True)
    found = [(_of_letter(letter), at, str(letter["X-Storewatch-Key"])) for letter, at in letters]
    for name, receiver in receivers.items():
        for (_, headers, body), at in zip(receiver.came, receiver.at, strict=True):
            found.append((_of_call(name, body), at, headers["Idempotency-Key"]))
    return found


def _of_letter(letter: EmailMessage) -> Told:
    to, subject = str(letter["To"]), str(letter["Subject"])
    if one := re.match(r"(Down|Up again): store (\S+?)(,|$)", subject):
        return to, one[2], "begun" if one[1] == "Down" else "ended"
    if many := re.match(r"(Over: )?[\d,]+ stores? of (\S+) down at once", subject):
        return to, many[2], "ended" if many[1] else "begun"
    return to, subject, "?"


def _of_call(name: str, body: bytes) -> Told:
    said = json.loads(body)
    what, _, kind = said["event"].partition(".")
    return name, said["store"]["store_id"] if what == "down" else said["group"]["name"], kind


# --- against each other ---------------------------------------------------------------------------


def table(groups: list[Group], of: Expected, found: list[tuple[Told, float, str]]) -> str:
    """What came against what was due, group by group and in all; and how soon."""
    keys = {(told, key) for told, _, key in found}
    count = Counter(told for told, _ in keys)
    first = {told: at for told, at, _ in sorted(found, key=lambda each: -each[1])}
    known = {name: group for group in groups for name in (group.name, *group.off)}
    head = f"{'group':12} {'readers':>7} {'off':>4} {'due':>5} {'told':>5} {'missing':>7} {'too many':>8}"
    lines = [head]
    for group in groups:
        here = {told for told in {*of.due, *count} if known.get(told[1]) is group}
        due, may = here & of.due.keys(), here & of.may.keys()
        many = sum(count[told] - (told in due or told in may) for told in here)
        singly = Counter((reader, kind) for reader, store, kind in may if count[reader, store, kind])
        many += sum(max(0, each - group.few) for each in singly.values())
        told, missing = sum(count[each] for each in here), sum(not count[each] for each in due)
        lines.append(
            f"{group.name:12} {len(group.readers):7} {len(group.off):4} "
            f"{len(due):5} {told:5} {missing:7} {many:8}"
        )
    strange = [told for told in count if told[1] not in known]
    again = len(found) - len(keys)
    late = [first[told] - at for told, at in of.due.items() if told in first]
    lines.append(f"of nobody's: {len(strange)} {strange[:3] or ''}; came again with the same key: {again}")
    lines += [_delays(kind, of, first) for kind in ("begun", "ended")]
    lines.append(f"all {len(late)}: within {max(late, default=0):.1f} s of when they were due")
    return "\n".join(lines)


def _delays(kind: str, of: Expected, first: dict[Told, float]) -> str:
    late = [first[told] - at for told, at in of.due.items() if told in first and told[2] == kind]
    if not late:
        return f"{kind}: none"
    half, most = np.percentile(late, (50, 95))
    return (
        f"{kind}: {len(late)}, after it was due p50 {half:.1f} s, p95 {most:.1f} s, at most {max(late):.1f} s"
    )
