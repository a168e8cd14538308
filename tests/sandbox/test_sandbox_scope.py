"""What an app sees whose range is not the whole corp, and who may not even call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wxsync.sandbox.switches import App, ContactSync


def code(answer):
    return answer["errcode"]


@pytest.fixture
def corp(wecom, state):
    """Two branches, one below the other; people in each, in both and in the root."""
    rd = wecom.department("研发")
    lab = wecom.department("实验室", rd)
    sales = wecom.department("销售")
    wecom.make("boss", department=[1])
    wecom.make("lin", department=[sales, lab], order=[1, 2], is_leader_in_dept=[1, 0], main_department=sales)
    wecom.make("wu", department=[sales], mobile="13800000001")
    state.add_tag("甲", ["wu"])
    return {"rd": rd, "lab": lab, "sales": sales}


def see(wecom, state, **scope):
    """The token of an app with this range."""
    state.apps = (App(**scope),)
    return wecom.fetch_token(state.apps[0].secret)


def test_departments_out_of_range_are_not_listed(wecom, state, corp):
    """Nor the parent of the topmost one that is seen; asked for by id it is 60011."""
    app = see(wecom, state, scope=(corp["rd"],))
    listed = wecom.get("department/list", app)["department"]
    assert [(row["id"], row["parentid"]) for row in listed] == [(corp["rd"], 1), (corp["lab"], corp["rd"])]
    ids = wecom.get("department/simplelist", app)["department_id"]
    assert [row["id"] for row in ids] == [corp["rd"], corp["lab"]]
    for path in ("department/list", "department/simplelist", "department/get"):
        assert code(wecom.get(path, app, id=corp["sales"])) == 60011
        assert code(wecom.get(path, app, id=corp["lab"])) == 0
        assert code(wecom.get(path, app, id=99)) == 60003


def test_members_out_of_range_are_not_found(wecom, state, corp):
    """60111 for one, 60011 for a department of them; of a member's places the visible ones are shown."""
    app = see(wecom, state, scope=(corp["rd"],))
    assert code(wecom.get("user/get", app, userid="wu")) == 60111
    lin = wecom.get("user/get", app, userid="lin")
    assert (lin["department"], lin["order"], lin["is_leader_in_dept"]) == ([corp["lab"]], [2], [0])
    assert "main_department" not in lin
    for path in ("user/list", "user/simplelist"):
        assert code(wecom.get(path, app, department_id=corp["sales"])) == 60011
        [row] = wecom.get(path, app, department_id=corp["lab"])["userlist"]
        assert (row["userid"], row["department"]) == ("lin", [corp["lab"]])


def test_a_range_of_members_only_has_no_departments(wecom, state, corp):
    """The list is empty, the members themselves are found, by name or by tag."""
    for scope in ({"scope_members": ("Wu",)}, {"scope_tags": (1,)}):
        app = see(wecom, state, scope=(), **scope)
        assert wecom.get("department/list", app)["department"] == []
        assert wecom.get("user/get", app, userid="wu")["department"] == []
        assert code(wecom.get("user/get", app, userid="lin")) == 60111
        assert wecom.post("user/getuserid", {"mobile": "13800000001"}, app)["userid"] == "wu"


def test_a_tagged_department_is_in_range_with_all_below(wecom, state, corp):
    """As if it were named itself."""
    state.directory.tag(state.tags[1], (), (corp["rd"],))
    app = see(wecom, state, scope=(), scope_tags=(1,))
    assert code(wecom.get("user/list", app, department_id=corp["lab"])) == 0


def test_tags_show_and_take_what_is_in_range(wecom, state, corp):
    """Others are left out of tag/get, and invalid in a tag of the app's own."""
    app = see(wecom, state, scope=(corp["rd"],))
    assert wecom.get("tag/get", app, tagid=1)["userlist"] == []
    tag = wecom.post("tag/create", {"tagname": "乙"}, app)["tagid"]
    body = {"tagid": tag, "userlist": ["lin", "wu"], "partylist": [corp["lab"], corp["sales"]]}
    answer = wecom.post("tag/addtagusers", body, app)
    assert (answer["errcode"], answer["invalidlist"], answer["invalidparty"]) == (0, "wu", [corp["sales"]])
    only_bad = {"tagid": tag, "userlist": ["wu"]}
    assert code(wecom.post("tag/addtagusers", only_bad, app)) == 40070
    assert code(wecom.post("tag/deltagusers", only_bad, app)) == 40031


def test_a_lookup_out_of_range_finds_nobody(wecom, state, corp):
    """46004, and it counts as a miss."""
    app = see(wecom, state, scope=(corp["rd"],))
    assert code(wecom.post("user/getuserid", {"mobile": "13800000001"}, app)) == 46004
    assert code(wecom.post("user/getuserid", {"mobile": "13800000001"}, app)) == 45009


def test_an_app_that_is_switched_off_calls_nothing(wecom, state):
    """50003 for gettoken, and for a token that it had before."""
    app = wecom.fetch_token(state.apps[0].secret)
    state.apps = (replace(state.apps[0], is_enabled=False),)
    query = {"corpid": state.corp_id, "corpsecret": state.apps[0].secret}
    assert code(wecom.get("gettoken", None, **query)) == 50003
    for path in ("tag/list", "getcallbackip"):
        assert code(wecom.get(path, app)) == 50003
    state.apps = ()
    assert code(wecom.get("gettoken", None, **query)) == 40001
    assert code(wecom.get("tag/list", app)) == 50003


def test_contact_sync_that_is_switched_off_gets_48002(wecom, state):
    """For all that wants a right; the lists of addresses want none, and gettoken works."""
    state.contact_sync = ContactSync.OFF
    assert code(wecom.make("a")) == 48002
    for path in ("department/simplelist", "tag/list"):
        assert code(wecom.get(path)) == 48002
    assert code(wecom.get("getcallbackip")) == 0
    assert wecom.fetch_token(state.contact_secret) == wecom.token
    assert code(wecom.get("tag/list", wecom.fetch_token(state.apps[0].secret))) == 0


def test_contact_sync_that_only_reads_gets_60011_for_writes(wecom, state):
    """Which tells it from one that is switched off."""
    state.contact_sync = ContactSync.READ
    assert code(wecom.make("a")) == 60011
    assert code(wecom.post("department/create", {"name": "a", "parentid": 1})) == 60011
    assert code(wecom.post("tag/create", {"tagname": "a"})) == 60011
    assert code(wecom.post("user/list_id", {})) == 0
    assert code(wecom.get("department/simplelist")) == 0


@pytest.mark.parametrize("errcode", [40091, 45031, 48006, 301007])
def test_secrets_that_are_refused_by_name(wecom, state, errcode):
    """Another corp's, too weak, unused for too long: no wrong secret that would count for a ban."""
    state.refused_secrets = {"other-corps-secret": errcode}
    state.wrong_secrets_per_hour = 1
    for _ in range(3):
        answer = wecom.get("gettoken", None, corpid=state.corp_id, corpsecret="other-corps-secret")
        assert code(answer) == errcode


def test_what_an_app_may_see_is_judged_at_the_call(wecom, state):
    """A token that was handed out before shows what the app may see now."""
    wecom.make("a", mobile="13800000001")
    app = wecom.fetch_token(state.apps[0].secret)
    assert "mobile" not in wecom.get("user/get", app, userid="a")
    state.apps = (replace(state.apps[0], sees_sensitive=True),)
    assert wecom.get("user/get", app, userid="a")["mobile"] == "13800000001"
