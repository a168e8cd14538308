"""What is otherwise in a plan than in the one that somebody approved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, TypeAlias

from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.message import Message, say
from wxsync.model.plan import digested
from wxsync.model.unknown import UNKNOWN, Value
from wxsync.report.masking import mask, mask_by_look

MOST_TOLD: Final = 20
"""So many differences are told."""

Place: TypeAlias = tuple[Kind, str, bool]
"""Which record, and whether by a temporary change of it."""


def differences(approved: Iterable[Change], planned: Iterable[Change]) -> tuple[Message, ...]:
    """The differences in words, at most `MOST_TOLD` and a line for the rest; personal values masked.

    Where every change is the same, and one comes earlier or later than it did, that is told.
    """
    told = list(_all(dict(_placed(approved)), dict(_placed(planned))))
    if not told:
        return (say("the same changes come in another order"),)
    if len(told) > MOST_TOLD:
        more = say("and {count} more", count=len(told) - MOST_TOLD)
        return (*islice(told, MOST_TOLD), more)
    return tuple(told)


def _placed(changes: Iterable[Change]) -> Iterator[tuple[Place, Change]]:
    for change in changes:
        if change.verb is not Verb.KEEP:
            name = str(change.id if change.key is None else change.key)
            yield (change.kind, name, change.is_temporary), change


def _all(approved: dict[Place, Change], planned: dict[Place, Change]) -> Iterator[Message]:
    for place, before in approved.items():
        kind, key = place[0], mask_by_look(place[1])
        now = planned.get(place)
        if now is None:
            yield say("{kind} {key}: {verb} is no longer planned", kind=kind, key=key, verb=before.verb)
        elif now.verb is not before.verb:
            yield say(
                "{kind} {key}: {before} was planned, {now} is now",
                kind=kind,
                key=key,
                before=before.verb,
                now=now.verb,
            )
        elif digested(now) != digested(before):
            yield from _of_record(kind, key, before, now)
    for place, now in planned.items():
        if place not in approved:
            yield say(
                "{kind} {key}: {verb} was not planned",
                kind=place[0],
                key=mask_by_look(place[1]),
                verb=now.verb,
            )


def _of_record(kind: Kind, key: str, before: Change, now: Change) -> Iterator[Message]:
    fields = {**before.fields, **now.fields}
    found = [_of_field(kind, key, name, before.fields.get(name), now.fields.get(name)) for name in fields]
    told = [message for message in found if message is not None]
    # The userid, the id of a department that is there by now.
    yield from told or [say("{kind} {key}: it goes by another id in WeCom now", kind=kind, key=key)]


def _of_field(
    kind: Kind, key: str, field: str, before: FieldChange | None, now: FieldChange | None
) -> Message | None:
    if before is None and now is not None:
        return say("{kind} {key}: {field} was not to change", kind=kind, key=key, field=field)
    if now is None or before is None:
        return say("{kind} {key}: {field} is not to change any more", kind=kind, key=key, field=field)
    if _same(before.after, now.after):
        if _same(before.before, now.before):
            return None
        return say(
            "{kind} {key}: {field} held {before}, and holds {now}",
            kind=kind,
            key=key,
            field=field,
            before=_value(field, before.before),
            now=_value(field, now.before),
        )
    return say(
        "{kind} {key}: {field} was to become {before}, and is to become {now}",
        kind=kind,
        key=key,
        field=field,
        before=_value(field, before.after),
        now=_value(field, now.after),
    )


def _same(one: Value, other: Value) -> bool:
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    """An order as a plan's document has it: departments by their text."""
    if isinstance(value, tuple):
        return [(str(item[0]), item[1]) if isinstance(item, tuple) else item for item in value]
    return value


def _value(field: str, value: Value) -> Message | str | tuple[str, ...]:
    shown = mask(field, value)
    if shown is UNKNOWN:
        return say("something unknown")
    if shown is None or shown in ("", ()):
        return say("nothing")
    if isinstance(shown, tuple):
        return tuple(_item(each) for each in shown)
    return str(shown)


def _item(item: object) -> str:
    if isinstance(item, tuple):
        return f"{mask_by_look(str(item[0]))} = {item[1]}"
    return mask_by_look(str(item))
