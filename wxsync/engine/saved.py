"""A plan's document -> its changes and limits, as they were planned. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wxsync.errors import MirrorError
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.model.plan import LEFT_DIGEST, Limit, document_digest
from wxsync.model.unknown import UNKNOWN, Value

START: Final = '\n  "changes": ['
"""Nothing else in a plan's document looks so: within a text every line feed has a backslash in its place."""
PLANNED: Final = say("as it was planned")


def saved_changes(document: str) -> Iterator[Change]:
    """Every change of the plan in order, one at a time: a plan may have very many.

    What says why is not among it, and of `order` the ids of departments are texts; the digest of a change is
    the same. Raises MirrorError where the document is no plan.
    """
    for said in _entries(document):
        try:
            change = _to_change(said)
        except (ValueError, KeyError, TypeError, AttributeError):
            # Nothing of the error's own text: it quotes values.
            raise _unreadable() from None
        yield change


def is_as_planned(document: str, digest: str) -> bool:
    """Its changes give the digest that was noted apart from it, or since an erasure the one noted in it.

    What the digest does not cover may be another: what a change `held`, what is kept, and what says why. One
    change at a time is looked at. Raises MirrorError where the document is no plan.
    """
    try:
        head = {name: _said(document, name) for name in ("sync", "corp_id", "undoes", LEFT_DIGEST)}
        return document_digest({**head, "changes": _entries(document)}) == (head[LEFT_DIGEST] or digest)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _unreadable() from None


def undone_run(document: str) -> int | None:
    """The run that the plan takes back; None: it follows the sources. Raises MirrorError: it is no plan."""
    try:
        said = _said(document, "undoes")
        return None if said is None else int(said)
    except (ValueError, TypeError):
        raise _unreadable() from None


def saved_limits(document: str) -> tuple[Limit, ...]:
    """Every limit as the plan had it. Raises MirrorError where the document is no plan."""
    try:
        return tuple(_to_limit(each) for each in _said(document, "limits") or ())
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


def _said(document: str, name: str) -> Any:
    """One of the values beside the changes; None where there is none."""
    start = f'\n  "{name}": '
    place = document.find(start)
    return None if place < 0 else json.JSONDecoder().raw_decode(document, place + len(start))[0]


def _entries(document: str) -> Iterator[Mapping[str, Any]]:
    """Every change as it is written there, one at a time."""
    decoder = json.JSONDecoder()
    place = document.find(START)
    if place < 0:
        raise _unreadable()
    place += len(START)
    while (place := _next(document, place)) >= 0:
        try:
            said, place = decoder.raw_decode(document, place)
        except ValueError:
            raise _unreadable() from None
        yield said


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
