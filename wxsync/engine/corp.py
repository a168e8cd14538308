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
    store: Store
    clock: Clock
