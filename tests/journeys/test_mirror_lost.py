"""The mirror's database dies, is cut off or full in the middle of a run: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pymysql
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.journeys.mirrors import with_mirror
from tests.journeys.story import Story
from tests.servers import mariadb, postgres
from tests.servers.cutting import Cutter, cutting
from tests.servers.mariadb import MariaDbServer
from tests.servers.postgres import PostgresServer
from tests.servers.presence import require, require_ability
from wxsync.errors import MirrorError, RunInProgressError, WxsyncError
from wxsync.mirror import schema
from wxsync.model.run import RunState
from wxsync.sandbox.identity import Call

PEOPLE = 30
UNDER_WAY = 10
"""Calls that are with WeCom when something happens: the config's `concurrency`."""


def office(tmp_path: Path, url: str) -> Story:
    """A first load that is yet to come."""
    schema.upgrade(url)
    story = Story(tmp_path)
    story.people(PEOPLE)
    story.tag("标签", "E1", "E2")
    story.stage.settings = with_mirror(story.stage.settings, url)
    story.save()
    return story


def at_write(story: Story, nth: int, act: Callable[[], None]) -> None:
    """Do that once, when WeCom has carried out so many write calls."""
    seen = 0

    def on_call(call: Call) -> None:
        nonlocal seen
        seen += call.is_write
        if call.is_write and seen == nth:
            act()

    story.wecom.on_call = on_call


def check_end(story: Story) -> None:
    """One run does the rest; everybody was created once, and nothing is left to do."""
    story.wecom.on_call = None
    story.settle()
    created = Counter(
        (call.body or {})["userid"]
        for call in story.wecom.writes
        if call.path == "user/create" and call.is_carried_out
    )
    assert created == {f"e{number}": 1 for number in range(1, PEOPLE + 1)}


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for one test alone, which may kill it."""
    programs = postgres.find_programs()
    require(package="postgresql", present=programs is not None)
    assert programs is not None
    with postgres.run_postgres(programs) as server:
        yield server


@contextmanager
def postgres_again(server: PostgresServer) -> Iterator[None]:
    """The server that was killed, on the same files and port."""
    programs = postgres.find_programs()
    assert programs is not None
    for _ in range(100):
        process = postgres.launch(programs, server.log.parent, server.port, server.log)
        while process.poll() is None:
            try:
                server.connect().close()
            except psycopg.OperationalError:
                time.sleep(0.02)
                continue
            try:
                yield
            finally:
                postgres.stop(process)
            return
        time.sleep(0.05)  # what the dead one began has yet to end
    raise AssertionError(server.log.read_text(errors="replace"))


@contextmanager
def mariadb_again(server: MariaDbServer) -> Iterator[None]:
    process = mariadb.launch(server.program, server.home, server.port)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                server.connect().close()
                break
            except pymysql.err.OperationalError:
                time.sleep(0.02)
        yield
    finally:
        mariadb.stop(process)


@pytest.mark.parametrize("nth", [1, 12])
def test_a_postgresql_that_is_killed(own_postgres: PostgresServer, tmp_path: Path, nth: int) -> None:
    """The run ends with an error that says what to do; the next one waits for nothing, and ends right."""

    def kill() -> None:
        own_postgres.process.send_signal(signal.SIGKILL)
        own_postgres.process.wait()

    story = office(tmp_path, own_postgres.url(own_postgres.create_database()))
    stop_at(story, nth, kill)
    with postgres_again(own_postgres):
        check_end(story)


def test_a_mariadb_that_is_killed(own_mariadb: MariaDbServer, tmp_path: Path) -> None:
    """The same."""
    # The tests' servers are told to be careless; what has been confirmed must be there.
    own_mariadb.run("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    story = office(tmp_path, own_mariadb.url(own_mariadb.create_database()))
    stop_at(story, 12, own_mariadb.kill)
    with mariadb_again(own_mariadb):
        check_end(story)


def stop_at(story: Story, nth: int, act: Callable[[], None]) -> None:
    """A run that cannot go on: what is under way is all that WeCom still hears of it."""
    at_write(story, nth, act)
    with pytest.raises(MirrorError, match="cannot be reached") as caught:
        story.stage.apply()
    assert "see that the database runs" in str(caught.value.hint)
    assert nth <= len(story.wecom.writes) <= nth + UNDER_WAY


def through(cutter: Cutter, url: str) -> str:
    return make_url(url).set(host="127.0.0.1", port=cutter.port).render_as_string(hide_password=False)


def lose_the_line(tmp_path: Path, url: str, cuts: int, seed: int) -> None:
    """A company loaded again and again over a line that is cut at some byte, and then once more."""
    chance = random.Random(seed)
    with cutting(make_url(url).port or 0) as cutter:
        story = office(tmp_path, through(cutter, url))
        before = cutter.said
        story.stage.plan()
        spoken = 3 * (cutter.said - before)
        broke = 0
        for _ in range(cuts):
            cutter.ends_at = cutter.said + chance.randrange(spoken)
            try:
                story.stage.apply()
            except MirrorError:
                broke += 1
            cutter.ends_at = None
        check_end(story)
        assert broke > 0


def test_a_line_to_the_mirror_that_is_cut(postgres_url: str, tmp_path: Path) -> None:
    """At any byte of what the server says, run after run."""
    lose_the_line(tmp_path, postgres_url, 4, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 22))
@pytest.mark.parametrize("database", ["postgres_url", "mariadb_url"])
def test_a_line_to_the_mirror_that_is_cut_again_and_again(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, seed: int
) -> None:
    """The same, 400 times."""
    lose_the_line(tmp_path, request.getfixturevalue(database), 10, seed)


def on_server(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


END_LOCKS = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
)
TAKE_OVER = "UPDATE leases SET token = token + 1, owner = 'another'"


def test_a_run_that_loses_its_session_goes_on_where_nobody_took_over(
    postgres_url: str, tmp_path: Path
) -> None:
    """It takes its lock anew before the next call; nothing else is to be seen of it."""
    story = office(tmp_path, postgres_url)
    at_write(story, 12, lambda: on_server(postgres_url, END_LOCKS))
    assert story.stage.apply().state is RunState.APPLIED
    check_end(story)


def test_a_run_that_loses_its_session_to_another_starts_no_call(postgres_url: str, tmp_path: Path) -> None:
    """It is told who has the lease, and leaves that one alone."""
    story = office(tmp_path, postgres_url)
    at_write(story, 12, lambda: on_server(postgres_url, END_LOCKS, TAKE_OVER))
    with pytest.raises(RunInProgressError, match="lost the lease"):
        story.stage.apply()
    assert 12 <= len(story.wecom.writes) <= 12 + UNDER_WAY
    on_server(postgres_url, "UPDATE leases SET owner = NULL")
    check_end(story)


@pytest.fixture
def small_postgres(postgres_server: PostgresServer) -> Iterator[tuple[str, Path]]:
    """A database on a disk of its own of 24 MiB."""
    disk = Path(tempfile.mkdtemp(prefix="wxsync-small-"))
    may_mount = os.geteuid() == 0 and shutil.which("mount") is not None
    require_ability("root, to mount a small disk", present=may_mount)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=False, capture_output=True
    )
    require_ability("the right to mount a small disk", present=mounted.returncode == 0)
    try:
        shutil.chown(disk, user=postgres.server_user() or os.geteuid())
        with postgres_server.connect() as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'".encode())
            connection.execute(b"CREATE DATABASE small TEMPLATE template0 TABLESPACE small")
        yield postgres_server.url("small"), disk
        postgres_server.drop_database("small")
        with postgres_server.connect() as connection:
            connection.execute(b"DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
        disk.rmdir()


def test_a_postgresql_whose_disk_is_full(small_postgres: tuple[str, Path], tmp_path: Path) -> None:
    """The run ends where something can no longer be put on record; with space again the next ends right."""
    url, disk = small_postgres
    story = office(tmp_path, url)
    story.hr.employees["E1"].title = "经理" * 10
    at_write(story, 12, lambda: fill(disk))
    error = full(story)
    assert "the disk is full" in error.message
    assert "free some space" in str(error.hint)
    (disk / "filler").unlink()
    check_end(story)


def fill(disk: Path) -> None:
    status = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(status.f_bavail * status.f_frsize))


def full(story: Story) -> WxsyncError:
    """Runs until a table has to grow."""
    for number in range(200):
        try:
            story.stage.plan()
            story.stage.apply()
        except MirrorError as error:
            return error
        story.hr.employees["E2"].title = f"经理{number}"
        story.save()
    raise AssertionError("the disk was never full")
