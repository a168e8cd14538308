"""The one door to the mirror, and what it says when the database will not."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import event, insert, select, text

from wxsync.errors import MirrorError
from wxsync.mirror import links, schema, sqlite
from wxsync.mirror.store import Store, replace_rows
from wxsync.mirror.tables import baselines, tag_links
from wxsync.model.member import Member
from wxsync.model.remembered import LinkState, RememberedMember, RememberedTag

ADD_MEMBERS = """
import sys
from wxsync.mirror import links, schema
from wxsync.mirror.store import Store
from wxsync.model.remembered import LinkState, RememberedTag

store = Store(schema.prepare(sys.argv[1]))
for number in range(100):
    with store.transaction() as connection:
        before = links.load(connection, "acme", "acme").tags["T"].userids
        after = before | {f"{sys.argv[2]}{number}"}
        tag = RememberedTag(name="T", id=len(after), state=LinkState.OURS, userids=after)
        links.put_tag(connection, "acme", "acme", tag)
"""


def tag(*userids: str) -> RememberedTag:
    return RememberedTag(name="T", id=1, state=LinkState.OURS, userids=frozenset(userids))


def put_crowd(store: Store, first: int, count: int) -> None:
    crowd = [
        RememberedMember(
            state=LinkState.OURS,
            member=Member(key=f"E{number}", userid=f"e{number}", address="深圳市南山区" * 10),
        )
        for number in range(first, first + count)
    ]
    with store.transaction() as connection:
        links.put_member(connection, "acme", "acme", crowd)


def keys(store: Store) -> set[str]:
    with store.reading() as connection:
        return set(links.load(connection, "acme", "acme").members)


def test_a_transaction_is_kept_whole_or_not_at_all(store: Store):
    """An error in the block, whatever it is, takes back all that the block wrote."""
    with pytest.raises(KeyError):
        put_and_fail(store)
    with store.reading() as connection:
        assert links.load(connection, "acme", "acme").tags == {}


def put_and_fail(store: Store) -> None:
    with store.transaction() as connection:
        links.put_tag(connection, "acme", "acme", tag("e1"))
        raise KeyError


def test_two_processes_write_at_the_same_time_and_lose_nothing(sqlite_store: Store, sqlite_url: str):
    """Each reads, adds and writes a hundred times; every addition of both is there."""
    with sqlite_store.transaction() as connection:
        links.put_tag(connection, "acme", "acme", tag())
    processes = [
        subprocess.Popen([sys.executable, "-c", ADD_MEMBERS, sqlite_url, name], stderr=subprocess.PIPE)
        for name in ("a", "b")
    ]
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    with sqlite_store.reading() as connection:
        found = links.load(connection, "acme", "acme").tags["T"]
    assert found.userids == {f"{name}{number}" for name in ("a", "b") for number in range(100)}


def test_two_threads_write_at_the_same_time_and_lose_nothing(store: Store):
    """Every transaction has a connection of its own."""
    start = Barrier(2)

    def write(name: str) -> None:
        start.wait()
        for number in range(50):
            put_one(store, f"{name}{number}")

    threads = [Thread(target=write, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keys(store) == {f"{name}{number}" for name in ("a", "b") for number in range(50)}


def put_one(store: Store, key: str) -> None:
    with store.transaction() as connection:
        one = RememberedMember(state=LinkState.OURS, member=Member(key=key, userid=key))
        links.put_member(connection, "acme", "acme", one)


def test_a_reader_sees_one_moment_and_keeps_no_writer_waiting(store: Store):
    """What is committed while it reads, it does not see."""
    put_one(store, "E1")
    with store.reading() as connection:
        before = links.load(connection, "acme", "acme")
        put_one(store, "E2")
        assert links.load(connection, "acme", "acme") == before
    assert keys(store) == {"E1", "E2"}


def test_a_mirror_that_another_process_holds_is_said_to_be_locked(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """After waiting for a while, and without any harm to either."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    store = Store(schema.prepare(sqlite_url))
    other = sqlite3.connect(tmp_path / "mirror.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(MirrorError, match="is locked by another process") as caught:
        put_one(store, "E1")
    assert "wait until the other command" in str(caught.value.hint)
    assert keys(store) == set()
    other.execute("ROLLBACK")
    other.close()
    put_one(store, "E1")
    store.close()


def test_a_full_database_says_disk_full_and_stays_whole(sqlite_store: Store):
    """SQLite says the same for a database that may not grow as for a disk that cannot."""

    @event.listens_for(sqlite_store.engine, "begin")
    def allow_no_more(connection):
        connection.exec_driver_sql("PRAGMA max_page_count = 60")

    with pytest.raises(MirrorError, match="the disk is full"):
        put_crowd(sqlite_store, 0, 2000)
    assert keys(sqlite_store) == set()


def put_crowds_of_ten(store: Store) -> None:
    for first in range(50, 5000, 10):
        put_crowd(store, first, 10)


def test_a_full_disk_is_said_to_be_full_and_the_mirror_stays_whole(tiny_disk: Path):
    """What was recorded before is there, and once there is space again work goes on."""
    ballast = tiny_disk / "ballast"
    store = Store(schema.prepare(f"sqlite:///{tiny_disk}/mirror.db"))
    put_crowd(store, 0, 50)
    ballast.write_bytes(b"x" * (shutil.disk_usage(tiny_disk).free - 64 * 1024))

    with pytest.raises(MirrorError) as caught:
        put_crowds_of_ten(store)
    assert caught.value.message == (
        f"the disk is full: {tiny_disk}/mirror.db cannot be written;"
        " nothing was sent to WeCom beyond what is recorded"
    )
    assert "free some space" in str(caught.value.hint)

    ballast.unlink()
    recorded = keys(store)
    assert {f"E{number}" for number in range(50)} <= recorded
    assert len(recorded) % 10 == 0
    put_crowd(store, 9000, 10)
    with store.reading() as connection:
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    assert len(keys(store)) == len(recorded) + 10
    store.close()


def test_a_disk_without_any_space_is_said_to_be_full_at_the_first_step(tiny_disk: Path):
    """A fresh mirror that does not fit is an error, and one that does once there is space."""
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * (1024 * 1024))
    url = f"sqlite:///{tiny_disk}/mirror.db"
    with pytest.raises(MirrorError, match="the disk is full"):
        schema.prepare(url)
    ballast.unlink()
    schema.prepare(url).dispose()
    assert schema.status(url).is_at_head


def test_a_read_only_place_is_said_to_be_one(tiny_disk: Path):
    """The error says who must be given what."""
    url = f"sqlite:///{tiny_disk}/mirror.db"
    schema.prepare(url).dispose()
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    with pytest.raises(MirrorError) as caught:
        schema.prepare(url)
    assert "right to write" in str(caught.value.hint)


def test_a_server_that_goes_away_is_said_to_be_out_of_reach(server_url: str):
    """In the middle of a transaction too; the next one gets a new connection."""
    schema.upgrade(server_url)
    store = Store(schema.prepare(server_url))
    is_postgres = server_url.startswith("postgresql")
    end = "SELECT pg_terminate_backend(pg_backend_pid())" if is_postgres else "KILL CONNECTION_ID()"
    with pytest.raises(MirrorError, match="cannot be reached"), store.transaction() as connection:
        connection.execute(text(end))
    put_one(store, "E1")
    assert keys(store) == {"E1"}
    store.close()


def test_an_error_tells_nobodys_values(store: Store):
    """Neither the statement's parameters nor a row is quoted."""
    row = {"corp": "acme", "sync": "acme", "name": None, "tag_id": 13812345678, "state": "ours"}
    with pytest.raises(MirrorError) as caught, store.transaction() as connection:
        connection.execute(insert(tag_links), row)
    assert "13812345678" not in f"{caught.value} {caught.value.hint}"
    assert "\n" not in caught.value.message
    twice = [{**row, "name": "13812345678"}] * 2
    with pytest.raises(MirrorError) as caught, store.transaction() as connection:
        connection.execute(insert(tag_links), twice)
    assert "13812345678" not in f"{caught.value} {caught.value.hint}"


def test_rows_are_replaced_by_their_primary_key(store: Store):
    """Others stay as they are, and no rows are no statement."""
    place = {"corp": "acme", "sync": "acme", "source": "hr", "run_id": 1}
    with store.transaction() as connection:
        replace_rows(connection, baselines, [])
        for members in (300, 299):
            replace_rows(connection, baselines, [{**place, "query": "members", "row_count": members}])
        replace_rows(connection, baselines, [{**place, "query": "departments", "row_count": 40}])
        found = connection.execute(select(baselines.c.query, baselines.c.row_count)).all()
    assert {(row.query, row.row_count) for row in found} == {("members", 299), ("departments", 40)}
