"""The daemon's side of the benchmark of callbacks, in a process of its own: `callbacks_side.py CONFIG`.

As in the daemon one thread answers and another one works: it applies a first load, and works events off.
Prints where it listens, then goes on until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import structlog

from benchmarks.company import CORP, SYNC
from wxsync.config.loader import load_settings
from wxsync.config.settings import Settings
from wxsync.engine.reconcile import carry_out, holding, preview
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.runtime import open_corp
from wxsync.service.app import create_app
from wxsync.service.callbacks import callback_routes
from wxsync.service.chores import Chore
from wxsync.service.inbox_desk import Reactions, work_off
from wxsync.service.letterbox import Letterbox
from wxsync.service.serving import INBOX, INBOX_REST
from wxsync.service.web import listening, serving


async def apply(settings: Settings, store: Store) -> None:
    """The run that goes on meanwhile."""
    async with open_corp(settings, SYNC, store=store) as corp, holding(corp, "benchmark") as held:
        run_id, decision = await preview(corp, verb="apply")
        await carry_out(corp, run_id, decision, held)


def inbox(store: Store) -> Chore:
    """Events are worked off as they come."""
    reactions = Reactions(on_change=lambda corp: None, on_job=lambda corp, job: None)

    async def work() -> None:
        await work_off(store, CORP, reactions)

    return Chore(name="inbox", every=INBOX, rest=INBOX_REST, act=work)


async def main(config: Path) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = load_settings(config).settings
    store = Store(prepare(settings.mirror.full_url))
    loop, chore = asyncio.get_running_loop(), inbox(store)
    box = Letterbox(store, lambda corp: void(loop.call_soon_threadsafe(chore.woken.set)))
    with listening("127.0.0.1:0") as listener:
        app = create_app(callback_routes(lambda: settings, box))
        with serving(app, listener) as web:
            tasks = [asyncio.create_task(apply(settings, store)), asyncio.create_task(chore.keep())]
            print(json.dumps({"port": web.port}), flush=True)
            await asyncio.to_thread(sys.stdin.read)
            print(json.dumps({"is_applying": not tasks[0].done()}), flush=True)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def void(_: object) -> None:
    """What is given back here is of no use."""


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
