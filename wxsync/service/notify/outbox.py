"""What waits to be told, sent in its turn: put on record first, coalesced, paced, and never twice."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from wxsync.config.notify import AppChannelSettings
from wxsync.config.settings import Settings
from wxsync.engine.corp import Clock
from wxsync.mirror import notices
from wxsync.mirror.notices import Waiting
from wxsync.mirror.store import Store
from wxsync.model.notice import Notice, NoticeState
from wxsync.service.notify.delivery import Delivery
from wxsync.service.notify.parcel import Delivered, Parcel
from wxsync.service.notify.summing import summed

PER_MINUTE: Final = 10
"""Messages of one channel. WeCom takes 20 of a group's webhook and 30 of an app to one member (WeCom pages
99110, 90236); a second channel, or another program, may have the same one.
"""
MINUTE: Final = timedelta(seconds=61)
CALM: Final = timedelta(minutes=5)
"""Between two messages of one sync that want nobody to act."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
LIFETIME: Final = timedelta(hours=24)
"""What could not be sent for so long is no news."""
NO_CHANNEL: Final = "the config no longer has this channel for this sync"
TOO_OLD: Final = "it could not be sent for 24 hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A parcel that is on record as being sent."""

    parcel: Parcel
    tries: int


class Outbox:
    """The notices of the corps that this daemon leads for."""

    def __init__(self, store: Store, delivery: Delivery, clock: Clock) -> None:
        self._store = store
        self._delivery = delivery
        self._clock = clock
        self._sending: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By corp: a mail server that hangs keeps up its own alone."""

    async def send_due(self, settings: Settings, corp: str) -> None:
        """Send whatever may be sent now: channels side by side, each in the order of what happened."""
        async with self._sending[corp]:
            waiting = await asyncio.to_thread(self._due, settings, corp)
            channels = {name: [each for each in waiting if each.channel == name] for name in _names(waiting)}
            await asyncio.gather(*(self._by(settings, each) for each in channels.values()))

    def _due(self, settings: Settings, corp: str) -> list[Waiting]:
        """What waits, without what is no news any more, or has no channel."""
        now = self._clock()
        with self._store.transaction() as connection:
            for number in notices.doubt(connection, corp, now):
                _log(corp, number=number).warning("nobody knows whether a notice arrived; it is not repeated")
            found = notices.due(connection, corp, now)
            gone = [each.id for each in found if not _has_channel(settings, each)]
            old = [each.id for each in found if each.id not in gone and each.notice.at < now - LIFETIME]
            notices.give_up(connection, gone, NO_CHANNEL)
            notices.give_up(connection, old, TOO_OLD)
        for number in (*gone, *old):
            _log(corp, number=number).warning("a notice was given up")
        return [each for each in found if each.id not in {*gone, *old}]

    async def _by(self, settings: Settings, waiting: Sequence[Waiting]) -> None:
        """All that waits for one channel, a message for each sync."""
        for sync in dict.fromkeys(each.notice.sync for each in waiting):
            group = [each for each in waiting if each.notice.sync == sync]
            begun = await asyncio.to_thread(self._begin, settings, group)
            if begun is not None:
                delivered = await self._delivery.send(settings, begun.parcel)
                await asyncio.to_thread(self._end, begun, delivered)

    def _begin(self, settings: Settings, group: Sequence[Waiting]) -> Begun | None:
        """The intent, on record before the call; None before its time, or where another one was quicker."""
        first, others = group[-1], group[:-1]
        notice, now = summed([each.notice for each in group]), self._clock()
        task_id = _task_id(settings, first.channel, notice)
        with self._store.transaction() as connection:
            until = self._not_before(connection, first.channel, notice, now)
            if until is not None and until > now:
                for each in group:
                    notices.put_off(connection, each.id, until)
                return None
            is_mine = notices.begin(
                connection, first.id, [each.id for each in others], notice, now, task_id=task_id
            )
        parcel = Parcel(number=first.id, channel=first.channel, notice=notice, task_id=task_id)
        return Begun(parcel=parcel, tries=max(each.tries for each in group)) if is_mine else None

    def _not_before(self, connection: Any, channel: str, notice: Notice, now: datetime) -> datetime | None:
        """When the channel takes it; None: at once. What was sent in a time to come does not count."""
        sent = [at for at in notices.sent_since(connection, channel, now - MINUTE) if at <= now]
        if len(sent) >= PER_MINUTE:
            return sent[-PER_MINUTE] + MINUTE
        if not notice.is_calm:
            return None
        last = notices.last_begun(connection, notice.corp, notice.sync, channel)
        return None if last is None or last > now else last + CALM

    def _end(self, begun: Begun, delivered: Delivered) -> None:
        parcel, now = begun.parcel, self._clock()
        log = _log(
            parcel.notice.corp,
            sync=parcel.notice.sync,
            channel=parcel.channel,
            kind=parcel.notice.kind.value,
            number=parcel.number,
        )
        with self._store.transaction() as connection:
            if delivered.state is NoticeState.WAITING:
                until = now + min(FIRST_PAUSE * 2 ** min(begun.tries, 10), LONGEST_PAUSE)
                notices.put_off(connection, parcel.number, until, delivered.problem)
            else:
                notices.end(connection, parcel.number, delivered.state, delivered.problem)
        match delivered.state:
            case NoticeState.WAITING:
                log.warning("a notice was refused, and is sent later", problem=delivered.problem)
            case NoticeState.UNKNOWN:
                log.warning(
                    "nobody knows whether a notice arrived; it is not repeated", problem=delivered.problem
                )
            case _ if delivered.problem:
                log.warning("a notice was sent, but not to everybody", problem=delivered.problem)
            case _:
                log.info("a notice was sent")


def _task_id(settings: Settings, channel: str, notice: Notice) -> str | None:
    """Of the card that asks, where somebody may answer: used once, and nobody guesses it."""
    chosen = settings.notify[channel]
    if notice.asks and isinstance(chosen, AppChannelSettings) and chosen.approvers:
        return f"wxsync-{notice.digest[-24:]}-{secrets.token_hex(16)}"
    return None


def _has_channel(settings: Settings, waiting: Waiting) -> bool:
    sync = settings.sync.get(waiting.notice.sync)
    return waiting.channel in settings.notify and sync is not None and waiting.channel in sync.notify


def _names(waiting: Iterable[Waiting]) -> list[str]:
    return list(dict.fromkeys(each.channel for each in waiting))


def _log(corp: str, **facts: object) -> Any:
    return structlog.get_logger().bind(corp=corp, **facts)
