"""Who may do what. Pure: no request, no database.

    role of a person    sees                  may
    admin               every store           everything
    operator            every store           load and change all data, invite managers and viewers
    member              stores of own groups  as manager of a group: change its stores, invite viewers;
                                              as viewer: read

A token narrows what its person may do: `read` reads, `import` loads polls and files, asks how far they
are, and nothing else,
`write` does all that the person may. What is not allowed here is forbidden.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person is to the whole service."""

    ADMIN = "admin"
    OPERATOR = "operator"
    MEMBER = "member"


class GroupRole(StrEnum):
    """What a member is to a group of stores."""

    MANAGER = "manager"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What a token is good for."""

    READ = "read"
    IMPORT = "import"
    WRITE = "write"


class Via(StrEnum):
    """How a caller was recognised."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - not a password
    NO_LOGIN = "no-login"
    COMMAND = "command"
    LINK = "link"
    NONE = "none"


@dataclass(frozen=True)
class Caller:
    """Who asks. `account_no` is None for a command, or where there are no logins: they may do everything.

    `groups` maps the groups of a member, by their inner number, to what they are there.
    """

    role: Role
    via: Via
    account_no: int | None = None
    account_id: UUID | None = None
    email: str | None = None
    groups: dict[int, GroupRole] = field(default_factory=dict)
    scope: Scope = Scope.WRITE
    token_id: UUID | None = None
    address: str | None = None

    @property
    def sees_all(self) -> bool:
        """Whether every store is theirs to see."""
        return self.role is not Role.MEMBER

    @property
    def seen_by(self) -> int | None:
        """The account whose groups limit what may be seen; None sees every store."""
        return None if self.sees_all else self.account_no

    @property
    def adds_stores(self) -> bool:
        """Whether they may make stores: a member in the groups that they manage."""
        return self.sees_all or GroupRole.MANAGER in self.groups.values()

    def manages(self, group_no: int) -> bool:
        """Whether a group is theirs to manage."""
        return self.sees_all or self.groups.get(group_no) is GroupRole.MANAGER


@dataclass(frozen=True)
class Need:
    """What a route asks of its caller. `role` None: of nobody anything. A token has `scope`, or `also`."""

    role: Role | None
    scope: Scope = Scope.READ
    also: Scope | None = None

    def met_by(self, caller: Caller) -> bool:
        """Whether the caller has the role, or one that includes it, and the scope."""
        if self.role is None:
            return True
        suffices = _covers(caller.scope, self.scope) or caller.scope is self.also
        return _RANK[caller.role] >= _RANK[self.role] and suffices


_RANK = {Role.MEMBER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}


def _covers(held: Scope, needed: Scope) -> bool:
    return held is Scope.WRITE or held is needed


PUBLIC = Need(None)
READ = Need(Role.MEMBER)
WRITE = Need(Role.MEMBER, Scope.WRITE)
READ_ALL = Need(Role.OPERATOR)
IMPORT = Need(Role.OPERATOR, Scope.IMPORT)
LOADS = Need(Role.OPERATOR, Scope.READ, also=Scope.IMPORT)
OPERATE = Need(Role.OPERATOR, Scope.WRITE)
AUDIT = Need(Role.ADMIN)
ADMINISTER = Need(Role.ADMIN, Scope.WRITE)


def may_invite(caller: Caller, role: Role, groups: dict[int, GroupRole]) -> bool:
    """Whether the caller may give somebody a role and places in groups.

    Admins give every role; operators make managers and viewers; managers make viewers of their groups.
    """
    if caller.role is Role.ADMIN:
        return True
    if role is not Role.MEMBER or not groups:
        return False
    if caller.role is Role.OPERATOR:
        return True
    return all(caller.manages(group) and given is GroupRole.VIEWER for group, given in groups.items())


def anybody(via: Via) -> Caller:
    """The caller of a command, or of a service without logins."""
    return Caller(Role.ADMIN, via)


COMMAND = anybody(Via.COMMAND)
"""Who runs a command: whoever may read the settings may do everything."""
