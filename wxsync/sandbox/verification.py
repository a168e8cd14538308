"""Signing in by a code, and second verification (WeCom pages 91023, 99499 to 99521)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.codes import Code, CodeKind
from wxsync.sandbox.fields import is_text, required
from wxsync.sandbox.lookups import check_in_range
from wxsync.sandbox.reads import sensitive
from wxsync.sandbox.records import Member, fold
from wxsync.sandbox.refusal import Refusal, missing
from wxsync.sandbox.state import SandboxState

CODE_BYTES: Final = 512
AT_ONCE: Final = 20
"""Calls of get_tfa_info or tfa_succ that may be under way together."""


def sign_in_code(
    state: SandboxState, userid: str | None, *, openid: str = "", has_consent: bool = False
) -> str:
    """A member opens an app's page (or, without a userid, somebody outside): the code that comes along.

    `has_consent` is scope snsapi_privateinfo, and the member's yes to it.
    """
    member = None if userid is None else state.member(userid)
    return state.codes.issue(CodeKind.SIGN_IN, member, state.clock(), openid=openid, has_consent=has_consent)


def verification_code(state: SandboxState, userid: str) -> str:
    """A member is sent to the page of second verification: the code that comes along."""
    return state.codes.issue(CodeKind.SECOND_VERIFICATION, state.member(userid), state.clock())


def getuserinfo(asked: Asked) -> Mapping[str, Any]:
    """Whom a code of an app's page stands for; the code is good once."""
    code = _use(asked, (CodeKind.SIGN_IN, CodeKind.SECOND_VERIFICATION), asked.query.get("code"))
    if code.member is None:
        return {"openid": code.openid}
    member = code.member
    check_in_range(asked, member)
    if not code.has_consent:
        return {"userid": member.userid}
    ticket = asked.state.codes.issue(CodeKind.TICKET, member, asked.state.clock(), has_consent=True)
    return {"userid": member.userid, "user_ticket": ticket}


def legacy_getuserinfo(asked: Asked) -> Mapping[str, Any]:
    """The same with the keys of old. Contact sync may use it for second verification only (48002)."""
    if asked.who.is_contact:
        _find(asked, (CodeKind.SECOND_VERIFICATION,), asked.query.get("code"), errcode=48002)
    answer = dict(getuserinfo(asked))
    if "openid" in answer:
        return {"OpenId": answer["openid"], "DeviceId": ""}
    return {"UserId": answer["userid"], "DeviceId": "", **_only(answer, "user_ticket")}


def _only(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: answer[name]} if name in answer else {}


def getuserdetail(asked: Asked) -> Mapping[str, Any]:
    """What the member agreed to show to the app."""
    ticket = required(asked.given({"user_ticket": is_text}), "user_ticket")
    member = _member_of(_find(asked, (CodeKind.TICKET,), ticket, errcode=40029))
    check_in_range(asked, member)
    shown = sensitive(member)
    del shown["thumb_avatar"]
    return {"userid": member.userid, **shown}


def get_tfa_info(asked: Asked) -> Mapping[str, Any]:
    """Who stands before the page of second verification, and the tfa_code that lets the member in."""
    text = required(asked.given({"code": is_text}), "code")
    member = _member_of(_find(asked, (CodeKind.SECOND_VERIFICATION,), text, errcode=40029))
    _check_verified(asked, member)
    asked.state.codes.use(text)
    tfa_code = asked.state.codes.issue(CodeKind.TFA, member, asked.state.clock())
    return {"userid": member.userid, "tfa_code": tfa_code}


def authsucc(asked: Asked) -> Mapping[str, Any]:
    """The member has proved to be the one, and joins."""
    member = _named(asked, asked.query.get("userid"))
    _check_verified(asked, member)
    member.is_activated = True
    return {}


def tfa_succ(asked: Asked) -> Mapping[str, Any]:
    """The member has proved to be the one, and goes on; the tfa_code is good once."""
    given = asked.given({"userid": is_text, "tfa_code": is_text})
    member = _named(asked, given.get("userid"))
    text = required(given, "tfa_code")
    _check_verified(asked, member)
    code = _find(asked, (CodeKind.TFA,), text, errcode=40029)
    if code.member is not member:
        raise Refusal(40029)
    asked.state.codes.use(text)
    return {}


def _named(asked: Asked, userid: str | None) -> Member:
    if not userid:
        raise Refusal(41009)
    member = asked.directory.members.get(fold(userid))
    if member is None:
        raise Refusal(60111)
    return member


def _check_verified(asked: Asked, member: Member) -> None:
    """The member is in the app's range and in that of second verification (50002)."""
    check_in_range(asked, member)
    range_ = asked.state.verification_range
    if range_ is not None and fold(member.userid) not in {fold(userid) for userid in range_}:
        raise Refusal(50002)


def _use(asked: Asked, kinds: tuple[CodeKind, ...], text: str | None) -> Code:
    code = _find(asked, kinds, text, errcode=40029)
    asked.state.codes.use(text or "")
    return code


def _find(asked: Asked, kinds: tuple[CodeKind, ...], text: str | None, *, errcode: int) -> Code:
    """The code that is still good, and whose member is still there."""
    if not text:
        raise missing("code")
    if len(text.encode()) > CODE_BYTES:
        raise Refusal(40029)
    code = asked.state.codes.find(text, kinds, asked.state.clock())
    if code is None:
        raise Refusal(errcode)
    if code.member is not None and asked.directory.members.get(fold(code.member.userid)) is not code.member:
        raise Refusal(40029)
    return code


def _member_of(code: Code) -> Member:
    if code.member is None:
        raise Refusal(40029)
    return code.member


OPERATIONS: Final = (
    Operation(path="auth/getuserinfo", method="GET", permission=Permission.APP, carry_out=getuserinfo),
    Operation(
        path="user/getuserinfo",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=legacy_getuserinfo,
    ),
    Operation(path="auth/getuserdetail", method="POST", permission=Permission.APP, carry_out=getuserdetail),
    Operation(
        path="auth/get_tfa_info",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=get_tfa_info,
        at_once=AT_ONCE,
    ),
    Operation(
        path="user/authsucc",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=authsucc,
        is_write=True,
    ),
    Operation(
        path="user/tfa_succ",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=tfa_succ,
        at_once=AT_ONCE,
        is_write=True,
    ),
)
