"""What shall go wrong with the next jobs: one hangs, one fails, one does half of its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wxsync.sandbox.job_records import JobFate

ANY: Final = "*"
"""An order's path that stands for every job."""


@dataclass(slots=True, kw_only=True)
class Order:
    """The fate of `times` jobs of a path, after `skip` that meet none."""

    path: str
    times: int
    skip: int
    make: Callable[[], JobFate]


class JobFaults:
    """The orders for one sandbox's jobs, the oldest first; a job meets at most one.

    A path is that of the call which starts the job, without `/cgi-bin/`: `batch/syncuser`.
    """

    def __init__(self) -> None:
        self.waiting: list[Order] = []
        self._hanging: list[JobFate] = []

    def hang(self, path: str, *, at: float = 0.5, times: int = 1, skip: int = 0) -> None:
        """Jobs stop after this share of their work and stay "running" until `release`."""
        self._add(path, times, skip, lambda: JobFate(hangs_at=at))

    def fail(
        self, path: str, errcode: int = 302005, *, at: float = 0.0, times: int = 1, skip: int = 0
    ) -> None:
        """Jobs fail as a whole after this share of their work, which stays done."""
        self._add(path, times, skip, lambda: JobFate(fails_at=at, errcode=errcode))

    def fail_rows(
        self, path: str, errcode: int = -1, *, every: int = 2, times: int = 1, skip: int = 0
    ) -> None:
        """Every second (third, …) row of jobs gets this errcode and is not carried out."""
        self._add(path, times, skip, lambda: JobFate(bad_row=lambda n: 0 if (n + 1) % every else errcode))

    def release(self) -> None:
        """Jobs that hang go on."""
        for fate in self._hanging:
            fate.hangs_at = None
        self._hanging.clear()

    def clear(self) -> None:
        """No order is left; jobs that hang stay so."""
        self.waiting.clear()

    def take(self, path: str) -> JobFate:
        """The fate of the job that this call starts; it is counted."""
        for order in self.waiting:
            if order.path not in (ANY, path):
                continue
            if order.skip:
                order.skip -= 1
                continue
            order.times -= 1
            if not order.times:
                self.waiting.remove(order)
            fate = order.make()
            self._hanging.append(fate)
            return fate
        return JobFate()

    def _add(self, path: str, times: int, skip: int, make: Callable[[], JobFate]) -> None:
        if times < 1 or skip < 0:
            raise ValueError("an order meets at least one job and skips none or more")
        self.waiting.append(Order(path=path, times=times, skip=skip, make=make))
