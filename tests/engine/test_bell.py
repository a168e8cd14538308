"""Waiting for a job: so many seconds, or until somebody says that it is over."""

from __future__ import annotations

import asyncio
import time

import pytest

from wxsync.engine.bell import JobBell, Pauses


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


def test_the_pauses_grow_to_the_longest():
    """From a second to a minute, half as long again each time."""
    pauses, pause, seen = Pauses(), 1.0, []
    while pause < pauses.longest:
        pause = pauses.longer(pause)
        seen.append(pause)
    assert seen[:3] == [1.5, 2.25, 3.375]
    assert seen[-1] == 60.0


@pytest.mark.parametrize(
    ("pause", "percentage", "elapsed", "expected"),
    [
        (40.0, 0, 300.0, 60.0),
        (40.0, 10, 30.0, 60.0),
        (40.0, 50, 20.0, 20.0),
        (40.0, 90, 90.0, 10.0),
        (40.0, 99, 60.0, 1.0),
        (1.0, 50, 600.0, 1.5),
    ],
)
def test_a_pause_does_not_reach_beyond_the_expected_end(pause, percentage, elapsed, expected):
    """By the pace so far; and never less than the first one."""
    assert Pauses().towards_the_end(pause, percentage, elapsed) == expected
