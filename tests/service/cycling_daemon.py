"""The daemon of the cycles, in a process of its own, so that its memory and its files can be looked at.

As a script it is given WeCom's address, the HR database's URL and the mirror's file. It obeys one line at a
time: `forward SECONDS`, `begin`, `approve DIGEST`, or `rest`, which is answered when no run is left. It tells
on one line of JSON what came of each run, and leaves when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from tests.journeys.stage import IMPATIENT, failures, settings_of
from wxsync.config.settings import Settings
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.runtime import open_corp
from wxsync.sandbox.clock import MovableClock
from wxsync.service.daemon import Daemon
from wxsync.service.memory import be_frugal
from wxsync.service.running import Approved, Finished

CORP = SYNC = "acme"
KEPT_DAYS = 90


def cycling_settings(base_url: str, hr_url: str, mirror: Path) -> Settings:
    """Leavers go for good, or WeCom would grow without end; all limits are the defaults.

    What is kept of the past is kept as long for people as for runs, so that it has its full size before the
    memory is measured for the first time: 90 days are 52 cycles.
    """
    settings = settings_of(hr_url, mirror, policy={"leavers": "delete"}, min_interval=1)
    corp = settings.corp[CORP].model_copy(update={"base_url": base_url})
    service = settings.service.model_copy(update={"audit_days": KEPT_DAYS, "keep_runs_days": KEPT_DAYS})
    return settings.model_copy(update={"corp": {CORP: corp}, "service": service})


async def serve(settings: Settings, store: Store) -> None:
    """The same daemon as that of `wxsync serve`, by a clock that can be moved."""
    passing = MovableClock()

    def clock() -> datetime:
        return datetime.fromtimestamp(passing(), UTC)

    daemon = Daemon(
        lambda: settings,
        store,
        clock=clock,
        opened=lambda current, sync, bell: open_corp(
            current, sync, clock=clock, store=store, bell=bell, pauses=IMPATIENT
        ),
        told=told,
        led=nobody_waits,
    )
    running = asyncio.create_task(daemon.run())
    while not daemon.leads(CORP):  # noqa: ASYNC110 - it tells nobody when it does
        await asyncio.sleep(0.01)
    say({"leads": True})
    orders = await orders_of_stdin()
    while line := await orders.readline():
        order, *what = line.decode().split()
        if order == "forward":
            passing.forward(float(what[0]))
        elif order == "approve":
            daemon.approve(SYNC, Approved(digest=what[0], by="somebody"))
        elif order == "rest":
            say({"rests": True})
        else:
            daemon.begin_all()
    daemon.stop()
    await running


async def orders_of_stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def nobody_waits(_corp: str) -> None:
    """Nothing was approved while nobody led."""


async def told(finished: Finished) -> None:
    """What the test wants to know of a run."""
    plan, run = finished.plan, finished.run
    say(
        {
            "ending": finished.ending.value,
            "state": None if run is None else run.state.value,
            "digest": None if plan is None else plan.digest,
            "writes": {} if plan is None else Counter(f"{each.kind} {each.verb}" for each in plan.writes),
            "method": None if plan is None else plan.forecast.method,
            "failures": [] if run is None else failures(run),
            "error": None if finished.error is None else str(finished.error),
            "took": finished.took.total_seconds(),
        }
    )


def say(document: dict[str, Any]) -> None:
    print(json.dumps(document, ensure_ascii=False), flush=True)


def main(base_url: str, hr_url: str, mirror: str) -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    be_frugal()
    settings = cycling_settings(base_url, hr_url, Path(mirror))
    store = Store(prepare(settings.mirror.full_url))
    try:
        asyncio.run(serve(settings, store))
    finally:
        store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
