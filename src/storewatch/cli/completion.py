"""storewatch completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete our commands and options with TAB.

    Put this into ~/.bashrc: eval "$(storewatch completion bash)"
    """
    script = get_completion_class(shell)
    assert script  # noqa: S101 - click has the three
    click.echo(script(context.find_root().command, {}, "storewatch", "_STOREWATCH_COMPLETE").source())
