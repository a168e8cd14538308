"""The daemon as a process: its parts put together, the signals that it hears, and how it leaves."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from wxsync.errors import ConfigError
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.runtime import open_corp, utc_now
from wxsync.service.app import create_app
from wxsync.service.chores import Chore
from wxsync.service.counts import CallbackCounts
from wxsync.service.current import Current
from wxsync.service.daemon import Daemon
from wxsync.service.health import Beat
from wxsync.service.logs import configure_logs
from wxsync.service.probes import probe_routes
from wxsync.service.running import Finished
from wxsync.service.standing import standing
from wxsync.service.stirring import EVERY, Stirring
from wxsync.service.systemd import Systemd
from wxsync.service.web import Web, listening, serving

STATUS: Final = 5.0
"""Seconds between two words on how all stands."""


def serve(current: Current, systemd: Systemd, *, on_ready: Callable[[int], None]) -> None:
    """Run until SIGTERM or SIGINT; `on_ready` gets the port when all is up. For the main thread alone.

    Threads that still wait for a source or a server are not waited for. Raises WxsyncError where it cannot
    begin, and where a run does not end that was cut off.
    """
    with listening(current().service.listen) as listener:
        store = Store(prepare(current().mirror.full_url))
        try:
            beat = Beat()
            routes = probe_routes(store, current, beat, CallbackCounts())
            with serving(create_app(routes), listener) as web:
                process = Process(current, store, systemd, web, beat)
                # Not closed: that would wait for such threads.
                asyncio.Runner().run(process.work(partial(on_ready, web.port)))
        finally:
            store.close()


class Process:
    """A daemon with those around it: systemd, the web, and whoever sends signals."""

    def __init__(self, current: Current, store: Store, systemd: Systemd, web: Web, beat: Beat) -> None:
        self._current = current
        self._systemd = systemd
        self._web = web
        self._goes_round = beat
        self._daemon = Daemon(
            current,
            store,
            clock=utc_now,
            opened=lambda settings, sync, bell: open_corp(settings, sync, store=store, bell=bell),
            told=self._told,
            beat=self._beat,
            chores=(
                Chore(name="status", every=STATUS, act=self._tell_status),
                Chore(name="watching", every=EVERY, act=self._look_at_sources),
            ),
        )
        self._stirring = Stirring(store, lambda sync: open_corp(current(), sync, store=store))

    async def work(self, on_ready: Callable[[], None]) -> None:
        """Until a signal ends it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        loop.add_signal_handler(signal.SIGUSR1, self._daemon.begin_all)
        on_ready()
        self._systemd.ready(self._standing())
        await self._daemon.run()

    def _beat(self) -> None:
        """Only while those answer who serve: a daemon without its web is none."""
        self._goes_round()
        if self._web.is_alive:
            self._systemd.alive()

    async def _told(self, _finished: Finished) -> None:
        self._systemd.status(self._standing())

    async def _tell_status(self) -> None:
        self._systemd.status(self._standing())

    async def _look_at_sources(self) -> None:
        for sync in await self._stirring.changed(self._current(), self._daemon.at_leisure):
            self._daemon.stirred(sync)

    def _standing(self) -> str:
        zones = {name: ZoneInfo(sync.time_zone) for name, sync in self._current().sync.items()}
        daemon = self._daemon
        return standing(zones, daemon.last, daemon.running, daemon.next_starts())

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
            log.info("the config was read again; credentials of systemd are those of the start")
        self._systemd.ready(self._standing())
