"""A file that is there when it is whole, readable by its owner only, and else not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wxsync.errors import MirrorError
from wxsync.mirror.sqlite import OWNER_ONLY, companions

NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What file systems without hard links answer."""


@contextmanager
def appearing(file: Path) -> Iterator[Path]:
    """A new, empty file beside `file`, which takes that name once the block has ended well.

    By then it is on the disk. On an error, and on Ctrl-C, nothing is left of it. Raises MirrorError where
    `file` exists, or came to exist meanwhile, and where it cannot be made.
    """
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    with _explained(file):
        if os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, "exists")
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, OWNER_ONLY))
    try:
        yield part
        with _explained(file):
            _sync(part)
            _name(part, file)
            _sync(file.parent)
    finally:
        for each in (part, *companions(part), part.with_name(part.name + "-journal")):
            each.unlink(missing_ok=True)


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise MirrorError(
            f"{file} is there already, and nothing is written over it",
            hint="name a file that does not exist yet, or a directory, in which it gets a name of its own",
        ) from None
    except OSError as error:
        raise MirrorError(
            f"{file} cannot be written: {error.strerror}",
            hint="name a file in a directory that is there, that you may write to, and that has room",
        ) from error


def _name(part: Path, file: Path) -> None:
    """Gives the file its name; whoever took that name meanwhile keeps it."""
    try:
        os.link(part, file)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, "exists") from error
        part.rename(file)


def _sync(path: Path) -> None:
    """Has it on the disk, also when the power fails next."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
