"""A copy of the mirror in one file."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import insert, inspect, select, text, update

from tests.mirror.filling import fill
from wxsync.errors import MirrorError, SchemaBehindError
from wxsync.mirror import lease, schema
from wxsync.mirror.backup import Backup, back_up
from wxsync.mirror.copying import sums_of
from wxsync.mirror.counters import go_on_after, last_numbers
from wxsync.mirror.marks import MarkKind
from wxsync.mirror.migrating import config_of
from wxsync.mirror.store import Store
from wxsync.mirror.tables import claims, corp_ways, leases

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)


def backed_up(url: str, file: Path) -> Backup:
    return back_up(url, file, made_at=AT, progress=lambda done, total: None)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_holds_what_the_mirror_holds(store: Store, mirror_url: str, tmp_path: Path) -> None:
    """Of each database it is one SQLite file of the same schema, with every value, for its owner alone."""
    fill(store)
    go_on_after(store, {"runs": 77})  # as where the runs up to that one are gone
    folder = tmp_path / "backups"
    folder.mkdir()
    made = backed_up(mirror_url, folder / "b.db")
    url = f"sqlite:///{folder}/b.db"
    with store.reading() as connection:
        held, numbers = sums_of(connection), last_numbers(connection)
    assert files(folder) == ["b.db"]
    assert (folder / "b.db").stat().st_mode & 0o777 == 0o600
    assert made.rows == sum(sum_.rows for sum_ in held.values())
    assert (made.schema, made.size_bytes) == (schema.head(), (folder / "b.db").stat().st_size)
    [mark] = schema.status(url).marks
    assert (mark.kind, mark.made_at, mark.place) == (MarkKind.BACKUP, AT, schema.status(mirror_url).place)
    assert "hunter" not in mark.place
    copy = Store(schema.prepare(url, whatever_mark=True))
    with copy.reading() as connection:
        assert (sums_of(connection), last_numbers(connection)) == (held, numbers)
    copy.close()


def test_nobody_opens_it_as_a_mirror(sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """What it is, of when and of what, is said, and the command that makes a mirror of it."""
    backed_up(sqlite_url, tmp_path / "b.db")
    with pytest.raises(MirrorError) as caught:
        schema.prepare(f"sqlite:///{tmp_path}/b.db")
    assert caught.value.message == (
        f"{tmp_path}/b.db is a backup, made at 2026-01-31T08:00:00Z of {tmp_path}/mirror.db"
    )
    assert "wxsync db restored" in str(caught.value.hint)
    with pytest.raises(MirrorError, match="is a backup"):
        backed_up(f"sqlite:///{tmp_path}/b.db", tmp_path / "c.db")
    opened = Store(schema.prepare(f"sqlite:///{tmp_path}/b.db", whatever_mark=True))
    with pytest.raises(MirrorError, match="is a backup"):
        lease.acquire(opened, "acme", owner="test", ttl=timedelta(minutes=1))
    opened.close()
    assert schema.prepare(sqlite_url).dialect.name == "sqlite"


def test_it_is_of_one_moment_while_others_write(sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """A run that writes two rows in each transaction is seen with both of the last pair, or with none."""
    with sqlite_store.transaction() as connection:  # many pages, so that it takes its time
        connection.execute(
            insert(claims),
            [
                {"corp": "acme", "sync": "acme", "field": "mobile", "value_hash": f"{number:064}"}
                for number in range(20_000)
            ],
        )
    over, written = threading.Event(), [0]

    def write() -> None:
        while not over.is_set():
            number = written[0]
            with sqlite_store.transaction() as connection:
                for corp in (f"{number}a", f"{number}b"):
                    row = insert(corp_ways).values(corp=corp, way="ids", has_app=False, found_at=AT)
                    connection.execute(row)
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        before = written[0]
        told: list[int] = []
        back_up(sqlite_url, tmp_path / "b.db", made_at=AT, progress=lambda done, total: told.append(done))
        during = written[0] - before
    finally:
        over.set()
        writer.join()
    with closing(sqlite3.connect(tmp_path / "b.db")) as copy:
        seen = {row[0] for row in copy.execute("SELECT corp FROM corp_ways")}
        assert copy.execute("SELECT count(*) FROM claims").fetchone() == (20_000,)
    assert during > 0, "nobody waited for the backup"
    assert len(told) > 2
    assert told == sorted(told), "it never has to begin anew"
    pairs = len(seen) // 2
    assert seen == {f"{number}{half}" for number in range(pairs) for half in "ab"}
    assert before <= pairs <= before + during


def test_a_lease_in_it_is_as_it_was(sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """A backup that is made in mid run shows the run at work."""
    held = lease.acquire(sqlite_store, "acme", owner="acme (manual)", ttl=timedelta(minutes=1))
    backed_up(sqlite_url, tmp_path / "b.db")
    lease.release(sqlite_store, held)
    copy = Store(schema.prepare(f"sqlite:///{tmp_path}/b.db", whatever_mark=True))
    with copy.reading() as connection:
        assert connection.scalars(select(leases.c.owner)).all() == ["acme (manual)"]
    copy.close()


def test_nothing_is_written_over(sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """Neither a file nor a link, whether or not it leads anywhere."""
    (tmp_path / "b.db").write_text("mine")
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere")
    before = files(tmp_path)
    for name in ("b.db", "link.db", "mirror.db"):
        with pytest.raises(MirrorError, match=f"{name} is there already, and nothing is written over it"):
            backed_up(sqlite_url, tmp_path / name)
    assert (tmp_path / "b.db").read_text() == "mine"
    assert files(tmp_path) == before


def test_a_name_that_was_taken_meanwhile(sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """Whoever took it keeps it, and nothing else is left."""
    file = tmp_path / "b.db"
    folder = files(tmp_path)

    def take_the_name(done: int, total: int) -> None:
        file.write_text("mine")

    with pytest.raises(MirrorError, match="is there already"):
        back_up(sqlite_url, file, made_at=AT, progress=take_the_name)
    assert file.read_text() == "mine"
    assert files(tmp_path) == sorted([*folder, "b.db"])


@pytest.mark.parametrize(
    ("name", "said"), [("nowhere/b.db", "No such file or directory"), ("mirror.db/b.db", "Not a directory")]
)
def test_a_place_where_no_file_can_be(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path, name: str, said: str
) -> None:
    """It is named, with what the system says."""
    with pytest.raises(MirrorError, match=f"{name} cannot be written: {said}"):
        backed_up(sqlite_url, tmp_path / name)


class CutOff(Exception):
    """What ends an attempt."""


def test_of_one_that_is_cut_off_nothing_is_left(store: Store, mirror_url: str, tmp_path: Path) -> None:
    """Not a file, whole or half."""
    fill(store)
    folder = tmp_path / "backups"
    folder.mkdir()

    def cut_off(done: int, total: int) -> None:
        raise CutOff

    with pytest.raises(CutOff):
        back_up(mirror_url, folder / "b.db", made_at=AT, progress=cut_off)
    assert files(folder) == []


def test_a_damaged_mirror_gives_no_backup(sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """What is damaged in it is damaged in the copy: that is said, and the older backups stay the newest."""
    fill(sqlite_store)
    sqlite_store.close()
    file = tmp_path / "mirror.db"
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40_000] = bytes(40_000)
    file.write_bytes(content)
    with pytest.raises(MirrorError, match="damaged"):
        backed_up(sqlite_url, tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()


def test_where_there_is_no_mirror(sqlite_url: str, tmp_path: Path) -> None:
    """No mirror is made to be backed up."""
    with pytest.raises(MirrorError, match="there is no mirror at"):
        backed_up(sqlite_url, tmp_path / "b.db")
    assert files(tmp_path) == []


def test_before_an_upgrade(sqlite_url: str, tmp_path: Path) -> None:
    """A file of an older schema is copied as it is; upgraded later, it still says that it is a backup."""
    schema.prepare(sqlite_url).dispose()
    engine = schema.prepare(sqlite_url)
    config = config_of(schema.migrations_directory())
    with engine.begin() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        for table in inspect(connection).get_table_names():
            if table != "sqlite_sequence":
                connection.execute(text(f"DROP TABLE {table}"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        connection.execute(insert(claims), {"corp": "c", "sync": "s", "field": "f", "value_hash": "h"})
    engine.dispose()
    made = backed_up(sqlite_url, tmp_path / "b.db")
    assert (made.schema, made.rows) == ("0007", 1)
    url = f"sqlite:///{tmp_path}/b.db"
    with pytest.raises(SchemaBehindError):
        schema.prepare(url)
    assert schema.upgrade(url).is_at_head
    with pytest.raises(MirrorError, match="is a backup"):
        schema.prepare(url)


def test_of_a_server_with_an_older_schema_there_is_none(postgres_url: str, tmp_path: Path) -> None:
    """That one has its own backups; what this version does not know it does not copy by halves."""
    schema.upgrade(postgres_url)
    store = Store(schema.prepare(postgres_url))
    with store.transaction() as connection:
        connection.execute(text("UPDATE wxsync_schema SET version_num = '0001'"))
    store.close()
    with pytest.raises(SchemaBehindError, match="old schema"):
        backed_up(postgres_url, tmp_path / "b.db")
    assert files(tmp_path) == []


def test_a_server_is_read_as_of_one_moment(postgres_url: str, tmp_path: Path) -> None:
    """What others write once it has begun is not in it, in whatever table."""
    schema.upgrade(postgres_url)
    store = Store(schema.prepare(postgres_url))
    fill(store)

    def write(done: int, total: int) -> None:
        with store.transaction() as connection:
            connection.execute(update(corp_ways).values(has_app=True))
            connection.execute(update(leases).values(owner="late"))

    back_up(postgres_url, tmp_path / "b.db", made_at=AT, progress=write)
    store.close()
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        assert {row[0] for row in connection.execute("SELECT has_app FROM corp_ways")} == {0, 1}
        assert "late" not in {row[0] for row in connection.execute("SELECT owner FROM leases")}
