"""The calls that change members (WeCom pages 90195, 90197 to 90199)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from wxsync.sandbox import member_rules as rules
from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import as_read, check_all, check_userid, is_texts
from wxsync.sandbox.quotas import Violation
from wxsync.sandbox.records import Member, Placement, fold
from wxsync.sandbox.refusal import Refusal, invalid, missing
from wxsync.sandbox.state import SandboxState

BATCH: Final = 200
"""The most userids of one batchdelete."""


def create(asked: Asked) -> Mapping[str, Any]:
    """A new member, who is invited unless the call says not to."""
    state, directory = asked.state, asked.directory
    given = asked.given(rules.CREATE_SHAPES)
    if "name" not in given:
        raise Refusal(60112)
    if "userid" not in given:
        raise Refusal(41009)
    check_userid(given["userid"])
    check_all(given, rules.CHECKS)
    rules.check_reachable(given.get("mobile", ""), given.get("email", ""))
    placement = _first_placement(state, given)
    attributes = rules.attributes(state, given)
    rules.check_external_profile(state, given)
    rules.check_avatar(state, given)

    if fold(given["userid"]) in directory.members:
        raise Refusal(60102)
    _check_accounts(state)
    rules.check_corp_mail(state, given, None)
    rules.check_unique(directory, given, None)
    rules.check_leaders(directory, given)
    rules.check_room(state, placement, Placement())

    state.quotas.note_creation(state.clock())
    created = _make_departments(state, placement)
    member = Member(userid=given["userid"], name=given["name"])
    directory.add_member(member)
    directory.place(member, _settled(state, placement))
    _fill(state, member, given)
    member.extattr = {name: value for name, value in attributes.items() if value is not None}
    _give_corp_mail(state, member)
    if given.get("to_invite", True):
        state.invitations.append(member.userid)
    return {"created_department_list": {"department_info": created}} if created else {}


def _check_accounts(state: SandboxState) -> None:
    """There is room for one more, and not too many came within the month.

    That the month's limit is told by 45009 is our own reading of WeCom page 90312.
    """
    if state.account_cap is not None and len(state.members) >= state.account_cap:
        raise Refusal(45024)
    if not state.quotas.may_create(state.clock(), state.account_cap):
        state.quotas.violate(Violation.CREATIONS)
        raise Refusal(45009)


def _first_placement(state: SandboxState, given: Mapping[str, Any]) -> Placement:
    """Where a new member shall be; 0 stands for the department of those whom nobody placed."""
    if not given.get("department"):
        if state.strict_departments:
            raise Refusal(40066)
        given = {**given, "department": [0]}
    placement = rules.placement(given, Placement())
    if state.strict_departments and any(id not in state.departments for id in placement.department):
        raise Refusal(60123)
    return placement


def _make_departments(state: SandboxState, placement: Placement) -> list[dict[str, Any]]:
    """A department for every id that is not there, as WeCom does since 2024, told in the answer.

    That it gets the id that was asked for is our own choice; the pages show an example only.
    """
    unknown = [id for id in placement.department if id and id not in state.departments]
    if not unknown:
        return []
    pending = state.directory.pending_department(above=max(unknown))
    made = [
        state.directory.add_department(name=f"待设置部门{id}", parentid=pending.id, id=id) for id in unknown
    ]
    return [{"name": department.name, "id": department.id} for department in made]


def _settled(state: SandboxState, placement: Placement) -> Placement:
    """The placement with the department for people whom nobody placed in the place of 0."""
    if 0 not in placement.department:
        return placement
    pending = state.directory.pending_department().id
    departments = tuple(id or pending for id in placement.department)
    return replace(placement, department=departments, main_department=placement.main_department or pending)


def update(asked: Asked, *, makes_departments: bool = False) -> Mapping[str, Any]:
    """The given fields of a member; what is not given, or null, stays.

    With `makes_departments`, as in imports (WeCom page 90980), unknown departments are made.
    """
    state, directory = asked.state, asked.directory
    given = asked.given(rules.UPDATE_SHAPES)
    if "userid" not in given:
        raise Refusal(41009)
    check_all(given, rules.UPDATE_CHECKS)
    attributes = rules.attributes(state, given)
    rules.check_external_profile(state, given)
    rules.check_avatar(state, given)

    member = _member(asked, given["userid"])
    if member.is_activated:
        # The new number is ignored without a word (WeCom page 90197).
        given.pop("mobile", None)
    rules.check_reachable(given.get("mobile", member.mobile), given.get("email", member.email))
    rules.check_corp_mail(state, given, member)
    rules.check_unique(directory, given, member)
    rules.check_leaders(directory, given)
    placement = _next_placement(state, given, member, makes_departments=makes_departments)
    if "new_userid" in given:
        rules.check_rename(directory, given["new_userid"], member)
    aliases = rules.mail_aliases(given)

    if "new_userid" in given:
        directory.rename_member(member, given["new_userid"])
        member.has_generated_userid = False
    _make_departments(state, placement)
    directory.place(member, _settled(state, placement))
    _fill(state, member, given)
    for name, value in attributes.items():
        if value is None:
            member.extattr.pop(name, None)
        else:
            member.extattr[name] = value
    if aliases is not None:
        # The other fields stay written where this fails (WeCom page 90197).
        rules.check_aliases(state, aliases, member)
        member.biz_mail_alias = aliases
    return {}


def _next_placement(
    state: SandboxState, given: Mapping[str, Any], member: Member, *, makes_departments: bool
) -> Placement:
    """Where an updated member shall be. That user/update makes no departments is our own choice."""
    if given.get("department") == []:
        raise Refusal(40066)
    placement = rules.placement(given, member.placement)
    if not makes_departments and any(id and id not in state.departments for id in placement.department):
        raise Refusal(60123)
    rules.check_room(state, placement, member.placement)
    return placement


def _fill(state: SandboxState, member: Member, given: Mapping[str, Any]) -> None:
    """The checked fields that are neither place nor attribute."""
    directory = state.directory
    for name in rules.PLAIN_FIELDS:
        if name in given:
            setattr(member, name, given[name])
    if given.get("avatar_mediaid"):
        member.avatar = f"https://wework.qpic.cn/wwpic/{given['avatar_mediaid']}"
    if "mobile" in given:
        directory.set_mobile(member, as_read(given["mobile"]))
    if "email" in given:
        directory.set_email(member, given["email"])
    if "biz_mail" in given and given["biz_mail"] != member.biz_mail:
        directory.set_biz_mail(member, given["biz_mail"])
        member.has_generated_biz_mail = False
    if "direct_leader" in given:
        directory.set_leaders(member, tuple(given["direct_leader"]))


def _give_corp_mail(state: SandboxState, member: Member) -> None:
    """A corp address from the userid, where the corp has mail and the call gave none."""
    if state.mail_domain is None or member.biz_mail:
        return
    local = fold(member.userid).partition("@")[0]
    address, number = f"{local}@{state.mail_domain}", 0
    while address in state.directory.by_biz_mail:
        number += 1
        address = f"{local}{number}@{state.mail_domain}"
    state.directory.set_biz_mail(member, address)
    member.has_generated_biz_mail = True


def delete(asked: Asked) -> Mapping[str, Any]:
    """A member is no more, nor in any department, tag or as a leader."""
    member = _member(asked, asked.query.get("userid"))
    _check_not_creator(asked.state, member)
    asked.directory.remove_member(member)
    return {}


def batchdelete(asked: Asked) -> Mapping[str, Any]:
    """All of up to 200 members, or none where one of them is not there."""
    userids = asked.given({"useridlist": is_texts}).get("useridlist")
    if userids is None:
        raise missing("useridlist")
    if not userids:
        raise invalid("useridlist")
    if len(userids) > BATCH:
        raise Refusal(40032)
    keys = dict.fromkeys(fold(userid) for userid in userids)
    if any(key not in asked.directory.members for key in keys):
        raise Refusal(40031)
    members = [asked.directory.members[key] for key in keys]
    for member in members:
        _check_not_creator(asked.state, member)
    for member in members:
        asked.directory.remove_member(member)
    return {}


def _member(asked: Asked, userid: str | None) -> Member:
    if not userid:
        raise Refusal(41009)
    member = asked.directory.members.get(fold(userid))
    if member is None:
        raise Refusal(60111)
    return member


def _check_not_creator(state: SandboxState, member: Member) -> None:
    if state.creator is not None and fold(state.creator) == fold(member.userid):
        raise Refusal(301005)


OPERATIONS: Final = (
    Operation(
        path="user/create",
        method="POST",
        permission=Permission.CONTACT,
        carry_out=create,
        success="created",
        is_write=True,
    ),
    Operation(
        path="user/update",
        method="POST",
        permission=Permission.CONTACT,
        carry_out=update,
        success="updated",
        is_write=True,
    ),
    Operation(
        path="user/delete",
        method="GET",
        permission=Permission.CONTACT,
        carry_out=delete,
        success="deleted",
        is_write=True,
    ),
    Operation(
        path="user/batchdelete",
        method="POST",
        permission=Permission.CONTACT,
        carry_out=batchdelete,
        success="deleted",
        is_write=True,
    ),
)
