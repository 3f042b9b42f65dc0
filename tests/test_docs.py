"""The documentation against the code: what exists is documented, links lead somewhere, figures are right."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import polars as pl
import pytest

from storewatch import config
from storewatch.cli import cli
from storewatch.domain import exception_rows, exceptions, people_rows, weekly
from storewatch.domain import polls as poll_rows
from storewatch.domain.availability import Kind, Policy, Polls, Rules
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, EARLIEST, HOUR, MINUTE, parse_duration, to_us
from storewatch.domain.exceptions import Effect, Ruling, Rulings
from storewatch.domain.hours import Schedule, Week, open_intervals
from storewatch.domain.outages import Figures, figures_by_store
from storewatch.domain.store_rows import read_stores
from storewatch.domain.windows import LAST_DAY, LAST_HOUR, LAST_WEEK, before
from storewatch.domain.zones import DEFAULT_ZONE
from storewatch.formats.csv_in import CsvFile
from storewatch.formats.csv_out import report_csv
from storewatch.services.importing import KINDS
from storewatch.storage.db import Database
from storewatch.storage.tables import Base
from storewatch.web.app import Edge, create_app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SCHEMAS = sorted((ROOT / "src/storewatch/storage/migrations/sql").glob("0*.sql"))

WINDOWS = {"last hour": LAST_HOUR, "last day": LAST_DAY, "last week": LAST_WEEK}
UNITS = {"min": MINUTE, "h": HOUR}


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert found, f"there is no heading '{title}'"
    rest = text[found.end() :]
    ending = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: ending.start()] if ending else rest


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


# --- Everything that exists is documented ---------------------------------------------------------


@pytest.mark.parametrize(("variable", "default", "_meaning"), config.table())
def test_every_setting_is_documented_with_its_default(variable: str, default: str, _meaning: str) -> None:
    row = re.search(rf"^\| `{variable}` \|.*$", read("reference/settings.md"), re.MULTILINE)
    assert row, f"docs/reference/settings.md has no row for {variable}"
    assert default in row[0]


def commands() -> Iterator[tuple[str, click.Command]]:
    """(`storewatch db start`, its command) for every command that is not hidden."""
    waiting: list[tuple[str, click.Command]] = [("storewatch", cli)]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            inner = ((sub, command.get_command(context, sub)) for sub in command.list_commands(context))
            waiting += [(f"{name} {sub}", one) for sub, one in inner if one and not one.hidden]


def test_every_command_and_option_is_documented() -> None:
    page = read("reference/cli.md")
    for name, command in commands():
        text = page if name == "storewatch" else section(page, f"`{name}`")
        for option in (param for param in command.params if isinstance(param, click.Option)):
            assert re.search(rf"`(?:{name} )?{option.opts[0]}\b", text), f"{name} {option.opts}"
            if option.show_default:
                assert f"`{option.default}`" in text, f"{name} {option.opts}: the default"


def test_every_option_that_is_documented_exists() -> None:
    known = {option for _, command in commands() for param in command.params for option in param.opts}
    told = set(re.findall(r"^\| `(--[a-z-]+)", read("reference/cli.md"), re.MULTILINE))
    assert told <= known


def test_every_route_is_documented_and_no_other() -> None:
    app = create_app(config.Settings(), Database("postgresql://nobody@127.0.0.1:1/none"), Edge(login=False))
    routes = {
        f"`{method} {rule.rule}`"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/api/v1/")  # those describe themselves at /api
    }
    assert set(re.findall(r"^### (`[A-Z]+ /.*`)$", read("reference/api.md"), re.MULTILINE)) == routes


def test_every_table_view_and_function_is_documented_and_no_other() -> None:
    pattern = r"^CREATE (TABLE|VIEW|FUNCTION) (\w+)"
    schemas = "".join(path.read_text(encoding="utf-8") for path in SCHEMAS)
    made = set(re.findall(pattern, schemas, re.MULTILINE))  # a later schema may make one anew
    for kind, title in (("TABLE", "Tables"), ("VIEW", "Views"), ("FUNCTION", "Functions")):
        text = section(read("reference/database.md"), title)
        told = re.findall(r"^### `(\w+)", text, re.MULTILINE)
        assert sorted(told) == sorted(name for what, name in made if what == kind)


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
def test_every_column_is_documented(table: str) -> None:
    text = section(read("reference/database.md"), f"`{table}`")
    told = [name for cells in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in cells.split(", ")]
    assert sorted(told) == sorted(f"`{column.name}`" for column in Base.metadata.tables[table].columns)


def test_every_kind_of_file_and_column_is_documented() -> None:
    for kind, columns in KINDS.items():
        text = section(read("reference/files.md"), kind)
        assert all(f"`{column}`" in text for column in columns)


def test_every_target_of_the_makefile_is_documented() -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [target for target in targets if f"| `make {target}` |" not in told] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    told = re.findall(r"\]\(([\w./-]+\.md)", read("index.md"))
    reached = {(DOCS / link).resolve() for link in told} | {DOCS / "index.md", DOCS / "benchmarks.md"}
    assert [str(page) for page in DOCS.rglob("*.md") if page.resolve() not in reached] == []


# --- Links ----------------------------------------------------------------------------------------


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on GitHub and elsewhere."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            broken.append(link)
    assert broken == []


# --- Figures --------------------------------------------------------------------------------------


def instant(text: str) -> int:
    return to_us(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC))


def schedule_of(zone: str, hours: list[str]) -> Schedule:
    """`Monday 08:00-12:00` …, or `always`, of one store, through the reader of files."""
    rows = []
    for number, text in enumerate(hours):
        if text != "always":
            day, _, times = text.partition(" ")
            rows.append((number, "a", str(weekly.WEEKDAYS.index(day)), *times.split("-")))
    names = ("line", *weekly.HOURS_COLUMNS)
    found = weekly.read_hours(pl.DataFrame(rows, schema=dict(zip(names, TYPES, strict=True)), orient="row"))
    assert not len(found.bad)
    columns = (found.good[name].to_numpy() for name in ("day", "start_s", "end_s"))
    week = Week(np.zeros(len(found.good), np.int32), *columns)
    return Schedule(week, np.zeros(1, np.int32), (zone,), np.array([hours == ["always"]]))


TYPES = (pl.Int64, pl.String, pl.String, pl.String, pl.String)


def totals_of(text: str) -> tuple[Int64, int]:
    """The totals int64[windows, 6] of an example, and the place of its window."""
    figures, place = figures_of(text)
    return figures.totals[0], place


def figures_of(text: str) -> tuple[Figures, int]:
    """The figures of an example, of one store, and the place of its window."""
    lines = [
        (key, value) for key, value in (re.split(r"\s{2,}", line, maxsplit=1) for line in text.splitlines())
    ]
    one = dict(lines)
    polls = sorted((instant(value[:16]), value[17:] == "active") for key, value in lines if key == "poll")
    rules = Rules(Policy(one.get("policy", "nearest")), parse_duration(one.get("max_gap", "24h")) or 0)
    as_of = instant(one["as of"])
    windows = before(as_of, tuple(WINDOWS.values()), 1)
    schedule = schedule_of(one.get("zone", DEFAULT_ZONE), [value for key, value in lines if key == "hours"])
    at = np.array([at for at, _ in polls], np.int64)
    found = Polls(np.zeros(len(polls), np.int32), at, np.array([active for _, active in polls]))
    start, end = as_of - 7 * DAY - rules.max_gap, as_of + 1
    said = [value for key, value in lines if key == "exception"]
    cover = exceptions.cover(rulings_of(said), schedule, start, end)
    opens = open_intervals(schedule, start, end, cover.other, cover.closed)
    counting = exceptions.without(found, cover.ignored)
    figures = figures_by_store(counting, opens, rules, windows, as_of, cover.decided)
    return figures, list(WINDOWS).index(one["window"])


def rulings_of(said: list[str]) -> Rulings:
    """`closed 2023-01-23 09:00 to 2023-01-23 10:00`, on the store's clock; other hours follow the days."""
    each = []
    for number, text in enumerate(said, start=1):
        found = re.fullmatch(r"(\w+) (.{16}) to (.{16}) ?(.*)", text)
        assert found, text
        effect, start, end, hours = found.groups()
        openings = exception_rows.read(
            {"effect": effect, "store_id": "a", "start": start, "end": end, "hours": hours, "note": "-"}
        ).openings
        pairs = tuple(zip(openings[::2], openings[1::2], strict=True)) if openings else ()
        ruling = Ruling(number, Effect(effect), instant(start), instant(end), True, None, pairs)
        each.append(ruling)
    return Rulings(tuple(each), tuple(range(len(each))), np.empty(0, np.int32), np.empty(0, np.int64))


EXAMPLES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, text in enumerate(fenced(page.read_text(encoding="utf-8"), "example"))
]


def test_there_are_worked_examples() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_worked_example_is_what_the_engine_says(text: str) -> None:
    figures, place = figures_of(text)
    up_seen, up_inferred, down_seen, down_inferred, unknown, excluded = figures.totals[0, place].tolist()
    computed = {
        "up": up_seen + up_inferred,
        "down": down_seen + down_inferred,
        "unknown": unknown,
        "excluded": excluded,
        "seen": up_seen + down_seen,
        "down_min": int(figures.down_min[0, place]),
        "down_max": int(figures.down_max[0, place]),
    }
    told = re.findall(r"(\w+) (\d+) (min|h)\b", text[text.index("result") :])
    assert len(told) >= 3
    assert {name: int(number) * UNITS[unit] for name, number, unit in told} == {
        name: computed[name] for name, _, _ in told
    }


def test_the_tutorial_shows_the_report_of_its_own_files() -> None:
    page = read("tutorial.md")
    zones, hours, polls, report = fenced(page, "csv")
    _, day, start, end = hours.splitlines()[1].split(",")
    lines = [
        f"zone  {zones.splitlines()[1].split(',')[1]}",
        f"hours  {weekly.WEEKDAYS[int(day)]} {start}-{end}",
        *(f"poll  {at[:16]} {state}" for _, state, at in (row.split(",") for row in polls.splitlines()[1:])),
        "as of  2023-01-23 16:30",
        "window  last week",
    ]
    assert csv_of("\n".join(lines)) == report
    short, previous = re.findall(r"^corner-cafe(?:,[\d.]+){6}$", page[page.index("## 6.") :], re.MULTILINE)
    assert csv_of("\n".join([*lines, "max_gap  30m"])).splitlines()[1] == short
    assert csv_of("\n".join([*lines, "policy  previous"])).splitlines()[1] == previous
    for other in (ROOT / "README.md", DOCS / "reference/report.md"):
        assert report in other.read_text(encoding="utf-8")


def csv_of(text: str) -> str:
    totals, _ = totals_of(text)
    columns = {
        f"{kind.name.lower()}_us": pl.Series([totals[:, kind]], dtype=pl.Array(pl.Int64, 3)) for kind in Kind
    }
    frame = pl.DataFrame({"store_id": ["corner-cafe"]} | columns)
    names = [window.name for window in WINDOWS.values()]
    return b"".join(report_csv([frame], names)).decode()


def tables(text: str, *heads: str) -> Iterator[list[str]]:
    """The rows of every table with these heads."""
    pattern = r"^\| " + r" \| ".join(heads) + r" \|\n\|[ |-]+\|\n((?:\|.*\|\n)+)"
    for rows in re.findall(pattern, text, re.MULTILINE):
        yield from ([cell.strip() for cell in row[1:-1].split("|")] for row in rows.splitlines())


HOURS_TABLE = list(
    tables(
        read("explanation/opening-hours.md"),
        *("zone", "hours", "local day", "opens, UTC", "closes, UTC", "open for"),
    )
)


@pytest.mark.parametrize("row", HOURS_TABLE, ids=lambda row: " ".join(row[:3]))
def test_opening_hours_fall_where_the_table_says(row: list[str]) -> None:
    zone, hours, local_day, opens, closes, open_for = row
    weekday = weekly.WEEKDAYS[datetime.fromisoformat(local_day).weekday()]
    noon = instant(f"{local_day} 12:00")
    found = open_intervals(schedule_of(zone, [f"{weekday} {hours}"]), noon - 3 * DAY, noon + 3 * DAY)
    intervals = list(zip(found.start.tolist(), found.end.tolist(), strict=True))
    if open_for == "does not occur":
        assert intervals == []
    else:
        assert intervals == [(instant(opens), instant(closes))]
        assert instant(closes) - instant(opens) == parse_duration(open_for)


HEADERS = {
    **KINDS,
    "people": (*people_rows.COLUMNS, *people_rows.OPTIONAL),
    "stores": ("store_id", "name", "groups", "storefront_url", "revenue_per_week"),
}


def bad_rows(kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    if kind == "store_status":
        return poll_rows.read_polls(rows, EARLIEST + 30 * 365 * DAY).bad
    read = {
        "menu_hours": weekly.read_hours,
        "store_timezone": weekly.read_zones,
        "stores": read_stores,
        "people": people_rows.read_people,
    }
    return read[kind](rows).bad


def reasons(kind: str, row: str, header: tuple[str, ...] = ()) -> list[str]:
    """Why a row of a file is rejected."""
    names = header or HEADERS[kind]
    file = CsvFile(io.BytesIO(f"{','.join(names)}\n{row}\n".encode()), "example.csv")
    columns = {name: number for number, name in enumerate(names)}
    optional = poll_rows.OPTIONAL if kind == "store_status" else ()
    found = []
    for block in file.blocks(columns, optional, whole=kind == "stores"):
        found += [reason for _, reason in block.bad.iter_rows()]
        found += bad_rows(kind, block.rows)["reason"].to_list()
    return found


REJECTIONS = [
    (kind, row.strip("`"), reason.strip("`"))
    for title, kind in (("Any line", "store_status"), *((kind, kind) for kind in (*KINDS, "people")))
    for row, reason in tables(section(read("reference/files.md"), title), "row", "reason")
]


@pytest.mark.parametrize(("kind", "row", "reason"), REJECTIONS)
def test_a_row_is_rejected_for_the_reason_that_is_documented(kind: str, row: str, reason: str) -> None:
    assert reasons(kind, row) == [reason]


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_that_show_how_a_file_looks_are_accepted(kind: str) -> None:
    for text in fenced(section(read("reference/files.md"), kind), "csv"):
        header, *rows = text.splitlines()
        assert set(KINDS[kind]) <= set(header.split(","))
        assert [reasons(kind, row, tuple(header.split(","))) for row in rows] == [[]] * len(rows)
