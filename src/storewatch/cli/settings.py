"""storewatch settings."""

from __future__ import annotations

import os

import click

from storewatch import config


@click.command()
def settings() -> None:
    """Show every setting, its value and its meaning. NAME_FILE reads a value from a file."""
    config.read()  # complains about what cannot be used
    for variable, default, text in config.table():
        value = os.environ.get(variable) or default or "(not set)"
        shown = "(set)" if variable.endswith("_URL") and variable in os.environ else value
        click.echo(f"{variable}={shown}\n    {text}")
