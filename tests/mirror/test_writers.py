"""The queue of those who write to one SQLite file: nobody is passed over, and whoever gives up is gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select, text

from wxsync.errors import MirrorError
from wxsync.mirror import schema, store
from wxsync.mirror.store import Store
from wxsync.mirror.writers import WaitedTooLongError, WriterQueue

LONG = 20.0


def waiting(queue: WriterQueue, count: int) -> None:
    """Until so many stand in the queue."""
    deadline = time.monotonic() + LONG
    while len(queue._waiting) != count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def joined(queue: WriterQueue, order: list[int], number: int) -> threading.Thread:
    """A thread that stands in the queue as the last one and says when its turn came."""

    def work() -> None:
        with queue.turn(LONG):
            order.append(number)

    before = len(queue._waiting)
    thread = threading.Thread(target=work)
    thread.start()
    waiting(queue, before + 1)
    return thread


def test_the_one_that_came_first_is_next() -> None:
    """And whoever comes as the lock is passed on goes to the end."""
    queue, order = WriterQueue(), list[int]()
    with queue.turn(LONG):
        threads = [joined(queue, order, number) for number in range(20)]
    with queue.turn(LONG):
        order.append(20)
    for thread in threads:
        thread.join(LONG)
    assert order == [*range(21)]


def test_one_at_a_time() -> None:
    """Sixteen threads, two hundred turns each: nobody is inside with another one, and all end."""
    queue, inside, counted = WriterQueue(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with queue.turn(LONG):
                inside[0] += 1
                assert inside[0] == 1
                before = counted[0]
                time.sleep(0)
                counted[0] = before + 1
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert counted == [3200]


def test_who_gives_up_is_no_obstacle() -> None:
    """The one behind goes on, and the lock is free after it."""
    queue, order = WriterQueue(), list[int]()
    with queue.turn(LONG):
        with pytest.raises(WaitedTooLongError), queue.turn(0.01):
            pytest.fail("it was not our turn")
        thread = joined(queue, order, 1)
    thread.join(LONG)
    with queue.turn(0.01):
        assert order == [1]


def test_giving_up_as_the_turn_comes_passes_it_on() -> None:
    """Hundreds of tries at that very moment: the lock is never lost."""
    queue = WriterQueue()
    for pause in range(300):

        def impatient(seconds: float = 0.001 + pause * 0.000005) -> None:
            try:
                with queue.turn(seconds):
                    pass
            except WaitedTooLongError:
                pass

        with queue.turn(LONG):
            threads = [threading.Thread(target=impatient) for _ in range(2)]
            for thread in threads:
                thread.start()
            time.sleep(0.001)
        for thread in threads:
            thread.join(LONG)
        with queue.turn(0.5):
            pass


def test_an_interrupt_while_waiting() -> None:
    """Ctrl-C in the main thread leaves the queue as it was."""
    queue, holding, over = WriterQueue(), threading.Event(), threading.Event()

    def hold() -> None:
        with queue.turn(LONG):
            holding.set()
            over.wait(LONG)

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def call() -> None:
        waiting(queue, 1)
        os.kill(os.getpid(), signal.SIGALRM)

    former = signal.signal(signal.SIGALRM, interrupt)
    threads = [threading.Thread(target=hold), threading.Thread(target=call)]
    try:
        threads[0].start()
        holding.wait(LONG)
        threads[1].start()
        with pytest.raises(KeyboardInterrupt), queue.turn(LONG):
            pytest.fail("it was not our turn")
    finally:
        signal.signal(signal.SIGALRM, former)
        over.set()
        for thread in threads:
            thread.join(LONG)
    with queue.turn(0.5):
        assert not queue._waiting


def test_a_transaction_that_waits_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error that says so; what raises within a transaction is not taken for it."""
    mirror = Store(schema.prepare(f"sqlite:///{tmp_path / 'mirror.db'}"))
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    seen: list[MirrorError] = []

    def write() -> None:
        with pytest.raises(MirrorError) as caught, mirror.transaction():
            pytest.fail("it was not our turn")
        seen.append(caught.value)

    with mirror.transaction() as connection:
        connection.execute(select(text("1")))
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(LONG)
    [error] = seen
    assert "is locked by another task or process" in error.message
    assert error.hint is not None
    with pytest.raises(WaitedTooLongError), mirror.transaction():
        raise WaitedTooLongError
    mirror.close()
