"""The loop that does the work: who leads, whose turn it is, and what came of each run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from wxsync.config.settings import Settings, SyncSettings
from wxsync.engine.bell import JobBell
from wxsync.engine.corp import Clock, Corp
from wxsync.errors import MirrorError, WxsyncError
from wxsync.mirror.clocks import since_boot
from wxsync.mirror.store import Store
from wxsync.service.chores import Chore, at_peace
from wxsync.service.history import Past, past_of
from wxsync.service.leading import Leading
from wxsync.service.memory import give_back
from wxsync.service.running import Approved, Finished, run_once
from wxsync.service.scheduler import announce, look_again
from wxsync.service.standing import LastRun
from wxsync.service.terms import terms_of, timetable_of
from wxsync.service.turns import FIRST_PAUSE, Cause, Ending, Turn, Turns

Opened = Callable[[Settings, str, JobBell], AbstractAsyncContextManager[Corp]]
"""The corp of a sync, ready to be worked with."""
Told = Callable[[Finished], Awaitable[None]]

BEAT: Final = 2.0
"""Seconds after which the loop comes round at the latest."""
LOOK_AGAIN: Final = 30.0
STOPPING: Final = 12.0
"""Seconds that runs have to end the step in hand when the daemon stops."""
LETTING_GO: Final = 1.5
"""Seconds for all else."""
CUTTING: Final = 300.0
"""Seconds that a run has to end when it is cut off: longer than a call and its lease."""
AGAIN: Final = 5.0
"""Seconds until the mirror is asked once more."""
TOO_LONG: Final = "it went on for longer than run_timeout"


class Daemon:
    """Runs every sync of the config when its time comes, for the corps for which this process leads.

    All of it belongs to one event loop; `changed`, `job_over` and `approve` are to be called in it. `beat` is
    called whenever the loop comes round, `told` with each run that is over, `led` with a corp when this
    process begins to lead for it.
    """

    def __init__(
        self,
        current: Callable[[], Settings],
        store: Store,
        *,
        clock: Clock,
        opened: Opened,
        told: Told,
        led: Callable[[str], Awaitable[None]],
        beat: Callable[[], None] = lambda: None,
        chores: tuple[Chore, ...] = (),
    ) -> None:
        self._current = current
        self._store = store
        self._clock = clock
        self._opened = opened
        self._told = told
        self._led = led
        self._beat = beat
        self._turns = Turns(terms_of(current()), since_boot)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._leading: dict[str, tuple[Leading, asyncio.Task[None]]] = {}
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._cut: dict[str, float] = {}
        self._approved: dict[str, list[Approved]] = {}
        self._led_corps: set[str] = set()
        """From when this process began to lead until it knows that it no longer does."""
        self._bells: dict[str, JobBell] = {}
        self._chores = (*chores, Chore(name="look again", every=LOOK_AGAIN, act=self._look_again))
        self._woken = asyncio.Event()
        self._is_stopping = False
        self.last: dict[str, LastRun] = {}
        """Sync -> its last run, of those for which this process leads."""

    # What others say

    def changed(self, corp: str) -> None:
        """Something is otherwise in WeCom or in a source: all syncs of the corp have a run soon."""
        for sync, settings in self._current().sync.items():
            if settings.corp == corp:
                self.stirred(sync)

    def stirred(self, sync: str) -> None:
        """A source of this sync has changed."""
        self._want(sync, Cause.CHANGE)

    def begin_all(self) -> None:
        """Somebody wants every sync to run now; `min_interval` holds all the same."""
        for sync in self._current().sync:
            if not self._want(sync, Cause.SCHEDULE):
                structlog.get_logger().warning("another daemon leads: no run is begun here", sync=sync)

    def job_over(self, corp: str, job_id: str) -> None:
        """WeCom has told that a job is over."""
        self._bell(corp).ring(job_id)

    def approve(self, sync: str, approved: Approved) -> None:
        """Somebody who may has said yes to a plan: it is carried out as soon as its corp is free.

        Where this process does not lead, whoever does finds it on record.
        """
        if self._want(sync, Cause.APPROVAL):
            self._approved.setdefault(sync, []).append(approved)

    def reload(self) -> None:
        """Go by the settings as they are now. Runs under way end by those with which they began."""
        settings = self._current()
        self._turns.reload(terms_of(settings))
        self._seek_leads()
        for job in self._scheduler.get_jobs():
            if job.id not in settings.sync:
                job.remove()
        for sync, each in settings.sync.items():
            if each.corp in self._led_corps:
                self._announce(sync, each, since=None)
        self._woken.set()

    def stop(self) -> None:
        """Begin nothing more, end what is under way, and have `run` return."""
        self._is_stopping = True
        self._woken.set()

    # What others ask

    def leads(self, corp: str) -> bool:
        """Whether this process is the one that begins the corp's runs."""
        return corp in self._leading and self._leading[corp][0].is_leader

    @property
    def corps(self) -> tuple[str, ...]:
        """All corps for which this process leads."""
        return tuple(corp for corp in self._leading if self.leads(corp))

    @property
    def at_leisure(self) -> tuple[str, ...]:
        """The syncs for which this process leads, and which have no run under way."""
        syncs = self._current().sync.items()
        return tuple(name for name, sync in syncs if self.leads(sync.corp) and name not in self.running)

    @property
    def running(self) -> tuple[str, ...]:
        """The syncs with a run under way."""
        return self._turns.running

    def next_starts(self) -> Mapping[str, datetime]:
        """Sync -> when it begins next by its schedule; those alone for which this process leads."""
        jobs = {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
        return {sync: moment.astimezone(UTC) for sync, moment in jobs.items() if moment is not None}

    # The loop

    async def run(self) -> None:
        """Until `stop`. Raises WxsyncError where a run that was cut off does not end."""
        self._scheduler.start()
        self._seek_leads()
        chores = [asyncio.create_task(chore.keep()) for chore in self._chores]
        try:
            while not self._is_stopping:
                self._beat()
                self._begin_and_cut()
                await self._next_round()
        finally:
            self._scheduler.shutdown(wait=False)
            await _ended(self._runs.values(), STOPPING)
            await _ended([*chores, *(task for _, task in self._leading.values())], LETTING_GO)

    async def _next_round(self) -> None:
        wait = self._turns.wait(self.leads)
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT if wait is None else min(BEAT, wait)):
                await self._woken.wait()
        self._woken.clear()

    def _begin_and_cut(self) -> None:
        for turn in self._turns.begin(self.leads):
            self._runs[turn.sync] = asyncio.create_task(self._run(turn), name=f"run of {turn.sync}")
        for sync in self._turns.cut_off():
            self._cut[sync] = since_boot()
            structlog.get_logger().error("a run goes on for too long and is cut off", sync=sync)
            self._runs[sync].cancel(TOO_LONG)
        for sync, at in self._cut.items():
            if since_boot() - at > CUTTING:
                raise WxsyncError(
                    f"the run of {sync} was cut off and does not end",
                    hint="the daemon ends, and systemd starts it anew; the next run goes on",
                )

    async def _run(self, turn: Turn) -> None:
        with structlog.contextvars.bound_contextvars(sync=turn.sync, corp=turn.corp):
            await self._run_and_tell(turn)
        give_back()  # nobody has the plan any more

    async def _run_and_tell(self, turn: Turn) -> None:
        approved = self._approval(turn)
        finished = await self._attempted(turn, approved)
        self.last[turn.sync] = LastRun.of(finished)
        _log(finished)
        self._runs.pop(turn.sync, None)
        self._cut.pop(turn.sync, None)
        self._turns.end(turn.sync, finished.ending)
        if approved is not None:
            self._after_approved(turn.sync, approved, finished.ending)
        self._woken.set()
        if not self._is_stopping:
            await at_peace("telling", partial(self._told, finished))

    def _after_approved(self, sync: str, approved: Approved, ending: Ending) -> None:
        """What was approved is not forgotten because its corp was taken, or WeCom away."""
        if ending is Ending.DONE:
            self._want(sync, Cause.CHANGE)
        else:
            asyncio.get_running_loop().call_later(FIRST_PAUSE, self.approve, sync, approved)

    async def _attempted(self, turn: Turn, approved: Approved | None) -> Finished:
        log = structlog.get_logger()
        began = self._clock()
        failed = Finished(
            sync=turn.sync,
            corp=turn.corp,
            cause=turn.cause,
            ending=Ending.FAILED,
            began=began,
            took=timedelta(),
        )
        try:
            return await self._attempt(self._current(), turn, approved)
        except asyncio.CancelledError:
            why = "the daemon stops" if self._is_stopping else TOO_LONG
            error = WxsyncError(f"the run was cut off: {why}")
        except WxsyncError as raised:
            error = raised
        except Exception:  # a fault of one run is not the end of the others
            log.exception("a run broke off")
            error = WxsyncError("the run broke off by a fault of wxsync", hint="see the log, and report it")
        return replace(failed, error=error, took=self._clock() - began)

    async def _attempt(self, settings: Settings, turn: Turn, approved: Approved | None) -> Finished:
        structlog.get_logger().info("a run begins", cause=turn.cause.value)
        if turn.sync not in settings.sync:
            raise WxsyncError(f"the config no longer has a sync {turn.sync}")
        async with self._opened(settings, turn.sync, self._bell(turn.corp)) as corp:
            return await run_once(corp, turn.cause, approved)

    def _approval(self, turn: Turn) -> Approved | None:
        waiting = self._approved.get(turn.sync)
        if turn.cause is not Cause.APPROVAL or not waiting:
            return None
        approved = waiting.pop(0)
        if waiting:
            self._want(turn.sync, Cause.APPROVAL)
        return approved

    # Who leads

    def _seek_leads(self) -> None:
        corps = {each.corp for each in self._current().sync.values()}
        for corp in corps - set(self._leading):
            leading = Leading(self._store, corp, began=self._lead, ended=self._follow)
            self._leading[corp] = leading, asyncio.create_task(leading.keep(), name=f"leading for {corp}")
        for corp in set(self._leading) - corps:
            self._leading.pop(corp)[1].cancel()

    async def _lead(self, corp: str) -> None:
        """Go on where the one that led before stopped; what the mirror does not tell now it tells later."""
        self._led_corps.add(corp)
        for sync, settings in self._current().sync.items():
            if settings.corp == corp:
                self._announce(sync, settings, since=None)
        for sync in [name for name, each in self._current().sync.items() if each.corp == corp]:
            await self._take_up_at_last(corp, sync)
        await at_peace("taking the lead", partial(self._led, corp))

    async def _take_up_at_last(self, corp: str, sync: str) -> None:
        while True:
            if await self._took_up(corp, sync):
                return
            await asyncio.sleep(AGAIN)

    async def _took_up(self, corp: str, sync: str) -> bool:
        try:
            past = await asyncio.to_thread(past_of, self._store, corp, sync)
        except MirrorError as error:
            structlog.get_logger().warning("nobody knows the last run yet", sync=sync, error=error.message)
            return False
        settings = self._current().sync.get(sync)
        if settings is not None and settings.corp == corp:
            self._take_up(sync, settings, past)
        return True

    def _take_up(self, sync: str, settings: SyncSettings, past: Past) -> None:
        if past.last is not None:
            self.last[sync] = past.last
        if past.is_cut_short:
            structlog.get_logger().warning("the last run died: the next one goes on with it", sync=sync)
            self._turns.want(sync, Cause.RETRY)
        elif past.began is not None:
            self._turns.recall(sync, began=self._clock() - past.began, failures=past.failures)
            if past.failures:
                self._turns.want(sync, Cause.RETRY)
        self._announce(sync, settings, since=past.began)
        self._woken.set()

    def _follow(self, corp: str) -> None:
        self._led_corps.discard(corp)
        for sync, settings in self._current().sync.items():
            if settings.corp == corp:
                self._turns.forget(sync)
                self._approved.pop(sync, None)
                if self._scheduler.get_job(sync) is not None:
                    self._scheduler.remove_job(sync)

    def _announce(self, sync: str, settings: SyncSettings, *, since: datetime | None) -> None:
        if (timetable := timetable_of(sync, settings)) is not None:
            announce(self._scheduler, sync, timetable, self._start, now=datetime.now(UTC), since=since)
        elif self._scheduler.get_job(sync) is not None:
            self._scheduler.remove_job(sync)

    async def _start(self, sync: str) -> None:
        self._want(sync, Cause.SCHEDULE)

    def _want(self, sync: str, cause: Cause) -> bool:
        """Whether it is wanted now: of corps for which another daemon leads nothing is.

        Where the lead could not be renewed in time it is, and waits until it was, or was lost.
        """
        settings = self._current().sync.get(sync)
        if settings is None or settings.corp not in self._led_corps:
            return False
        self._turns.want(sync, cause)
        self._woken.set()
        return True

    async def _look_again(self) -> None:
        look_again(self._scheduler, datetime.now(UTC))

    def _bell(self, corp: str) -> JobBell:
        return self._bells.setdefault(corp, JobBell())


def _log(finished: Finished) -> None:
    log = structlog.get_logger().bind(run=finished.number, seconds=round(finished.took.total_seconds(), 1))
    if finished.ending is Ending.BUSY:
        log.info("another run has the corp", error=str(finished.error))
    elif finished.ending is Ending.FAILED:
        log.error("a run failed", error=str(finished.error))
    elif finished.error is not None:
        log.warning("a run was refused, nothing was written", error=finished.error.message)
    else:
        state = "planned" if finished.run is None else finished.run.state.value
        changes = 0 if finished.plan is None else len(finished.plan.writes)
        log.info("a run is over", state=state, changes=changes)


async def _ended(tasks: Iterable[asyncio.Task[None]], within: float) -> None:
    pending = list(tasks)
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending, timeout=within)
