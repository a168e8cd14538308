"""What a row of a file can say of one unit of a schedule, and what needs a call of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from wxsync.engine.actual import Actual
from wxsync.engine.schedule import Row, Unit
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.member import PLACE_FIELDS, Member
from wxsync.model.remembered import Remembered
from wxsync.model.unknown import UNKNOWN, Value
from wxsync.wecom.wire.import_file import can_say

IMPORTED_VERBS: Final = (Verb.CREATE, Verb.UPDATE, Verb.ENABLE, Verb.DISABLE)
REACHABLE: Final = ("email", "mobile")
"""One of them is in every row (WeCom page 90980)."""

ROWS_AT_ONCE: Final = 10_000
"""Rows of one file. More would go into WeCom's 20 MB, but not into little memory."""


def member_change(unit: Unit, changes: Sequence[Change]) -> tuple[Change, Mapping[str, FieldChange]] | None:
    """The change of a unit that one row could carry out, and the fields that are the unit's share of it."""
    if len(unit.parts) != 1:
        return None
    part = unit.parts[0]
    change = changes[part.n - 1]
    if change.kind is not Kind.MEMBER or change.is_temporary:
        return None
    fields = dict(change.fields)
    if part.fields is not None:
        fields = {name: fields[name] for name in sorted(part.fields)}
    return change, fields


def row_of(
    number: int, unit: Unit, changes: Sequence[Change], actual: Actual, remembered: Remembered
) -> Row | None:
    """The row of a file that creates and updates members (WeCom page 90980); None where a call must do it."""
    found = member_change(unit, changes)
    if found is None or found[0].verb not in IMPORTED_VERBS:
        return None
    change, fields = found
    if change.verb is Verb.CREATE:
        return creation_row(number, fields)
    return _update_row(number, str(change.key), fields, actual, remembered)


def required(known: Member, fields: Mapping[str, FieldChange]) -> dict[str, Value] | None:
    """What every row must have and `fields` do not say: the name, and an address or number as it is known.

    None where that is not known well enough to be said again.
    """
    said: dict[str, Value] = {}
    if "name" not in fields:
        said["name"] = known.name
    if not any(name in fields for name in REACHABLE):
        said |= next(
            ({name: getattr(known, name)} for name in REACHABLE if can_say(name, getattr(known, name))),
            {"email": UNKNOWN},
        )
    return said if all(can_say(name, value) for name, value in said.items()) else None


def creation_row(number: int, fields: Mapping[str, FieldChange]) -> Row | None:
    """A new member has nothing yet that an empty cell could keep, so what is empty needs no word."""
    if "departments" not in fields:
        return None  # what completes a creation
    said = {name for name, values in fields.items() if values.after is None or can_say(name, values.after)}
    is_reachable = any(
        name in said and fields[name].after is not None for name in REACHABLE if name in fields
    )
    if not {"name", "departments"} <= said or not is_reachable:
        return None
    enable = frozenset({"enable"}) if "enable" in fields and fields["enable"].after is False else frozenset()
    rest = frozenset(fields) - said
    return Row(unit=number, said=frozenset(said), rest=rest, columns=frozenset({"new"}) | enable)


def _update_row(
    number: int, key: str, fields: Mapping[str, FieldChange], actual: Actual, remembered: Remembered
) -> Row | None:
    known = actual.members.get(key)
    if known is None or not all(can_say(name, values.after) for name, values in fields.items()):
        return None
    if key in remembered.members:
        is_unproven = "mobile" in remembered.members[key].unproven
        known = replace(known, mobile=UNKNOWN) if is_unproven else known
    said_too = required(known, fields)
    if said_too is None or not keeps_main(known, fields):
        return None
    columns = fields.keys() | said_too.keys()
    if columns & set(PLACE_FIELDS):
        columns = columns | {"departments"}
    return Row(unit=number, said=frozenset(fields), rest=frozenset(), columns=frozenset(columns))


def keeps_main(known: Member, fields: Mapping[str, FieldChange]) -> bool:
    """Whether the main department comes out right, which no column says.

    WeCom keeps the one that there is, and else takes the first (WeCom page 90195).
    """
    if not fields.keys() & set(PLACE_FIELDS):
        return True
    places = fields["departments"].after if "departments" in fields else known.departments
    main = fields["main_department"].after if "main_department" in fields else known.main_department
    if not isinstance(places, tuple) or known.main_department is UNKNOWN or main is UNKNOWN:
        return False
    return len(places) == 1 or main == known.main_department or known.main_department not in places
