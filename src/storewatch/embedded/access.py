"""How to reach the server: URLs for the application and for pgAdmin, and psql."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from storewatch.embedded.cluster import NAME, password
from storewatch.embedded.files import read_file
from storewatch.embedded.place import Place, place_of
from storewatch.embedded.process import Postmaster, find_postmaster
from storewatch.embedded.programs import find_tool
from storewatch.embedded.settings import LOOPBACK
from storewatch.errors import EmbeddedServerError


def socket_url(place: Place) -> str:
    """The SQLAlchemy URL over the unix socket of the server that runs."""
    server = _server(place)
    where = f"host={quote(str(server.socket_folder))}&port={server.port}"
    return f"postgresql+psycopg://{NAME}:{password(place)}@/{NAME}?{where}"


def tcp_url(home: Path) -> str:
    """The URL over loopback, for pgAdmin and others; the same at every start."""
    place = place_of(home)
    secret = password(place)
    port = (read_file(place.port) or "").strip()
    server = find_postmaster(place)
    if server and not server.has_tcp:
        # The port is a stranger's now, who should not be sent our users.
        raise EmbeddedServerError(
            f"The database listens on no port: {port} was taken by another program when it started. "
            f"Free the port, or delete {place.port}, and start the database again."
        )
    return f"postgresql://{NAME}:{secret}@{LOOPBACK}:{port}/{NAME}"


def passfile(home: Path) -> Path:
    """The file with the password, as libpq and pgAdmin read it; only its owner can."""
    return place_of(home).pgpass


def psql_command(home: Path) -> tuple[list[str], dict[str, str]]:
    """The command line of psql on the running server, and the environment variables to add for it."""
    place = place_of(home)
    server = _server(place)
    target = {"PGHOST": str(server.socket_folder), "PGPORT": str(server.port)}
    who = {"PGUSER": NAME, "PGDATABASE": NAME, "PGPASSFILE": str(place.pgpass)}
    return [str(find_tool("psql"))], target | who


def _server(place: Place) -> Postmaster:
    server = find_postmaster(place)
    if server is None:
        raise EmbeddedServerError(
            f"The database in {place.home} is not running. Start it with `storewatch db start`."
        )
    return server
