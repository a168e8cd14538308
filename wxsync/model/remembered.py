"""What the mirror remembers of a corp: which records are ours, and what they were last known to hold."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from wxsync.model.change import Change
from wxsync.model.drift import Drift, DriftPlace
from wxsync.model.event import Told
from wxsync.model.member import Member
from wxsync.model.message import Message
from wxsync.model.seen import ReadingWay
from wxsync.model.unknown import UNKNOWN, Unknown, Value
from wxsync.model.uses import PastUses

NO_DOUBTS: Final[Mapping[str, tuple[Value, ...]]] = MappingProxyType({})
"""One for all: nearly everybody has none."""


class LinkState(StrEnum):
    """How sure it is that a record in WeCom is ours."""

    PENDING = "pending"
    """Its creation was announced here; whether WeCom carried it out is not on record."""
    OURS = "ours"
    GONE = "gone"
    """It was ours and is no more; its id is never given to another record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedDepartment:
    """A department of ours. `name` and `order` are UNKNOWN until seen or written."""

    key: str
    id: int
    state: LinkState
    parent_id: int | None = None
    """The parent under which it was announced (PENDING) or last known to be."""
    name: str | Unknown = UNKNOWN
    order: int | Unknown = UNKNOWN
    doubted_names: tuple[str, ...] = ()
    """Where the name is UNKNOWN because nobody knows what became of a call: the names that it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedMember:
    """A member of ours: the link, and the last known value of every field (else UNKNOWN)."""

    state: LinkState
    member: Member
    unproven: frozenset[str] = frozenset()
    """Fields that were sent and answered with ok, but that WeCom may have ignored (gotcha 2)."""
    disabled_at: datetime | None = None
    """When wxsync disabled this member; None where it did not, or enabled it again. UTC."""
    left_at: datetime | None = None
    """Since when this member is a leaver by our reckoning. UTC."""
    recreated_at: datetime | None = None
    """When it was last created again after a hand had deleted it in WeCom: once a day at most. UTC."""
    doubts: Mapping[str, tuple[Value, ...]] = field(default_factory=lambda: NO_DOUBTS)
    """Fields that are UNKNOWN because nobody knows what became of a call -> the values that they may have."""
    missing_since: datetime | None = None
    """Since when WeCom was seen without it. Who has its userid later was put there by a hand. UTC."""
    gone_at: datetime | None = None
    """GONE only: since when. UTC."""
    has_activated: bool = False
    """It was seen activated: WeCom no longer says so of somebody who is disabled."""
    announced_department_ids: tuple[int, ...] = ()
    """PENDING only: the departments that the creation asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedTag:
    """A tag of ours; `userids` (folded) are those whom wxsync put in, by hand added ones are not."""

    name: str
    id: int
    state: LinkState
    userids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedWay:
    """How details of a corp were last read."""

    way: ReadingWay
    has_app: bool
    """An app was configured when this way was found."""
    found_at: datetime
    """When it was found by trying. UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """All that the mirror knows of one sync (links of every state, keyed by source key or tag name)."""

    departments: Mapping[str, RememberedDepartment] = field(default_factory=dict)
    members: Mapping[str, RememberedMember] = field(default_factory=dict)
    tags: Mapping[str, RememberedTag] = field(default_factory=dict)
    has_been_applied: bool = False
    """Some run of this sync was applied to its end: the first load is over."""
    baselines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(source, query) -> rows in the last complete read of a run that was applied or approved."""
    highest_department_id: int = 1
    """The highest department id that the mirror ever saw or chose in this corp."""
    highest_tag_id: int = 0
    elsewhere_userids: frozenset[str] = frozenset()
    """Folded userids that other syncs of the same corp own."""
    elsewhere_department_ids: frozenset[int] = frozenset()
    elsewhere_tag_ids: frozenset[int] = frozenset()
    """Departments and tags that other syncs of the same corp own."""
    retired_userids: Mapping[str, str] = field(default_factory=dict)
    """Folded userid -> the key of the one who had it and was deleted, in any sync of the corp."""
    erased_userids: Set[str] = frozenset()
    """`taken_hash` of the userids of those who were erased: nobody else gets one."""
    missed_reads: Mapping[str, int] = field(default_factory=dict)
    """Member key -> how many complete readings in a row lacked somebody of ours, up to the last run."""
    drifts: Mapping[DriftPlace, Drift] = field(default_factory=dict)
    """What hands changed in WeCom and is not as the source has it, or was not a short while ago."""
    created_this_month: int = 0
    """Whom the corp's syncs created, or may have, within 30 days; counted only where there is a cap."""
    uses: PastUses = field(default_factory=PastUses)
    """What runs of this sync did unasked within the windows of its limits."""
    demanded: Message | None = None
    """Why the next plan that changes anybody waits for approval, whatever sets its run off."""
    left_of_approved: tuple[Change, ...] = ()
    """What an approved run that was cut off has left to be changed in members, while its approval goes on."""
    failed_lately: frozenset[str] = frozenset()
    """Folded userids of members of whom something failed in the last run."""
    tags_in_doubt: frozenset[int] = frozenset()
    """Ids of tags into which a call of ours put people, or did not: nobody knows what became of it."""
    told: tuple[Told, ...] = ()
    """What events told of members, and no applied run has taken in yet."""
    written_at: Mapping[str, datetime] = field(default_factory=dict)
    """When wxsync last wrote to each of those, by folded userid."""
    applied_config: Mapping[str, str] | None = None
    """The config of the last run that was applied or approved, path by path (`wxsync.model.config_mark`)."""
