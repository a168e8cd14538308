"""Watched sources asked between two readings whether anything has changed.

An answer decides how soon the next full reading comes and whom to look at first, and nothing else: no plan
is made of it, and nobody is removed by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from wxsync.config.expressions import Expression
from wxsync.engine.aside import aside
from wxsync.engine.corp import Corp
from wxsync.errors import SourceError
from wxsync.mirror.watch_marks import load_marks
from wxsync.model.message import say
from wxsync.model.watch import Stirred, Watching
from wxsync.sources.watching import Watchable


async def has_stirred(corp: Corp, since: Mapping[str, str] | None = None) -> tuple[Stirred, ...]:
    """What may have changed in each watched source of the sync since it was last applied as a whole.

    Where one is not quiet, all sources are to be read in full. `since` are marks to ask from in the place
    of those in the mirror: of answers that were acted upon without being applied, such as by a plan that
    waits for its approval. A source that cannot be asked is one of which nobody can tell. Raises
    MirrorError.
    """
    return await aside(corp, partial(_ask_all, corp, since))


async def how_watched(corp: Corp) -> tuple[Watching, ...]:
    """How each watched source is watched, or why it cannot be."""
    return await aside(corp, lambda: tuple(_described(each) for each in _watched(corp)))


def _ask_all(corp: Corp, since: Mapping[str, str] | None) -> tuple[Stirred, ...]:
    if since is None:
        with corp.store.reading() as connection:
            since = load_marks(connection, corp.name, corp.sync)
    key = corp.settings.member.key
    return tuple(_asked(source, since.get(source.name), key) for source in _watched(corp))


def _watched(corp: Corp) -> tuple[Watchable, ...]:
    return tuple(each for each in corp.sources if isinstance(each, Watchable) and each.is_watched)


def _asked(source: Watchable, mark: str | None, key: Expression) -> Stirred:
    try:
        return source.stirred(mark, key)
    except SourceError as error:
        return Stirred(source=source.name, why=say("it cannot be asked: {problem}", problem=error.message))


def _described(source: Watchable) -> Watching:
    try:
        return source.watching()
    except SourceError as error:
        return Watching(source=source.name, why=say("it cannot be asked: {problem}", problem=error.message))
