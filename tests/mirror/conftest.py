"""A mirror on every database that it promises to work on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.presence import require
from wxsync.mirror import schema
from wxsync.mirror.store import Store


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/mirror.db"


@pytest.fixture(params=["sqlite_url", "postgres_url", "mariadb_url"])
def mirror_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with nothing in it."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def server_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of a server."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def store(mirror_url: str) -> Iterator[Store]:
    """A mirror at head, on each database in turn."""
    schema.upgrade(mirror_url)
    yield from opened(mirror_url)


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """A mirror at head in a SQLite file."""
    yield from opened(sqlite_url)


def opened(url: str) -> Iterator[Store]:
    store = Store(schema.prepare(url))
    yield store
    store.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real filesystem of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False, capture_output=True
    )
    require(package="mount (and the right to use it)", present=mounted.returncode == 0)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)
