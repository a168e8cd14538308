"""What one call says of one member: a change's fields as WeCom ids and userids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wxsync.engine.ledger import EXTATTR, Ledger
from wxsync.model.change import FieldChange
from wxsync.model.member import PLACE_FIELDS, TEXT_FIELDS, Member, MemberWrite
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Unknown


def to_write(
    userid: str, fields: Mapping[str, FieldChange], known: Member | None, ledger: Ledger, root: int
) -> MemberWrite:
    """The call that gives `fields` their new values.

    `known` is the member as it is (None for a new one): WeCom takes departments, marks and orders
    together, so those that do not change are said again.
    """
    values: dict[str, Any] = {
        name: change.after for name, change in fields.items() if name in TEXT_FIELDS or name == "enable"
    }
    if "direct_leader" in fields:
        leader = fields["direct_leader"].after
        values["direct_leader"] = ledger.userid(leader) if isinstance(leader, str) else None
    if any(name in fields for name in PLACE_FIELDS):
        values |= _places(fields, known, ledger, root)
    values["extattr"] = tuple(
        (name.removeprefix(EXTATTR), cast("str | None", change.after))
        for name, change in fields.items()
        if name.startswith(EXTATTR)
    )
    return MemberWrite(userid=userid, **values)


def place_ids(fields: Mapping[str, FieldChange], ledger: Ledger) -> tuple[int, ...]:
    """The ids of the departments that `fields` asks for; all of them exist by now."""
    refs = cast("tuple[DepartmentRef, ...]", fields["departments"].after)
    return tuple(cast("int", ledger.department_id(ref)) for ref in refs)


def _places(
    fields: Mapping[str, FieldChange], known: Member | None, ledger: Ledger, root: int
) -> dict[str, Any]:
    refs = cast("tuple[DepartmentRef, ...]", _final("departments", fields, known))
    main = _final("main_department", fields, known)
    values: dict[str, Any] = {}
    if main is not UNKNOWN and main in refs:
        values["main_department"] = ledger.department_id(cast("DepartmentRef", main))
    if fields.keys() & set(PLACE_FIELDS) == {"main_department"}:
        return values
    values["departments"] = tuple(cast("int", ledger.department_id(ref)) for ref in refs)
    if any(isinstance(ref, int) and ref != root for ref in refs):
        return values  # the marks in a foreign department are nobody's to guess: no array is sent
    leads = _final("is_leader", fields, known)
    if not isinstance(leads, Unknown):
        values["is_leader"] = tuple(ref in cast("tuple[DepartmentRef, ...]", leads) for ref in refs)
    orders = _final("order", fields, known)
    if not isinstance(orders, Unknown) and orders:
        numbers = dict(cast("tuple[tuple[DepartmentRef, int], ...]", orders))
        values["order"] = tuple(numbers.get(ref, 0) for ref in refs)
    return values


def _final(name: str, fields: Mapping[str, FieldChange], known: Member | None) -> Any:
    """What the field will hold after the call."""
    if name in fields:
        return fields[name].after
    return UNKNOWN if known is None else getattr(known, name)
