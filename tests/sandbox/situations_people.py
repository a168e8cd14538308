"""Invitations, sign-in, second verification, the two ids of a member, WeCom's addresses (contacts.md §4.4,
events-and-messages.md §3 and §7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sandbox.situation import APP, CONTACT, NARROW_APP, Situation, Stage, as_ever, noted, switch
from wxsync.sandbox.codes import CodeKind
from wxsync.sandbox.switches import ContactSync


def code(kind: CodeKind, userid: str | None = "lin", *, age: float = 0, **facts: Any):
    """A setup: the code with which a member comes back from WeCom's page."""

    def issue(stage: Stage) -> None:
        member = None if userid is None else stage.state.member(userid)
        stage.notes["code"] = stage.state.codes.issue(kind, member, stage.state.clock(), **facts)
        stage.forward(age)

    return issue


def used(stage: Stage) -> None:
    """The sign-in code was good once."""
    code(CodeKind.SIGN_IN)(stage)
    stage.did(APP, "GET", "auth/getuserinfo", query={"code": stage.notes["code"]})


def tfa(stage: Stage) -> None:
    code(CodeKind.SECOND_VERIFICATION)(stage)
    answer = stage.did(CONTACT, "POST", "auth/get_tfa_info", body={"code": stage.notes["code"]})
    stage.notes["tfa_code"] = answer["tfa_code"]


def tfa_used(stage: Stage) -> None:
    tfa(stage)
    body = {"userid": "lin", "tfa_code": stage.notes["tfa_code"]}
    stage.did(CONTACT, "POST", "user/tfa_succ", body=body)


def ticket(stage: Stage) -> None:
    """lin consented, and the app asked who that is."""
    code(CodeKind.SIGN_IN, has_consent=True)(stage)
    answer = stage.did(APP, "GET", "auth/getuserinfo", query={"code": stage.notes["code"]})
    stage.notes["user_ticket"] = answer["user_ticket"]


def on(days_back: int):
    """A body that names the day so many days ago."""

    def body(stage: Stage) -> dict[str, str]:
        today = datetime.fromtimestamp(stage.state.clock(), tz=UTC).date()
        return {"date": (today - timedelta(days=days_back)).isoformat()}

    return body


def invite(title: str, errcode: int = 0, /, *, by=CONTACT, answer=None, **body: Any) -> Situation:
    return Situation(
        id=f"batch/invite: {title}",
        call="POST batch/invite",
        by=by,
        errcode=errcode,
        body=body,
        answer=answer or {},
    )


def signed_in(title: str, errcode: int = 0, /, *, given, answer=None, lacks=()) -> Situation:
    return Situation(
        id=f"auth/getuserinfo: {title}",
        call="GET auth/getuserinfo",
        by=APP,
        errcode=errcode,
        given=given,
        query=noted("code"),
        answer=answer or {},
        lacks=lacks,
    )


INVITATIONS = (
    invite("all good", user=["wang"], answer={"invaliduser": [], "invalidparty": [], "invalidtag": []}),
    invite(
        "some good",
        user=["wang", "x"],
        party=[2, 77],
        tag=[1, 78],
        answer={"invaliduser": ["x"], "invalidparty": [77], "invalidtag": [78]},
    ),
    invite("an app, of its own scope", by=NARROW_APP, user=["wang", "lin"], answer={"invaliduser": ["lin"]}),
    invite("nobody", 40035),
    invite("empty lists", 40035, user=[], party=[], tag=[]),
    invite("1001 members", 40035, user=[f"u{n}" for n in range(1001)]),
    invite("101 departments", 40035, party=list(range(101))),
    invite("101 tags", 40035, tag=list(range(101))),
    invite("a text in the place of a list", 40035, user="wang"),
    Situation(id="corp/get_join_qrcode", call="GET corp/get_join_qrcode", query={"size_type": 4}),
    Situation(
        id="corp/get_join_qrcode: a fifth size",
        call="GET corp/get_join_qrcode",
        errcode=40058,
        query={"size_type": 5},
    ),
    Situation(id="corp/get_join_qrcode: an app", call="GET corp/get_join_qrcode", by=APP, errcode=48002),
)

IDS = (
    Situation(
        id="user/convert_to_openid: who bound WeChat",
        call="POST user/convert_to_openid",
        by=APP,
        body={"userid": "lin"},
    ),
    Situation(
        id="user/convert_to_openid: who never bound WeChat",
        call="POST user/convert_to_openid",
        by=APP,
        errcode=43004,
        body={"userid": "wang"},
    ),
    Situation(
        id="user/convert_to_openid: who is not there",
        call="POST user/convert_to_openid",
        by=APP,
        errcode=60111,
        body={"userid": "nobody"},
    ),
    Situation(
        id="user/convert_to_openid: who is outside the app's scope",
        call="POST user/convert_to_openid",
        by=NARROW_APP,
        errcode=50002,
        body={"userid": "lin"},
    ),
    Situation(
        id="user/convert_to_userid",
        call="POST user/convert_to_userid",
        by=APP,
        body=noted("openid"),
        answer={"userid": "lin"},
    ),
    Situation(
        id="user/convert_to_userid: of nobody",
        call="POST user/convert_to_userid",
        by=APP,
        errcode=40073,
        body={"openid": "oNobody"},
    ),
    Situation(id="user/get_active_stat", call="POST user/get_active_stat", body=on(1)),
    Situation(
        id="user/get_active_stat: 30 days back",
        call="POST user/get_active_stat",
        body=on(30),
    ),
    Situation(
        id="user/get_active_stat: 31 days back",
        call="POST user/get_active_stat",
        errcode=40058,
        body=on(31),
    ),
    Situation(
        id="user/get_active_stat: no day",
        call="POST user/get_active_stat",
        errcode=40058,
        body={"date": "yesterday"},
    ),
    Situation(
        id="user/get_active_stat: an app", call="POST user/get_active_stat", by=APP, errcode=48002, body=on(1)
    ),
)

SIGN_IN = (
    signed_in(
        "a member",
        given=code(CodeKind.SIGN_IN),
        answer={"userid": "lin"},
        lacks=("openid", "external_userid", "user_ticket"),
    ),
    signed_in("somebody else", given=code(CodeKind.SIGN_IN, None, openid="oX"), answer={"openid": "oX"}),
    signed_in("a second time", 40029, given=used),
    signed_in("within five minutes", given=code(CodeKind.SIGN_IN, age=299), answer={"userid": "lin"}),
    signed_in("after five minutes", 40029, given=code(CodeKind.SIGN_IN, age=301)),
    Situation(
        id="auth/getuserinfo: a code of nobody",
        call="GET auth/getuserinfo",
        by=APP,
        errcode=40029,
        query={"code": "never-given"},
    ),
    Situation(
        id="auth/getuserinfo: contact sync",
        call="GET auth/getuserinfo",
        errcode=48002,
        given=code(CodeKind.SIGN_IN),
        query=noted("code"),
    ),
    Situation(
        id="user/getuserinfo: the older call",
        call="GET user/getuserinfo",
        by=APP,
        given=code(CodeKind.SIGN_IN),
        query=noted("code"),
        answer={"UserId": "lin"},
    ),
    Situation(
        id="user/getuserinfo: a code of nobody",
        call="GET user/getuserinfo",
        by=APP,
        errcode=40029,
        query={"code": "never-given"},
    ),
    Situation(
        id="auth/getuserdetail",
        call="POST auth/getuserdetail",
        by=APP,
        given=ticket,
        body=noted("user_ticket"),
        answer={"userid": "lin", "mobile": "13800000001", "email": "lin@example.com"},
    ),
)

VERIFICATION = (
    Situation(
        id="auth/get_tfa_info",
        call="POST auth/get_tfa_info",
        given=code(CodeKind.SECOND_VERIFICATION),
        body=noted("code"),
        answer={"userid": "lin"},
    ),
    Situation(
        id="auth/get_tfa_info: a code of nobody",
        call="POST auth/get_tfa_info",
        errcode=40029,
        body={"code": "never-given"},
    ),
    Situation(
        id="auth/get_tfa_info: after five minutes",
        call="POST auth/get_tfa_info",
        errcode=40029,
        given=code(CodeKind.SECOND_VERIFICATION, age=301),
        body=noted("code"),
    ),
    Situation(
        id="user/authsucc", call="GET user/authsucc", query={"userid": "wang"}, answer={"errmsg": "ok"}
    ),
    Situation(id="user/authsucc: no userid", call="GET user/authsucc", errcode=41009),
    Situation(
        id="user/authsucc: who is not there",
        call="GET user/authsucc",
        errcode=60111,
        query={"userid": "nobody"},
    ),
    Situation(
        id="user/tfa_succ",
        call="POST user/tfa_succ",
        given=tfa,
        body=lambda stage: {"userid": "lin", "tfa_code": stage.notes["tfa_code"]},
    ),
    Situation(
        id="user/tfa_succ: a second time",
        call="POST user/tfa_succ",
        errcode=40029,
        given=tfa_used,
        body=lambda stage: {"userid": "lin", "tfa_code": stage.notes["tfa_code"]},
    ),
    Situation(
        id="user/tfa_succ: a code of nobody",
        call="POST user/tfa_succ",
        errcode=40029,
        body={"userid": "lin", "tfa_code": "never-given"},
    ),
)

ADDRESSES = tuple(
    Situation(id=f"{call}: {title}", call=f"GET {call}", by=by, given=given, errcode=errcode, answer=answer)
    for call in ("getcallbackip", "get_api_domain_ip")
    for title, by, given, errcode, answer in (
        ("contact sync", CONTACT, as_ever, 0, {"errmsg": "ok"}),
        ("an app", APP, as_ever, 0, {"errmsg": "ok"}),
        ("contact sync that is off", CONTACT, switch(contact_sync=ContactSync.OFF), 0, {"errmsg": "ok"}),
        ("an unknown token", "?", as_ever, 40014, {"ip_list": []}),
        ("an old token", APP, lambda stage: stage.state.expire_tokens(), 42001, {"ip_list": []}),
    )
)

SITUATIONS = (*INVITATIONS, *IDS, *SIGN_IN, *VERIFICATION, *ADDRESSES)
