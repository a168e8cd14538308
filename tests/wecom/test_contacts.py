from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import (
    DeniedError,
    FieldError,
    NotFoundError,
    StrayDepartmentError,
    UnsendableError,
    WeComError,
    WeComTransportError,
)
from wxsync.model.member import MemberWrite
from wxsync.model.seen import SeenDepartment, SeenMember, SeenTag


def page(rows, next_cursor="") -> httpx.Response:
    pairs = [{"userid": userid, "department": department} for userid, department in rows]
    return ok(dept_user=pairs, next_cursor=next_cursor)


def listing(contacts):
    return contacts.list_member_ids()


def test_departments_are_created_with_our_id():
    """The id that the caller wrote down first is what WeCom is told; order only where there is one."""
    line = Line().script("department/create", ok("created", id=7))
    line.run(lambda contacts: contacts.create_department(id=7, name="研发", parent_id=1, order=None))
    line.run(lambda contacts: contacts.create_department(id=8, name="市场", parent_id=7, order=5))
    assert line.bodies("department/create") == [
        {"id": 7, "name": "研发", "parentid": 1},
        {"id": 8, "name": "市场", "parentid": 7, "order": 5},
    ]


def test_departments_are_changed_by_what_is_given():
    """A rename says nothing of the parent, a move nothing of the name."""
    line = Line().script("department/update", ok("updated"))
    line.run(lambda contacts: contacts.update_department(7, name="研发"))
    line.run(lambda contacts: contacts.update_department(7, parent_id=2, order=9))
    assert line.bodies("department/update") == [
        {"id": 7, "name": "研发"},
        {"id": 7, "parentid": 2, "order": 9},
    ]


def test_deletions_are_reads_by_method_and_name_their_record():
    """The three deletions are GET with the id in the query, encoded."""
    line = Line()
    for path in ("department/delete", "user/delete", "tag/delete"):
        line.script(path, ok("deleted"))
    line.run(lambda contacts: contacts.delete_department(7))
    line.run(lambda contacts: contacts.delete_member("a@b.c"))
    line.run(lambda contacts: contacts.delete_tag(3))
    assert line.requests["department/delete"][0].url.params["id"] == "7"
    assert line.requests["user/delete"][0].url.params["userid"] == "a@b.c"
    assert line.requests["tag/delete"][0].url.params["tagid"] == "3"
    assert line.requests["user/delete"][0].method == "GET"


def test_departments_are_read_without_names():
    """simplelist shows where a department is, and not what it is called."""
    rows = [{"id": 1, "parentid": 0, "order": 9}, {"id": 2, "parentid": 1, "order": 8}]
    line = Line().script("department/simplelist", ok(department_id=rows))
    assert line.run(lambda contacts: contacts.list_departments()) == (
        SeenDepartment(id=1, parent_id=0, order=9),
        SeenDepartment(id=2, parent_id=1, order=8),
    )


def test_nobody_is_ever_invited():
    """Every creation says `to_invite: false` and `enable: 1`."""
    line = Line().script("user/create", ok("created"))
    line.run(lambda contacts: contacts.create_member(MemberWrite(userid="a", name="甲")))
    assert line.bodies("user/create") == [{"userid": "a", "name": "甲", "enable": 1, "to_invite": False}]


def test_a_department_that_wecom_made_up_is_an_error():
    """The member exists then: the error says so, with the departments."""
    made = {"department_info": [{"name": "待设置", "id": 123}, {"name": "待设置", "id": 124}]}
    line = Line().script("user/create", ok("created", created_department_list=made))
    with pytest.raises(StrayDepartmentError, match="department 123, 124 by itself for a") as caught:
        line.run(lambda contacts: contacts.create_member(MemberWrite(userid="a", name="甲")))
    assert caught.value.department_ids == (123, 124)


def test_rows_of_a_member_may_straddle_pages():
    """Pages are followed by their cursor to the end; a member on two of them is one member."""
    line = Line().script(
        "user/list_id", page([("a", 1), ("b", 2)], "c1"), page([("b", 3), ("c", 1)], "c2"), page([("B", 4)])
    )
    assert line.run(listing) == (
        SeenMember(userid="a", department_ids=frozenset({1})),
        SeenMember(userid="b", department_ids=frozenset({2, 3, 4})),
        SeenMember(userid="c", department_ids=frozenset({1})),
    )
    assert line.bodies("user/list_id") == [
        {"limit": 10000},
        {"cursor": "c1", "limit": 10000},
        {"cursor": "c2", "limit": 10000},
    ]


def test_a_lost_cursor_starts_the_listing_again_once():
    """50100: from the first page, and what was read before is thrown away."""
    line = Line().script(
        "user/list_id", page([("old", 1)], "c1"), errcode(50100), page([("a", 1)], "c1"), page([("b", 1)])
    )
    assert [member.userid for member in line.run(listing)] == ["a", "b"]
    line = Line().script(
        "user/list_id", page([("a", 1)], "c1"), errcode(50100), page([("a", 1)], "c2"), errcode(50100)
    )
    with pytest.raises(NotFoundError) as caught:
        line.run(listing)
    assert caught.value.errcode == 50100
    assert line.count("user/list_id") == 4


def test_a_cursor_that_comes_back_is_an_error():
    """A listing that turns in a circle is no listing."""
    line = Line().script(
        "user/list_id", page([("a", 1)], "c1"), page([("b", 1)], "c2"), page([("c", 1)], "c1")
    )
    with pytest.raises(WeComError, match="one cursor twice"):
        line.run(listing)
    assert line.count("user/list_id") == 3


@pytest.mark.parametrize(
    "broken", [httpx.ReadTimeout("slow"), errcode(48002), ok(dept_user=[{"userid": "a"}])]
)
def test_half_a_listing_is_never_given(broken):
    """Whatever ends the second page, nothing of the first is handed out."""
    line = Line().script("user/list_id", page([("a", 1)], "c1"), broken)
    with pytest.raises(WeComError):
        line.run(listing)


def test_tags_and_their_members():
    """The list has no members, a single tag has; and it names the whole departments in it."""
    line = Line().script("tag/list", ok(taglist=[{"tagid": 1, "tagname": "甲"}]))
    line.script("tag/get", ok(tagname="甲", userlist=[{"userid": "A", "name": "x"}], partylist=[2]))
    assert line.run(lambda contacts: contacts.list_tags()) == (SeenTag(id=1, name="甲"),)
    assert line.run(lambda contacts: contacts.get_tag(1)) == SeenTag(
        id=1, name="甲", userids=frozenset({"A"}), department_ids=frozenset({2})
    )
    line.script("tag/get", ok(tagname="甲", userlist=[], partylist=["2"]))
    with pytest.raises(WeComError, match="partylist is not a list of numbers"):
        line.run(lambda contacts: contacts.get_tag(1))


def test_a_tag_is_created_with_our_id_and_not_repeated():
    """A lost answer of a creation is ambiguous."""
    line = Line().script("tag/create", ok("created", tagid=12), httpx.ReadTimeout("slow"))
    line.run(lambda contacts: contacts.create_tag("UI", 12))
    assert line.bodies("tag/create") == [{"tagname": "UI", "tagid": 12}]
    with pytest.raises(WeComTransportError) as caught:
        line.run(lambda contacts: contacts.create_tag("UI", 12))
    assert caught.value.is_ambiguous


@pytest.mark.parametrize(
    ("path", "act", "none_valid"),
    [("tag/addtagusers", "add_tag_members", 40070), ("tag/deltagusers", "remove_tag_members", 40031)],
)
def test_tag_members_go_by_the_thousand(path, act, none_valid):
    """2,500 are three calls; what single ones refuse, in part or whole, comes back together."""
    everybody = [f"u{n}" for n in range(2500)]
    line = Line().script(path, ok(invalidlist="U3|u999", invalidparty=[]), errcode(none_valid), ok())
    refused = line.run(lambda contacts: getattr(contacts, act)(5, everybody))
    assert refused == {"u3", "u999"} | set(everybody[1000:2000])
    bodies = line.bodies(path)
    assert [len(body["userlist"]) for body in bodies] == [1000, 1000, 500]
    assert [userid for body in bodies for userid in body["userlist"]] == everybody
    assert {body["tagid"] for body in bodies} == {5}


def test_no_tag_members_make_no_call():
    """An empty list would be refused (40035), and is not sent."""
    line = Line()
    assert line.run(lambda contacts: contacts.add_tag_members(5, [])) == frozenset()
    assert line.requests == {}


def test_a_tag_of_others_is_an_error():
    """What is not about single members is raised."""
    line = Line().script("tag/addtagusers", errcode(48002))
    with pytest.raises(DeniedError):
        line.run(lambda contacts: contacts.add_tag_members(5, ["a"]))


def test_departments_have_an_english_name():
    """Where one is given, in both calls; else the field is not sent."""
    line = Line().script("department/create", ok("created", id=7)).script("department/update", ok("updated"))
    line.run(
        lambda contacts: contacts.create_department(
            id=7, name="研发", parent_id=1, order=None, name_en="Research"
        )
    )
    line.run(lambda contacts: contacts.update_department(7, name_en="R&D"))
    assert line.bodies("department/create")[0]["name_en"] == "Research"
    assert line.bodies("department/update") == [{"id": 7, "name_en": "R&D"}]


def test_a_userid_is_changed_by_itself():
    """No other field goes along. A lost answer is not repeated: 60111 would say nothing."""
    line = Line().script("user/update", ok("updated"), httpx.ReadTimeout("slow"), errcode(-1), errcode(60111))
    line.run(lambda contacts: contacts.change_userid("x1a2b3", "zhang"))
    assert line.bodies("user/update") == [{"userid": "x1a2b3", "new_userid": "zhang"}]
    for calls in (2, 4):
        with pytest.raises(WeComTransportError) as caught:
            line.run(lambda contacts: contacts.change_userid("x1a2b3", "zhang"))
        assert caught.value.is_ambiguous
        assert line.count("user/update") == calls


def test_mail_aliases_go_by_themselves():
    """WeCom takes them apart from the other fields: so they are asked for apart, and an empty list clears."""
    line = Line().script("user/update", ok("updated"))
    line.run(lambda contacts: contacts.set_mail_aliases("zhang", ["a@corp.test", "b@corp.test"]))
    line.run(lambda contacts: contacts.set_mail_aliases("zhang", []))
    assert line.bodies("user/update") == [
        {"userid": "zhang", "biz_mail_alias": {"item": ["a@corp.test", "b@corp.test"]}},
        {"userid": "zhang", "biz_mail_alias": {"item": []}},
    ]
    with pytest.raises(UnsendableError):
        line.run(lambda contacts: contacts.set_mail_aliases("zhang", ["a@corp.test"] * 6))


def test_many_members_are_deleted_or_nobody():
    """200 in one call; one stale userid refuses them all."""
    userids = [f"u{n}" for n in range(200)]
    line = Line().script("user/batchdelete", ok("deleted"), errcode(40031))
    line.run(lambda contacts: contacts.delete_members(userids))
    assert line.bodies("user/batchdelete") == [{"useridlist": userids}]
    with pytest.raises(FieldError):
        line.run(lambda contacts: contacts.delete_members(userids))
    for count in (0, 201):
        with pytest.raises(UnsendableError):
            line.run(lambda contacts, count=count: contacts.delete_members(["a"] * count))
    assert line.count("user/batchdelete") == 2


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), errcode(-1)])
def test_a_lost_deletion_of_many_is_never_taken_for_done(lost):
    """A repeat meets 40031 whether or not the first had its effect: nobody knows."""
    line = Line().script("user/batchdelete", lost, errcode(40031))
    with pytest.raises(WeComTransportError) as caught:
        line.run(lambda contacts: contacts.delete_members(["a", "b"]))
    assert caught.value.is_ambiguous


@pytest.mark.parametrize(
    ("path", "act", "none_valid"),
    [("tag/addtagusers", "add_tag_departments", 40070), ("tag/deltagusers", "remove_tag_departments", 40031)],
)
def test_tag_departments_go_by_the_hundred(path, act, none_valid):
    """250 are three calls; refused ones are a list of numbers, unlike members."""
    everything = list(range(2, 252))
    line = Line().script(path, ok(invalidparty=[3, 9999]), errcode(none_valid), ok())
    refused = line.run(lambda contacts: getattr(contacts, act)(5, everything))
    assert refused == {3} | set(everything[100:200])
    bodies = line.bodies(path)
    assert [len(body["partylist"]) for body in bodies] == [100, 100, 50]
    assert all("userlist" not in body for body in bodies)
    line.script(path, errcode(81011))
    with pytest.raises(WeComError):
        line.run(lambda contacts: getattr(contacts, act)(5, [2]))


@pytest.mark.parametrize("made", [7, "123", [7], {"department_info": 7}, {"department_info": [{"id": "1"}]}])
def test_a_made_up_department_that_cannot_be_read_is_told_all_the_same(made):
    """The member exists: whatever WeCom says beside that, no other error may hide it."""
    line = Line().script("user/create", ok("created", created_department_list=made))
    with pytest.raises(StrayDepartmentError) as caught:
        line.run(lambda contacts: contacts.create_member(MemberWrite(userid="a", name="甲")))
    assert caught.value.department_ids == ()
