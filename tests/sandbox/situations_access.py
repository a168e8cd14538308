"""Who may call at all: gettoken, tokens, addresses, frequency, kinds of secret (contacts.md §1 to §3, §9)."""

from __future__ import annotations

from tests.sandbox.situation import (
    APP,
    NARROW_APP,
    NOBODY,
    OTHER_APP,
    STRANGER,
    Situation,
    Stage,
    after,
    app_switch,
    switch,
)
from wxsync.sandbox.switches import ContactSync

CORP, SECRET, WRONG = "ww5a6d626f78000001", "sandbox-contact-secret", "a-wrong-secret"


def gettoken(id: str, errcode: int = 0, **options) -> Situation:
    query = {"corpid": CORP, "corpsecret": SECRET}
    return Situation(
        id=f"gettoken: {id}",
        call="GET gettoken",
        errcode=errcode,
        by=NOBODY,
        query=options.pop("query", query),
        **options,
    )


def banned(stage: Stage) -> None:
    """20 wrong secrets from this address within the hour."""
    for number in range(20):
        stage.call(NOBODY, "GET", "gettoken", query={"corpid": CORP, "corpsecret": f"{WRONG}-{number}"})


def busy(times: int, **query: object):
    """So many calls of one path went before."""

    def call(stage: Stage) -> None:
        for _ in range(times):
            stage.did(APP, "GET", "tag/list", query=query)

    return call


def app_of_old(stage: Stage) -> None:
    """The app was made before 2022-06-20."""
    stage.app(sees_sensitive=True)
    revoked(stage)
    stage.tokens[APP] = stage.wecom.fetch_token("sandbox-app-secret")


def expired(stage: Stage) -> None:
    stage.state.expire_tokens()


def revoked(stage: Stage) -> None:
    stage.state.revoke_tokens()


SITUATIONS = (
    gettoken("the right secret", answer={"expires_in": 7200, "errmsg": "ok"}),
    gettoken("no parameters", 41004, query={}),
    gettoken("no secret", 41004, query={"corpid": CORP}),
    gettoken("no corpid", 41002, query={"corpsecret": SECRET}),
    gettoken("another corpid", 40013, query={"corpid": "ww0000000000000000", "corpsecret": SECRET}),
    gettoken("a wrong secret", 40001, query={"corpid": CORP, "corpsecret": WRONG}),
    gettoken("another corp's secret", 40091, given=switch(refused_secrets={SECRET: 40091})),
    gettoken("a weak secret", 45031, given=switch(refused_secrets={SECRET: 45031})),
    gettoken("a secret unused for long", 48006, given=switch(refused_secrets={SECRET: 48006})),
    gettoken("a dissolved corp", 301007, given=switch(refused_secrets={SECRET: 301007})),
    gettoken(
        "of an app that is switched off",
        50003,
        given=app_switch(is_enabled=False),
        query={"corpid": CORP, "corpsecret": "sandbox-app-secret"},
    ),
    gettoken("the right secret after many wrong ones", 45009, given=banned),
    gettoken("from an address that is not trusted", given=switch(trusted_ips=["203.0.113.7"])),
    Situation(id="no token", call="GET tag/list", by=NOBODY, errcode=41001, answer={"taglist": []}),
    Situation(id="an empty token", call="GET tag/list", by=NOBODY, query={"access_token": ""}, errcode=41001),
    Situation(
        id="the token in a header",
        call="GET tag/list",
        by=NOBODY,
        headers={"Authorization": "Bearer never-given"},
        errcode=41001,
    ),
    Situation(
        id="the token in the body",
        call="POST user/list_id",
        by=NOBODY,
        body={"access_token": "never-given"},
        errcode=41001,
    ),
    Situation(id="an unknown token", call="GET tag/list", by=STRANGER, errcode=40014),
    Situation(
        id="an unknown token, and lists in the answer",
        call="GET user/get",
        by=STRANGER,
        query={"userid": "lin"},
        errcode=40014,
        answer={"department": [], "order": [], "is_leader_in_dept": [], "direct_leader": []},
    ),
    Situation(
        id="an unknown token for departments",
        call="GET department/simplelist",
        by=STRANGER,
        errcode=40014,
        answer={"department_id": []},
    ),
    Situation(id="a token past its life", call="GET tag/list", given=expired, errcode=42001),
    Situation(id="a token after a reset", call="GET tag/list", given=revoked, errcode=40014),
    Situation(
        id="an address that is not trusted",
        call="GET tag/list",
        given=switch(trusted_ips=["203.0.113.7"]),
        errcode=60020,
    ),
    Situation(
        id="an address that is trusted",
        call="GET tag/list",
        given=switch(trusted_ips=["127.0.0.1"]),
        answer={"taglist": [{"tagid": 1, "tagname": "骨干"}, {"tagid": 2, "tagname": "项目"}]},
    ),
    Situation(
        id="the token goes before the address",
        call="GET tag/list",
        by=STRANGER,
        given=switch(trusted_ips=["203.0.113.7"]),
        errcode=40014,
    ),
    Situation(
        id="the address goes before permission",
        call="GET user/delete",
        by=APP,
        query={"userid": "lin"},
        given=switch(trusted_ips=["203.0.113.7"]),
        errcode=60020,
    ),
    Situation(
        id="the address goes before what is asked for",
        call="GET user/get",
        by=APP,
        query={"userid": "nobody"},
        given=switch(trusted_ips=["203.0.113.7"]),
        errcode=60020,
    ),
    Situation(
        id="the minute's limit",
        call="GET tag/list",
        given=after(switch(calls_per_minute=3), busy(3)),
        errcode=45009,
    ),
    Situation(
        id="below the minute's limit",
        call="GET tag/list",
        given=after(switch(calls_per_minute=4), busy(3)),
    ),
    Situation(
        id="the minute's limit of another call",
        call="GET tag/get",
        query={"tagid": 1},
        given=after(switch(calls_per_minute=3), busy(3)),
        answer={"tagname": "骨干"},
    ),
    Situation(
        id="the hour's limit",
        call="GET tag/list",
        given=after(switch(calls_per_hour=5), busy(5)),
        errcode=45009,
    ),
    Situation(
        id="the minute's limit is over after a minute",
        call="GET tag/list",
        given=after(switch(calls_per_minute=3), busy(3), lambda stage: stage.state.forward(61)),
    ),
    Situation(
        id="debug=1 six times",
        call="GET tag/list",
        query={"debug": 1},
        given=busy(5, debug=1),
        errcode=45009,
    ),
    Situation(id="debug=1 five times", call="GET tag/list", query={"debug": 1}, given=busy(4, debug=1)),
    Situation(
        id="contact sync that is switched off",
        call="GET department/simplelist",
        given=switch(contact_sync=ContactSync.OFF),
        errcode=48002,
    ),
    Situation(
        id="contact sync that may read only, writing",
        call="GET user/delete",
        query={"userid": "wang"},
        given=switch(contact_sync=ContactSync.READ),
        errcode=60011,
    ),
    Situation(
        id="contact sync that may read only, reading",
        call="POST user/list_id",
        body={"limit": 1},
        given=switch(contact_sync=ContactSync.READ),
        answer={"dept_user": [{"userid": "lin", "department": 2}]},
    ),
    Situation(
        id="an app that is switched off",
        call="GET tag/list",
        by=APP,
        given=app_switch(is_enabled=False),
        errcode=50003,
    ),
    Situation(id="an app creates a member", call="POST user/create", by=APP, body={}, errcode=48002),
    Situation(
        id="an app updates a member",
        call="POST user/update",
        by=APP,
        body={"userid": "lin", "name": "林"},
        errcode=48002,
    ),
    Situation(
        id="an app deletes a member", call="GET user/delete", by=APP, query={"userid": "lin"}, errcode=48002
    ),
    Situation(
        id="an app deletes members",
        call="POST user/batchdelete",
        by=APP,
        body={"useridlist": ["lin"]},
        errcode=48002,
    ),
    Situation(id="an app lists everybody", call="POST user/list_id", by=APP, body={}, errcode=48002),
    Situation(
        id="an app creates a department",
        call="POST department/create",
        by=APP,
        body={"name": "x", "parentid": 1},
        errcode=60011,
    ),
    Situation(
        id="an app updates a department",
        call="POST department/update",
        by=APP,
        body={"id": 2, "name": "x"},
        errcode=60011,
    ),
    Situation(
        id="an app deletes a department",
        call="GET department/delete",
        by=APP,
        query={"id": 5},
        errcode=60011,
    ),
    *(
        Situation(id=f"contact sync, {call} from a new address", call=call, query=query, errcode=48009)
        for call, query in (
            ("GET user/get", {"userid": "lin"}),
            ("GET user/simplelist", {"department_id": 2}),
            ("GET user/list", {"department_id": 2}),
            ("GET department/list", {}),
            ("GET department/get", {"id": 2}),
        )
    ),
    Situation(
        id="contact sync, user/get from an address of old",
        call="GET user/get",
        query={"userid": "lin"},
        given=switch(legacy_ip=True),
        answer={"mobile": "13800000001", "email": "lin@example.com"},
    ),
    Situation(
        id="48009 is for contact sync only",
        call="GET user/get",
        by=OTHER_APP,
        query={"userid": "lin"},
        answer={"name": "林梅", "department": [2]},
        lacks=("mobile", "email", "biz_mail", "gender", "avatar", "thumb_avatar", "qr_code", "address"),
    ),
    Situation(
        id="an app of old sees the number",
        call="GET user/get",
        by=APP,
        query={"userid": "lin"},
        given=app_of_old,
        answer={"mobile": "13800000001"},
    ),
    Situation(
        id="somebody outside the app's scope",
        call="GET user/get",
        by=NARROW_APP,
        query={"userid": "lin"},
        errcode=60111,
    ),
    Situation(
        id="somebody with one place inside the app's scope",
        call="GET user/get",
        by=NARROW_APP,
        query={"userid": "chen"},
        answer={"department": [3]},
    ),
    Situation(
        id="members of a department outside the app's scope",
        call="GET user/list",
        by=NARROW_APP,
        query={"department_id": 2},
        errcode=60011,
    ),
    Situation(
        id="departments inside the app's scope",
        call="GET department/simplelist",
        by=NARROW_APP,
        answer={"department_id": [{"id": 3, "parentid": 1, "order": 99999000}]},
    ),
    Situation(id="GET where POST is due", call="GET user/list_id", errcode=40058, answer={"dept_user": []}),
    Situation(id="POST where GET is due", call="POST tag/list", body={}, errcode=40058),
    Situation(id="no body", call="POST user/list_id", content=b"", errcode=40058),
    Situation(id="a body that is no JSON", call="POST user/list_id", content=b"{", errcode=40058),
    Situation(id="a body that is a list", call="POST user/list_id", content=b"[]", errcode=40058),
    Situation(
        id="an escape in the body",
        call="POST department/create",
        content=b'{"name":"\\u7814","parentid":1}',
        errcode=40033,
    ),
    Situation(
        id="an escaped backslash is no escape",
        call="POST user/list_id",
        content=b'{"cursor":"","x":"\\\\u7814"}',
    ),
    Situation(
        id="fields that nobody knows are ignored",
        call="POST user/list_id",
        body={"fetch_child": 1, "limit": 1},
        answer={"dept_user": [{"userid": "lin", "department": 2}]},
    ),
)
