"""Calls that list and find members (contacts.md §4.4)."""

from __future__ import annotations

from tests.sandbox.situation import APP, NARROW_APP, Situation, Stage, as_ever, noted
from tests.sandbox.situations_members import corp_mail


def paged(stage: Stage) -> None:
    answer = stage.did("contact", "POST", "user/list_id", body={"limit": 2})
    stage.notes["cursor"] = answer["next_cursor"]


def forgotten(stage: Stage) -> None:
    paged(stage)
    stage.state.forget_listings()


def missed(stage: Stage) -> None:
    """Look-ups that miss, more than a fifth of the corp's members."""
    for number in range(2):
        stage.call(APP, "POST", "user/getuserid", body={"mobile": f"1370000000{number}"})


def getuserid(id: str, errcode: int = 0, *, by: str = APP, given=as_ever, answer=None, **body) -> Situation:
    return Situation(
        id=f"user/getuserid: {id}",
        call="POST user/getuserid",
        by=by,
        errcode=errcode,
        given=given,
        body=body,
        answer=answer or {},
    )


SITUATIONS = (
    Situation(
        id="user/get: in another case",
        call="GET user/get",
        by=APP,
        query={"userid": "LIN"},
        answer={"userid": "lin", "status": 1, "enable": 1, "main_department": 2},
    ),
    Situation(
        id="user/get: who is not there", call="GET user/get", by=APP, errcode=60111, query={"userid": "x"}
    ),
    Situation(
        id="user/simplelist: direct members only",
        call="GET user/simplelist",
        by=APP,
        query={"department_id": 1, "fetch_child": 1},
        answer={"userlist": []},
    ),
    Situation(
        id="user/simplelist",
        call="GET user/simplelist",
        by=APP,
        query={"department_id": 3},
        answer={
            "userlist": [
                {"userid": "wang", "name": "王博", "department": [3]},
                {"userid": "chen", "name": "陈晨", "department": [2, 3]},
            ]
        },
    ),
    Situation(
        id="user/simplelist: an unknown department",
        call="GET user/simplelist",
        by=APP,
        errcode=60003,
        query={"department_id": 77},
        answer={"userlist": []},
    ),
    Situation(
        id="user/list: an unknown department",
        call="GET user/list",
        by=APP,
        errcode=60003,
        query={"department_id": 77},
        answer={"userlist": []},
    ),
    Situation(
        id="user/list_id: a page",
        call="POST user/list_id",
        body={"limit": 3},
        answer={
            "dept_user": [
                {"userid": "lin", "department": 2},
                {"userid": "wang", "department": 3},
                {"userid": "chen", "department": 2},
            ]
        },
    ),
    Situation(
        id="user/list_id: all",
        call="POST user/list_id",
        body={"limit": 10_000},
        answer={"next_cursor": "", "errmsg": "ok"},
    ),
    Situation(
        id="user/list_id: the second page",
        call="POST user/list_id",
        given=paged,
        body=noted("cursor"),
        answer={
            "dept_user": [{"userid": "chen", "department": 2}, {"userid": "chen", "department": 3}],
            "next_cursor": "",
        },
    ),
    Situation(
        id="user/list_id: a cursor of long ago",
        call="POST user/list_id",
        errcode=50100,
        given=forgotten,
        body=noted("cursor"),
    ),
    Situation(
        id="user/list_id: a cursor of nobody", call="POST user/list_id", errcode=50100, body={"cursor": "x"}
    ),
    Situation(id="user/list_id: limit 0", call="POST user/list_id", errcode=40058, body={"limit": 0}),
    Situation(
        id="user/list_id: limit 10001", call="POST user/list_id", errcode=40058, body={"limit": 10_001}
    ),
    getuserid("who is there", mobile="13800000001", answer={"userid": "lin"}),
    getuserid("nobody", 46004, mobile="13700000009"),
    getuserid("somebody outside the app's scope", 46004, by=NARROW_APP, mobile="13800000001"),
    getuserid("4 bytes", 40058, mobile="1380"),
    getuserid("33 bytes", 40058, mobile="1" * 33),
    getuserid("nothing", 40058),
    getuserid("after too many that missed", 45009, given=missed, mobile="13800000001"),
    Situation(
        id="user/get_userid_by_email: the corp's",
        call="POST user/get_userid_by_email",
        by=APP,
        given=corp_mail,
        body={"email": "wang@corp.example.com"},
        answer={"userid": "wang"},
    ),
    Situation(
        id="user/get_userid_by_email: a personal one as the corp's",
        call="POST user/get_userid_by_email",
        by=APP,
        errcode=46004,
        body={"email": "lin@example.com"},
    ),
    Situation(
        id="user/get_userid_by_email: a personal one",
        call="POST user/get_userid_by_email",
        by=APP,
        body={"email": "lin@example.com", "email_type": 2},
        answer={"userid": "lin"},
    ),
    Situation(
        id="user/get_userid_by_email: of a third kind",
        call="POST user/get_userid_by_email",
        by=APP,
        errcode=40058,
        body={"email": "lin@example.com", "email_type": 3},
    ),
)
