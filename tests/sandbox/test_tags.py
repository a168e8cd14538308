"""Tags, their members, and whose they are."""

from __future__ import annotations

import pytest


def code(answer):
    return answer["errcode"]


def create(wecom, name, token=None, **body):
    return wecom.post("tag/create", {"tagname": name, **body}, token)


def test_a_tag_gets_an_id(wecom, state):
    """The chosen one, else the highest there is + 1."""
    assert create(wecom, "a", tagid=12) == {"errcode": 0, "errmsg": "created", "tagid": 12}
    assert create(wecom, "b")["tagid"] == 13
    assert wecom.get("tag/list")["taglist"] == [
        {"tagid": 12, "tagname": "a"},
        {"tagid": 13, "tagname": "b"},
    ]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 41018),
        ({"tagname": ""}, 40072),
        ({"tagname": "名" * 33}, 40072),
        ({"tagname": "taken"}, 40071),
        ({"tagname": "x", "tagid": 1}, 40068),
        ({"tagname": "x", "tagid": -1}, 40068),
        ({"tagname": "x", "tagid": "2"}, 40058),
    ],
)
def test_a_creation_is_checked(wecom, state, body, errcode):
    """Name and id have their limits and are taken once."""
    create(wecom, "taken", tagid=1)
    assert code(wecom.post("tag/create", body)) == errcode
    assert len(state.tags) == 1


def test_tags_are_limited_in_number(wecom, state):
    """40126 over the most that a corp may have."""
    state.max_tags = 1
    create(wecom, "a")
    assert code(create(wecom, "b")) == 40126


def test_a_tag_is_renamed_and_deleted(wecom, state):
    """With its members, by its creator."""
    wecom.make("m")
    create(wecom, "a", tagid=1)
    create(wecom, "b", tagid=2)
    wecom.post("tag/addtagusers", {"tagid": 1, "userlist": ["m"]})
    assert code(wecom.post("tag/update", {"tagid": 1, "tagname": "b"})) == 40071
    assert wecom.post("tag/update", {"tagid": 1, "tagname": "c"})["errmsg"] == "updated"
    assert code(wecom.post("tag/update", {"tagid": 9, "tagname": "x"})) == 40068
    assert code(wecom.post("tag/update", {"tagname": "x"})) == 41017
    assert code(create(wecom, "a")) == 0
    assert wecom.get("tag/delete", tagid=1) == {"errcode": 0, "errmsg": "deleted"}
    assert code(wecom.get("tag/delete", tagid=1)) == 40068
    assert code(wecom.get("tag/get")) == 41017
    assert state.member("m").tags == set()


def test_members_and_departments_go_in_and_out(wecom, state):
    """In any case of the userid; twice does not matter."""
    rd = wecom.department("研发")
    wecom.make("Lin")
    create(wecom, "a", tagid=1)
    body = {"tagid": 1, "userlist": ["lin", "LIN"], "partylist": [rd]}
    assert wecom.post("tag/addtagusers", body) == {"errcode": 0, "errmsg": "ok"}
    assert wecom.post("tag/addtagusers", body) == {"errcode": 0, "errmsg": "ok"}
    assert wecom.get("tag/get", tagid=1) == {
        "errcode": 0,
        "errmsg": "ok",
        "tagname": "a",
        "userlist": [{"userid": "Lin", "name": "林梅"}],
        "partylist": [rd],
    }
    assert wecom.post("tag/deltagusers", body) == {"errcode": 0, "errmsg": "deleted"}
    assert wecom.get("tag/get", tagid=1)["userlist"] == []
    assert code(wecom.post("tag/deltagusers", body)) == 0


def test_the_valid_part_is_applied(wecom, state):
    """errcode 0, a pipe-joined text of userids and an array of departments; all invalid is an error."""
    wecom.make("a")
    create(wecom, "t", tagid=1)
    answer = wecom.post("tag/addtagusers", {"tagid": 1, "userlist": ["x", "a", "y"], "partylist": [7]})
    assert answer == {"errcode": 0, "errmsg": "ok", "invalidlist": "x|y", "invalidparty": [7]}
    assert list(state.tags[1].users) == ["a"]
    assert code(wecom.post("tag/addtagusers", {"tagid": 1, "userlist": ["x"]})) == 40070
    assert code(wecom.post("tag/deltagusers", {"tagid": 1, "userlist": ["x"]})) == 40031
    answer = wecom.post("tag/deltagusers", {"tagid": 1, "userlist": ["a", "x"]})
    assert answer == {"errcode": 0, "errmsg": "deleted", "invalidlist": "x"}
    assert list(state.tags[1].users) == []


def test_one_call_takes_a_thousand(wecom, state):
    """81014 above; nobody at all is 40035; a full tag is 81003."""
    create(wecom, "t", tagid=1)
    wecom.make("a")
    wecom.make("b")
    many = ["a"] * 1001
    assert code(wecom.post("tag/addtagusers", {"tagid": 1, "userlist": many})) == 81014
    assert code(wecom.post("tag/addtagusers", {"tagid": 1, "userlist": many[:1000]})) == 0
    assert code(wecom.post("tag/addtagusers", {"tagid": 1, "partylist": [1] * 101})) == 81014
    assert code(wecom.post("tag/addtagusers", {"tagid": 1, "userlist": []})) == 40035
    assert code(wecom.post("tag/addtagusers", {"tagid": 1, "userlist": "a"})) == 40035
    assert code(wecom.post("tag/addtagusers", {"tagid": 9, "userlist": ["a"]})) == 40068
    state.max_nodes = 1
    assert code(wecom.post("tag/addtagusers", {"tagid": 1, "userlist": ["b"]})) == 81003


def test_only_its_maker_changes_a_tag(wecom, state):
    """The contact secret also has those of the console; everybody sees all."""
    app = wecom.fetch_token(state.apps[0].secret)
    wecom.make("m")
    theirs = create(wecom, "app's", app)["tagid"]
    ours = create(wecom, "ours")["tagid"]
    console = state.add_tag("console's").id
    users = {"userlist": ["m"]}
    assert code(wecom.post("tag/addtagusers", {"tagid": theirs, **users})) == 81011
    assert code(wecom.get("tag/delete", tagid=theirs)) == 81011
    assert code(wecom.post("tag/addtagusers", {"tagid": ours, **users}, app)) == 81011
    assert code(wecom.post("tag/addtagusers", {"tagid": console, **users}, app)) == 81011
    assert code(wecom.post("tag/addtagusers", {"tagid": theirs, **users}, app)) == 0
    assert code(wecom.post("tag/addtagusers", {"tagid": console, **users})) == 0
    assert len(wecom.get("tag/list", app)["taglist"]) == 3
