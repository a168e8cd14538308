"""Whose turn it is: when a sync that wants a run may have one. No I/O; the clock is given.

Time is told by a clock that nobody sets and that goes on while the host sleeps (`mirror.clocks.since_boot`).
What the wall's clock does is the timetable's affair: here a start has come, or it has not.

A `Turns` belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import inf
from typing import Final

FIRST_PAUSE: Final = 60.0
"""Seconds after one failure; twice as many after each further one in a row."""
LONGEST_PAUSE: Final = 3600.0
MOST_DOUBLINGS: Final = 10
"""More than lead to the longest pause; a float does not hold two to any power."""


class Cause(StrEnum):
    """Why a sync wants a run."""

    SCHEDULE = "schedule"
    CHANGE = "change"
    """A source or WeCom said that something is otherwise."""
    RETRY = "retry"
    """The last one failed, or somebody else had the corp."""
    APPROVAL = "approval"
    """Somebody said yes to a plan: that waits for no interval, and its run is of that plan alone."""


class Ending(StrEnum):
    """How a run ended, as far as the next one depends on it."""

    DONE = "done"
    """Nothing would be otherwise if it were tried again at once: a plan that is refused or waits, too."""
    FAILED = "failed"
    BUSY = "busy"
    """It did not begin: another process has the corp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for the runs of one sync."""

    corp: str
    min_interval: timedelta
    """From beginning to beginning."""
    run_timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A run that is to begin now."""

    sync: str
    corp: str
    cause: Cause


@dataclass(slots=True, kw_only=True)
class _Running:
    corp: str
    ends_by: float
    is_cut_off: bool = False


@dataclass(slots=True, kw_only=True)
class _Standing:
    """Where one sync stands. Times are the clock's seconds."""

    terms: Terms
    cause: Cause | None = None
    wanted_at: float = 0.0
    not_before: float = -inf
    failures: int = 0
    approved_at: float | None = None

    def want(self, cause: Cause, now: float) -> None:
        """However many starts are missed, they are one; a retry takes the name of what joins it."""
        if cause is Cause.APPROVAL:
            self.approved_at = now
        elif self.cause is None:
            self.cause, self.wanted_at = cause, now
        elif self.cause is Cause.RETRY:
            self.cause = cause

    def hold_until(self, moment: float) -> None:
        self.not_before = max(self.not_before, moment)

    def may_begin(self, now: float) -> bool:
        return self.approved_at is not None or (self.cause is not None and self.not_before <= now)

    def asked_at(self) -> float:
        return self.wanted_at if self.approved_at is None else self.approved_at

    def take(self) -> Cause:
        """What is to begin; a yes comes before the start that waits."""
        if self.approved_at is not None:
            self.approved_at = None
            return Cause.APPROVAL
        cause, self.cause = self.cause, None
        return cause or Cause.RETRY


class Turns:
    """Who wants a run, who may begin, who has gone on for too long.

    One run at a time a corp, of corps side by side; of those who wait for one corp, the first to have
    asked. What is wanted while a run of the same sync is under way comes once more after it. Nobody begins
    more often than `min_interval`, nor within the pause after a failure: a minute, then twice as long each
    time, up to an hour. A run that failed is wanted again by itself.
    """

    def __init__(self, terms: Mapping[str, Terms], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._syncs = {sync: _Standing(terms=each) for sync, each in terms.items()}
        self._running: dict[str, _Running] = {}

    def reload(self, terms: Mapping[str, Terms]) -> None:
        """Go by other terms; what is no longer named is forgotten.

        A run under way goes on under its own, and what already waits goes on waiting.
        """
        former = self._syncs
        self._syncs = {sync: former.get(sync, _Standing(terms=each)) for sync, each in terms.items()}
        for sync, each in terms.items():
            self._syncs[sync].terms = each

    def recall(self, sync: str, *, began: timedelta, failures: int = 0) -> None:
        """What is known from before this process: the last run began so long ago, after so many failures.

        For then, `failures` counts the last run if it failed. Less than nothing is now: a wall clock was set.
        """
        standing = self._syncs[sync]
        passed = max(began.total_seconds(), 0.0)
        standing.failures = failures
        standing.hold_until(self._clock() - passed + standing.terms.min_interval.total_seconds())
        standing.hold_until(self._clock() - passed + pause_after(failures))

    def want(self, sync: str, cause: Cause) -> None:
        """Say that a start has come, or that something changed. A sync that nobody knows is passed over."""
        if sync in self._syncs:
            self._syncs[sync].want(cause, self._clock())

    def begin(self, may: Callable[[str], bool] = lambda corp: True) -> tuple[Turn, ...]:
        """All whose turn it is, of the corps of which runs `may` begin; they count as running until `end`.

        What the others want waits.
        """
        return tuple(self._begin(may))

    def forget(self, sync: str) -> None:
        """Nothing is wanted of this sync any more; a run under way goes on."""
        if sync in self._syncs:
            self._syncs[sync].cause = self._syncs[sync].approved_at = None

    def end(self, sync: str, ending: Ending) -> None:
        """The run of `sync` is over, also one that was cut off, and its corp is free.

        KeyError if there was none: whoever says so has lost count.
        """
        del self._running[sync]
        if (standing := self._syncs.get(sync)) is None:
            return
        now = self._clock()
        if ending is Ending.DONE:
            standing.failures = 0
            return
        if ending is Ending.FAILED:
            standing.failures += 1
            standing.hold_until(now + pause_after(standing.failures))
        else:
            standing.not_before = now + FIRST_PAUSE
        standing.want(Cause.RETRY, now)

    def cut_off(self) -> tuple[str, ...]:
        """Whose run has gone on for longer than its `run_timeout`; each is named once.

        Until `end` is called for it, its corp stays taken: what was told to stop may still be writing.
        """
        over = [
            sync for sync, run in self._running.items() if not run.is_cut_off and run.ends_by <= self._clock()
        ]
        for sync in over:
            self._running[sync].is_cut_off = True
        return tuple(over)

    def wait(self, may: Callable[[str], bool] = lambda corp: True) -> float | None:
        """Seconds until `begin` or `cut_off` has something to say; None if only a want or an end can help."""
        now = self._clock()
        return min((max(moment - now, 0.0) for moment in self._moments(now, may)), default=None)

    @property
    def running(self) -> tuple[str, ...]:
        """The syncs that have a run under way, the longest first."""
        return tuple(self._running)

    def failures(self, sync: str) -> int:
        """How many runs of it failed since the last one that did not."""
        return self._syncs[sync].failures

    def _begin(self, may: Callable[[str], bool]) -> Iterator[Turn]:
        now = self._clock()
        for sync, standing in sorted(self._syncs.items(), key=lambda item: item[1].asked_at()):
            if standing.may_begin(now) and self._is_free(sync, standing) and may(standing.terms.corp):
                terms, cause = standing.terms, standing.take()
                standing.not_before = now + terms.min_interval.total_seconds()
                self._running[sync] = _Running(
                    corp=terms.corp, ends_by=now + terms.run_timeout.total_seconds()
                )
                yield Turn(sync=sync, corp=terms.corp, cause=cause)

    def _is_free(self, sync: str, standing: _Standing) -> bool:
        """A sync that was moved to another corp still has but one run."""
        taken = {run.corp for run in self._running.values()}
        return sync not in self._running and standing.terms.corp not in taken

    def _moments(self, now: float, may: Callable[[str], bool]) -> Iterator[float]:
        for run in self._running.values():
            if not run.is_cut_off:
                yield run.ends_by
        for sync, standing in self._syncs.items():
            if not (self._is_free(sync, standing) and may(standing.terms.corp)):
                continue
            if standing.approved_at is not None:
                yield now
            elif standing.cause is not None:
                yield standing.not_before


def pause_after(failures: int) -> float:
    """Seconds after the end of so many failures in a row; none after none."""
    if failures < 1:
        return 0.0
    return float(min(FIRST_PAUSE * 2 ** min(failures - 1, MOST_DOUBLINGS), LONGEST_PAUSE))
