"""What a look at the sources alone found, for people who write a mapping."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wxsync.model.desired import Desired


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many rows of a query have something in common."""

    by: str
    """What they have in common: "objectClass", or a column such as "parent_dn"."""
    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One query of one source, as it went by."""

    source: str
    query: str
    columns: tuple[str, ...]
    tallies: tuple[Tally, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Everything that the sources of one sync gave, and what the mapping makes of it."""

    sync: str
    read_at: datetime
    glances: tuple[Glance, ...]
    desired: Desired
