"""Watched sources asked between two runs: what has changed there pulls the next run forward."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog

from wxsync.config.settings import LdapSourceSettings, Settings
from wxsync.engine.corp import Corp
from wxsync.engine.watching import has_stirred
from wxsync.mirror.store import Store
from wxsync.mirror.watch_marks import load_marks
from wxsync.model.watch import Stirred

EVERY: Final = 60.0
"""Seconds between two questions."""

Opened = Callable[[str], AbstractAsyncContextManager[Corp]]


class Stirring:
    """What the watched sources have answered, and was acted upon.

    A run that waits for somebody's yes moves no mark in the mirror: asked from there, a source would tell of
    the same change each time. So it is asked from where it stood when that was acted upon.
    """

    def __init__(self, store: Store, opened: Opened) -> None:
        self._store = store
        self._opened = opened
        self._acted: dict[tuple[str, str], tuple[str | None, str | None]] = {}
        """(sync, source) -> its mark in the mirror by then, and where it stood when it was acted upon."""

    async def has_changed(self, settings: Settings, sync: str) -> bool:
        """Whether its sources may have changed since; each change is told once."""
        if not _is_watched(settings, sync):
            return False
        async with self._opened(sync) as corp:
            known = await asyncio.to_thread(self._marks, corp.name, sync)
            since = {name: mark for name, mark in self._since(sync, known).items() if mark is not None}
            answers = await has_stirred(corp, since)
        news = [self._is_news(sync, known.get(each.source), each) for each in answers]
        return any(news)

    def _marks(self, corp: str, sync: str) -> dict[str, str]:
        with self._store.reading() as connection:
            return load_marks(connection, corp, sync)

    def _since(self, sync: str, known: Mapping[str, str]) -> dict[str, str | None]:
        acted = {source: marks for (name, source), marks in self._acted.items() if name == sync}
        later = {source: mark for source, (base, mark) in acted.items() if base == known.get(source)}
        return {**known, **later}

    def _is_news(self, sync: str, base: str | None, answer: Stirred) -> bool:
        if answer.is_quiet:
            return False
        place = sync, answer.source
        former = self._acted.get(place)
        self._acted[place] = base, answer.mark
        # Nobody can tell: a run was begun for that already, and nothing was applied since.
        is_old = answer.why is not None and former is not None and former[0] == base
        if not is_old:
            log = structlog.get_logger().bind(sync=sync, source=answer.source)
            log.info("a source has changed" if answer.why is None else "a source may have changed")
        return not is_old


def _is_watched(settings: Settings, sync: str) -> bool:
    if sync not in settings.sync:
        return False
    sources = (settings.source[name] for name in settings.sync[sync].sources)
    return any(isinstance(each, LdapSourceSettings) and each.watch for each in sources)
