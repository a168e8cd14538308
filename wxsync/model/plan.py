"""Every change that would make actual equal to desired, in order; the plan as data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from wxsync.model.change import VERBS, Change, Kind, Rejected, Verb
from wxsync.model.desired import Aside, ReadingProof
from wxsync.model.loss import Loss
from wxsync.model.message import Message
from wxsync.model.unknown import UNKNOWN, Value

Names: TypeAlias = Mapping[tuple[Kind, str], str]
"""(kind, key) -> name."""

PLAN_FORMAT = "wxsync-plan/1"
DIGESTED: Final = ("kind", "verb", "key", "id", "fields", "reason", "temporary")
"""What of a change the digest covers."""
LEFT_DIGEST: Final = "left_digest"
"""In a plan's JSON form from which somebody was erased: the digest of what is left of it."""
CANONICAL: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many changes of a kind the plan holds, and how many a run may make unasked."""

    name: str
    count: int
    allowed: int | None
    """None where there is no limit."""
    detail: str | None = None
    """What was counted where one name covers several: a field, or "source.query"."""
    is_absolute: bool = False
    """WeCom's own bound, and not the config's: no approval lifts it."""
    window: str | None = None
    """"24h" or "7d": what runs of the last so many hours or days did unasked is counted too; None: this plan
    alone."""

    @property
    def is_exceeded(self) -> bool:
        return self.allowed is not None and self.count > self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What carrying the plan out will take."""

    calls: int
    seconds: float
    method: str = "single"
    rows: int = 0
    """Changes that go as rows of files."""
    weighed: tuple[Forecast, ...] = ()
    """The ways that were compared, this one included; empty where there is but one."""
    obstacles: tuple[Message, ...] = ()
    """What stands against files that replace everybody, where the config asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One sync's plan. `changes` are in order; the n of a change is its place, from 1."""

    sync: str
    corp_id: str
    created_at: datetime
    is_complete: bool
    changes: tuple[Change, ...]
    rejected: tuple[Rejected, ...] = ()
    limits: tuple[Limit, ...] = ()
    forecast: Forecast
    foreign: Mapping[Kind, int] = field(default_factory=dict)
    """Foreign records that nothing in the source resembles: counted as kept, not listed."""
    readings: tuple[ReadingProof, ...] = ()
    asides: tuple[Aside, ...] = ()
    """What later sources have beyond the first one, or otherwise than it: it counts for nothing."""
    names: Names = field(default_factory=dict)
    """Of the departments and people that fields point to: for readers, not part of the digest."""
    not_undoable: tuple[Loss, ...] = ()
    """What `wxsync undo` would not bring back of it; of an undo what it does not bring back."""
    causes: tuple[Message, ...] = ()
    """Where a limit is exceeded: what it comes from, as far as that can be found."""
    waits: tuple[Message, ...] = ()
    """Why it waits for approval, be it within its limits; none where it need not."""
    undoes: int | None = None
    """The run that it takes back; None: it follows the sources."""
    digest: str = field(init=False, repr=False, compare=False)
    """The identity of what the plan would do (contract §4), equal for equal inputs. Worked out once: it is
    asked for again and again, and goes through every change."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_of(self.sync, self.corp_id, self.writes, self.undoes))

    @property
    def summary(self) -> dict[Kind, dict[Verb, int]]:
        """kind -> verb -> how many; temporary changes are not counted."""
        counts = {kind: dict.fromkeys(verbs, 0) for kind, verbs in VERBS.items()}
        for change in self.changes:
            if not change.is_temporary:
                counts[change.kind][change.verb] += 1
        for kind, number in self.foreign.items():
            counts[kind][Verb.KEEP] += number
        return counts

    @property
    def writes(self) -> tuple[Change, ...]:
        """The changes whose verb is not keep."""
        return tuple(change for change in self.changes if change.verb is not Verb.KEEP)

    @property
    def exceeded(self) -> tuple[Limit, ...]:
        return tuple(limit for limit in self.limits if limit.is_exceeded)

    @property
    def wants_approval(self) -> bool:
        """It is carried out only if somebody says yes to it."""
        return bool(self.exceeded or self.waits)

    @property
    def command(self) -> str:
        """What plans the same anew and carries it out."""
        return f"wxsync apply {self.sync}" if self.undoes is None else f"wxsync undo {self.undoes} --apply"

    @property
    def is_approvable(self) -> bool:
        """An approval lifts every limit that is exceeded."""
        return not any(limit.is_absolute for limit in self.exceeded)


def digest_of(sync: str, corp_id: str, writes: Iterable[Change], undoes: int | None = None) -> str:
    """`sha256:…` over canonical JSON of the changes, without their n, why and name.

    That of an undo names the run too: whoever approves it approves no other plan of the same changes.
    """
    return _hashed(sync, corp_id, map(digested, writes), undoes)


def document_digest(document: Mapping[str, Any]) -> str:
    """The same of a plan's JSON form, worked out anew from its changes, which may come one by one.

    Raises KeyError, TypeError or ValueError where it is no plan.
    """
    entries = (
        {name: change[name] for name in DIGESTED if name in change}
        for change in document["changes"]
        if change["verb"] != Verb.KEEP.value
    )
    return _hashed(document["sync"], document["corp_id"], entries, document.get("undoes"))


def noted_digest(document: Mapping[str, Any]) -> str:
    """The digest that a plan's JSON form says it has: since somebody was erased from it, that of the rest.

    Raises KeyError where it says none.
    """
    noted: str = document[LEFT_DIGEST] if LEFT_DIGEST in document else document["digest"]
    return noted


def _hashed(sync: str, corp_id: str, entries: Iterable[Mapping[str, Any]], undoes: int | None) -> str:
    # Change by change: the whole text would be longer than the plan. "changes" sorts before the other names.
    rest = {"corp_id": corp_id, "format": PLAN_FORMAT, "sync": sync} | (
        {} if undoes is None else {"undoes": undoes}
    )
    hashed = hashlib.sha256(b'{"changes":[')
    comma = b""
    for entry in entries:
        hashed.update(comma + CANONICAL.encode(entry).encode())
        comma = b","
    hashed.update(b"]," + CANONICAL.encode(rest)[1:].encode())
    return "sha256:" + hashed.hexdigest()


def digested(change: Change) -> dict[str, Any]:
    """A change as the digest sees it; also the core of its JSON form."""
    document: dict[str, Any] = {
        "kind": change.kind.value,
        "verb": change.verb.value,
        "key": change.key,
        "id": change.id,
        "fields": {
            name: {"before": plain(values.before), "after": plain(values.after)}
            for name, values in change.fields.items()
        },
    }
    if change.reason is not None:
        document["reason"] = change.reason.value
    if change.is_temporary:
        document["temporary"] = True
    return document


def plain(value: Value) -> Any:
    """A field's value as JSON: an unknown one is `{"unknown": true}`, orders are an object."""
    if value is UNKNOWN:
        return {"unknown": True}
    if isinstance(value, tuple):
        orders = [item for item in value if isinstance(item, tuple)]
        return {str(ref): number for ref, number in orders} if orders else list(value)
    return value
