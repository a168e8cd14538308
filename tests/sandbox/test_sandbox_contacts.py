"""Members are created, changed and deleted under WeCom's rules."""

from __future__ import annotations

import pytest

from wxsync.sandbox.records import Attribute


def code(answer):
    return answer["errcode"]


def test_a_member_is_stored_as_sent(wecom, state):
    """Every field of a creation is there afterwards, spelled as reads return it."""
    rd = wecom.department("研发")
    wecom.make("boss")
    state.attributes = {"工号": 0, "主页": 1}
    answer = wecom.post(
        "user/create",
        {
            "userid": "Zhang.San",
            "name": "张三",
            "alias": "三",
            "mobile": "+86 13800000001",
            "department": [1, rd],
            "order": [0, 5],
            "is_leader_in_dept": [0, 1],
            "main_department": rd,
            "position": "工程师",
            "gender": "1",
            "email": "zs@example.com",
            "telephone": "010-1234,5",
            "address": "北京",
            "external_position": "顾问",
            "direct_leader": ["BOSS"],
            "to_invite": False,
            "weixinid": "ignored",
            "extattr": {
                "attrs": [
                    {"type": 0, "name": "工号", "text": {"value": "A1"}},
                    {"type": 1, "name": "主页", "web": {"url": "https://example.com/1", "title": "home"}},
                    {"type": 0, "name": "没有", "text": {"value": "x"}},
                ]
            },
        },
    )
    assert answer == {"errcode": 0, "errmsg": "created"}
    member = state.members["zhang.san"]
    assert (member.userid, member.name, member.alias) == ("Zhang.San", "张三", "三")
    assert (member.mobile, member.email) == ("13800000001", "zs@example.com")
    assert (member.department, member.order) == ((1, rd), (0, 5))
    assert (member.is_leader_in_dept, member.main_department) == ((0, 1), rd)
    assert (member.position, member.gender, member.telephone) == ("工程师", "1", "010-1234,5")
    assert (member.address, member.external_position) == ("北京", "顾问")
    assert (member.direct_leader, member.enable, member.status) == (("boss",), 1, 4)
    assert member.extattr == {
        "工号": Attribute(0, "A1"),
        "主页": Attribute(1, "https://example.com/1", "home"),
    }


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 60112),
        ({"userid": "b"}, 60112),
        ({"name": "b"}, 41009),
        ({"userid": None, "name": "b"}, 41009),
        ({"userid": "", "name": "b"}, 40058),
        ({"userid": "b", "name": ""}, 40058),
        ({"userid": "-b", "name": "b"}, 40003),
        ({"userid": "张", "name": "b"}, 40003),
        ({"userid": "b c", "name": "b"}, 40003),
        ({"userid": "b" * 65, "name": "b"}, 40058),
        ({"userid": "b", "name": "名" * 65}, 60112),
        ({"userid": "b", "name": "b"}, 60129),
        ({"userid": "b", "name": "b", "mobile": "", "email": ""}, 60129),
    ],
)
def test_a_creation_wants_userid_name_and_a_way_to_reach(wecom, state, body, errcode):
    """The codes that a test-suite got from the real service."""
    assert code(wecom.post("user/create", body)) == errcode
    assert state.members == {}


@pytest.mark.parametrize(
    ("fields", "errcode"),
    [
        ({"mobile": "1380000000x"}, 60103),
        ({"mobile": "1" * 33}, 60103),
        ({"mobile": "１３８００００００００"}, 60103),
        ({"email": "a@b"}, 60105),
        ({"email": "名@example.com"}, 60105),
        ({"email": "a" * 53 + "@example.com"}, 60105),
        ({"alias": "a" * 65}, 40058),
        ({"position": "a" * 129}, 301012),
        ({"gender": "3"}, 40058),
        ({"gender": 1}, 40058),
        ({"telephone": "1" * 33}, 301013),
        ({"telephone": "010 1"}, 301013),
        ({"address": "a" * 129}, 40058),
        ({"external_position": "a" * 13}, 40058),
        ({"english_name": "张"}, 301014),
        ({"avatar_mediaid": "m1"}, 301015),
        ({"enable": 2}, 40058),
        ({"enable": True}, 40058),
        ({"department": 1}, 40058),
        ({"department": [True]}, 40058),
        ({"department": [1, 1]}, 40058),
        ({"department": [-1]}, 40058),
        ({"department": list(range(1, 102))}, 60110),
        ({"order": [0, 1]}, 40058),
        ({"order": [2**32]}, 40058),
        ({"is_leader_in_dept": [1, 0]}, 60132),
        ({"is_leader_in_dept": [2]}, 40058),
        ({"main_department": 7}, 40058),
        ({"direct_leader": ["nobody"]}, 301021),
        ({"direct_leader": ["a", "a"]}, 60257),
        ({"direct_leader": "a"}, 40058),
        ({"biz_mail": "x@corp.example.com"}, 60143),
        ({"extattr": {"attrs": [{"type": 0, "name": "n", "text": {"value": "a" * 65}}]}}, 40058),
        ({"extattr": {"attrs": [{"type": 1, "name": "n", "web": {"url": "x", "title": "x"}}]}}, 40058),
        ({"extattr": {"attrs": [{"name": "n", "value": "a"}]}}, 40058),
        ({"to_invite": 0}, 40058),
    ],
)
def test_every_field_has_its_limit(wecom, state, fields, errcode):
    """A value out of bounds is refused, in a creation as in an update, and changes nothing."""
    wecom.make("a")
    assert code(wecom.make("b", **fields)) == errcode
    assert list(state.members) == ["a"]
    if not fields.keys() & {"to_invite", "order"}:  # an update knows no to_invite, and no order alone
        assert code(wecom.post("user/update", {"userid": "a", **fields})) == errcode


def test_userids_are_unique_whatever_their_case(wecom, state):
    """60102, and the first spelling stays."""
    wecom.make("ZhangSan")
    assert wecom.make("zhangsan", email="z2@example.com")["errmsg"].startswith("userid existed, hint")
    assert state.member("ZHANGSAN").userid == "ZhangSan"


def test_numbers_and_addresses_are_unique_in_every_spelling(wecom):
    """60104 and 60106 name the owner."""
    wecom.make("Owner", mobile="13800000001", email="One@example.com")
    for spelling in ("13800000001", "+86 138-0000-0001", "+86-13800000001"):
        clash = wecom.make("b", mobile=spelling)
        assert (code(clash), clash["errmsg"].split(",")[0]) == (60104, "mobile existed:Owner")
    clash = wecom.make("b", email="one@EXAMPLE.com")
    assert (code(clash), clash["errmsg"].split(",")[0]) == (60106, "email existed:Owner")
    assert code(wecom.make("b", mobile="+85213800000001")) == 0


def test_an_invitation_is_counted_unless_it_is_refused_in_so_many_words(wecom, state):
    """`to_invite` absent, null or true invites; only false does not."""
    wecom.make("a")
    wecom.make("b", to_invite=True)
    wecom.make("c", to_invite=None)
    wecom.post("user/create", {"userid": "d", "name": "d", "email": "d@example.com"})
    assert state.invitations == ["b", "c", "d"]


def test_nobody_placed_goes_to_the_pending_department(wecom, state):
    """No department, an empty list, or 0: 其他(待设置部门), below the root."""
    for userid, department in (("a", None), ("b", []), ("c", [0])):
        assert wecom.make(userid, department=department) == {"errcode": 0, "errmsg": "created"}
    pending = state.departments[2]
    assert (pending.name, pending.parentid) == ("其他(待设置部门)", 1)
    assert {member.department for member in state.members.values()} == {(2,)}
    assert {member.main_department for member in state.members.values()} == {2}


def test_an_unknown_department_is_created_and_told(wecom, state):
    """The edition of 2024 and later makes one for it; no other check may fail before."""
    assert code(wecom.make("a", department=[2], mobile="x")) == 60103
    assert set(state.departments) == {1}
    answer = wecom.make("a", department=[1, 2])
    assert answer == {
        "errcode": 0,
        "errmsg": "created",
        "created_department_list": {"department_info": [{"name": "待设置部门2", "id": 2}]},
    }
    assert state.departments[state.departments[2].parentid].name == "其他(待设置部门)"
    assert state.member("a").department == (1, 2)


def test_strict_departments_refuse_what_is_not_there(wecom, state):
    """The older edition: 60123 for an unknown department, 40066 for none."""
    state.strict_departments = True
    assert code(wecom.make("a", department=[1, 2])) == 60123
    assert code(wecom.make("a", department=[])) == 40066
    assert code(wecom.make("a", department=[1])) == 0


def test_an_update_changes_what_it_names(wecom, state):
    """Omitted and null stay; empty clears where empty is allowed; the userid is found in any case."""
    wecom.make("boss")
    wecom.make("a", position="工程师", telephone="1", direct_leader=["boss"], alias="x", gender="2")
    body = {"userid": "A", "position": "", "telephone": None, "direct_leader": None, "alias": ""}
    assert wecom.post("user/update", body) == {"errcode": 0, "errmsg": "updated"}
    member = state.member("a")
    assert (member.position, member.telephone, member.alias, member.gender) == ("", "1", "", "2")
    assert member.direct_leader == ("boss",)
    wecom.post("user/update", {"userid": "a", "direct_leader": []})
    assert state.member("a").direct_leader == ()
    assert code(wecom.post("user/update", {"userid": "nobody", "name": "x"})) == 60111
    assert code(wecom.post("user/update", {"name": "x"})) == 41009


def test_an_update_replaces_departments_whole(wecom, state):
    """New departments start without order and leader mark; order alone has no effect."""
    x, y = wecom.department("x"), wecom.department("y")
    wecom.make("a", department=[1, x], order=[3, 4], is_leader_in_dept=[1, 1])
    wecom.post("user/update", {"userid": "a", "order": [8, 9]})
    assert state.member("a").order == (3, 4)
    wecom.post("user/update", {"userid": "a", "department": [y, x]})
    member = state.member("a")
    assert (member.department, member.order) == ((y, x), (0, 4))
    assert (member.is_leader_in_dept, member.main_department) == ((0, 1), y)
    assert set(state.departments[1].members) == set()
    assert code(wecom.post("user/update", {"userid": "a", "department": [99]})) == 60123
    assert code(wecom.post("user/update", {"userid": "a", "department": []})) == 40066
    assert code(wecom.post("user/update", {"userid": "a", "main_department": 1})) == 40058
    assert member.department == (y, x)


def test_a_number_is_cleared_only_where_an_address_is_left(wecom, state):
    """60129 when nothing would be left; a released number is free for others at once."""
    wecom.make("a", mobile="13800000001")
    assert code(wecom.post("user/update", {"userid": "a", "mobile": ""})) == 60129
    assert code(wecom.post("user/update", {"userid": "a", "mobile": "", "email": "a@example.com"})) == 0
    assert code(wecom.make("b", mobile="13800000001")) == 0
    clash = wecom.post("user/update", {"userid": "a", "mobile": "13800000001"})
    assert clash["errmsg"].startswith("mobile existed:b, ")


def test_the_number_of_somebody_who_activated_is_not_changed(wecom, state):
    """Answered with ok, and ignored: also where it would clash."""
    wecom.make("a", mobile="13800000001")
    wecom.make("b", mobile="13800000002")
    state.set_status("a", 1)
    answer = wecom.post("user/update", {"userid": "a", "mobile": "13800000003", "position": "经理"})
    assert answer == {"errcode": 0, "errmsg": "updated"}
    assert code(wecom.post("user/update", {"userid": "a", "mobile": "13800000002"})) == 0
    assert (state.member("a").mobile, state.member("a").position) == ("13800000001", "经理")


def test_enable_and_status_go_together(wecom, state):
    """Disabled is status 2; enabled again is 1 for who had activated, else 4."""
    wecom.make("a", enable=0)
    assert state.member("a").status == 2
    wecom.post("user/update", {"userid": "a", "enable": 1})
    assert state.member("a").status == 4
    state.set_status("a", 1)
    wecom.post("user/update", {"userid": "a", "enable": 0})
    assert state.member("a").status == 2
    wecom.post("user/update", {"userid": "a", "enable": 1})
    assert state.member("a").status == 1


def test_attributes_are_updated_one_by_one(wecom, state):
    """An attribute that is not listed stays; an empty one is cleared; an undefined one is ignored."""
    state.attributes = {"工号": 0, "车牌": 0}

    def attrs(**values):
        return {"attrs": [{"type": 0, "name": k, "text": {"value": v}} for k, v in values.items()]}

    wecom.make("a", extattr=attrs(工号="A1", 车牌="京A"))
    wecom.post("user/update", {"userid": "a", "extattr": attrs(车牌="", 其他="x")})
    assert state.member("a").extattr == {"工号": Attribute(0, "A1")}


def test_a_userid_changes_once_and_only_if_wecom_made_it_up(wecom, state):
    """301036 for a chosen userid; a generated one takes its tags, reports and departments along."""
    wecom.make("a")
    assert code(wecom.post("user/update", {"userid": "a", "new_userid": "b"})) == 301036
    state.add_member("wogen1", "高", has_generated_userid=True, email="g@example.com")
    state.add_tag("t", ["wogen1"])
    wecom.post("user/update", {"userid": "a", "direct_leader": ["wogen1"]})
    assert code(wecom.post("user/update", {"userid": "wogen1", "new_userid": "A"})) == 60102
    assert code(wecom.post("user/update", {"userid": "wogen1", "new_userid": "Gao"})) == 0
    assert state.member("a").direct_leader == ("Gao",)
    assert list(state.tags[1].users) == ["gao"]
    assert set(state.departments[1].members) == {"a", "gao"}
    assert code(wecom.post("user/update", {"userid": "gao", "new_userid": "gao2"})) == 301036


def test_corp_mail_is_made_up_and_changes_once(wecom, state):
    """Unique, of the corp's domain, one change of a generated address."""
    state.mail_domain = "corp.example.com"
    wecom.make("a")
    wecom.make("b", biz_mail="bee@corp.example.com")
    assert state.member("a").biz_mail == "a@corp.example.com"

    def change(userid, address):
        return code(wecom.post("user/update", {"userid": userid, "biz_mail": address}))

    assert change("a", "a@elsewhere.example.com") == 81015
    assert change("a", "BEE@corp.example.com") == 60145
    assert change("a", "ay@corp.example.com") == 0
    assert change("a", "ay@corp.example.com") == 0
    assert change("a", "az@corp.example.com") == 60144
    assert change("b", "b@corp.example.com") == 60144


def test_a_deleted_member_is_nowhere_any_more(wecom, state):
    """Not in departments, tags, as leader, nor as owner of a number."""
    wecom.make("a", mobile="13800000001")
    wecom.make("b", direct_leader=["a"])
    state.add_tag("t", ["a", "b"])
    assert wecom.get("user/delete", userid="A") == {"errcode": 0, "errmsg": "deleted"}
    assert list(state.members) == ["b"]
    assert list(state.tags[1].users) == ["b"]
    assert state.member("b").direct_leader == ()
    assert list(state.departments[1].members) == ["b"]
    assert code(wecom.make("c", mobile="13800000001")) == 0
    assert code(wecom.get("user/delete", userid="a")) == 60111
    assert code(wecom.get("user/delete")) == 41009


def test_the_creator_is_never_deleted(wecom, state):
    """301005, alone or in a batch."""
    wecom.make("Boss")
    wecom.make("a")
    state.creator = "boss"
    assert code(wecom.get("user/delete", userid="boss")) == 301005
    assert code(wecom.post("user/batchdelete", {"useridlist": ["a", "boss"]})) == 301005
    assert len(state.members) == 2


def test_a_batch_is_deleted_whole_or_not_at_all(wecom, state):
    """One stale userid blocks all; more than 200 are too many."""
    for userid in "abc":
        wecom.make(userid)
    assert code(wecom.post("user/batchdelete", {"useridlist": ["a", "x"]})) == 40031
    assert code(wecom.post("user/batchdelete", {"useridlist": ["a"] * 201})) == 40032
    assert code(wecom.post("user/batchdelete", {"useridlist": []})) == 40058
    assert len(state.members) == 3
    assert wecom.post("user/batchdelete", {"useridlist": ["a", "A", "b"]})["errmsg"] == "deleted"
    assert list(state.members) == ["c"]


def test_accounts_and_departments_are_capped(wecom, state):
    """45024 over the corp's cap, 81001 in a full department."""
    full = wecom.department("full")
    state.account_cap, state.max_nodes = 2, 1
    assert code(wecom.make("a", department=[full])) == 0
    assert code(wecom.make("b", department=[full])) == 81001
    assert code(wecom.make("b", department=[1])) == 81001
    state.max_nodes = 30_000
    assert code(wecom.make("b")) == 0
    assert code(wecom.make("c")) == 45024
