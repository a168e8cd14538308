"""The mirror of a stage, which stays open from step to step, as the daemon's does from run to run."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL

from wxsync.config.settings import Settings
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store


class Kept(threading.local):
    """The one mirror that this thread has open, and which file that is."""

    place: tuple[str, int] | None = None
    store: Store | None = None


KEPT = Kept()


@contextmanager
def kept_open(settings: Settings) -> Iterator[Store]:
    """The mirror of these settings; opened anew where it is another one than before, or another file.

    After the block all of it is in the file itself, as it is when a process has ended.
    """
    url = settings.mirror.full_url
    if KEPT.store is None or KEPT.place != place_of(url):
        let_go()
        KEPT.store = opened(url)
        KEPT.place = place_of(url)
    yield KEPT.store
    if url.get_backend_name() == "sqlite":
        with closing(KEPT.store.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def opened(url: URL) -> Store:
    """A file that is not there is a copy of an empty mirror: to migrate it takes as long as a whole run."""
    file = Path(url.database or "")
    if url.get_backend_name() == "sqlite" and not file.exists():
        shutil.copy(empty_mirror(), file)
    return Store(prepare(url))


@cache
def empty_mirror() -> Path:
    """One at head, made once, for its owner alone."""
    folder = tempfile.mkdtemp(prefix="wxsync-mirror-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "mirror.db"
    prepare(f"sqlite:///{file}").dispose()
    return file


def let_go() -> None:
    """Nothing is open any more; who opens the mirror next is alone with it."""
    store, KEPT.store = KEPT.store, None
    if store is not None:
        store.close()


def place_of(url: URL) -> tuple[str, int]:
    """The address and the file; as long as it is open no other file has its number."""
    file = Path(url.database or "")
    return url.render_as_string(hide_password=False), file.stat().st_ino if file.exists() else 0
