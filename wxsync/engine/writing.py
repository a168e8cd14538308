"""What one call says of one member: a change's fields as WeCom ids and userids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from wxsync.engine.ledger import Ledger
from wxsync.engine.remembering import EXTATTR, value_of
from wxsync.errors import UnsendableError
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


def to_row(member: Member, columns: Sequence[str], ledger: Ledger, *, is_new: bool) -> MemberWrite:
    """All that a file says of this member: name, departments and `columns`, whatever of it changes.

    Raises UnsendableError for what is not known of somebody who is there: a cell would be empty where WeCom
    may hold something. Of somebody new what is not said is empty.
    """
    values: dict[str, Any] = {"name": member.name, **_places_in(member, columns, ledger)}
    attributes: list[tuple[str, str | None]] = []
    for name in columns:
        value = value_of(member, name)
        if value is UNKNOWN and not is_new:
            raise UnsendableError(name, f"of {member.userid!r}: is not known")
        if value is None or value is UNKNOWN:
            continue
        if name.startswith(EXTATTR):
            attributes.append((name.removeprefix(EXTATTR), cast("str", value)))
        elif name not in PLACE_FIELDS:
            values[name] = value
    return MemberWrite(userid=member.userid, **values, extattr=tuple(attributes))


def _places_in(member: Member, columns: Sequence[str], ledger: Ledger) -> dict[str, Any]:
    refs = () if isinstance(member.departments, Unknown) else member.departments
    ids = {ref: ledger.department_id(ref) for ref in refs}
    if not ids or None in ids.values():
        raise UnsendableError("departments", f"of {member.userid!r}: are not known, or not in WeCom")
    values: dict[str, Any] = {"departments": tuple(ids.values())}
    if member.main_department in ids:
        values["main_department"] = ids[member.main_department]
    if "is_leader" in columns:
        leads = () if isinstance(member.is_leader, Unknown) else member.is_leader
        values["is_leader"] = tuple(ref in leads for ref in refs)
    if "order" in columns:
        orders = {} if isinstance(member.order, Unknown) else dict(member.order)
        values["order"] = tuple(orders.get(ref, 0) for ref in refs)
    return values
