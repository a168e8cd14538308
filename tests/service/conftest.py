"""A mirror for the daemon's parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wxsync.mirror import schema
from wxsync.mirror.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A mirror at head in a SQLite file."""
    opened = Store(schema.prepare(f"sqlite:///{tmp_path}/mirror.db"))
    yield opened
    opened.close()
