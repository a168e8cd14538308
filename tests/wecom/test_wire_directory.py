from __future__ import annotations

import pytest

from wxsync.errors import StrayDepartmentError, WeComError
from wxsync.model.member import MemberWrite
from wxsync.model.seen import SeenDepartment, SeenMember, ShownMember
from wxsync.model.unknown import UNKNOWN
from wxsync.wecom.wire import directory as wire

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


ROW = {
    "userid": "Zhang",
    "name": " 张三 ",
    "alias": "",
    "mobile": "+86 13800000001",
    "email": "Zhang@Example.COM",
    "biz_mail": "",
    "position": "工程师",
    "gender": "0",
    "telephone": "010-1",
    "address": "路",
    "external_position": "顾问",
    "department": [7, 2],
    "order": [5, 0],
    "is_leader_in_dept": [1, 0],
    "main_department": 7,
    "direct_leader": ["boss"],
    "enable": 1,
    "status": 4,
    "extattr": {
        "attrs": [
            {"type": 0, "name": "楼层", "value": "", "text": {"value": ""}},
            {"type": 0, "name": "工号", "value": "A1"},
            {"type": 1, "name": "主页", "web": {"url": "https://example.com", "title": "x"}},
        ]
    },
    "status_of_tomorrow": None,
}


def shown(**fields) -> ShownMember:
    [(userid, member)] = wire.from_member_list({"userlist": [{"userid": "a", **fields}]})
    assert userid == "a"
    return member


def test_all_that_is_shown_of_a_member():
    """In the form in which a source's values are; an empty text is None, and so is the gender 0."""
    assert wire.from_member_list({"userlist": [ROW]}) == (
        (
            "Zhang",
            ShownMember(
                name="张三",
                alias=None,
                mobile="13800000001",
                email="zhang@example.com",
                biz_mail=None,
                position="工程师",
                gender=None,
                telephone="010-1",
                address="路",
                external_position="顾问",
                departments=frozenset({2, 7}),
                main_department=7,
                is_leader=(7,),
                order=((2, 0), (7, 5)),
                direct_leader="boss",
                enable=True,
                is_activated=False,
                extattr=(("工号", "A1"), ("楼层", None)),
            ),
        ),
    )


def test_what_is_hidden_is_unknown():
    """No field there: no field known. Least of all is it empty."""
    assert shown() == ShownMember()
    assert shown(mobile=None, order=None, extattr=None, enable=None) == ShownMember()
    assert ShownMember().mobile is UNKNOWN
    assert ShownMember().is_leader is UNKNOWN


@pytest.mark.parametrize("name", [field for field in ROW if field not in ("userid", "status_of_tomorrow")])
def test_each_hidden_field_hides_by_itself(name):
    """Whichever WeCom leaves out, the others are read as before."""
    whole = shown(**{**ROW, "userid": "a"})
    part = shown(**{field: value for field, value in ROW.items() if field not in (name, "userid")})
    fields = [each for each in ShownMember.__slots__ if getattr(part, each) != getattr(whole, each)]
    ours = {
        "is_leader_in_dept": ["is_leader"],
        "department": ["departments", "is_leader", "order"],
        "status": ["is_activated"],
    }
    assert fields == ours.get(name, [name])
    hidden = [getattr(part, each) for each in fields]
    assert all(value in (UNKNOWN, frozenset(), ()) for value in hidden)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"mobile": "+852 5123 4567"}, "mobile", "+85251234567"),
        ({"mobile": "010-12345678"}, "mobile", "010-12345678"),
        ({"mobile": ""}, "mobile", None),
        ({"gender": "2"}, "gender", "2"),
        ({"gender": ""}, "gender", None),
        ({"name": 7}, "name", UNKNOWN),
        ({"direct_leader": []}, "direct_leader", None),
        ({"direct_leader": ["a", "b"]}, "direct_leader", UNKNOWN),
        ({"enable": 0}, "enable", False),
        ({"status": 1}, "is_activated", True),
        ({"status": 2}, "is_activated", UNKNOWN),
        ({"status": 5}, "is_activated", UNKNOWN),
        ({"main_department": 0}, "main_department", UNKNOWN),
        ({"department": [2, 7], "order": [5]}, "order", UNKNOWN),
        ({"department": [2, 7], "is_leader_in_dept": [0, 0]}, "is_leader", ()),
        ({"department": [2, 7], "is_leader_in_dept": [1, "1"]}, "is_leader", UNKNOWN),
        ({"extattr": {"attrs": [{"type": 0, "name": "x"}]}}, "extattr", ()),
    ],
)
def test_odd_values_of_details(fields, name, value):
    """What cannot be read for sure is unknown, and never guessed."""
    assert getattr(shown(**fields), name) == value


def test_departments_by_name():
    """An app may see none at all; a name that is not shown, or shown as empty, is unknown."""
    rows = [
        {"id": 1, "parentid": 0, "order": 9, "name": "公司", "department_leader": []},
        {"id": 2, "parentid": 1, "order": 8, "name": ""},
        {"id": 3, "parentid": 1, "order": 7},
    ]
    assert wire.from_named_departments({"department": rows}) == (
        SeenDepartment(id=1, parent_id=0, order=9, name="公司"),
        SeenDepartment(id=2, parent_id=1, order=8),
        SeenDepartment(id=3, parent_id=1, order=7),
    )
    assert wire.from_named_departments({"department": []}) == ()


@pytest.mark.parametrize("answer", [{}, {"userlist": None}, {"userlist": [{"name": "张三"}]}])
def test_a_list_of_members_that_lacks_something_is_none(answer):
    """A row without a userid is nobody's, and an answer without rows is no answer."""
    with pytest.raises(WeComError, match="user/list"):
        wire.from_member_list(answer)
