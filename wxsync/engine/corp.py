"""Everything that one sync works with, in one place and for one run at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from wxsync.config.settings import SyncSettings
from wxsync.mirror.store import Store
from wxsync.sources.base import Source
from wxsync.wecom.contacts import Contacts

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
    store: Store
    clock: Clock
    app: Contacts | None = None
    """By the secret of the corp's app, where one is configured: reads what is hidden from `wecom`."""
    siblings: frozenset[str] = frozenset()
    """The other syncs of the config that feed the same corp."""
    account_cap: int | None = None
    """How many accounts WeCom lets the corp have; None: the config does not say."""

    @property
    def has_siblings(self) -> bool:
        """What this sync claims must be known to others, and the other way round."""
        return bool(self.siblings)
