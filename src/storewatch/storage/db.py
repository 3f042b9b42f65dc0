"""The connection to PostgreSQL: engine, sessions, schema version. No other module makes one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from psycopg.sql import SQL, Literal
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session, SessionTransaction

from storewatch.errors import BusyError, ConflictError, SettingsError

HEAD = "0016"
"""The newest schema revision; a test holds it to `migrations/`."""

OLDEST_SERVER = 150_000

SCHEMA_LOCK = 0x53574442
"""Advisory: only one process makes or changes the schema."""

_TURN_LOCK = 0x53575455
"""Advisory: only one upgrades, the backup before it included."""


class Database:
    """A PostgreSQL database and its pool. Made once per process; `close` when done."""

    def __init__(self, url: str) -> None:
        self.url = normalised_url(url)
        # No question whether a connection still lives, at each use: the first statement on a dead one fails,
        # and SQLAlchemy makes all of them anew. Threads that wait for their turn would wait once more.
        # What a statement was given stays out of errors, and so out of the log: it may be anybody's secret.
        self.engine: Engine = create_engine(self.url, pool_size=20, max_overflow=5, hide_parameters=True)
        _one_learns_first(self.engine)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session to read with. Each statement is a transaction of its own, which saves the round trips of
        BEGIN and ROLLBACK; within a shared transaction it is a part of that.
        """
        with self._opened(self._reading) as session:
            yield session

    @contextmanager
    def _opened(self, engine: Engine) -> Iterator[Session]:
        """The session of the shared transaction, if there is one, or a new one."""
        shared = _shared.get()
        if shared is not None:
            with shared.joined() as session:
                yield session
            return
        with Session(engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def transaction(self, patience_s: int | None = None) -> Iterator[Session]:
        """A session whose work is committed at the end of the block, or rolled back whole.

        With `patience_s` it waits so long for any lock that others hold, then raises BusyError.
        """
        try:
            with self._opened(self.engine) as session, self._begun(session):
                if patience_s is not None:
                    session.execute(text(f"SET LOCAL lock_timeout = '{patience_s}s'"))
                yield session
        except (psycopg.OperationalError, OperationalError) as error:
            if isinstance(getattr(error, "orig", error), psycopg.errors.LockNotAvailable):
                raise BusyError("Other data are being loaded just now: try again in a moment") from error
            raise

    @staticmethod
    def _begun(session: Session) -> SessionTransaction:
        """A transaction of its own, or a part of one that is shared."""
        return session.begin_nested() if session.in_transaction() else session.begin()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session that sees one state of the database throughout and writes nothing."""
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with Session(engine) as session, session.begin():
            yield session

    @contextmanager
    def steady(self) -> Iterator[Session]:
        """A session that sees one state of the database throughout, and may have temporary tables."""
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(engine) as session, session.begin():
            yield session

    @contextmanager
    def twin_snapshots(self) -> Iterator[tuple[Session, Session]]:
        """Two sessions that see the same one state of the database, to read with both at once."""
        with self.snapshot() as first, self.snapshot_of(exported(first)) as second:
            yield first, second

    @contextmanager
    def snapshot_of(self, name: str) -> Iterator[Session]:
        """A session that sees the state that another one `exported`, of whatever process or machine, while
        that one's transaction lives. ConflictError if this database knows of none.
        """
        with self.snapshot() as session:
            try:
                raw(session).execute(SQL("SET TRANSACTION SNAPSHOT {}").format(Literal(name)))
            except _NOT_OURS as error:
                raise ConflictError(
                    "The state of the database from which a report is made is not known here: the report was "
                    f"stopped, or STOREWATCH_DATABASE_URL names another database than it has ({error})"
                ) from error
            yield session

    @contextmanager
    def rehearsal(self) -> Iterator[Session]:
        """A transaction that others join, as `Shared` is, which sees one state of the database and what is
        done in it, and is rolled back whatever comes. BusyError if somebody else changes the same meanwhile.
        """
        shared = Shared(self, self.engine.execution_options(isolation_level="REPEATABLE READ"))
        shared.join()
        try:
            yield shared.session
        except (psycopg.OperationalError, OperationalError) as error:
            if isinstance(getattr(error, "orig", error), psycopg.errors.SerializationFailure):
                raise BusyError("Somebody else is changing the same just now: try again", 1) from error
            raise
        finally:
            shared.roll_back()

    def close(self) -> None:
        """Closes the pool."""
        self.engine.dispose()


def _one_learns_first(engine: Engine) -> None:
    """Has threads that connect at once wait until the first of them has learnt what SQLAlchemy must know of
    the server. It makes the lock for that when it is first needed, and two threads may make one each.
    """
    events: Any = engine.pool.dispatch
    events.connect._get_exec_once_mutex()


class Shared:
    """A transaction that others join: what they commit is committed with it, or not at all.

    After `join` every `transaction` and `session` of this thread, or rather context, is a part of it.
    """

    def __init__(self, database: Database, engine: Engine | None = None) -> None:
        self.session = Session(engine or database.engine, expire_on_commit=False)
        self.session.begin()

    def join(self) -> None:
        """Others join from now on."""
        _shared.set(self)

    @contextmanager
    def joined(self) -> Iterator[Session]:
        """The session, for a part. What a part has loaded is its own, as from a session of its own."""
        whole = not self.session.in_nested_transaction()
        yield self.session
        if whole:
            self.session.expunge_all()

    def commit(self) -> None:
        """Commits all that was done."""
        self._part()
        with self.session:
            self.session.commit()

    def roll_back(self) -> None:
        """Undoes all that was done. Harmless if it has ended already."""
        self._part()
        self.session.close()

    def _part(self) -> None:
        if _shared.get() is self:
            _shared.set(None)


_shared: ContextVar[Shared | None] = ContextVar("shared", default=None)


def disk_is_full(error: BaseException) -> bool:
    """Whether it is the database that has no room left, as SQLAlchemy tells it or, of COPY, psycopg."""
    return isinstance(getattr(error, "orig", error), psycopg.errors.DiskFull)


def exported(session: Session) -> str:
    """The name of the state that a session sees, for `Database.snapshot_of`."""
    return str(session.execute(text("SELECT pg_export_snapshot()")).scalar_one())


_NOT_OURS = (
    psycopg.errors.InvalidParameterValue,
    psycopg.errors.UndefinedObject,
    psycopg.errors.FeatureNotSupported,
)


def normalised_url(url: str) -> str:
    """The URL for psycopg 3, whatever PostgreSQL scheme it came with."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "STOREWATCH_DATABASE_URL is not a URL like postgresql://user:password@host:5432/name"
        ) from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingsError(
            f"STOREWATCH_DATABASE_URL begins with '{parsed.drivername}': "
            "storewatch works with PostgreSQL only"
        )
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def plain_url(url: str) -> str:
    """The URL for other programs, of any PostgreSQL scheme; it holds the password."""
    return normalised_url(url).replace("+psycopg", "", 1)


def raw(session: Session | Connection) -> psycopg.Connection[Any]:
    """The psycopg connection under a session's transaction, for COPY."""
    connection = session.connection() if isinstance(session, Session) else session
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the URL says so
    return driver


def prepare(database: Database) -> None:
    """Checks the server and its schema; an empty database gets the schema, an older one is refused."""
    with _reachable(database) as connection:
        _check_server(connection)
        found = revision(connection)
    if found is None:
        upgrade(database)
    elif found != HEAD:
        raise ConflictError(
            f"The database has schema {found}, this storewatch needs {HEAD}: "
            + ("run `storewatch db upgrade`" if found < HEAD else "install the newer storewatch")
        )


def schema_of(database: Database) -> str | None:
    """The schema that the database has; None: none yet."""
    with _reachable(database) as connection:
        return revision(connection)


def fits(database: Database) -> bool:
    """Whether the schema is the one that this storewatch needs."""
    return schema_of(database) == HEAD


def check_server(database: Database) -> None:
    """SettingsError if the server can't be reached, or is too old."""
    with _reachable(database) as connection:
        _check_server(connection)


@contextmanager
def one_upgrade(database: Database) -> Iterator[None]:
    """Who upgrades takes turns, with the backup that is made before: the next one finds it done, and makes
    no backup of what is new already.
    """
    with _reachable(database) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TURN_LOCK})
        yield


def upgrade(database: Database) -> bool:
    """Brings the schema to HEAD, in one transaction. False if it was there already."""
    from alembic import command  # slow to import, seldom needed
    from alembic.config import Config

    with _reachable(database) as connection:
        _check_server(connection)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
        if revision(connection) == HEAD:
            return False
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "storewatch.storage:migrations")
        command.upgrade(config, "head")
        return True


@contextmanager
def _reachable(database: Database) -> Iterator[Connection]:
    try:
        with database.engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        if not error.connection_invalidated and not isinstance(error.orig, psycopg.OperationalError):
            raise
        raise SettingsError(f"PostgreSQL cannot be reached: {error.orig}") from error


def _check_server(connection: Connection) -> None:
    version = server_version(connection)
    if version < OLDEST_SERVER:
        raise SettingsError(f"PostgreSQL {version // 10_000} is too old: storewatch needs 15 or newer")


def server_version(session: Session | Connection) -> int:
    """PostgreSQL's, like 180006."""
    return raw(session).info.server_version


def revision(connection: Connection) -> str | None:
    """The schema's revision; None if there is no schema yet."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
