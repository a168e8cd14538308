"""What is SQLite's own: the file, who may read it, and its pragmas."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from wxsync.errors import MirrorError
from wxsync.mirror import schema
from wxsync.mirror.store import Store


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


def test_nobody_but_the_owner_can_read_the_mirror(sqlite_url: str, tmp_path: Path):
    """The file, its log and its shared memory, also under a lenient umask."""
    before = os.umask(0)
    try:
        store = Store(schema.prepare(sqlite_url))
        with store.transaction() as connection:
            connection.execute(text("DELETE FROM runs"))
        assert modes(tmp_path) == {"mirror.db": 0o600, "mirror.db-wal": 0o600, "mirror.db-shm": 0o600}
    finally:
        os.umask(before)
    store.close()


def test_a_mirror_that_others_could_read_is_closed_to_them(sqlite_url: str, tmp_path: Path):
    """A file that was copied or restored with the wrong mode is put right when it is opened."""
    schema.prepare(sqlite_url).dispose()
    (tmp_path / "mirror.db").chmod(0o664)
    schema.prepare(sqlite_url).dispose()
    assert modes(tmp_path)["mirror.db"] == 0o600


def test_the_pragmas_hold_on_every_connection(sqlite_store: Store):
    """A write-ahead log, checked references, and a writer that waits for the other one."""
    with sqlite_store.reading() as first, sqlite_store.reading() as second:
        for connection in (first, second):
            found = {
                name: connection.scalar(text(f"PRAGMA {name}"))
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_references_are_checked(sqlite_store: Store):
    """A plan without a run cannot be."""
    with pytest.raises(MirrorError) as caught, sqlite_store.transaction() as connection:
        connection.execute(text("INSERT INTO plans VALUES (99, 'sha256:', '{}')"))
    assert isinstance(caught.value.__cause__, IntegrityError)
