"""Whether this installation is well: what was measured, judged. Pure: who measures is `services/checkup`.

    ok     as it should be
    warn   works now, and will not for ever; or cannot be told
    bad    something does not work, or data may be lost

Ages and lengths are seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MIB, GIB = 1 << 20, 1 << 30
_NEWEST_FAR_OFF_S = 60.0  # polls of a clock that is more ahead are refused as polls from the future
_WAITS_LONG_S, _WAITS_FOR_EVER_S = 5 * 60, 60 * 60
_MANY_LACK = 0.1


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """How `about` stands, in words, and what to do about it if it is not well."""

    about: str
    state: State
    what: str
    advice: str = ""


def ok(about: str, what: str) -> Finding:
    """It is well."""
    return Finding(about, State.OK, what)


def warn(about: str, what: str, advice: str) -> Finding:
    """It works now."""
    return Finding(about, State.WARN, what, advice)


def bad(about: str, what: str, advice: str) -> Finding:
    """It does not work, or data may be lost."""
    return Finding(about, State.BAD, what, advice)


def size(count: int) -> str:
    """`512 MiB`, `3.4 GiB`."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def age(seconds: float) -> str:
    """`45 s`, `3 h`, `2 d`: whole ones, of the largest unit that gives two or more."""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit):,} {name}"
    return f"{int(seconds)} s"


def schema(found: str | None, needed: str) -> Finding:
    """`found` is the revision of the database; None if it has no schema."""
    if found == needed:
        return ok("schema", f"revision {found}; no migration is pending")
    if found is None:
        return warn("schema", "the database is empty", "`storewatch serve`, or any other command, makes it")
    if found < needed:
        return bad(
            "schema",
            f"revision {found}, and this storewatch needs {needed}: migrations are pending",
            "run `storewatch db upgrade`, which makes a backup first",
        )
    return bad(
        "schema",
        f"revision {found} is newer than {needed}, which this storewatch knows",
        "install the storewatch that the database was upgraded with",
    )


def disk(about: str, place: str, free: int, data: int = 0) -> Finding:
    """`free` bytes in a place; `data` is the size of what is kept there and grows."""
    told = f"{size(free)} free in {place}"
    advice = "free some space, or move it to a larger disk; STOREWATCH_KEEP_POLLS bounds what is kept"
    if free < 512 * MIB:
        return bad(about, told, advice)
    if free < max(2 * GIB, data // 2):
        return warn(about, told, advice)
    return ok(about, told)


def clock(ahead_s: float, kept: bool | None) -> Finding:
    """`ahead_s`: this machine's clock before the database's. `kept`: whether the kernel says that it is
    synchronised; None if it does not say.
    """
    told = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s >= 0 else 'behind'} the database's"
    keep = "have NTP keep the clock of each machine: chrony, or `timedatectl set-ntp true`"
    if abs(ahead_s) > _NEWEST_FAR_OFF_S:
        return bad("clock", told, keep)
    if abs(ahead_s) > 1:
        return warn("clock", told, keep)
    if kept is False:
        return warn("clock", f"{told}; the kernel says that nothing keeps it right", keep)
    return ok("clock", told)


def queue(waiting: int, oldest_s: float, stalled: int, *, working: bool) -> Finding:
    """`stalled` jobs belong to a worker that is gone; `working`: whether a worker is at work."""
    told = f"{_jobs(waiting, 'wait')}" + (f", the oldest for {age(oldest_s)}" if waiting else "")
    if not working:
        return bad(
            "queue", f"no worker is at work; {told}", "start `storewatch serve` or `storewatch worker`"
        )
    if stalled:
        return bad(
            "queue",
            f"{_jobs(stalled, 'belong')} to a worker that is gone; {told}",
            "a worker takes them up within seconds; if they stay, look at the log of `serve`",
        )
    if oldest_s > _WAITS_LONG_S:
        advice = "look at the log of `serve`; `storewatch worker` beside it, or on another machine, helps"
        return (bad if oldest_s > _WAITS_FOR_EVER_S else warn)("queue", told, advice)
    return ok("queue", told)


def _jobs(count: int, do: str) -> str:
    """`1 job waits`, `2 jobs wait`."""
    return f"1 job {do}s" if count == 1 else f"{count:,} jobs {do}"


def polls(newest_s: float | None, within_s: float | None) -> Finding:
    """`newest_s`: the age of the newest poll; None if there is none. Older than `within_s` is stale, unless
    that is None.
    """
    if newest_s is None:
        return warn("polls", "there is none yet", "load some: `storewatch import`, or the API")
    told = f"the newest is {age(max(newest_s, 0))} old"
    if within_s is None or newest_s <= within_s:
        return ok("polls", told)
    return warn("polls", told, "look at what brings them: its log, its token, the page of imports")


def feed(last_s: float, newest_s: float | None, within_s: float) -> Finding:
    """`last_s`: since new polls last came from outside; `newest_s`: the age of the newest poll."""
    told = f"new polls last came {age(last_s)} ago"
    if last_s > within_s:
        return bad("feed", told, "look at what brings them")
    if newest_s is not None and newest_s > within_s:
        return bad("feed", f"{told}, and the newest is {age(newest_s)} old", "look at what brings them")
    return ok("feed", told)


def stores(count: int, without_hours: int, without_zone: int, default_zone: str) -> Finding:
    """How many stores lack what their figures are made of."""
    noun = "store" if count == 1 else "stores"
    told = f"{count:,} {noun}; {without_hours:,} without hours, {without_zone:,} without a zone"
    if max(without_hours, without_zone) <= count * _MANY_LACK:
        return ok("stores", told)
    advice = f"they count as always open, or as in {default_zone}: import menu_hours and store_timezone"
    return warn("stores", told, advice)


def backup(last_s: float | None, path: str, within_s: float, *, there: bool = True) -> Finding:
    """`last_s`: the age of the last backup; None if there was none. `there`: whether its file is."""
    how = "run `storewatch backup`, and have a timer run it each night"
    if last_s is None:
        return warn("backup", "none was made by storewatch", how)
    told = f"the last one is {age(max(last_s, 0))} old ({path})"
    if not there:
        return bad("backup", f"{told}, and the file is gone", how)
    if last_s > within_s:
        return bad("backup", told, f"{how}; if there is one, see why it did not run")
    return ok("backup", told)


def memory(total: int, limit: int | None) -> Finding:
    """`total` of the machine; `limit` of this process's group, None if there is none."""
    have = min(total, limit or total)
    limited = " (limit of the container or unit)" if limit is not None and limit < total else ""
    told = f"{size(have)}{limited}"
    advice = "give it 2 GiB: PostgreSQL, the web process and a worker need about one"
    if have < 768 * MIB:
        return bad("memory", told, advice)
    return warn("memory", told, advice) if have < 3 * GIB // 2 else ok("memory", told)


def zone_data(
    count: int, ours: str, differing: Mapping[str, Sequence[str]], unknown: Sequence[str]
) -> Finding:
    """`differing`: the zones for which PostgreSQL has other offsets, each with an example; `unknown`: those
    that it does not know. `count` zones were compared; `ours` is the version that figures are made with.
    """
    told = f"{count} zones in use, the same in PostgreSQL as in tzdata {ours}, a year back and ahead"
    if not differing and not unknown:
        return ok("zone data", told)
    parts = [f"{name} ({'; '.join(examples)})" for name, examples in sorted(differing.items())]
    parts += [f"{name} (PostgreSQL does not know it)" for name in sorted(unknown)]
    return warn(
        "zone data",
        f"PostgreSQL differs from tzdata {ours} in {len(parts)} of {count} zones: {', '.join(parts[:5])}",
        "figures are made with tzdata; the views in local time differ. Bring the older one up to date: "
        "`pip install --upgrade tzdata`, or PostgreSQL's minor version and the system's tzdata",
    )


def files(loose: Sequence[tuple[str, int, int]]) -> Finding:
    """`loose`: files that more than their owner may read or change, each with its mode and the bits of it
    that are to go.
    """
    if not loose:
        return ok("files", "only their owner may read what is secret in the home")
    told = ", ".join(f"{path} ({mode:04o})" for path, mode, _ in loose[:5])
    more = f" and {len(loose) - 5} more" if len(loose) > 5 else ""
    advice = "; ".join(f"chmod {_without(bits)} {path}" for path, _, bits in loose[:5])
    return bad("files", f"others may read or change {told}{more}", advice)


def _without(bits: int) -> str:
    """`go-rwx`: how chmod is told to take bits of the group and of others away."""
    whom = ("g" if bits & 0o070 else "") + ("o" if bits & 0o007 else "")
    return f"{whom}-" + "".join(
        letter for letter, bit in zip("rwx", (4, 2, 1), strict=True) if bits & (bit * 9)
    )
