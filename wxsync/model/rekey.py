"""Other keys for the same records: what a directory migration, or a new numbering in HR, leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wxsync.model.change import Kind
from wxsync.model.drift import Drift, DriftPlace
from wxsync.model.remembered import RememberedDepartment, RememberedMember


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """One record that the source now calls by another key."""

    kind: Kind
    """Members or departments; tags go by name."""
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """What the mirror remembers from now on, by the keys under which it remembered it before."""

    pairs: tuple[KeyPair, ...]
    members: Mapping[str, RememberedMember]
    """Those with another key, and those who are in a department or led by somebody with another key."""
    departments: Mapping[str, RememberedDepartment]
    missed_reads: Mapping[str, int]
    """By the new keys."""
    retired_userids: Mapping[str, str]
    """Folded userid -> the new key of whoever had it, where that is another one."""
    drifts: Mapping[DriftPlace, Drift] = field(default_factory=dict)
    """What hands changed of such records, by where it was noted before."""
