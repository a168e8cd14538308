"""A file's bytes at one moment, taken only while nobody writes to it, and looked at once more later."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wxsync.errors import SourceUnavailableError
from wxsync.sources.file_table import Origin

SETTLED_SECONDS: Final = 2.0
"""A file that was written less than this ago may not be whole yet."""
LARGEST: Final = 256 * 2**20
"""Bytes; more is no list of people."""
BESIDE: Final = ("~${}", ".~lock.{}#", "{}.part", "{}.filepart", "{}.tmp", "{}.crdownload")
"""Files that Excel, LibreOffice, WinSCP, downloads and scripts keep beside the one that they work on."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was in the file, and what it looked like."""

    content: bytes
    digest: bytes
    identity: tuple[int, ...]


def take(origin: Origin) -> Snapshot:
    """The whole file; raises SourceUnavailableError where it is not there, or somebody is at work on it.

    Waits a moment for a second look where the time of its last change cannot tell.
    """
    companion = next(_companions(origin.file.path), None)
    if companion is not None:
        raise _unavailable(
            origin,
            f"is being worked on: {companion.name} lies beside it",
            hint="wait until that is gone; remove it where nobody has the file open",
        )
    snapshot = _read(origin)
    age = time.time() - snapshot.identity[0] / 1e9
    if age < 0:
        # A time that lies ahead says nothing: many an archive and share is hours off.
        time.sleep(SETTLED_SECONDS)
        check_unchanged(origin, snapshot)
    elif age < SETTLED_SECONDS:
        raise _unavailable(
            origin,
            f"was written {age:.1f} seconds ago and may not be whole yet",
            hint="run again in a moment; let the export write to another name and rename the file at the end",
        )
    return snapshot


def check_unchanged(origin: Origin, before: Snapshot) -> None:
    """Holds that the file is what it was; raises SourceUnavailableError where it is not."""
    after = _read(origin)
    if (after.digest, after.identity) != (before.digest, before.identity):
        raise _unavailable(
            origin,
            "changed while it was read",
            hint="nothing was concluded from it; run again when the export has ended",
        )


def _read(origin: Origin) -> Snapshot:
    path = origin.file.path
    try:
        if not path.is_file():
            raise _unavailable(
                origin,
                "is not there" if not path.exists() else "is no plain file",
                hint=f"correct source.{origin.source}.{origin.query} ({path}), or wait for the export",
            )
        with path.open("rb") as file:
            before = _identity(os.fstat(file.fileno()))
            content = file.read(LARGEST + 1)
            after = _identity(os.fstat(file.fileno()))
    except OSError as error:
        raise _unavailable(
            origin,
            f"cannot be read: {error.strerror}",
            hint=f"give the user that runs wxsync the right to read {path}",
        ) from None
    if len(content) > LARGEST:
        raise origin.refusal(f"is larger than {LARGEST >> 20} MiB", hint="name a list of people")
    if before != after or len(content) != after[1]:
        raise _unavailable(origin, "is being written", hint="run again when the export has ended")
    return Snapshot(content, hashlib.sha256(content).digest(), after)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """The time of the last change first."""
    return status.st_mtime_ns, status.st_size, status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode)


def _companions(path: Path) -> Iterator[Path]:
    beside = (path.with_name(form.format(path.name)) for form in BESIDE)
    return (each for each in beside if os.path.lexists(each))


def _unavailable(origin: Origin, problem: str, hint: str) -> SourceUnavailableError:
    return SourceUnavailableError(
        origin.source, f"{origin.file.path.name} ({origin.query}) {problem}", hint=hint
    )
