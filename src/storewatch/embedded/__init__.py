"""The PostgreSQL that storewatch starts itself when no database URL is given.

    sharing.py    running, ensure_running, start, stop: who keeps the server up and who ends it
    server.py     bring one server up, shut it down; the caller holds the change lock
    cluster.py    the data folder: made once and whole, or refused
    settings.py   the files that the server reads, written anew at each start
    process.py    which process is our server; no other is ever signalled
    programs.py   where PostgreSQL's programs come from
    place.py      the home: its paths, and whether it can work
    account.py    the user whom the server runs as (root may not)
    access.py     URLs and psql
    dumps.py      pg_dump and pg_restore, of any server
    files.py, locks.py, waiting.py   whole-file writes, flock, patience

Any number of commands share one server on one home. Each holds `users.lock` shared; the one that can
take it exclusively at its end stops the server, unless `start` asked to keep it up. `change.lock`
serialises starts and stops. `server.lock` is held by the server's processes themselves: while the
kernel grants it to nobody else, something of the old server still lives.
"""

from storewatch.embedded.access import passfile, psql_command, tcp_url
from storewatch.embedded.place import default_home, exists
from storewatch.embedded.programs import using
from storewatch.embedded.sharing import ensure_running, running, start, stop

__all__ = [
    "default_home",
    "ensure_running",
    "exists",
    "passfile",
    "psql_command",
    "running",
    "start",
    "stop",
    "tcp_url",
    "using",
]
