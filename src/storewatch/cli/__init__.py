"""The command line: the composition root. Each command lives in a module of its own, imported when run.

`storewatch --help` must be quick, so nothing heavy is imported here.
"""

from __future__ import annotations

import gc
import importlib
import sys
import traceback
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from storewatch import __version__
from storewatch.errors import StorewatchError

_COMMANDS = {
    "import": ("files", "import_command", "Load files of polls, opening hours or time zones."),
    "export": ("export", "export", "Write polls, hours and zones as Parquet files."),
    "report": ("report", "report", "Make a report here and now and write it as CSV."),
    "compare": ("compare", "compare", "Hold another program's report against ours: what differs, and why."),
    "outages": ("outages", "outages_command", "List outages: from when until when, who saw them, and why."),
    "availability": ("availability", "availability", "Availability by day, week, month or quarter."),
    "service-level": ("levels", "service_level", "Service levels: add, list, status, remove."),
    "serve": ("serve", "serve", "Serve the pages and the REST API, with a worker beside."),
    "worker": ("serve", "worker", "Run a worker alone, for a service on several machines."),
    "probe": ("probe", "probe", "Look at the storefronts of stores, on a machine of its own."),
    "demo": ("demo", "demo", "Make a fleet, load it, report on it: storewatch in a minute."),
    "simulate": ("demo", "simulate", "Write three realistic CSV files to try things out with."),
    "user": ("people", "user", "People: add, list, disable, enable, reset-password."),
    "token": ("people", "token", "Tokens for programs: add, revoke."),
    "exception": ("exceptions", "exception", "Holidays, maintenance, corrections: add, list, undo, import."),
    "backup": ("backup", "backup", "Back up the database, the keys and the settings in one file."),
    "restore": ("backup", "restore", "Bring a backup into another home or database."),
    "db": ("db", "db", "The database: start, stop, url, pgadmin, psql, upgrade, verify."),
    "doctor": ("doctor", "doctor", "Look whether this installation is well, and say what to do."),
    "settings": ("settings", "settings", "Show every setting, its value and its meaning."),
    "completion": ("completion", "completion", "Complete commands with TAB, in bash, zsh and fish."),
    "web": ("serve", "web", ""),
}


class _Lazy(click.Group):
    """Imports a command's module when the command is used; lists all from the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [name for name, (_, _, text) in _COMMANDS.items() if text]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        gc.disable()  # modules are made to stay: looking for garbage among them costs a sixth of the start
        command = getattr(importlib.import_module(f"storewatch.cli.{module}"), name)
        gc.freeze()
        gc.enable()
        assert isinstance(command, click.Command)  # noqa: S101 - the table says so
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The names of commands by the table: nobody waits a second for a TAB."""
        found = [
            CompletionItem(name, help=text)
            for name, (_, _, text) in _COMMANDS.items()
            if text and name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items() if text])


@click.group(cls=_Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="storewatch %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """How much was each store up or down during its opening hours?

    New here? `storewatch` alone says what to do next.
    """
    if context.invoked_subcommand is None:
        importlib.import_module("storewatch.cli.first_steps").show()


def main() -> NoReturn:
    """Runs a command. Exit code 2, and one line that says what to do, for every error of ours."""
    try:
        cli()
    except StorewatchError as error:
        click.echo(f"storewatch: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader of a pipe has gone, as in `| head`
        sys.stderr.close()
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        click.echo(
            "storewatch: this is a fault of storewatch itself. What was at hand was not stored. "
            "Please report it.",
            err=True,
        )
        sys.exit(2)
    sys.exit(0)
