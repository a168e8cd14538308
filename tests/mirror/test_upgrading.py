"""An older mirror: refused by every command but two, and what these do with it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.mirror.older import OLD, make_old
from wxsync.errors import MirrorError, RunInProgressError, SchemaBehindError
from wxsync.mirror import file_lock, lease, schema
from wxsync.mirror.store import Store
from wxsync.mirror.upgrading import upgrade_file

NOW = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)


def version_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as mirror:
        return str(mirror.execute("SELECT version_num FROM wxsync_schema").fetchone()[0])


def next_token(url: str) -> int:
    store = Store(schema.prepare(url))
    held = lease.acquire(store, "acme", owner="run 42", ttl=timedelta(seconds=60))
    lease.release(store, held)
    store.close()
    return held.token


def test_an_older_mirror_is_refused_and_left_as_it_is(mirror_url: str):
    """With the command that mends it; after that everything that it held counts on."""
    make_old(mirror_url)
    with pytest.raises(SchemaBehindError, match=f"has an old schema \\({OLD}; this version needs") as caught:
        schema.prepare(mirror_url)
    assert "wxsync db upgrade" in str(caught.value.hint)
    assert schema.status(mirror_url).current == OLD
    assert schema.upgrade(mirror_url).is_at_head
    assert next_token(mirror_url) == 42


def test_the_daemon_upgrades_a_file_after_a_backup(sqlite_url: str, tmp_path: Path):
    """What the file was lies beside it, for its owner alone; a second time there is nothing to do."""
    make_old(sqlite_url)
    backup = upgrade_file(sqlite_url, made_at=NOW)
    assert backup == tmp_path / f"mirror.db.schema-{OLD}"
    assert version_of(backup) == OLD
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as was:
        assert was.execute("SELECT pid_space FROM leases").fetchall() == [("a/1",)]
    assert schema.status(sqlite_url).is_at_head
    assert next_token(sqlite_url) == 42
    assert upgrade_file(sqlite_url, made_at=NOW) is None
    assert sorted(tmp_path.glob("mirror.db.*")) == [backup]


def test_a_fresh_file_needs_no_backup(sqlite_url: str, tmp_path: Path):
    """Nor does one that is not there; neither is made by looking."""
    assert upgrade_file(sqlite_url, made_at=NOW) is None
    assert list(tmp_path.iterdir()) == []


def test_not_while_a_run_is_at_work(sqlite_url: str, tmp_path: Path):
    """It goes by the schema that it found."""
    make_old(sqlite_url)
    lock = file_lock.take(file_lock.place(tmp_path / "mirror.db", "x.1"), tmp_path / "mirror.db")
    assert lock is not None
    with pytest.raises(RunInProgressError, match="a run is at work on it"):
        upgrade_file(sqlite_url, made_at=NOW)
    assert version_of(tmp_path / "mirror.db") == OLD
    lock.give_back()
    assert upgrade_file(sqlite_url, made_at=NOW) is not None


def test_without_a_backup_there_is_no_upgrade(tiny_disk: Path):
    """A disk without space for it leaves the mirror as it was, and nothing beside it."""
    url = f"sqlite:///{tiny_disk}/mirror.db"
    make_old(url)
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * (shutil.disk_usage(tiny_disk).free - 64 * 1024))
    with pytest.raises(MirrorError, match="full"):
        upgrade_file(url, made_at=NOW)
    assert version_of(tiny_disk / "mirror.db") == OLD
    assert list(tiny_disk.glob("*schema*")) == []
    ballast.unlink()
    assert upgrade_file(url, made_at=NOW) is not None


def test_an_upgrade_that_fails_leaves_what_was_and_its_backup(sqlite_url: str, tmp_path: Path):
    """The next attempt makes one of its own."""
    make_old(sqlite_url)
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as mirror, mirror:
        mirror.execute("ALTER TABLE leases RENAME COLUMN pid_space TO clock")
    with pytest.raises(MirrorError, match="duplicate column"):
        upgrade_file(sqlite_url, made_at=NOW)
    assert version_of(tmp_path / "mirror.db") == OLD
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as mirror, mirror:
        mirror.execute("ALTER TABLE leases RENAME COLUMN clock TO pid_space")
    assert upgrade_file(sqlite_url, made_at=NOW) == tmp_path / f"mirror.db.schema-{OLD}.2"


def test_a_server_and_a_newer_file_are_never_upgraded_by_the_way(
    postgres_url: str, sqlite_url: str, tmp_path: Path
):
    """Other versions may be at work on a server; what a later version made, this one does not know."""
    make_old(postgres_url)
    with pytest.raises(SchemaBehindError, match="has an old schema"):
        upgrade_file(postgres_url, made_at=NOW)
    assert schema.status(postgres_url).current == OLD
    schema.prepare(sqlite_url).dispose()
    with closing(sqlite3.connect(tmp_path / "mirror.db")) as mirror, mirror:
        mirror.execute("UPDATE wxsync_schema SET version_num = '9999'")
    with pytest.raises(SchemaBehindError, match="newer schema"):
        upgrade_file(sqlite_url, made_at=NOW)
    assert list(tmp_path.glob("mirror.db.schema*")) == []
