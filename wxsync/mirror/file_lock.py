"""A lock of the operating system on a file beside a SQLite mirror: gone when its process is gone.

`flock(2)` belongs to the open file: no pid is asked, so none that was given anew misleads, and containers
that share the directory see each other, since they share the kernel. On a network file system it means
what that makes of it; but SQLite's write-ahead log wants one kernel too, and no mirror may be on one.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from wxsync.errors import MirrorError

OWNER_ONLY: Final = 0o600
BESIDE: Final = ".lock."


class FileLock:
    """A lock that this process holds, for as long as it keeps the file open."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor

    def seems_gone(self) -> bool:
        """Somebody removed the file: whoever looks for it finds no lock."""
        try:
            return self._descriptor is None or os.fstat(self._descriptor).st_nlink == 0
        except OSError:
            return True

    def is_held(self) -> bool:
        """The same: nothing but its removal takes it from a process that lives."""
        return not self.seems_gone()

    def give_back(self) -> None:
        """The file goes with it. May be said twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        with suppress(OSError):
            if os.fstat(descriptor).st_nlink:
                self._path.unlink(missing_ok=True)
        os.close(descriptor)


def take(path: Path, owner_like: Path) -> FileLock | None:
    """The lock on `path`, which is made; None where a process holds it.

    `owner_like` is whose owner the file gets where root makes it. Raises MirrorError where the place knows
    no locks.
    """
    descriptor = None
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
        if os.geteuid() == 0:
            like = owner_like.stat()
            os.fchown(descriptor, like.st_uid, like.st_gid)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if descriptor is not None:
            os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise MirrorError(
            f"the lock {path} cannot be taken: {error.strerror}",
            hint="the mirror wants a directory of this machine that has space and may be written to",
        ) from error
    return FileLock(path, descriptor)


def is_held(path: Path) -> bool:
    """A process holds the lock on `path`; one that may not be looked at counts as held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        # Shared, so that two who look do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def place(mirror: Path, name: str) -> Path:
    """Where the lock of that name is: by whatever path the mirror is called, it is the same."""
    real = Path(os.path.realpath(mirror))
    return real.with_name(f"{real.name}{BESIDE}{name}")


def any_held(mirror: Path) -> bool:
    """Some process holds a lock of this mirror: a run is at work."""
    real = Path(os.path.realpath(mirror))
    return any(is_held(each) for each in real.parent.glob(f"{real.name}{BESIDE}*"))
