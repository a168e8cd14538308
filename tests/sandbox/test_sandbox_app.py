"""The order of checks, the two identities, and the shape of answers."""

from __future__ import annotations

import re

import pytest

from wxsync.sandbox.switches import App


def code(answer):
    return answer["errcode"]


def test_gettoken_gives_the_same_token_until_it_ends(wecom, state, clock):
    """A repeated gettoken neither changes nor extends the token; after its life there is a new one."""
    clock.now += 3600
    answer = wecom.get("gettoken", None, corpid=state.corp_id, corpsecret=state.contact_secret)
    assert answer == {"errcode": 0, "errmsg": "ok", "access_token": wecom.token, "expires_in": 3600}
    clock.now += 3600
    assert wecom.fetch_token(state.contact_secret) != wecom.token
    assert code(wecom.get("tag/list")) == 42001


@pytest.mark.parametrize(
    ("query", "errcode"),
    [
        ({}, 41004),
        ({"corpsecret": "x"}, 41002),
        ({"corpid": "ww1", "corpsecret": "x"}, 40013),
        ({"corpid": "ww5a6d626f78000001", "corpsecret": "x"}, 40001),
    ],
)
def test_gettoken_says_what_is_wrong(wecom, query, errcode):
    """Secret missing, corp missing, wrong corp, wrong secret."""
    assert code(wecom.get("gettoken", None, **query)) == errcode


def test_unknown_calls_are_http_404(wecom, state):
    """What the sandbox does not know is never a success, with or without a token, and is logged."""
    for path in ("user/get_all", "batch/nothing", "nothing", "user/create/"):
        assert wecom.send("GET", path, params={"access_token": wecom.token}).status_code == 404
    assert wecom.run(wecom.client.get("/user/create")).status_code == 404
    assert [(call.path, call.http_status, call.errcode) for call in state.log[-2:]] == [
        ("user/create/", 404, None),
        ("/user/create", 404, None),
    ]


def test_token_comes_before_address_before_permission_before_body(wecom, state):
    """The checks follow the order that was observed."""
    app = wecom.fetch_token(state.apps[0].secret)
    state.trusted_ips = {"203.0.113.7"}
    assert code(wecom.get("user/get", None)) == 41001
    assert code(wecom.get("user/get", "made-up")) == 40014
    assert code(wecom.get("user/get")) == 60020
    assert wecom.fetch_token(state.contact_secret) == wecom.token
    state.trusted_ips = {"127.0.0.1"}
    assert code(wecom.get("user/get")) == 48009
    broken = wecom.send("POST", "user/create", params={"access_token": app}, content=b"{")
    assert code(broken.json()) == 48002
    broken = wecom.send("POST", "user/create", params={"access_token": wecom.token}, content=b"{")
    assert code(broken.json()) == 40058


def test_token_counts_in_the_query_only(wecom):
    """A token in a header is not seen."""
    answer = wecom.send("GET", "tag/list", headers={"Authorization": f"Bearer {wecom.token}"})
    assert code(answer.json()) == 41001


def test_errors_have_wecoms_shape(wecom, state):
    """hint, address and link in errmsg; code and text in headers; the lists of the answer empty."""
    response = wecom.send("GET", "user/get", params={"access_token": "bad"})
    answer = response.json()
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    assert response.headers["error-code"] == "40014"
    assert response.headers["error-msg"] == answer["errmsg"]
    assert re.fullmatch(
        r"invalid access_token, hint: \[\d{16,}\], from ip: 127\.0\.0\.1, "
        r"more info at https://open\.work\.weixin\.qq\.com/devtool/query\?e=40014",
        answer.pop("errmsg"),
    )
    assert answer == {
        "errcode": 40014,
        "department": [],
        "order": [],
        "is_leader_in_dept": [],
        "direct_leader": [],
    }
    assert wecom.get("department/simplelist", "bad")["department_id"] == []
    assert "error-code" not in wecom.send("GET", "tag/list", params={"access_token": wecom.token}).headers


def test_the_contact_secret_reads_details_only_from_an_old_address(wecom, state):
    """48009 for the five detail reads, unless the address is an old one."""
    wecom.make("a")
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        ("user/get", {"userid": "a"}),
        ("user/list", {"department_id": 1}),
        ("user/simplelist", {"department_id": 1}),
        ("department/list", {}),
        ("department/get", {"id": 1}),
    )
    assert {code(wecom.get(path, **query)) for path, query in calls} == {48009}
    state.legacy_ip = True
    assert {code(wecom.get(path, **query)) for path, query in calls} == {0}
    assert wecom.get("user/get", userid="a")["email"] == "a@example.com"


def test_an_app_writes_neither_members_nor_departments(wecom, state):
    """48002 for members and list_id, 60011 for departments; reading is allowed."""
    app = wecom.fetch_token(state.apps[0].secret)
    assert code(wecom.post("user/create", {"userid": "a", "name": "a"}, app)) == 48002
    assert code(wecom.post("user/list_id", {}, app)) == 48002
    assert code(wecom.get("user/delete", app, userid="a")) == 48002
    assert code(wecom.post("department/create", {"name": "a", "parentid": 1}, app)) == 60011
    assert code(wecom.get("department/list", app)) == 0


def test_a_new_app_does_not_see_sensitive_fields(wecom, state):
    """Hidden fields are absent, not empty; an app of before 2022-06-20 sees them."""
    wecom.make("a", mobile="13800000001", gender="1")
    state.apps = (App(), App(agent_id=1000003, secret="old", sees_sensitive=True))
    hidden = {"mobile", "email", "biz_mail", "gender", "avatar", "thumb_avatar", "qr_code", "address"}
    new = wecom.get("user/get", wecom.fetch_token(state.apps[0].secret), userid="a")
    old = wecom.get("user/get", wecom.fetch_token("old"), userid="a")
    assert hidden & new.keys() == set()
    assert old.keys() - new.keys() == hidden
    assert (old["mobile"], old["gender"]) == ("13800000001", "1")


def test_a_wrong_method_is_an_error(wecom):
    """GET where POST is due, and the other way round."""
    assert code(wecom.get("user/create", userid="a", name="b")) == 40058
    assert code(wecom.post("user/delete", {"userid": "a"})) == 40058


def test_unicode_escapes_are_refused(wecom, state):
    r"""A body with \uXXXX gets 40033; an escaped backslash before a u does not."""
    params = {"access_token": wecom.token}
    escaped = rb'{"name": "\u7814", "parentid": 1}'
    assert code(wecom.send("POST", "department/create", params=params, content=escaped).json()) == 40033
    body = {"userid": "a", "name": "C:\\u7814"}
    assert code(wecom.post("user/create", {**body, "email": "a@example.com"})) == 0
    state.refuse_escapes = False
    assert code(wecom.send("POST", "department/create", params=params, content=escaped).json()) == 0
    assert state.departments[max(state.departments)].name == "研"


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'"x"', b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(wecom, content):
    """Whatever is not an object in UTF-8 gets 40058."""
    answer = wecom.send("POST", "user/create", params={"access_token": wecom.token}, content=content)
    assert code(answer.json()) == 40058


def test_wrong_json_types_are_refused_or_warned_about(wecom, state):
    """By default 40058; with the switch errcode 0, a warning, and the field left out."""
    wecom.make("a", position="工程师")
    body = {"userid": "a", "enable": True, "position": "经理"}
    assert code(wecom.post("user/update", body)) == 40058
    assert state.member("a").position == "工程师"
    state.warn_on_wrong_types = True
    answer = wecom.post("user/update", {**body, "enable": "0"})
    assert answer == {"errcode": 0, "errmsg": "updated. Warning: wrong json format. "}
    assert (state.member("a").enable, state.member("a").position) == (1, "经理")


def test_calls_per_minute_are_counted_per_path(wecom, state, clock):
    """Over the frequency 45009, until the next minute; other paths are not touched."""
    state.calls_per_minute = 2
    assert [code(wecom.get("tag/list")) for _ in range(3)] == [0, 0, 45009]
    assert code(wecom.get("department/simplelist")) == 0
    clock.now += 60
    assert code(wecom.get("tag/list")) == 0


def test_the_log_holds_calls_without_secrets(wecom, state):
    """Method, path, kind, errcode, query and body; no token, no secret."""
    app = state.apps[0].secret
    wecom.make("a")
    wecom.get("user/delete", userid="b")
    wecom.fetch_token(app)
    assert [(c.method, c.path, c.is_write, c.errcode, c.is_carried_out, c.who) for c in state.log] == [
        ("GET", "gettoken", False, 0, True, "contact"),
        ("POST", "user/create", True, 0, True, "contact"),
        ("GET", "user/delete", True, 60111, False, "contact"),
        ("GET", "gettoken", False, 0, True, "app:1000002"),
    ]
    assert state.log[1].body is not None
    assert state.log[1].body["userid"] == "a"
    assert state.log[2].query == {"userid": "b"}
    assert [call.path for call in state.writes] == ["user/create", "user/delete"]
    text = repr(state.log)
    assert wecom.token not in text
    assert app not in text
