"""What WeCom holds, field by field, so that two moments of it can be held against each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from wxsync.model.loss import Loss, LossReason
from wxsync.sandbox.records import ROOT, Member
from wxsync.sandbox.state import SandboxState

Field = tuple[str, str, str]
"""Kind, userid (or names from the top down, or tag), field."""

TEXTS = ("name", "alias", "mobile", "email", "position", "gender", "telephone", "address", "enable")


def fields_of(wecom: SandboxState) -> dict[Field, Any]:
    """Everything in it. A department goes by its names, since one that is made anew has another id."""
    return dict(_fields(wecom))


def _fields(wecom: SandboxState) -> Iterator[tuple[Field, Any]]:
    for id_, department in wecom.departments.items():
        if id_ != ROOT:
            yield ("department", path_of(wecom, id_), "order"), department.order
    for member in wecom.members.values():
        for name in TEXTS:
            yield ("member", member.userid, name), getattr(member, name)
        for name, value in _places(wecom, member).items():
            yield ("member", member.userid, name), value
        yield ("member", member.userid, "direct_leader"), member.direct_leader
    for tag in wecom.tags.values():
        yield ("tag", tag.name, "members"), frozenset(tag.users)


def _places(wecom: SandboxState, member: Member) -> Mapping[str, Any]:
    placed = member.placement
    names = [path_of(wecom, id_) for id_ in placed.department]
    return {
        "departments": frozenset(names),
        "main_department": path_of(wecom, placed.main_department),
        "is_leader": {name for name, leads in zip(names, placed.is_leader_in_dept, strict=True) if leads},
        "order": {name: number for name, number in zip(names, placed.order, strict=True) if number},
    }


def path_of(wecom: SandboxState, id_: int) -> str:
    """The department's names, from the top down."""
    department = wecom.departments[id_]
    return "" if id_ == ROOT else f"{path_of(wecom, department.parentid)}/{department.name}"


def differing(one: Mapping[Field, Any], other: Mapping[Field, Any]) -> set[Field]:
    """The fields of the first moment that hold something else in the second one, or are not there."""
    return {each for each, value in one.items() if other.get(each, ...) != value}


def listed(field: Field, losses: Collection[Loss], *reasons: LossReason) -> bool:
    """Whether the field of a member or tag is among what is said not to come back."""
    kind, who, name = field
    return any(
        loss.kind.value == kind
        and (not reasons or loss.reason in reasons)
        and who in (str(loss.id).lower(), loss.key)
        and (not loss.fields or name in loss.fields)
        for loss in losses
    )
