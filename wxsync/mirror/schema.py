"""The mirror's schema: opening a mirror, migrating it, and telling whether it fits this version.

The migrations lie in the wheel as `wxsync/_migrations`, and in a checkout beside the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Final

from sqlalchemy import (
    Connection,
    Engine,
    String,
    column,
    inspect,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from wxsync.errors import MirrorError, SchemaBehindError
from wxsync.mirror import sqlite
from wxsync.mirror.failures import explained, place_of
from wxsync.mirror.marks import Mark, marks, refuse_marked
from wxsync.mirror.servers import open_server
from wxsync.mirror.store import Store

VERSION_TABLE: Final = "wxsync_schema"
"""Not alembic's usual name: by it a mirror is known, also in a database that others use too."""

BACKENDS: Final = ("sqlite", "postgresql", "mysql", "mariadb")

SIZES: Final = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "mysql": "SELECT SUM(data_length + index_length) FROM information_schema.tables"
    " WHERE table_schema = DATABASE()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaStatus:
    """Where a mirror's schema stands, for `wxsync db status`."""

    place: str
    """The file, or the URL without its password."""
    current: str | None
    """None: there are no tables of ours yet."""
    head: str
    is_newer: bool
    """The schema is of a later wxsync than this one."""
    size_bytes: int | None
    marks: tuple[Mark, ...] = ()
    """What the mirror says of itself; told only of one at head."""

    @property
    def is_at_head(self) -> bool:
        return self.current == self.head


def prepare(url: str | URL, *, whatever_mark: bool = False) -> Engine:
    """An engine for a mirror that fits this version; a fresh SQLite file is migrated on the way.

    Fresh is one that is absent or has no table at all. Anything else must be at head, or it is a
    `SchemaBehindError`; a SQLite file that is not a mirror is left as it is. A backup, and what is a
    mirror no more or not yet, is a `MirrorError`, unless it may carry `whatever_mark` it does.
    """
    with _opened(url) as engine:
        if engine.dialect.name == "sqlite" and not sqlite.tables_in(engine.url):
            _migrate(engine)
        with Store(engine).reading() as connection:
            current = _current(connection)
            refuse_unfit(place_of(engine.url), current)
            if not whatever_mark:
                refuse_marked(connection, place_of(engine.url))
    return engine


def confirm_fit(store: Store) -> None:
    """The mirror can be reached, is at head and is one to go by; else `MirrorError` or `SchemaBehindError`.

    For one that was opened before: by now another version of wxsync may have migrated it, or moved it away.
    """
    with store.reading() as connection:
        place = place_of(store.engine.url)
        refuse_unfit(place, _current(connection))
        refuse_marked(connection, place)


def upgrade(url: str | URL) -> SchemaStatus:
    """Brings the mirror's schema to head, all or nothing where the database can; gives what stands then."""
    with _opened(url) as engine:
        with Store(engine).reading() as connection:
            current = _current(connection)
        if _is_newer(current):
            refuse_unfit(place_of(engine.url), current)
        _migrate(engine)
        engine.dispose()
    return status(url)


def status(url: str | URL) -> SchemaStatus:
    """Where the mirror's schema stands; migrates nothing, and makes no file."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite" and not sqlite.file_of(parsed).exists():
        return _status(parsed, None, 0)
    with _opened(parsed) as engine:
        with Store(engine).reading() as connection:
            current = _current(connection)
            size = _size(connection)
            found = marks(connection) if current == head() else ()
        engine.dispose()
    return replace(_status(parsed, current, size), marks=found)


def existing(url: str | URL) -> SchemaStatus:
    """The same of a mirror that must be there; raises `MirrorError` where there is none."""
    found = status(url)
    if found.current is None:
        raise MirrorError(f"there is no mirror at {found.place}", hint="mirror.url must name the mirror")
    return found


def refuse_other_schema(connection: Connection) -> None:
    """Raises `SchemaBehindError` where the mirror was migrated since this process opened it."""
    version = table(VERSION_TABLE, column("version_num", String))
    refuse_unfit(place_of(connection.engine.url), connection.scalar(select(version.c.version_num)))


def refuse_unfit(place: str, current: str | None) -> None:
    """Raises `SchemaBehindError` unless `current` is this version's head."""
    if current == head():
        return
    if current is None:
        raise SchemaBehindError(f"the mirror {place} has no tables yet", hint="run `wxsync db upgrade`")
    if _is_newer(current):
        raise SchemaBehindError(
            f"the mirror {place} has a newer schema ({current}) than this version of wxsync knows ({head()})",
            hint="use the wxsync that last wrote to it, or a later one",
        )
    raise SchemaBehindError(
        f"the mirror {place} has an old schema ({current}; this version needs {head()})",
        hint="back it up (wxsync db backup; a server by its own means), then run `wxsync db upgrade`",
    )


def head() -> str:
    """The revision that this version works with."""
    return max(_revisions())


def _revisions() -> frozenset[str]:
    """All that this version knows: a migration's file begins with its revision, and they are counted up."""
    files = (migrations_directory() / "versions").glob("[0-9]*_*.py")
    revisions = frozenset(file.name.partition("_")[0] for file in files)
    if not revisions:
        raise MirrorError("this installation of wxsync has no migrations", hint="install it anew")
    return revisions


def migrations_directory() -> Path:
    """Where the migrations are: in the wheel, else beside the checkout's package."""
    package = Path(__file__).parent.parent
    for place in (package / "_migrations", package.parent / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise MirrorError("this installation of wxsync has no migrations", hint="install it anew")


@contextmanager
def _opened(url: str | URL) -> Iterator[Engine]:
    """An engine that is given back on any error, with every error explained."""
    parsed = _parsed(url)
    with explained(parsed):
        engine = _open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else open_server(parsed)
        try:
            yield engine
        except BaseException:
            engine.dispose()
            raise


def _parsed(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not a word of the text itself: there may be a password in it.
        raise MirrorError(
            "mirror.url is no database URL", hint='write it like "sqlite:///mirror.db"'
        ) from None
    if parsed.get_backend_name() not in BACKENDS:
        raise MirrorError(
            f"a mirror cannot live in {parsed.get_backend_name()}",
            hint="SQLite, PostgreSQL and MariaDB/MySQL are supported",
        )
    return parsed


def _open_sqlite(url: URL) -> Engine:
    path = sqlite.file_of(url)
    tables = sqlite.tables_in(url)
    if tables and VERSION_TABLE not in tables:
        raise MirrorError(
            f"{path} is a database, but not a mirror: it holds {', '.join(sorted(tables)[:3])}",
            hint="mirror.url must name the mirror's own file, or one that does not exist yet",
        )
    sqlite.make_private(path)
    return sqlite.open_sqlite(url)


def _migrate(engine: Engine) -> None:
    # Loaded here because of what alembic takes, which only those pay who migrate.
    migrate: Callable[[Engine, Path], None] = import_module("wxsync.mirror.migrating").migrate
    migrate(engine, migrations_directory())


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = table(VERSION_TABLE, column("version_num", String))
    return connection.scalar(select(version.c.version_num))


def _is_newer(current: str | None) -> bool:
    return current is not None and current not in _revisions()


def _size(connection: Connection) -> int | None:
    backend = connection.engine.url.get_backend_name()
    if backend == "sqlite":
        return sqlite.size_of(sqlite.file_of(connection.engine.url))
    size = connection.scalar(text(SIZES["postgresql" if backend == "postgresql" else "mysql"]))
    return None if size is None else int(size)


def _status(url: URL, current: str | None, size: int | None) -> SchemaStatus:
    return SchemaStatus(
        place=place_of(url), current=current, head=head(), is_newer=_is_newer(current), size_bytes=size
    )
