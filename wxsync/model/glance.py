"""What a look at the sources alone found, for people who write a mapping."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wxsync.model.desired import Desired


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many rows of a query have something in common."""

    by: str
    """What they have in common: "objectClass", "parent_dn", or "tag"."""
    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One name that the rows of a query have, or an attribute of a directory that was asked for."""

    name: str
    filled: int
    """How many rows have a value there: neither null nor blank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One query of one source, as it went by."""

    source: str
    query: str
    rows: int
    columns: tuple[Column, ...]
    tallies: tuple[Tally, ...] = ()
    """Those of one kind together, the largest number first."""
    is_directory: bool = False
    """Its columns are attributes, of which others were not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Everything that the sources of one sync gave, and what the mapping makes of it."""

    sync: str
    read_at: datetime
    glances: tuple[Glance, ...]
    desired: Desired
