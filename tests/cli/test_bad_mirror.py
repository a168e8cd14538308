"""A mirror that is old, locked, full or somebody else's: exit code 1, and nothing is sent unrecorded."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.cli.stage import Stage, wait_for
from tests.servers.postgres import PostgresServer
from tests.servers.presence import require_ability
from wxsync.mirror.schema import head


def test_an_old_schema(applied: Stage) -> None:
    """No command works on it; each says what is needed, and after `wxsync db upgrade` all goes on."""
    with closing(sqlite3.connect(applied.mirror_file)) as mirror, mirror:
        # Back to before the first migration, as alembic leaves it.
        tables = mirror.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if not table.startswith("sqlite_") and table != "wxsync_schema":
                mirror.execute(f"DROP TABLE {table}")
        mirror.execute("DELETE FROM wxsync_schema")
    for command in (("apply", "--yes"), ("runs",)):
        printed = applied.run(*command)
        assert (printed.code, printed.out) == (1, "")
        printed.says(f"the mirror {applied.mirror_file} has no tables yet", "Hint:  run `wxsync db upgrade`")
    assert f"schema:  none (needs {head()})" in applied.ok("db", "status").says("wxsync db upgrade").out
    assert f"schema:  {head()}\n" in applied.ok("db", "upgrade").out
    assert "ours: 0 members" in applied.ok("status").out


def test_a_newer_schema(applied: Stage) -> None:
    """It is not "old": upgrading would not help, and is not proposed."""
    with closing(sqlite3.connect(applied.mirror_file)) as mirror, mirror:
        mirror.execute("UPDATE wxsync_schema SET version_num = '9999'")
    for command in (("plan",), ("db", "upgrade")):
        printed = applied.run(*command)
        assert printed.code == 1
        printed.says(f"has a newer schema (9999) than this version of wxsync knows ({head()})", "a later one")
    status = applied.ok("db", "status")
    assert "upgrade" not in status.says("A later wxsync made it").err


def test_a_fresh_postgresql_mirror(stage: Stage, postgres_server: PostgresServer, postgres_url: str) -> None:
    """It is not migrated by itself; after `wxsync db upgrade` it works. No password is printed."""
    stage.secrets.append(postgres_server.password)
    stage.mirror = postgres_url
    stage.configure()
    printed = stage.run("plan")
    assert printed.code == 1
    printed.says("has no tables yet", "run `wxsync db upgrade`", "127.0.0.1")
    assert stage.ok("db", "upgrade").out.splitlines()[1] == f"schema:  {head()}"
    stage.ok("apply", "--yes")
    assert stage.run("plan", "--exit-code").code == 0


def test_a_file_that_is_no_mirror(stage: Stage) -> None:
    """The HR database in its place is refused and left as it is; so is junk, and a directory."""
    before = (stage.home / "hr.db").read_bytes()
    stage.mirror = "sqlite:///hr.db"
    stage.configure()
    stage.run("plan").says("hr.db is a database, but not a mirror", "Hint:  mirror.url must name")
    assert (stage.home / "hr.db").read_bytes() == before
    (stage.home / "junk.db").write_bytes(b"junk" * 1000)
    stage.mirror = "sqlite:///junk.db"
    stage.configure()
    stage.run("plan").says("junk.db is not a mirror: the file is no SQLite database")
    stage.mirror = "sqlite:///gone/mirror.db"
    stage.configure()
    stage.run("plan").says(f"there is no directory {stage.home}/gone", "mkdir -p")
    assert {printed.code for _, printed in stage.printed} == {1}


def test_locked_by_another_program(applied: Stage) -> None:
    """A writer waits some seconds, then says so; whoever only looks is not held up."""
    with closing(sqlite3.connect(applied.mirror_file, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        assert applied.writes_by("apply", "--yes", code=1) == []
        printed = applied.printed[-1][1]
        printed.says(f"the mirror {applied.mirror_file} is locked by another process", "wait until", "backup")
        assert printed.seconds < 15
        assert applied.ok("status").err == ""
    assert applied.run("apply", "--yes").code == 0


def test_another_run_is_alive(stage: Stage) -> None:
    """It is named with its process; a plan is not held up; once it has ended the next one goes."""
    stage.wecom.latency = 0.2
    with stage.running("apply", "--yes") as first:
        wait_for(lambda: stage.wecom.members)
        stage.wecom.latency = 4.0
        second = stage.run("apply", "--yes")
        assert (second.code, second.out) == (1, "")
        second.says("another run of corp acme is alive: acme (manual), since", f"process {first.pid}", "wait")
        document = stage.run("apply", "--yes", "--format", "json")
        assert document.json["code"] == "run_in_progress"
        stage.wecom.latency = 0
        out, _ = first.communicate()
        assert first.returncode == 0, out
    assert stage.writes_by("apply", "--yes") == []


def test_a_dead_runs_lease_is_taken_over(stage: Stage) -> None:
    """A run that was killed holds up nobody: the next one converges, and the dead one is shown as stopped."""
    stage.wecom.latency = 0.3
    with stage.running("apply", "--yes") as first:
        wait_for(lambda: stage.wecom.members)
        first.kill()
        first.wait()
    stage.wecom.latency = 0
    stage.ok("apply", "--yes")
    assert stage.run("plan", "--exit-code").code == 0
    assert len(stage.wecom.members) == 12
    states = {run["id"]: (run["state"], run["error"]) for run in stage.ok("runs", "--format", "json").json}
    assert states[1] == ("stopped", "its process ended before it did")
    assert states[2] == ("applied", None)


def test_the_disk_is_full_from_the_start(stage: Stage) -> None:
    """Nothing can be put on record, so nothing is sent."""
    with small_disk(stage) as disk:
        stage.ok("plan")
        fill(disk, leaving=0)
        assert stage.writes_by("apply", "--yes", code=1) == []
        printed = stage.printed[-1][1]
        printed.says(f"the disk is full: {disk}/mirror.db cannot be written", "free some space", "run")
        (disk / "filler").unlink()
        stage.ok("apply", "--yes")
        assert stage.run("plan", "--exit-code").code == 0


def test_the_disk_fills_up_half_way(stage: Stage) -> None:
    """The run stops at the first change that cannot be recorded: all that was sent is on record.

    After some space is freed the next run ends where this one would have.
    """
    stage.hire(13, 60)
    with small_disk(stage) as disk:
        stage.ok("plan")
        fill(disk, leaving=260 * 1024)
        written = stage.writes_by("apply", "--yes", code=1)
        stage.printed[-1][1].says("Error: the disk is full", "nothing was sent to WeCom beyond", "free some")
        assert 0 < len(written) < 64
        (disk / "filler").unlink()
        with closing(sqlite3.connect(disk / "mirror.db")) as mirror:
            announced = [
                (call, json.loads(detail))
                for call, detail in mirror.execute("SELECT call, detail FROM steps")
            ]
        created = {detail["userid"] for call, detail in announced if call == "user/create"}
        assert {member.userid for member in stage.wecom.members.values()} <= created
        stage.ok("apply", "--yes")
        assert stage.run("plan", "--exit-code").code == 0
        assert len(stage.wecom.members) == 60


@contextmanager
def small_disk(stage: Stage) -> Iterator[Path]:
    """A disk of three MiB, on which the mirror is."""
    may_mount = os.geteuid() == 0 and shutil.which("mount") is not None
    require_ability("root, to mount a small disk", present=may_mount)
    disk = stage.home / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", str(disk)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    require_ability("the right to mount a small disk", present=mounted.returncode == 0)
    try:
        stage.mirror = "sqlite:///disk/mirror.db"
        stage.configure()
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path, *, leaving: int) -> None:
    """Take all the space of a disk but this many bytes."""
    status = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(max(0, status.f_bavail * status.f_frsize - leaving)))
