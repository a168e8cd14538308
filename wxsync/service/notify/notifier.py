"""Tells people what happens, and hears what they decide: the one thing of this room that the daemon holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import structlog
from sqlalchemy import Connection

from wxsync.config.notify import AppChannelSettings
from wxsync.config.settings import Settings, SyncSettings
from wxsync.engine.corp import Clock
from wxsync.errors import WxsyncError
from wxsync.mirror import notices
from wxsync.mirror.notices import Card, Mark
from wxsync.mirror.store import Store
from wxsync.model.approval import LIFETIME
from wxsync.model.notice import Notice
from wxsync.runtime import utc_now
from wxsync.service.notify.clicks import Answer, Click, Outcome, Wanted, answer, wanted_of
from wxsync.service.notify.delivery import Delivery
from wxsync.service.notify.faces import decided_card, refusal
from wxsync.service.notify.outbox import Outbox
from wxsync.service.notify.parcel import problem_of
from wxsync.service.notify.silence import GRACE, silence
from wxsync.service.notify.telling import told
from wxsync.service.running import Finished
from wxsync.service.terms import timetable_of

SHOWING: Final = 10.0
"""Seconds for bringing a card up to date."""


class Notifier:
    """Belongs to the work loop. But for `clicked` nothing raises a WxsyncError: untold runs are runs too."""

    def __init__(
        self,
        store: Store,
        current: Callable[[], Settings],
        *,
        clock: Clock = utc_now,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._store = store
        self._current = current
        self._clock = clock
        self._delivery = Delivery(store=store, transport=transport, clock=lambda: clock().timestamp())
        self._outbox = Outbox(store, self._delivery, clock)
        self._began = clock()

    async def after(self, finished: Finished) -> None:
        """A run is over: whoever is to know is told, now or in its turn."""
        try:
            await asyncio.to_thread(self._note, finished)
        except WxsyncError as error:
            _log(finished.corp, sync=finished.sync).error(
                "a run cannot be told of", problem=problem_of(error)
            )
        await self._send(finished.corp)

    async def tick(self, corps: Collection[str]) -> None:
        """For the corps that this daemon leads for, every half minute: who is silent, and what waits."""
        await asyncio.gather(*map(self._tick, corps))

    async def _tick(self, corp: str) -> None:
        try:
            await asyncio.to_thread(self._listen, corp)
        except WxsyncError as error:
            _log(corp).error("nobody could look who is silent", problem=problem_of(error))
        await self._send(corp)

    async def clicked(self, click: Click) -> Wanted | None:
        """Somebody pressed a button: the run that is wanted for it, if any. Whoever may not is told so.

        Raises MirrorError where it could not be judged: then it is to be told of again.
        """
        settings = self._current()
        found = await asyncio.to_thread(self._answer, settings, click)
        log = _log(click.corp, who=click.userid, outcome=found.outcome.value)
        log.info("a click on a card") if found.wanted else log.warning("a click on a card")
        with suppress(TimeoutError):  # others wait for their events; the next click shows it
            async with asyncio.timeout(SHOWING):
                await self._show(settings, click, found)
        return found.wanted

    async def wanted(self, corp: str) -> tuple[Wanted, ...]:
        """Runs that somebody wanted by a card and that have not begun: for a daemon that begins to lead."""
        try:
            return await asyncio.to_thread(self._wanted, corp)
        except WxsyncError as error:
            _log(corp).error("nobody could look what was approved", problem=problem_of(error))
            return ()

    async def _send(self, corp: str) -> None:
        settings = self._current()
        try:
            if corp in settings.corp:
                await self._outbox.send_due(settings, corp)
        except WxsyncError as error:
            _log(corp).error("notices could not be sent", problem=problem_of(error))

    # In a thread of its own: the mirror blocks

    def _note(self, finished: Finished) -> None:
        settings = self._current()
        sync, now = settings.sync.get(finished.sync), self._clock()
        if sync is None or sync.corp != finished.corp or not sync.notify:
            return
        with self._store.transaction() as connection:
            mark = _mark(connection, finished.corp, finished.sync, now)
            notice, mark = told(finished, mark, now, settings.service.language)
            self._keep(connection, sync, finished.corp, finished.sync, notice, mark)

    def _listen(self, corp: str) -> None:
        """The dead-man's switch of each sync of the corp; none is pulled right after the daemon began."""
        settings, now = self._current(), self._clock()
        for name, sync in settings.sync.items():
            timetable = timetable_of(name, sync)
            if sync.corp != corp or not sync.notify or timetable is None:
                continue
            with self._store.transaction() as connection:
                mark = _mark(connection, corp, name, now)
                complete = notices.last_complete(connection, corp, name, by_plans=sync.mode == "plan")
                here = now.astimezone(ZoneInfo(sync.time_zone))
                language = settings.service.language
                notice, after = silence(corp, name, mark, complete, timetable, here, language)
                if notice is None or now >= self._began + GRACE:
                    self._keep(connection, sync, corp, name, notice, after)

    def _keep(
        self,
        connection: Connection,
        sync: SyncSettings,
        corp: str,
        name: str,
        notice: Notice | None,
        mark: Mark,
    ) -> None:
        if mark != notices.mark(connection, corp, name):
            notices.put_mark(connection, corp, name, mark)
        if notice is not None:
            kept_for = timedelta(days=self._current().service.keep_runs_days)
            notices.strike(connection, corp, self._clock() - kept_for)
            here = replace(notice, at=notice.at.astimezone(ZoneInfo(sync.time_zone)))
            notices.put(connection, here, sync.notify, self._clock())

    def _answer(self, settings: Settings, click: Click) -> Answer:
        with self._store.transaction() as connection:
            return answer(connection, settings, click, self._clock())

    def _wanted(self, corp: str) -> tuple[Wanted, ...]:
        now = self._clock()
        with self._store.reading() as connection:
            cards = notices.approved_cards(connection, corp, now - LIFETIME)
            found = (wanted_of(connection, card, now) for card in cards)
            return tuple(dict.fromkeys(wanted for wanted in found if wanted is not None))

    # What whoever clicked sees

    async def _show(self, settings: Settings, click: Click, found: Answer) -> None:
        if found.card is None:
            return
        try:
            if found.outcome is Outcome.NOT_ALLOWED:
                content = refusal(found.card.notice, settings.service.language)
                await self._delivery.tell(settings, click.corp, content, (click.userid,))
            elif found.said is not None:
                await self._change(settings, click, found.card, found)
        except WxsyncError as error:
            _log(click.corp).warning("a card was not brought up to date", problem=problem_of(error))

    async def _change(self, settings: Settings, click: Click, card: Card, found: Answer) -> None:
        channel = settings.notify[card.channel]
        if isinstance(channel, AppChannelSettings) and found.said is not None:
            shown = decided_card(card.notice, settings.service.language, channel.link, found.said)
            await self._delivery.change_card(
                settings, click.corp, click.response_code, shown, channel.recipients
            )


def _mark(connection: Connection, corp: str, sync: str, now: datetime) -> Mark:
    return notices.mark(connection, corp, sync) or Mark(known_since=now)


def _log(corp: str, **facts: Any) -> Any:
    return structlog.get_logger().bind(corp=corp, **facts)
