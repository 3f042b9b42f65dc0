"""What pgAdmin is told about the database: the definition that its `load-servers` reads."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url

from storewatch.storage.db import normalised_url

_PORT = 5432  # PostgreSQL's, where an address names none


def definition(address: str, passfile: Path | None) -> dict[str, Any]:
    """A server of pgAdmin's tree. It holds no password: pgAdmin reads it from `passfile`, or asks."""
    url = make_url(normalised_url(address))
    connection: dict[str, Any] = {"sslmode": _query(url, "sslmode") or "prefer", "connect_timeout": 10}
    if passfile is not None:
        connection["passfile"] = str(passfile)
    user = url.username or _query(url, "user") or getpass.getuser()
    database = url.database or user
    server = {
        "Name": "storewatch",
        "Group": "Servers",
        "Host": url.host or _query(url, "host") or "localhost",
        "Port": url.port or int(_query(url, "port") or _PORT),
        "Username": user,
        "MaintenanceDB": database,
        "DBRestriction": database,  # other databases of the server are not shown
        "DBRestrictionType": "databases",
        "ConnectionParameters": connection,
        "Comment": "Written by `storewatch db pgadmin`",
    }
    return {"Servers": {"1": server}}


def _query(url: URL, name: str) -> str:
    """A parameter of the address; the first, where it is given more than once."""
    value = url.query.get(name, "")
    return value if isinstance(value, str) else value[0]
