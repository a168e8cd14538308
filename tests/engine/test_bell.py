"""Waiting for a job: so many seconds, or until somebody says that it is over."""

from __future__ import annotations

import asyncio
import time

from wxsync.engine.bell import JobBell


def waited(bell: JobBell, seconds: float, *, rings: str | None = None) -> float:
    """Seconds until a wait for job "a" is over, where a job may ring in the middle of it."""

    async def story() -> float:
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(bell.wait("a", seconds))
            await asyncio.sleep(0.01)
            if rings is not None:
                bell.ring(rings)
        return time.monotonic() - started

    return asyncio.run(story())


def test_it_ends_by_itself():
    """Nobody rings: the seconds pass."""
    assert 0.05 <= waited(JobBell(), 0.05) < 5


def test_its_own_job_wakes_it():
    """The event batch_job_result is faster than the next question."""
    assert waited(JobBell(), 30, rings="a") < 10


def test_another_job_does_not():
    """Events of other jobs are nobody's here."""
    assert waited(JobBell(), 0.05, rings="b") >= 0.05


def test_a_ring_before_the_wait_counts_once():
    """Who was told before they asked looks at once, and then waits again."""
    bell = JobBell()
    bell.ring("a")
    assert waited(bell, 30) < 10
    assert waited(bell, 0.05) >= 0.05
