from __future__ import annotations

import pytest

from wxsync.errors import StrayDepartmentError, WeComError
from wxsync.model.member import MemberWrite
from wxsync.model.seen import SeenMember
from wxsync.wecom import wire

FULL = MemberWrite(
    userid="zhang.san",
    name="张三",
    alias="San",
    mobile="13800000001",
    email="zs@example.com",
    departments=(2, 7),
    main_department=2,
    is_leader=(False, True),
    order=(0, 5),
    direct_leader="boss",
    position="工程师",
    gender="1",
    telephone="010-1",
    address="路",
    biz_mail="zs@corp.example",
    external_position="顾问",
    enable=True,
    extattr=(("工号", "A1"), ("楼层", None)),
)


def test_a_full_creation():
    """Every field has WeCom's name and type; nobody is invited."""
    assert wire.to_create_member(FULL) == {
        "userid": "zhang.san",
        "name": "张三",
        "alias": "San",
        "mobile": "13800000001",
        "email": "zs@example.com",
        "department": [2, 7],
        "main_department": 2,
        "is_leader_in_dept": [0, 1],
        "order": [0, 5],
        "direct_leader": ["boss"],
        "position": "工程师",
        "gender": "1",
        "telephone": "010-1",
        "address": "路",
        "biz_mail": "zs@corp.example",
        "external_position": "顾问",
        "enable": 1,
        "to_invite": False,
        "extattr": {"attrs": [{"type": 0, "name": "工号", "text": {"value": "A1"}}]},
    }


def test_a_creation_leaves_out_what_is_unknown_or_empty():
    """Nothing is sent that would say no more than its absence; enable is 1, to_invite false."""
    write = MemberWrite(userid="a", name="甲", mobile=None, direct_leader=None, departments=(1,))
    assert wire.to_create_member(write) == {
        "userid": "a",
        "name": "甲",
        "department": [1],
        "enable": 1,
        "to_invite": False,
    }
    assert wire.to_create_member(MemberWrite(userid="a", enable=False))["enable"] == 0


def test_an_update_sends_none_as_empty_and_unknown_not_at_all():
    """None clears in the form that each field wants; what is UNKNOWN stays as it is in WeCom."""
    write = MemberWrite(
        userid="a", position=None, gender=None, direct_leader=None, extattr=(("工号", None),), enable=False
    )
    assert wire.to_update_member(write) == {
        "userid": "a",
        "position": "",
        "gender": "",
        "direct_leader": [],
        "enable": 0,
        "extattr": {"attrs": [{"type": 0, "name": "工号", "text": {"value": ""}}]},
    }
    assert wire.to_update_member(MemberWrite(userid="a")) == {"userid": "a"}
    assert "to_invite" not in wire.to_update_member(FULL)


@pytest.mark.parametrize(
    "write",
    [
        MemberWrite(userid="a", departments=(1, 2), order=(1,)),
        MemberWrite(userid="a", departments=(1,), is_leader=(True, False)),
        MemberWrite(userid="a", order=(1,)),
        MemberWrite(userid="a", is_leader=(True,)),
        MemberWrite(userid="a", departments=()),
    ],
)
def test_arrays_that_do_not_fit_never_leave(write):
    """A member in no department, or arrays of other lengths, are mistakes of the caller's."""
    with pytest.raises(ValueError, match=r"^a: "):
        wire.to_update_member(write)


def test_departments_leave_out_what_is_not_given():
    """The root is renamed without a parent: parentid 0 would be refused (60124)."""
    assert wire.to_department(1, name="公司", parent_id=None, order=None) == {"id": 1, "name": "公司"}
    assert wire.to_department(5, name=None, parent_id=2, order=0) == {"id": 5, "parentid": 2, "order": 0}


def test_rows_of_one_member_meet_again():
    """A member's rows may be apart and spelled in another case: it is one member, as first spelled."""
    pairs = [("Zhang", 1), ("li", 2), ("zhang", 3)]
    assert wire.to_seen_members(pairs) == (
        SeenMember(userid="Zhang", department_ids=frozenset({1, 3})),
        SeenMember(userid="li", department_ids=frozenset({2})),
    )


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"dept_user": None, "next_cursor": ""},
        {"dept_user": [{"userid": "a"}], "next_cursor": ""},
        {"dept_user": [{"userid": "a", "department": "1"}], "next_cursor": ""},
        {"dept_user": []},
    ],
)
def test_a_page_that_lacks_something_is_no_page(answer):
    """No half-read listing passes for a whole one."""
    with pytest.raises(WeComError, match="user/list_id"):
        wire.from_member_page(answer)


def test_no_departments_at_all_is_no_listing():
    """A corp has a root: an empty list is an error and never a corp without departments."""
    with pytest.raises(WeComError, match="department_id is empty"):
        wire.from_departments({"department_id": []})


def test_refusals_come_back_as_the_caller_spelled_them():
    """`invalidlist` is one text joined by bars, in whatever case."""
    answer = {"invalidlist": "ZHANG|wang", "invalidparty": [3]}
    assert wire.from_refusals(answer, ["zhang", "li", "Wang"]) == {"zhang", "Wang"}
    assert wire.from_refusals({}, ["zhang"]) == frozenset()


def test_a_department_made_by_wecom_is_told():
    """The error names the member, who exists, and the departments, which nobody asked for."""
    answer = {"created_department_list": {"department_info": [{"name": "待设置", "id": 123}]}}
    with pytest.raises(StrayDepartmentError) as caught:
        wire.check_created(answer, "zhang")
    assert (caught.value.userid, caught.value.department_ids, caught.value.errcode) == ("zhang", (123,), 0)
    wire.check_created({"created_department_list": {"department_info": []}}, "zhang")
    wire.check_created({}, "zhang")
