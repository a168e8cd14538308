"""How everything stands at one moment, by the mirror: the ground of all metrics but the process's own.

Every daemon on one mirror comes to the same, whichever of them leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from wxsync.config.cron import parse_cron
from wxsync.config.settings import Settings, SyncSettings
from wxsync.mirror import latest, measurements
from wxsync.mirror.latest import Latest
from wxsync.mirror.lease import Holder, holders
from wxsync.mirror.measurements import Numbers, Place
from wxsync.mirror.quota import Counted, counted_calls
from wxsync.mirror.schema import confirm_fit
from wxsync.mirror.store import Store
from wxsync.model.quota import Window
from wxsync.service.intervals import longest_interval
from wxsync.service.leading import lead_of
from wxsync.service.wall_clock import to_wall
from wxsync.wecom.limits import account_of

Backlog = Callable[[Connection], Mapping[str, tuple[int, datetime]]]
"""Corp -> how many callbacks wait to be worked off, and when the oldest of them came."""

LEADING: Final = lead_of("")
"""Before a corp's name: the lease of the daemon that leads it."""
ADDRESS: Final = "address"
"""In the place of a corp_id: what all corps together are counted under, as one address."""
VERBS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"apply": ("apply",), "plan": ("plan", "apply")}
)
"""A sync's mode -> the verbs of the runs by which it stands: a look by hand is no run of one that applies."""
RECKONED: Final = timedelta(hours=6)
"""For so long the longest pause of a schedule is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFacts:
    """How one sync stands."""

    corp: str
    sync: str
    interval: timedelta | None
    """Between two starts of its schedule, the longest; None where it has none."""
    latest: Latest
    numbers: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaFacts:
    """How many calls of a kind were made in a window, of as many as WeCom takes."""

    corp: str
    """Empty: of all corps together, as one address."""
    call: str
    window: int
    """Seconds."""
    used: int
    allowed: int
    held: float
    """Seconds for which WeCom takes no more of them; 0 where it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How everything stands."""

    at: datetime
    corps: tuple[str, ...] = ()
    syncs: tuple[SyncFacts, ...] = ()
    quotas: tuple[QuotaFacts, ...] = ()
    leases: Mapping[str, Holder] = field(default_factory=dict)
    """Corp -> whose run has it."""
    leaders: Mapping[str, Holder] = field(default_factory=dict)
    jobs: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)
    backlog: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)


class FactsReader:
    """Reads facts; keeps what the pauses of schedules are, which take long to reckon. For one thread."""

    def __init__(
        self,
        store: Store,
        current: Callable[[], Settings],
        *,
        backlog: Backlog | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._current = current
        self._backlog = backlog
        self._clock = clock
        self._intervals: dict[tuple[str, str], tuple[datetime, timedelta | None]] = {}

    def read(self) -> Facts:
        """All of one moment. Blocking; raises MirrorError or SchemaBehindError."""
        settings, now = self._current(), self._clock()
        confirm_fit(self._store)
        with self._store.reading() as connection:
            numbers = measurements.load(connection)
            held = holders(connection)
            return Facts(
                at=now,
                corps=tuple(sorted(settings.corp)),
                syncs=tuple(
                    self._sync(connection, name, sync, numbers.get((sync.corp, name), {}), now)
                    for name, sync in sorted(settings.sync.items())
                ),
                quotas=tuple(_quotas(counted_calls(connection), settings, now)),
                leases={each.corp: each for each in held if not each.corp.startswith(LEADING)},
                leaders={
                    each.corp.removeprefix(LEADING): each for each in held if each.corp.startswith(LEADING)
                },
                jobs=latest.open_jobs(connection),
                backlog={} if self._backlog is None else self._backlog(connection),
            )

    def _sync(
        self,
        connection: Connection,
        name: str,
        sync: SyncSettings,
        numbers: Mapping[Place, int],
        now: datetime,
    ) -> SyncFacts:
        return SyncFacts(
            corp=sync.corp,
            sync=name,
            interval=self._interval(sync, now),
            latest=latest.latest(connection, sync.corp, name, VERBS[sync.mode]),
            numbers=numbers,
        )

    def _interval(self, sync: SyncSettings, now: datetime) -> timedelta | None:
        if sync.schedule is None:
            return None
        key = (sync.schedule, sync.time_zone)
        at, found = self._intervals.get(key, (None, None))
        if at is None or not at <= now < at + RECKONED:
            wall = to_wall(now, ZoneInfo(sync.time_zone))
            found = longest_interval(parse_cron(sync.schedule), wall)
            self._intervals[key] = (now, found)
        return found


def _quotas(counted: Mapping[str, Counted], settings: Settings, now: datetime) -> Iterator[QuotaFacts]:
    names = {corp.corp_id: name for name, corp in settings.corp.items()} | {ADDRESS: ""}
    for name, each in sorted(counted.items()):
        owner, _, call = name.partition(" ")
        if owner in names and call:
            held = 0.0 if each.held_until is None else (each.held_until - now).total_seconds()
            for window in _windows(owner, call):
                room = window.room(each.used.get(window.span, {}), now.timestamp())
                yield QuotaFacts(
                    corp=names[owner],
                    call=call,
                    window=window.span,
                    used=window.limit - room,
                    allowed=window.limit,
                    held=max(held, 0.0),
                )


def _windows(owner: str, call: str) -> list[Window]:
    """An account of any corp says what its address may, too."""
    corp_id = "-" if owner == ADDRESS else owner
    return [each for each in account_of(corp_id, call).windows if each.name == f"{owner} {call}"]
