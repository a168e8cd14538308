"""A run as it stands on record: what it did, or may have done, to which record. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.run import Outcome, OutcomeState
from wxsync.model.unknown import Value

Passing: TypeAlias = Mapping[str, Sequence[FieldChange]]
"""Field -> what becomes of it on the way to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChange:
    """One change of a run that was carried out, or may have been, at least in part."""

    kind: Kind
    verb: Verb
    key: str
    id: str | int | None
    name: str | None
    fields: Mapping[str, FieldChange]
    """An `order` names departments by text alone, as the plan's document does."""
    held: Mapping[str, Value] = field(default_factory=dict)
    """What went with it: of a deletion what was known of the record."""
    on_the_way: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    """What fields held only for a while: a run that died may have left them so."""
    state: OutcomeState | None = OutcomeState.DONE
    """What became of it; None where the run died before it said so."""


def past_changes(
    planned: Iterable[Change], outcomes: Iterable[Outcome], announced: Collection[int]
) -> tuple[PastChange, ...]:
    """What the run did that planned all this, in its order, without what was temporary or kept.

    `announced` are the numbers of changes of which some call was announced: of a run that died those count
    of which no outcome is on record. So does what failed, or was left, after some call of it was made.
    """
    ended = {outcome.n: outcome for outcome in outcomes}
    passing: dict[tuple[Kind, str], dict[str, list[FieldChange]]] = {}
    written: list[tuple[int, str, Change]] = []
    tried: set[tuple[Kind, str]] = set()
    for n, change in enumerate(planned, 1):
        if change.key is None or change.verb is Verb.KEEP:
            continue
        record = (change.kind, change.key)
        if _was_tried(ended.get(n), is_announced=n in announced):
            tried.add(record)
        if change.is_temporary:
            for name, values in change.fields.items():
                passing.setdefault(record, {}).setdefault(name, []).append(values)
        else:
            written.append((n, change.key, change))
    return tuple(
        _past_change(
            key,
            change,
            passing.get((change.kind, key), {}),
            None if (end := ended.get(n)) is None else end.state,
        )
        for n, key, change in written
        if (change.kind, key) in tried
    )


def _was_tried(outcome: Outcome | None, *, is_announced: bool) -> bool:
    if outcome is None:
        return is_announced
    return outcome.state in (OutcomeState.DONE, OutcomeState.UNKNOWN) or outcome.attempts > 0


def _past_change(key: str, change: Change, passing: Passing, state: OutcomeState | None) -> PastChange:
    fields = dict(change.fields)
    on_the_way = {name: tuple(each.after for each in some) for name, some in passing.items()}
    for name, passed in on_the_way.items():
        # What gave way for a while is said to go from there to its end: it came from before that.
        if name in fields and fields[name].before in passed:
            fields[name] = FieldChange(passing[name][0].before, fields[name].after)
    fields |= _lost_marks(fields, change.held or {}) if change.verb is not Verb.DELETE else {}
    return PastChange(
        kind=change.kind,
        verb=change.verb,
        key=key,
        id=change.id,
        name=change.name,
        fields=fields,
        held=change.held or {},
        on_the_way=on_the_way,
        state=state,
    )


def _lost_marks(fields: Mapping[str, FieldChange], held: Mapping[str, Value]) -> dict[str, FieldChange]:
    """The marks that went with the departments that somebody left: fields that the change did not name."""
    places = fields["departments"].after if "departments" in fields else None
    if not isinstance(places, tuple):
        return {}
    there = {str(ref) for ref in places}
    lost: dict[str, FieldChange] = {}
    for name in ("is_leader", "order"):
        marks = held.get(name)
        if name not in fields and isinstance(marks, tuple):
            kept = tuple(mark for mark in marks if str(mark[0] if isinstance(mark, tuple) else mark) in there)
            lost[name] = FieldChange(marks, cast("Value", kept))
    return lost
