"""What a creation says of somebody, told by the wanted member itself: a first load has one for everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from wxsync.engine.places import in_order
from wxsync.model.change import FieldChange
from wxsync.model.member import MEMBER_FIELDS, Member
from wxsync.model.unknown import UNKNOWN, Value

EXTATTR: Final = "extattr."
FIELDS: Final = frozenset(MEMBER_FIELDS)
UNSAID: Final = (UNKNOWN, None, ())


class CreationFields(Mapping[str, FieldChange]):
    """Every field that the member shall have, in the order of reports; before it there is nothing.

    It holds the member and nothing else, so that a creation weighs a tenth of the same fields in a dict.
    """

    __slots__ = ("_member",)

    def __init__(self, member: Member) -> None:
        self._member = member

    def __getitem__(self, name: str) -> FieldChange:
        value = self._said(name)
        if value in UNSAID:
            raise KeyError(name)
        return FieldChange(None, value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._said(name) not in UNSAID

    def __iter__(self) -> Iterator[str]:
        member = self._member
        for name in MEMBER_FIELDS:
            if getattr(member, name) not in UNSAID:
                yield name
        for name, value in member.extattr:
            if value:
                yield EXTATTR + name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _said(self, name: str) -> Value:
        if name == "departments" and isinstance(self._member.departments, tuple):
            return in_order(self._member.departments)
        if name in FIELDS:
            value: Value = getattr(self._member, name)
            return value
        attributes = dict(self._member.extattr) if name.startswith(EXTATTR) else {}
        return attributes.get(name.removeprefix(EXTATTR)) or None
