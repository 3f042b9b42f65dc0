"""The units of systemd that back up every night: read, not run."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

from storewatch import config
from storewatch.cli.backup import backup

UNITS = Path(__file__).parents[1] / "deploy/systemd"


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read_string((UNITS / name).read_text(encoding="utf-8"))
    return parser


def test_the_service_gives_the_command_options_and_settings_that_there_are() -> None:
    service = unit("storewatch-backup.service")["Service"]
    program, word, *options = service["ExecStart"].split()
    assert (Path(program).name, word) == ("storewatch", "backup")
    context = backup.make_context("backup", options)
    assert context.params["keep"] == 14
    assert service["Environment"].partition("=")[0] in {variable for variable, _, _ in config.table()}


def test_the_timer_starts_it_every_night() -> None:
    timer = unit("storewatch-backup.timer")["Timer"]
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d", timer["OnCalendar"])
    assert timer["Persistent"] == "yes"
