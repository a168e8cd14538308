"""An older SQLite mirror under the daemon: backed up beside itself, then brought to this version's schema.

Everywhere else an older mirror is refused with the command that mends it, and on a server that command is
the only one that migrates: other versions of wxsync may be at work on it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL

from wxsync.errors import RunInProgressError
from wxsync.mirror import file_lock, schema
from wxsync.mirror.backup import back_up
from wxsync.mirror.schema import SchemaStatus
from wxsync.mirror.sqlite import file_of


def upgrade_file(url: str | URL, *, made_at: datetime) -> Path | None:
    """Brings an older SQLite mirror to head; gives the backup of what it was, None where nothing was to do.

    Raises `SchemaBehindError` for a newer mirror and for an older one on a server, `RunInProgressError`
    while a run is at work on it, and `MirrorError` where no backup can be made: then nothing was changed.
    """
    found = schema.status(url)
    if found.current is None or found.is_at_head:  # a fresh file is migrated by whoever opens it
        return None
    parsed = make_url(url)
    if found.is_newer or parsed.get_backend_name() != "sqlite":
        schema.refuse_unfit(found.place, found.current)
    mirror = file_of(parsed)
    if file_lock.any_held(mirror):
        raise RunInProgressError(
            f"the mirror {found.place} is to be upgraded, and a run is at work on it",
            hint="start again when that run has ended",
        )
    backup = _free_name(mirror, found)
    back_up(parsed, backup, made_at=made_at, progress=lambda done, total: None)
    schema.upgrade(parsed)
    return backup


def _free_name(mirror: Path, found: SchemaStatus) -> Path:
    """Says of which schema it is; an upgrade that failed before has left one, which is kept."""
    name, number = mirror.with_name(f"{mirror.name}.schema-{found.current}"), 1
    while name.exists():
        number += 1
        name = mirror.with_name(f"{mirror.name}.schema-{found.current}.{number}")
    return name
