"""storewatch user and token: people and their tokens, for servers without a screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from uuid import UUID

import click

from storewatch import config
from storewatch.cli import edge
from storewatch.cli.common import duration, opened_database
from storewatch.domain.permissions import COMMAND, GroupRole, Role, Scope
from storewatch.errors import NotFoundError, UsageError
from storewatch.services import invitations, people, tokens, users
from storewatch.services.people import Wanted


@click.group()
def user() -> None:
    """People: invite, list, disable, enable; links to reset a password."""


@user.command("add")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default="member",
    show_default=True,
    help="Admins and operators see every store, members those of their groups.",
)
@click.option(
    "--group", "places", multiple=True, metavar="NAME:ROLE", help="manager or viewer of a group; made if new."
)
@click.option("--show-link", is_flag=True, help="Print the link also where mails are set up.")
def add(email: str, role: str, places: tuple[str, ...], show_link: bool) -> None:
    """Invite somebody by mail; without mail print the link by which they choose a password."""
    given = dict(_place(place) for place in places)
    settings = config.read()
    by_mail, base = edge.mails(settings) and not show_link, edge.links_at(settings)
    with opened_database(settings) as database:
        numbers = people.group_numbers(database, COMMAND, list(given))
        wanted = Wanted(email, Role(role), {numbers[name]: given[name] for name in given})
        made = people.invite(database, COMMAND, wanted, by_mail=by_mail)
    until = f"works once, until {made.expires_at:%Y-%m-%d}"
    if by_mail:
        click.echo(f"{made.email} is invited: a mail with a link that {until}, is sent by the worker.")
    else:
        click.echo(f"{made.email} is invited; this link {until}:\n{base}/link/{made.secret}")


@user.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--show-link", is_flag=True, help="Print the links also where mails are set up.")
def import_people(file: BinaryIO, show_link: bool) -> None:
    """Invite the people of a CSV file with email, role, group: by mail, else print a link for each."""
    settings = config.read()
    by_mail, base = edge.mails(settings) and not show_link, edge.links_at(settings)
    with opened_database(settings) as database:
        many = invitations.invite_file(database, COMMAND, file, file.name, by_mail=by_mail)
    for _, made in many.invited:
        click.echo(f"{made.email}\t{'mailed' if by_mail else f'{base}/link/{made.secret}'}")
    for line, reason in many.rejected:
        click.echo(f"line {line}: {reason}", err=True)
    click.echo(f"{len(many.invited)} invited, {len(many.rejected)} rows rejected.", err=True)


def _place(text: str) -> tuple[str, GroupRole]:
    name, _, role = text.rpartition(":")
    if not name or role not in tuple(GroupRole):
        raise UsageError(f"--group '{text}': write it like 'Maple St:manager' or 'Maple St:viewer'")
    return name, GroupRole(role)


@user.command("list")
def list_users() -> None:
    """Everybody, with role, state and last login."""
    with opened_database() as database:
        for account in users.everybody(database):
            seen = f"{account.last_login_at:%Y-%m-%d %H:%M}Z" if account.last_login_at else "never"
            state = "active" if account.active else "disabled"
            click.echo(f"{account.email}\t{account.role}\t{state}\tlast login {seen}")


@user.command()
@click.argument("email")
def disable(email: str) -> None:
    """Disable somebody: their sessions and tokens stop at once."""
    _set_active(email, active=False)


@user.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let somebody in again."""
    _set_active(email, active=True)


def _set_active(email: str, *, active: bool) -> None:
    with opened_database() as database:
        users.change(database, COMMAND, users.id_of(database, email), active=active)
    click.echo(f"{email} is {'active' if active else 'disabled'}.")


@user.command("reset-password")
@click.argument("email")
def reset_password(email: str) -> None:
    """Print a link by which somebody chooses a new password."""
    settings = config.read()
    base = edge.links_at(settings)
    with opened_database(settings) as database:
        made = people.reset_link(database, COMMAND, email)
    if made is None:
        raise NotFoundError(f"There is no active user '{email}'")
    click.echo(f"This link works once, for two hours:\n{base}/link/{made[1]}")


@click.group()
def token() -> None:
    """Tokens: named keys for programs."""


@token.command("add")
@click.argument("email")
@click.option("--name", required=True, help="What it is for.")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default="read",
    show_default=True,
    help="import loads polls and files and nothing else; write does all that the person may.",
)
@click.option(
    "--expires", default="", metavar="DURATION", help="After how long it stops working, such as 90d."
)
def add_token(email: str, name: str, scope: str, expires: str) -> None:
    """Make a token of somebody's; prints it once."""
    until = datetime.now(UTC) + timedelta(microseconds=duration("--expires", expires)) if expires else None
    with opened_database() as database:
        account_id = users.id_of(database, email)
        made, secret = tokens.create(database, COMMAND, name, Scope(scope), until, account_id)
    click.echo(f"Token {made.token_id}; it is shown this once:\n{secret}")


@token.command("revoke")
@click.argument("token_id", type=click.UUID)
def revoke(token_id: UUID) -> None:
    """End a token."""
    with opened_database() as database:
        tokens.revoke(database, COMMAND, token_id)
    click.echo(f"Token {token_id} is revoked.")
