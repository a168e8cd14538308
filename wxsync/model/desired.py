"""What all sources of a sync ask for together, with everything that could not be used and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from wxsync.model.change import Rejected
from wxsync.model.department import Department
from wxsync.model.member import Member
from wxsync.model.message import Message
from wxsync.model.tag import Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many are in one group and are nobody of the sync."""

    name: str
    """The tag's, or the DN of a group that is a department."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingProof:
    """One query of one source: how much it gave, and whether that is proven to be all."""

    source: str
    query: str
    """"departments", "members", "memberships" or "tags"."""
    rows: int
    """Of a directory's groups the places of people in them."""
    is_complete: bool
    problem: Message | None = None
    """Why it is not complete."""
    entries: int | None = None
    """How many entries of a directory the rows were made of, where not each of them is a row."""
    is_file: bool = False
    """It came from a file, which somebody may have cut."""
    unreadable_keys: int = 0
    """Rows whose key cannot be read: each may be anybody."""
    left_out: int = 0
    """How many are in some group of it and are nobody of the sync; whoever is in several counts once."""
    left_out_of: tuple[LeftOut, ...] = ()
    """The same for each group, the largest number first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What a later source says and what does not count, since the sources before it decide."""

    source: str
    query: str
    """"departments" or "members"."""
    column: str | None
    """The column in which it differs from what counts; None: rows that the first source does not have."""
    keys: tuple[str, ...]
    """Of the rows, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """One corp as the sources want it.

    Every parent in `departments` and every department of a member is a key of `departments`, the
    WeCom id of the root department, or a key in `held_departments`; the tree has no loop. Every
    member of a tag is a key of `members`.
    """

    departments: Mapping[str, Department]
    members: Mapping[str, Member]
    """Those who are wanted: active, not ended, with a usable row."""
    tags: Mapping[str, Tag]
    rejected: tuple[Rejected, ...] = ()
    rejected_members: frozenset[str] = frozenset()
    """Keys of people whose own row cannot be used: neither wanted nor gone. `rejected` also names people
    of whom merely a membership row cannot be used: those may be wanted, or gone."""
    held_departments: frozenset[str] = frozenset()
    """Keys of rejected departments and of everything below them in the source's tree."""
    leavers: Mapping[str, Message] = field(default_factory=dict)
    """Keys that the source itself calls inactive or past the end date, with the reason."""
    starts: Mapping[str, date] = field(default_factory=dict)
    """Keys in `members` whose first day is yet to come: kept where they exist, else not created."""
    undecided_places: frozenset[tuple[str, str]] = frozenset()
    """(tag name, member key) whose rule failed: whatever holds now stays."""
    undecided_tags: frozenset[str] = frozenset()
    """Tags with a rejected row: nobody is taken out of them."""
    empty_tags: frozenset[str] = frozenset()
    """Tags that the source has, and in which it has nobody: not made for that, and not dropped either."""
    undecided_memberships: frozenset[str] = frozenset()
    """Member keys with a rejected membership row: their departments stay as they are."""
    leaders_left_out: Mapping[str, str] = field(default_factory=dict)
    """Member key -> a direct leader's key that no source knows: not sent, and listed."""
    readings: tuple[ReadingProof, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    """Source -> where it stood just before it was read, of those that are watched."""
    asides: tuple[Aside, ...] = ()
    """In the order of the config: what later sources have beyond the first one, or otherwise than it."""
    found_again: frozenset[str] = frozenset()
    """Keys that a reading lacked and that a second look found all the same."""
    lacking: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Later source that was read whole -> keys of people whose fields it gives, and whom it does not have."""
    whereabouts: Mapping[str, Message] = field(default_factory=dict)
    """Keys that no reading has -> where the source's system still has them: moved away, and not gone."""
    places_are_mapped: bool = True
    """The mapping or a memberships query says where people are; without that a new member is put
    into the root department, and nobody is ever moved."""
    tags_are_mapped: bool = False
    """The sync has tags by rule or by rows; without them tags are none of its business."""
    root_key: str | None = None
    """The source's key of the row that IS the root department, if there is one."""

    @property
    def is_complete(self) -> bool:
        """Every reading is proven to be whole: without that nothing is removed."""
        return all(reading.is_complete for reading in self.readings)

    def is_doubtful(self, query: str) -> bool:
        """Some row of `query` has no readable key: nobody in it may be taken for absent."""
        return any(reading.query == query and reading.unreadable_keys for reading in self.readings)
