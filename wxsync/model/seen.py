"""What WeCom lets us see at one moment, before anything that we remember is laid over it."""

from __future__ import annotations

from dataclasses import dataclass

from wxsync.model.unknown import UNKNOWN, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDepartment:
    """A department as `department/simplelist` shows it (WeCom page 95350)."""

    id: int
    parent_id: int
    """0 for the corp's own root."""
    order: int
    name: str | Unknown = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMember:
    """A member as `user/list_id` shows it (WeCom page 96067): where, and nothing else."""

    userid: str
    department_ids: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTag:
    """A tag as `tag/list` shows it; `userids` is None where its members were not asked for."""

    id: int
    name: str
    userids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The whole corp as it was read: no partial reading ever becomes a `Seen`."""

    departments: tuple[SeenDepartment, ...]
    members: tuple[SeenMember, ...]
    tags: tuple[SeenTag, ...]
