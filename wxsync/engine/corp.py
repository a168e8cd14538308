"""Everything that one sync works with, in one place and for one run at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wxsync.config.settings import SyncSettings
from wxsync.engine.bell import JobBell, Pauses
from wxsync.mirror.retention import Retention
from wxsync.mirror.store import Store
from wxsync.model.job import JobCallback
from wxsync.sources.base import Source
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.gate import Gate
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.media import Media

Clock = Callable[[], datetime]
"""Gives the time, aware and in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corp:
    """One company as one sync sees it: its settings, sources, client, mirror and clock."""

    name: str
    """The corp's name in the config, by which the mirror knows it."""
    corp_id: str
    sync: str
    settings: SyncSettings
    sources: tuple[Source, ...]
    wecom: Contacts
    """By the contact-sync secret: everything is written through it."""
    jobs: Jobs
    media: Media
    """Whole files of changes, by the same secret."""
    store: Store
    gate: Gate
    """In the way of all calls: a run that writes lets none go for which its lease has no time."""
    clock: Clock
    app: Contacts | None = None
    """By the secret of the corp's app, where one is configured: reads what is hidden from `wecom`."""
    sibling_roots: Mapping[str, int] = field(default_factory=dict)
    """Each other sync of the config that feeds the same corp -> its root department."""
    configured: Mapping[str, str] = field(default_factory=dict)
    """What of the config decides what a plan holds: path -> what it holds, without a secret."""
    account_cap: int | None = None
    """How many accounts WeCom lets the corp have; None: the config does not say."""
    concurrency: int = 10
    """Calls under way at once, of this process."""
    retention: Retention = field(default_factory=Retention)
    """How long things are kept."""
    pauses: Pauses = field(default_factory=Pauses)
    """How often a job is asked after."""
    bell: JobBell = field(default_factory=JobBell)
    """Rung where WeCom tells that a job is over."""
    job_callback: JobCallback | None = None
    """Where it is to tell that: whoever listens there rings the bell. None: nobody does."""

    @property
    def siblings(self) -> frozenset[str]:
        """The syncs to which what this one claims must be known, and the other way round."""
        return frozenset(self.sibling_roots)
