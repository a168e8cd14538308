"""A plan's document -> its changes and limits, as they were planned. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wxsync.errors import MirrorError
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.model.plan import Limit
from wxsync.model.unknown import UNKNOWN, Value

START: Final = '\n  "changes": ['
"""Nothing else in a plan's document looks so: within a text every line feed has a backslash in its place."""
LIMITS: Final = '\n  "limits": '
PLANNED: Final = say("as it was planned")


def saved_changes(document: str) -> Iterator[Change]:
    """Every change of the plan in order, one at a time: a plan may have very many.

    What says why is not among it, and of `order` the ids of departments are texts; the digest of a change is
    the same. Raises MirrorError where the document is no plan.
    """
    decoder = json.JSONDecoder()
    place = document.find(START)
    if place < 0:
        raise _unreadable()
    place += len(START)
    while (place := _next(document, place)) >= 0:
        try:
            said, place = decoder.raw_decode(document, place)
            change = _to_change(said)
        except (ValueError, KeyError, TypeError, AttributeError):
            # Nothing of the error's own text: it quotes values.
            raise _unreadable() from None
        yield change


def saved_limits(document: str) -> tuple[Limit, ...]:
    """Every limit as the plan had it. Raises MirrorError where the document is no plan."""
    place = document.find(LIMITS)
    try:
        said, _ = json.JSONDecoder().raw_decode(document, place + len(LIMITS))
        return tuple(_to_limit(each) for each in said) if place >= 0 else ()
    except (ValueError, KeyError, TypeError):
        raise _unreadable() from None


def _to_limit(said: Mapping[str, Any]) -> Limit:
    return Limit(
        name=said["name"],
        count=said["count"],
        allowed=said["allowed"],
        detail=said.get("detail"),
        window=said.get("window"),
    )


def _next(document: str, place: int) -> int:
    """Where the next change begins; below 0 where the list ends."""
    while place < len(document) and document[place] in " \n,":
        place += 1
    return place if document.startswith("{", place) else -1


def _to_change(said: Mapping[str, Any]) -> Change:
    reason = said.get("reason")
    return Change(
        kind=Kind(said["kind"]),
        verb=Verb(said["verb"]),
        key=said["key"],
        id=said["id"],
        name=said["name"],
        fields={
            name: FieldChange(_to_value(values["before"]), _to_value(values["after"]))
            for name, values in said["fields"].items()
        },
        why=PLANNED,
        reason=None if reason is None else Reason(reason),
        is_temporary=bool(said.get("temporary")),
        held={name: _to_value(value) for name, value in said["held"].items()} if "held" in said else None,
    )


def _to_value(said: Any) -> Value:
    if isinstance(said, dict):
        return UNKNOWN if said == {"unknown": True} else tuple(said.items())
    return tuple(said) if isinstance(said, list) else said


def _unreadable() -> MirrorError:
    return MirrorError(
        "the mirror's record of a run's plan cannot be read",
        hint="put back a copy of the mirror that is whole",
    )
