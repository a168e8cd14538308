"""The audit trail's lines: who was changed, by which call, when, why, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from wxsync.model.change import FieldChange, Kind, Verb
from wxsync.model.message import Message
from wxsync.model.run import OutcomeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One write to WeCom, by a call or by the row of a file; an adoption, which writes nothing, too.

    Of a line whose person was erased `key`, `id`, `name`, the values and the facts of messages are gone.
    """

    kind: Kind
    verb: Verb
    call: str | None = None
    """WeCom's name of it, as the journal has it; None where nothing was sent."""
    n: int | None = None
    """The change of the run's plan; None where a later run found out about it."""
    step: int | None = None
    state: OutcomeState
    errcode: int | None = None
    key: str | None = None
    id: str | int | None = None
    name: str | None = None
    fields: Mapping[str, FieldChange] = field(default_factory=dict)
    joined: tuple[str, ...] = ()
    """Userids that were put into a tag; who was erased is left out, and counted in `erased`."""
    left: tuple[str, ...] = ()
    why: Message | None = None
    hint: Message | None = None
    is_temporary: bool = False
    is_settled: bool = False
    """Found out by a later run: the one that made the call did not live to tell."""
    erased: int = 0
    """So many people's share of the line was erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A limit that the run was allowed to exceed."""

    name: str
    detail: str | None
    count: int
    allowed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run began to write: on whose word, and by which plan."""

    verb: str
    trigger: str
    digest: str
    sources: tuple[str, ...]
    approved_by: str | None = None
    lifted: tuple[Lifted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Somebody's values were destroyed. Says which ones, and not whose."""

    values: tuple[tuple[int, int], ...]
    """(seq, place) of each."""
    why: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """The trail's oldest lines were struck because of their age: all up to `until`, which had this hash."""

    until: int
    hash: str


AuditRecord: TypeAlias = Deed | Begun | Erased | Pruned


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What is to be put at the trail's end."""

    sync: str | None
    run_id: int | None
    record: AuditRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """What stands in the trail."""

    seq: int
    at: datetime
    sync: str | None
    run_id: int | None
    record: AuditRecord
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """The first place where the trail is not what was written."""

    seq: int
    problem: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk through a corp's whole trail found."""

    corp: str
    lines: int
    first: int
    """The oldest line that is kept; 1 where none was pruned."""
    head: int
    """The newest line; 0 before any."""
    head_hash: str
    erased: int
    """Values that were erased, as lines say."""
    flaw: Flaw | None = None
    has_given_head: bool | None = None
    """Whether the hash that was asked for is in it; None where none was."""
