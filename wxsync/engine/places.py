"""Where a member is to be: departments of ours follow the source, foreign ones follow the policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.model.change import FieldChange
from wxsync.model.member import Member, ref_order
from wxsync.model.unknown import UNKNOWN, DepartmentRef

Refs = tuple[DepartmentRef, ...]


def foreign_places(known: Member, actual: Actual) -> Refs:
    """The departments that a member of ours is in and that are neither ours nor the root department."""
    places = cast("Refs", known.departments)
    return tuple(ref for ref in places if isinstance(ref, int) and ref != actual.root)


def target_places(wanted: Member, known: Member, actual: Actual, policy: PolicySettings) -> Refs:
    """Every department that the member shall be in, sorted; foreign ones are sent along or left."""
    asked = cast("Refs", wanted.departments)
    extra = foreign_places(known, actual) if policy.foreign_memberships == "keep" else ()
    return in_order({*asked, *extra})


def in_order(refs: Iterable[DepartmentRef]) -> Refs:
    """Sorted, so that equal places are equal whatever order a source gives them in."""
    listed = tuple(refs)
    return listed if len(listed) < 2 else tuple(sorted(listed, key=ref_order))


def place_differences(
    wanted: Member, known: Member, target: Refs, *, may_lead: bool = False
) -> dict[str, FieldChange]:
    """`departments`, `main_department`, `is_leader` and `order`, as far as they differ.

    `may_lead`: the marks are unknown only since a call, and there may be some.
    """
    fields: dict[str, FieldChange] = {}
    if known.departments != target:
        fields["departments"] = FieldChange(known.departments, target)
    if wanted.main_department is not UNKNOWN and known.main_department != wanted.main_department:
        fields["main_department"] = FieldChange(known.main_department, wanted.main_department)
    if (marks := _leader_marks(wanted, known, may_lead=may_lead)) is not None:
        fields["is_leader"] = marks
    if (orders := _orders(wanted, known)) is not None:
        fields["order"] = orders
    return fields


def _leader_marks(wanted: Member, known: Member, *, may_lead: bool) -> FieldChange | None:
    """None where nothing differs; "leads nothing" is not sent to somebody whose marks nobody knows."""
    if wanted.is_leader is UNKNOWN:
        return None
    if known.is_leader is UNKNOWN:
        return FieldChange(UNKNOWN, wanted.is_leader) if wanted.is_leader or may_lead else None
    kept = tuple(ref for ref in known.is_leader if ref in cast("Refs", wanted.departments))
    return None if kept == wanted.is_leader else FieldChange(known.is_leader, wanted.is_leader)


def _orders(wanted: Member, known: Member) -> FieldChange | None:
    """A place without a wish keeps the order that it has: an empty source value clears nothing."""
    if wanted.order is UNKNOWN:
        return None
    before = {} if known.order is UNKNOWN else dict(known.order)
    wishes = dict(wanted.order)
    if all(before.get(ref) == number for ref, number in wishes.items()):
        return None
    asked = cast("Refs", wanted.departments)
    after = {ref: number for ref, number in before.items() if ref in asked} | wishes
    return FieldChange(known.order, tuple(sorted(after.items(), key=lambda pair: ref_order(pair[0]))))
