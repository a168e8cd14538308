"""The lock beside a SQLite mirror: a file that is there as long as somebody holds it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.presence import require_ability
from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import file_lock, lease, schema
from wxsync.mirror.store import Store

TTL = timedelta(seconds=60)
PROBE = (
    "import sys; from pathlib import Path; from wxsync.mirror import file_lock;"
    " print(file_lock.any_held(Path(sys.argv[1])))"
)


def locks(directory: Path) -> list[Path]:
    return sorted(directory.glob("mirror.db.lock.*"))


def test_only_its_owner_can_read_it_and_it_goes_with_the_lease(sqlite_store: Store, tmp_path: Path):
    """One for each lease, by a name of bounded length; nothing is left of it."""
    held = lease.acquire(sqlite_store, "样例" * 50, owner="run 1", ttl=TTL)
    (path,) = locks(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.name) < 64
    lease.release(sqlite_store, held)
    assert locks(tmp_path) == []


def test_what_a_dead_process_left_is_cleared_away(sqlite_store: Store, tmp_path: Path):
    """By whoever has the lease next."""
    held = lease.acquire(sqlite_store, "acme", owner="run 1", ttl=TTL)
    kept = tmp_path / "kept"
    (path,) = locks(tmp_path)
    shutil.copy(path, kept)
    held.life.give_back()
    kept.rename(path)  # as the kernel leaves it: there, and nobody's
    held = lease.acquire(sqlite_store, "acme", owner="run 2", ttl=TTL)
    assert len(locks(tmp_path)) == 1
    lease.release(sqlite_store, held)
    assert locks(tmp_path) == []


def test_by_whatever_path_the_mirror_is_called_it_is_one_lock(sqlite_store: Store, tmp_path: Path):
    """A link to it, or to its directory."""
    link = tmp_path / "elsewhere"
    link.mkdir()
    (link / "other.db").symlink_to(tmp_path / "mirror.db")
    held = lease.acquire(sqlite_store, "acme", owner="run 1", ttl=TTL)
    other = Store(schema.prepare(f"sqlite:///{link}/other.db"))
    with pytest.raises(RunInProgressError, match="run 1"):
        lease.acquire(other, "acme", owner="run 2", ttl=TTL)
    other.close()
    lease.release(sqlite_store, held)


def test_one_that_was_removed_by_hand_is_missed_by_its_holder(sqlite_store: Store, tmp_path: Path):
    """Who looks for it would find nobody alive, so it is made again by the next renewal."""
    held = lease.acquire(sqlite_store, "acme", owner="run 1", ttl=TTL)
    locks(tmp_path)[0].unlink()
    assert held.life.seems_gone()
    held = lease.renew(sqlite_store, held)
    assert not held.life.seems_gone()
    assert len(locks(tmp_path)) == 1
    lease.release(sqlite_store, held)


def test_a_program_that_was_started_does_not_inherit_it(sqlite_store: Store, tmp_path: Path):
    """It may outlive the run."""
    held = lease.acquire(sqlite_store, "acme", owner="run 1", ttl=TTL)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as other:
        held.life.give_back()
        assert not file_lock.any_held(tmp_path / "mirror.db")
        other.kill()


def test_another_process_sees_whether_a_run_is_at_work(sqlite_store: Store, tmp_path: Path):
    """Whatever its corp."""

    def told() -> str:
        command = [sys.executable, "-c", PROBE, str(tmp_path / "mirror.db")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    held = lease.acquire(sqlite_store, "acme", owner="run 1", ttl=TTL)
    assert told() == "True"
    lease.release(sqlite_store, held)
    assert told() == "False"


def test_a_place_that_takes_no_lock_is_an_error_that_says_so(sqlite_store: Store, tmp_path: Path):
    """And nobody has the lease then."""
    held = lease.acquire(sqlite_store, "acme", owner="run 1", ttl=TTL)
    (path,) = locks(tmp_path)
    lease.release(sqlite_store, held)
    in_the_way = path.with_name(path.name.removesuffix("1") + "2")
    in_the_way.mkdir()
    with pytest.raises(MirrorError, match="cannot be taken: Is a directory") as caught:
        lease.acquire(sqlite_store, "acme", owner="run 2", ttl=TTL)
    assert "a directory of this machine" in str(caught.value.hint)
    in_the_way.rmdir()
    lease.release(sqlite_store, lease.acquire(sqlite_store, "acme", owner="run 3", ttl=TTL))


def test_root_makes_it_the_owners(sqlite_store: Store, tmp_path: Path):
    """A run by root leaves nothing that the mirror's owner may not look at."""
    require_ability("root, to make files of others", present=os.geteuid() == 0)
    os.chown(tmp_path / "mirror.db", 12345, 12346)
    held = lease.acquire(sqlite_store, "acme", owner="run 1", ttl=TTL)
    found = locks(tmp_path)[0].stat()
    assert (found.st_uid, found.st_gid) == (12345, 12346)
    lease.release(sqlite_store, held)
