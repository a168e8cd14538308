"""An outbox on a mirror of its own, with a clock: what it sends, and what it knows of that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from wxsync.config.settings import Settings
from wxsync.mirror import notices
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.model.notice import Count, Notice, NoticeKind, NoticeState
from wxsync.service.notify.delivery import Delivery
from wxsync.service.notify.outbox import Outbox

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECRET = "sixteen characters and more"


class Desk:
    """One channel, and what waits for it."""

    def __init__(self, folder: Path, channel: Mapping[str, Any]) -> None:
        self.now = NOW
        self.settings = settings(channel)
        self.store = Store(prepare(f"sqlite:///{folder / 'mirror.db'}"))
        self.outbox = self.begun()

    def begun(self) -> Outbox:
        """Another process on the same mirror."""
        return Outbox(self.store, Delivery(store=self.store), lambda: self.now)

    def put(self, kind: NoticeKind = NoticeKind.CHANGED, *, sync: str = "acme", **more: Any) -> None:
        notice = Notice(kind=kind, corp="acme", sync=sync, at=self.now, **more)
        with self.store.transaction() as connection:
            notices.put(connection, notice, ["way"], self.now)

    def send(self, **time: float) -> None:
        """Some time later."""
        self.now += timedelta(**time)
        asyncio.run(self.outbox.send_due(self.settings, "acme"))

    def tell(self, number: int = 1) -> None:
        """Something was written."""
        self.put(run=3, done=update(number), command="wxsync runs 3")
        self.send()

    def undelivered(self) -> list[tuple[NoticeState, str]]:
        with self.store.reading() as connection:
            return [
                (each.state, each.problem)
                for each in notices.undelivered(connection, NOW - timedelta(days=9))
            ]


@contextmanager
def desk_with(folder: Path, channel: Mapping[str, Any]) -> Iterator[Desk]:
    """A desk whose one channel is this."""
    desk = Desk(folder, channel)
    try:
        yield desk
    finally:
        desk.store.close()


def http_channel(url: str) -> dict[str, object]:
    return {"type": "http", "url": url, "secret": SECRET}


def update(number: int) -> tuple[Count, ...]:
    return (Count("member", "update", number),)


def settings(channel: Mapping[str, Any], **more: object) -> Settings:
    sync = {
        "corp": "acme",
        "sources": ["hr"],
        "mode": "apply",
        "department": {"key": "code", "parent": "parent", "name": "name"},
        "member": {"key": "no", "userid": "no", "name": "name"},
        "policy": {"leavers": "keep", "empty_departments": "keep", "adopt": []},
        "notify": ["way"],
        **more,
    }
    return Settings.model_validate(
        {
            "mirror": {"url": "sqlite:///unused.db"},
            "service": {"language": "en"},
            "corp": {"acme": {"corp_id": "ww1", "contact_secret": "s"}},
            "notify": {"way": channel},
            "sync": {"acme": sync, "branch": {**sync, "root_department": 2}},
        }
    )
