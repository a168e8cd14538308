"""/healthz and /readyz over real sockets: what they say, and that a mirror that hangs holds up nobody."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from tests.service.webserver import serving
from wxsync.mirror import schema
from wxsync.mirror.servers import open_server
from wxsync.mirror.store import Store
from wxsync.service.health import LONGEST_SILENCE, health_routes, open_health


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(schema.prepare(f"sqlite:///{tmp_path}/mirror.db"))
    yield opened
    opened.close()


@contextmanager
def asking(store: Store, silence: float = 0.0) -> Iterator[httpx.Client]:
    with (
        serving(health_routes(open_health(store, lambda: silence))) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


def test_a_daemon_that_is_well_says_so(store: Store) -> None:
    """Both paths answer 200, and nothing on the way may keep the answer."""
    with asking(store) as client:
        answers = [client.get("/healthz"), client.get("/readyz")]

    assert [(each.status_code, each.text) for each in answers] == [(200, "ok\n"), (200, "ok\n")]
    assert {each.headers["cache-control"] for each in answers} == {"no-store"}


def test_a_mirror_of_another_schema_makes_it_unready_and_not_dead(store: Store, tmp_path: Path) -> None:
    """A later wxsync has migrated the mirror meanwhile: this one is alive, and of no use."""
    with asking(store) as client:
        with closing(sqlite3.connect(tmp_path / "mirror.db")) as mirror, mirror:
            mirror.execute("UPDATE wxsync_schema SET version_num = '9999'")
        ready, alive = client.get("/readyz"), client.get("/healthz")

    assert (ready.status_code, alive.status_code) == (503, 200)
    assert "another schema" in ready.text


def test_a_mirror_that_was_moved_away_makes_it_unready(store: Store, tmp_path: Path) -> None:
    """It is the mirror no more; the answer names no place."""
    with asking(store) as client:
        with closing(sqlite3.connect(tmp_path / "mirror.db")) as mirror, mirror:
            moved = ("moved", "2026-03-02 08:00:00.000000", "postgresql://db.example.com/wxsync")
            mirror.execute("INSERT INTO mirror_marks (mark, made_at, place) VALUES (?, ?, ?)", moved)
        answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "cannot be used" in answer.text
    assert str(tmp_path) not in answer.text
    assert "example.com" not in answer.text


def test_a_loop_that_hangs_is_not_alive(store: Store) -> None:
    """An orchestrator that asks /healthz is the watchdog where there is no systemd."""
    with asking(store, silence=LONGEST_SILENCE + 1) as client:
        answers = [client.get("/healthz"), client.get("/readyz")]

    assert [each.status_code for each in answers] == [503, 503]
    assert "hangs" in answers[0].text


def test_a_mirror_that_hangs_is_told_within_two_seconds_by_one_thread() -> None:
    """However often it is asked: 40 at once, and nobody alive is held up by them."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as mute:  # takes the line, says nothing
        url = make_url(f"postgresql+psycopg://somebody@127.0.0.1:{mute.getsockname()[1]}/wxsync")
        store = Store(open_server(url))
        with asking(store) as client, ThreadPoolExecutor(40) as pool:
            asked = time.monotonic()
            answers = [pool.submit(client.get, "/readyz") for _ in range(40)]
            time.sleep(0.5)
            threads = [each for each in threading.enumerate() if each.name == "wxsync-question"]
            alive_at = time.monotonic()
            alive = client.get("/healthz")
            alive_took = time.monotonic() - alive_at
            said = [each.result() for each in answers]
            took = time.monotonic() - asked
        store.close()

    assert {each.status_code for each in said} == {503}
    assert {each.text for each in said} == {"the mirror gave no answer within 2 s\n"}
    assert len(threads) == 1
    assert all(each.daemon for each in threads)
    assert took < 4
    assert (alive.status_code, alive_took < 1) == (200, True)


def test_once_the_mirror_is_well_it_is_ready_again(store: Store, tmp_path: Path) -> None:
    """An answer is of that moment: nothing is remembered of the last one."""
    found: list[int] = []
    with asking(store) as client:
        for version in ("9999", schema.head(), "0001", schema.head()):
            with closing(sqlite3.connect(tmp_path / "mirror.db")) as mirror, mirror:
                mirror.execute("UPDATE wxsync_schema SET version_num = ?", [version])
            found.append(client.get("/readyz").status_code)

    assert found == [503, 200, 503, 200]
