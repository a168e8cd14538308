"""The daemon as a process: its parts put together, the signals that it hears, and how it leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from wxsync.errors import ConfigError
from wxsync.mirror.retention import Retention, tidy
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.mirror.upgrading import upgrade_file
from wxsync.model.event import CardEvent
from wxsync.runtime import open_corp, read_callback_ips, utc_now
from wxsync.service.callback_ips import EVERY as ADDRESSES
from wxsync.service.callback_ips import read_due
from wxsync.service.chores import Chore, at_peace
from wxsync.service.clients import Network
from wxsync.service.current import Current
from wxsync.service.daemon import Daemon
from wxsync.service.front import Front
from wxsync.service.inbox_desk import Reactions
from wxsync.service.logs import configure_logs
from wxsync.service.mailroom import Mailroom
from wxsync.service.memory import be_frugal
from wxsync.service.notify.clicks import Click, Wanted
from wxsync.service.notify.notifier import Notifier
from wxsync.service.running import Approved, Finished
from wxsync.service.standing import standing
from wxsync.service.stirring import EVERY, Stirring
from wxsync.service.systemd import Systemd
from wxsync.service.web import Web, listening, serving

STATUS: Final = 5.0
"""Seconds between two words on how all stands."""
INBOX: Final = 2.0
"""Seconds after which it is looked into unasked: another daemon may have taken something in."""
INBOX_REST: Final = 0.2
"""Seconds: of hundreds of events in one, many are worked off at once, and keep up the next ones less."""
TELLING: Final = 30.0
TIDYING: Final = 300.0
STRIKING: Final = 3600.0
"""Seconds between two looks for what is kept for too long, where no run comes to its end."""
THREADS: Final = 32
"""For questions to the mirror, and for mail."""
LEAVING: Final = 19.0
"""Seconds after which a daemon that was told to stop leaves, whatever it is at: the next run goes on."""


def serve(current: Current, systemd: Systemd, *, on_ready: Callable[[int], None]) -> None:
    """Run until SIGTERM or SIGINT; `on_ready` gets the port when all is up. For the main thread alone.

    Threads that still wait for a source or a server are not waited for. Raises WxsyncError where it cannot
    begin, and where a run does not end that was cut off.
    """
    be_frugal()
    with listening(current().service.listen) as listener:
        url = current().mirror.full_url
        if (backup := upgrade_file(url, made_at=utc_now())) is not None:
            structlog.get_logger().info("the mirror was brought to this version's schema", backup=str(backup))
        store = Store(prepare(url))
        try:
            process = Process(current, store, systemd)
            with serving(process.front.app, listener) as web:
                # Not closed: that would wait for such threads.
                asyncio.Runner().run(process.work(web, partial(on_ready, web.port)))
        finally:
            store.close()


class Process:
    """A daemon with those around it: systemd, the web, people, and whoever sends signals."""

    def __init__(self, current: Current, store: Store, systemd: Systemd) -> None:
        self._current = current
        self._store = store
        self._systemd = systemd
        self._web: Web | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.front = Front(store, current, self._arrived)
        self._notifier = Notifier(store, current)
        self._stirring = Stirring(store, lambda sync: open_corp(current(), sync, store=store))
        self._inbox = Chore(name="inbox", every=INBOX, rest=INBOX_REST, act=self._work_off)
        self._addresses = Chore(name="addresses of WeCom", every=ADDRESSES, act=self._read_addresses)
        self._daemon = Daemon(
            current,
            store,
            clock=utc_now,
            opened=lambda settings, sync, bell: open_corp(settings, sync, store=store, bell=bell),
            told=self._told,
            led=self._led,
            beat=self._beat,
            chores=(
                self._inbox,
                Chore(name="status", every=STATUS, act=self._tell_status),
                Chore(name="watching", every=EVERY, act=self._look_at_sources),
                Chore(name="telling", every=TELLING, act=self._tell_people),
                Chore(name="tidying", every=TIDYING, act=self._tidy),
                Chore(name="striking", every=STRIKING, act=self._strike),
                self._addresses,
            ),
        )
        reactions = Reactions(
            on_change=self._daemon.changed, on_job=self._daemon.job_over, on_card=self._clicked
        )
        self._mailroom = Mailroom(store, lambda: self._daemon.corps, reactions, self.front.counts)

    async def work(self, web: Web, on_ready: Callable[[], None]) -> None:
        """Until a signal ends it."""
        self._web = web
        self._loop = loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="wxsync-mirror"))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heed)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        loop.add_signal_handler(signal.SIGUSR1, self._daemon.begin_all)
        on_ready()
        self._systemd.ready(self._standing())
        await self._daemon.run()

    def _arrived(self, _corp: str) -> None:
        """In the loop of the web: something came in for this corp."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._inbox.woken.set)

    async def _work_off(self) -> None:
        await self._mailroom.work_off()

    async def _tidy(self) -> None:
        await self._mailroom.tidy()

    async def _strike(self) -> None:
        service = self._current().service
        kept = Retention(audit_days=service.audit_days, keep_runs_days=service.keep_runs_days)
        for corp in self._daemon.corps:
            await asyncio.to_thread(tidy, self._store, corp, kept, utc_now())

    async def _clicked(self, corp: str, card: CardEvent) -> None:
        click = Click(
            corp=corp,
            userid=card.userid,
            task_id=card.task_id,
            key=card.event_key,
            response_code=card.response_code,
        )
        wanted = await self._notifier.clicked(click)
        if wanted is not None:
            self._approve(wanted)

    def _approve(self, wanted: Wanted) -> None:
        self._daemon.approve(wanted.sync, Approved(digest=wanted.digest, by=wanted.by, undoes=wanted.undoes))

    async def _led(self, corp: str) -> None:
        """What somebody approved while nobody led is begun."""
        for wanted in await self._notifier.wanted(corp):
            self._approve(wanted)

    async def _read_addresses(self) -> None:
        await read_due(self.front.ips, self._called_back(), self._addresses_of)

    def _called_back(self) -> list[str]:
        """The corps that have a receiver."""
        corps = self._current().corp.items()
        return [name for name, corp in corps if corp.callback or (corp.app and corp.app.callback)]

    async def _addresses_of(self, corp: str) -> Iterable[Network]:
        settings = self._current()
        return await read_callback_ips(settings, corp, self._store) if corp in settings.corp else ()

    def _beat(self) -> None:
        """Only while those answer who serve: a daemon without its web is none."""
        self.front.beat()
        if self._web is not None and self._web.is_alive:
            self._systemd.alive()

    async def _told(self, finished: Finished) -> None:
        self._systemd.status(self._standing())
        await self._notifier.after(finished)

    async def _tell_people(self) -> None:
        await self._notifier.tick(self._daemon.corps)

    async def _tell_status(self) -> None:
        self._systemd.status(self._standing())

    async def _look_at_sources(self) -> None:
        for sync in self._daemon.at_leisure:
            await at_peace("watching", partial(self._look_at_sources_of, sync))

    async def _look_at_sources_of(self, sync: str) -> None:
        if await self._stirring.has_changed(self._current(), sync):
            self._daemon.stirred(sync)

    def _standing(self) -> str:
        zones = {name: ZoneInfo(sync.time_zone) for name, sync in self._current().sync.items()}
        daemon = self._daemon
        syncs = self._current().sync.items()
        elsewhere = [name for name, sync in syncs if not daemon.leads(sync.corp)]
        return standing(zones, daemon.last, daemon.running, daemon.next_starts(), elsewhere)

    def _heed(self, _number: int, _frame: FrameType | None) -> None:
        """Heard between two steps of Python, also where something keeps the loop."""
        leaving = threading.Timer(LEAVING, os._exit, (0,))
        leaving.daemon = True
        leaving.start()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        structlog.get_logger().info("the daemon stops")
        self._systemd.stopping("ends what is under way")
        self._daemon.stop()

    def _reload(self) -> None:
        log = structlog.get_logger()
        self._systemd.reloading()
        try:
            for warning in self._current.reload():
                log.warning("the config was read again", warning=warning)
        except ConfigError as error:
            log.warning("the config is no good, and the old one goes on", error=str(error))
        else:
            configure_logs(self._current().service, self._current.secrets)
            self._daemon.reload()
            self._addresses.woken.set()
            log.info("the config was read again; credentials of systemd are those of the start")
        self._systemd.ready(self._standing())
