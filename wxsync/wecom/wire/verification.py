"""Who stands before a page of ours, out of WeCom's JSON (WeCom pages 91023, 99499, 99500, 99521)."""

from __future__ import annotations

from dataclasses import dataclass, field

from wxsync.wecom.wire.shapes import Answer, Json, text_of, unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """A member who waits for a second verification."""

    userid: str
    tfa_code: str = field(repr=False)
    """Good once, for five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who signed in: a member by `userid`, or somebody else, who has none."""

    userid: str | None = None
    user_ticket: str | None = field(default=None, repr=False)
    """Where the member consented to show more; good for half an hour."""
    openid: str | None = None
    external_userid: str | None = None


def to_code(code: str) -> Json:
    return {"code": code}


def to_code_query(code: str) -> dict[str, str]:
    return {"code": code}


def to_userid_query(userid: str) -> dict[str, str]:
    return {"userid": userid}


def to_unlock(userid: str, tfa_code: str) -> Json:
    return {"userid": userid, "tfa_code": tfa_code}


def from_tfa_info(answer: Answer) -> SecondFactor:
    endpoint = "auth/get_tfa_info"
    userid, tfa_code = text_of(answer, "userid", endpoint), text_of(answer, "tfa_code", endpoint)
    if not userid or not tfa_code:
        raise unreadable(endpoint, "userid or tfa_code is empty")
    return SecondFactor(userid=userid, tfa_code=tfa_code)


def from_user_info(answer: Answer) -> SignedIn:
    """An answer that names nobody at all is none: it must not pass for a stranger."""
    endpoint = "auth/getuserinfo"
    who = SignedIn(
        userid=_text(answer, "userid", endpoint),
        user_ticket=_text(answer, "user_ticket", endpoint),
        openid=_text(answer, "openid", endpoint),
        external_userid=_text(answer, "external_userid", endpoint),
    )
    if who.userid is None and who.openid is None and who.external_userid is None:
        raise unreadable(endpoint, "neither userid nor openid is there")
    return who


def _text(answer: Answer, name: str, endpoint: str) -> str | None:
    return text_of(answer, name, endpoint) or None if name in answer else None
