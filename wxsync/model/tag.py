"""A tag as the sources ask for it, or as WeCom has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One tag of ours, known by its name; `members` are member keys."""

    name: str
    members: frozenset[str]
    id: int | None = None
    shown_name: str | None = None
    """What WeCom calls it, where a hand has renamed it there; None or `name` where nobody has."""
