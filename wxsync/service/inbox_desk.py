"""Events worked off: what they told is noted, jobs are woken, and the next run is pulled forward.

An event is a hint. What it says of a member of ours is noted beside the mirror's links, for the next plan to
weigh (`engine.told`); whatever else it is about, the next run reads from WeCom itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog

from wxsync.errors import WxsyncError
from wxsync.mirror.inbox import Receiver, Waiting, put_worked, waiting
from wxsync.mirror.retention import tidy_events
from wxsync.mirror.store import Store
from wxsync.mirror.told import note_told
from wxsync.model.event import (
    AnyEvent,
    CardEvent,
    DepartmentEvent,
    JobEvent,
    MemberEvent,
    TagEvent,
    Told,
    UnknownEvent,
)
from wxsync.model.member import fold
from wxsync.wecom.events import parse_event

AT_ONCE: Final = 500
LONGEST_FIELD: Final = 255
"""Characters of a field's name that the mirror takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """What is done outside the mirror; all of it in the loop that works events off."""

    on_change: Callable[[str], None]
    """The directory of this corp has changed: its syncs want a run."""
    on_job: Callable[[str, str], None]
    """This job of the corp is over: (corp, WeCom's job id)."""
    on_card: Callable[[str, CardEvent], Awaitable[None]] | None = None
    """Somebody pressed something on a card. The same click may come again: its task id tells. None: a click
    is left for whoever else works it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What a round came to."""

    changes: int = 0
    jobs: int = 0
    cards: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Name of an event that nothing goes by -> how many."""

    @property
    def count(self) -> int:
        return self.changes + self.jobs + self.cards + sum(self.unknown.values())


async def work_off(
    store: Store,
    corp: str,
    reactions: Reactions,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Worked:
    """Works off all that waits for the corp, the oldest first; for the one daemon that leads it.

    What was told of members and that it was worked off go into one transaction. A round that breaks off is
    done again: each reaction may come twice. Raises MirrorError.
    """
    counts: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    after = 0
    while letters := await asyncio.to_thread(_next, store, corp, after):
        after = letters[-1].id
        events = [(letter, _event_of(letter)) for letter in letters]
        for_now = [(letter, event) for letter, event in events if not isinstance(event, CardEvent)]
        clicks = [(letter, event) for letter, event in events if isinstance(event, CardEvent)]
        await asyncio.to_thread(_note, store, corp, for_now, clock())
        _react(corp, [event for _, event in for_now], reactions)
        counts["cards"] += await _press(store, corp, clicks, reactions, clock)
        for _, event in for_now:
            counts["jobs"] += isinstance(event, JobEvent)
            counts["changes"] += isinstance(event, (MemberEvent, DepartmentEvent, TagEvent))
            if isinstance(event, UnknownEvent):
                unknown[event.name] += 1
    return Worked(
        changes=counts["changes"], jobs=counts["jobs"], cards=counts["cards"], unknown=dict(unknown)
    )


async def tidy_inbox(
    store: Store, corp: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Strikes what is too old; to be called every few minutes, as no run may come for long."""
    await asyncio.to_thread(tidy_events, store, corp, clock())


def told_by(event: AnyEvent, received_at: datetime) -> tuple[Told, ...]:
    """What the event says of a member. It happened before it was told of, whatever it says itself."""
    if not isinstance(event, MemberEvent):
        return ()
    userid, told_at = fold(event.userid), min(event.created_at, received_at)
    if event.change == "delete_user":
        return (Told(userid=userid, field="", value=None, told_at=told_at),)
    if event.new_userid is not None:
        return ()
    return tuple(
        Told(userid=userid, field=name, value=value, told_at=told_at)
        for name, value in event.values.items()
        if len(name) <= LONGEST_FIELD
    )


def _event_of(letter: Waiting) -> AnyEvent:
    """What the letter says. Of cards an app's receiver hears, with keys of its own, and no other."""
    event = parse_event(letter.letter.message)
    if isinstance(event, CardEvent) and letter.letter.receiver is not Receiver.APP:
        return UnknownEvent(created_at=event.created_at, name="a click that came to the receiver of contacts")
    return event


def _next(store: Store, corp: str, after: int) -> list[Waiting]:
    with store.reading() as connection:
        return waiting(connection, corp, after=after, limit=AT_ONCE)


def _note(store: Store, corp: str, events: Sequence[tuple[Waiting, AnyEvent]], now: datetime) -> None:
    if not events:
        return
    told = [each for letter, event in events for each in told_by(event, letter.received_at)]
    with store.transaction() as connection:
        if told:
            note_told(connection, corp, told, now)
        put_worked(connection, [letter.id for letter, _ in events], now)


def _react(corp: str, events: Sequence[AnyEvent], reactions: Reactions) -> None:
    for event in events:
        if isinstance(event, JobEvent):
            reactions.on_job(corp, event.job_id)
    if any(isinstance(event, (MemberEvent, DepartmentEvent, TagEvent)) for event in events):
        reactions.on_change(corp)


async def _press(
    store: Store,
    corp: str,
    clicks: Sequence[tuple[Waiting, CardEvent]],
    reactions: Reactions,
    clock: Callable[[], datetime],
) -> int:
    """A click that cannot be worked off now stays for the next round; the others do not wait for it."""
    if reactions.on_card is None:
        return 0
    pressed = 0
    for letter, click in clicks:
        try:
            await reactions.on_card(corp, click)
        except Exception as error:  # whatever was wrong with one click, the others are worked off
            problem = error.message if isinstance(error, WxsyncError) else type(error).__name__
            structlog.get_logger().error("a click on a card stays unworked", corp=corp, problem=problem)
            continue
        await asyncio.to_thread(_note, store, corp, [(letter, click)], clock())
        pressed += 1
    return pressed
