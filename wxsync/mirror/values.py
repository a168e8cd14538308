"""Values of records <-> the JSON text in which the mirror keeps them.

A field that is absent is UNKNOWN, null is empty. Department references stay what they are: a text
is our key, a number is WeCom's id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from wxsync.model.member import MEMBER_FIELDS, Member
from wxsync.model.message import Message
from wxsync.model.remembered import NO_DOUBTS
from wxsync.model.unknown import UNKNOWN, Value


def member_values(member: Member) -> str:
    """Everything that is known of `member`, but for its key and userid, as JSON text."""
    known = {name: value for name in MEMBER_FIELDS if (value := getattr(member, name)) is not UNKNOWN}
    if member.extattr:
        known["extattr"] = member.extattr
    return as_text(known)


def to_member(key: str, userid: str, text: str) -> Member:
    """The member whose known values `member_values` wrote down."""
    known: dict[str, Any] = json.loads(text)
    for name, to_tuple in _TUPLES.items():
        value = known.get(name)
        if value is not None:
            known[name] = to_tuple(value)
    return Member(key=key, userid=userid, **known)


def doubts_text(doubts: Mapping[str, tuple[Value, ...]]) -> str | None:
    """What unknown fields may hold, as JSON text; None where nothing is in doubt."""
    return as_text(dict(doubts)) if doubts else None


def to_doubts(text: str | None) -> Mapping[str, tuple[Value, ...]]:
    """The doubts that `doubts_text` wrote down; a list among the values is a row of departments."""
    if text is None:
        return NO_DOUBTS
    return {
        name: tuple(tuple(value) if isinstance(value, list) else value for value in values)
        for name, values in json.loads(text).items()
    }


def fields_text(fields: Mapping[str, Value]) -> str:
    """What fields hold, as JSON text; other than elsewhere an unknown value is written down too."""
    return as_text({name: {"unknown": True} if value is UNKNOWN else value for name, value in fields.items()})


def to_fields(text: str) -> dict[str, Value]:
    """The fields that `fields_text` wrote down."""
    return {name: _to_value(value) for name, value in json.loads(text).items()}


def message_text(message: Message | None) -> str | None:
    """A message as JSON text: template and facts apart, so that it can still be translated."""
    if message is None:
        return None
    return as_text({"template": message.template, "facts": dict(message.facts)})


def to_message(text: str | None) -> Message | None:
    """The message that `message_text` wrote down; facts that JSON does not know are now texts."""
    if text is None:
        return None
    written = json.loads(text)
    return Message(written["template"], written["facts"])


def as_text(value: object) -> str:
    """Compact JSON, readable in any script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _to_value(written: Any) -> Any:
    if isinstance(written, dict):
        return UNKNOWN
    return tuple(_to_value(each) for each in written) if isinstance(written, list) else written


def _pairs(value: list[list[Any]]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(pair) for pair in value)


_TUPLES: dict[str, Callable[[list[Any]], tuple[Any, ...]]] = {
    "departments": tuple,
    "is_leader": tuple,
    "order": _pairs,
    "extattr": _pairs,
}
