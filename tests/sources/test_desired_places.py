"""Where people belong: departments, marks, memberships."""

from __future__ import annotations

import pytest

from tests.sources.rows import Desire, Rows, person, rules_of
from wxsync.model.unknown import UNKNOWN

TREE: Rows = [
    {"code": "0", "parent": None, "name": "公司"},
    {"code": "D1", "parent": "0", "name": "研发"},
    {"code": "D2", "parent": "D1", "name": "平台"},
    {"code": "D3", "parent": "gone", "name": "销售"},
    {"code": "D4", "parent": "D3", "name": "华东"},
]
ROOTED = {"root": "code == '0'"}


def test_departments_are_a_key_or_a_list_of_keys(desire: Desire) -> None:
    """The first is the main one; doubles and gaps fall out; a text is never split by itself."""
    rows = [person("E1", dept="D2,D1,,D2"), person("E2", dept=None), person("E3", dept="0")]
    desired = desire(rows, TREE, department=ROOTED, departments="dept | split(',')")
    assert [member.departments for member in desired.members.values()] == [("D2", "D1"), (1,), (1,)]
    assert [member.main_department for member in desired.members.values()] == ["D2", 1, 1]
    assert desired.root_key == "0"
    assert set(desired.departments) == {"D1", "D2"}
    assert desired.departments["D1"].parent == 1


def test_an_unknown_department_rejects_the_person(desire: Desire) -> None:
    """A rejected one does not: what WeCom holds of it stays."""
    rows = [person("E1", dept="D9"), person("E2", dept="D3"), person("E3", dept="D4")]
    desired = desire(rows, TREE, department=ROOTED)
    assert rules_of(desired.rejected) == [
        ("D3", "parent", "unknown_parent"),
        ("E1", "departments", "unknown_department"),
    ]
    assert desired.held_departments == {"D3", "D4"}
    assert desired.members["E2"].departments == ("D3",)
    assert desired.members["E3"].departments == ("D4",)


def test_without_a_mapping_everybody_is_in_the_root_department(desire: Desire) -> None:
    """And the directory says that nobody asked for that; a memberships query does ask."""
    desired = desire([person("E1")], departments=None)
    assert desired.members["E1"].departments == (1,)
    assert not desired.places_are_mapped
    assert desire([person("E1")]).places_are_mapped
    assert desire([person("E1")], departments=None, memberships=[]).places_are_mapped


def test_the_main_department_comes_first(desire: Desire) -> None:
    """It must be one of the person's own."""
    rows = [
        person("E1", dept="D1,D2", main="D2"),
        person("E2", main=None),
        person("E3", main="D2"),
        person("E4", main="x"),
    ]
    desired = desire(rows, departments="dept | split(',')", main_department="main")
    assert desired.members["E1"].departments == ("D2", "D1")
    assert desired.members["E1"].main_department == "D2"
    assert desired.members["E2"].main_department == "D1"
    assert rules_of(desired.rejected) == [
        ("E3", "main_department", "main_department"),
        ("E4", "main_department", "main_department"),
    ]


def test_marks_are_one_value_for_all_or_a_list_beside_the_departments(desire: Desire) -> None:
    """Sorted by department; a null order is none."""
    rows = [person("E1", leads=1, sort=5), person("E2", leads=0, sort=None)]
    desired = desire(rows, departments="['D2', 'D1']", is_leader="leads", order="[sort, 7]")
    first, second = desired.members.values()
    assert first.is_leader == ("D1", "D2")
    assert first.order == (("D1", 7), ("D2", 5))
    assert second.is_leader == ()
    assert second.order == (("D1", 7),)


def test_a_list_of_marks_must_fit(desire: Desire) -> None:
    """Which mark is whose could not be told."""
    desired = desire([person("E1")], is_leader="[true, false]")
    assert rules_of(desired.rejected) == [("E1", "is_leader", "aligned")]


def test_more_than_100_departments_reject_the_person(desire: Desire) -> None:
    """WeCom takes no more."""
    tree = [{"code": f"D{n}", "parent": None, "name": f"部门{n}"} for n in range(101)]
    keys = [f"D{n}" for n in range(101)]
    rows = [person("E1", dept=",".join(keys)), person("E2", dept=",".join(keys[1:]))]
    desired = desire(rows, tree, departments="dept | split(',')")
    assert rules_of(desired.rejected) == [("E1", "departments", "too_many_departments")]
    assert desired.members["E2"].departments == tuple(keys[1:])


def test_memberships_add_places(desire: Desire) -> None:
    """The own departments come first; without any the memberships are all there is."""
    rows = [person("E1", dept="D1"), person("E2", dept=None), person("E3", dept="D2")]
    memberships = [{"who": who, "where": where} for who, where in (("E1", "D2"), ("E2", "D2"), ("E1", "D1"))]
    desired = desire(rows, memberships=memberships)
    assert [member.departments for member in desired.members.values()] == [("D1", "D2"), ("D2",), ("D2",)]
    assert [member.is_leader for member in desired.members.values()] == [UNKNOWN] * 3
    assert [reading.query for reading in desired.readings] == ["departments", "members", "memberships"]


def test_marks_of_memberships_win(desire: Desire) -> None:
    """They go by the columns' names, whatever their case; is_main picks the main department."""
    memberships = [
        {"who": "E1", "where": "D1", "IS_LEADER": 0, "order": 3, "is_main": 0},
        {"who": "E1", "where": "D2", "IS_LEADER": 1, "order": None, "is_main": 1},
    ]
    rows = [person("E1", leads=1), person("E2", leads=1)]
    desired = desire(rows, memberships=memberships, is_leader="leads")
    first, second = desired.members.values()
    assert first.departments == ("D2", "D1")
    assert first.main_department == "D2"
    assert first.is_leader == ("D2",)
    assert first.order == (("D1", 3),)
    assert second.is_leader == ("D1",)
    assert second.order == ()


def test_a_membership_of_somebody_unknown_is_rejected_and_of_a_leaver_is_not(desire: Desire) -> None:
    """The stranger is no rejected person: such a one may well be gone."""
    rows = [person("E1", on=1), person("E2", on=0), person("E3", on=1, full_name=None)]
    memberships = [{"who": who, "where": "D2"} for who in ("E1", "E2", "E3", "E9", "E9")]
    desired = desire(rows, memberships=memberships, active="on")
    assert rules_of(desired.rejected) == [("E3", "name", "required"), ("E9", "memberships", "unknown_member")]
    assert desired.rejected_members == {"E3"}
    assert desired.members["E1"].departments == ("D1", "D2")


def test_a_membership_in_an_unknown_department_rejects_the_person(desire: Desire) -> None:
    """As the person's own row would."""
    desired = desire([person("E1"), person("E2")], memberships=[{"who": "E1", "where": "D9"}])
    assert rules_of(desired.rejected) == [("E1", "departments", "unknown_department")]
    assert desired.rejected_members == {"E1"}
    assert list(desired.members) == ["E2"]


def test_a_membership_without_a_member_key_sets_doubt(desire: Desire) -> None:
    """It may be anybody's."""
    desired = desire([person("E1")], memberships=[{"who": None, "where": "D2"}, {"who": "E1", "where": "D2"}])
    assert rules_of(desired.rejected) == [(None, "memberships", "key")]
    assert desired.is_doubtful("memberships")
    assert not desired.is_doubtful("members")


@pytest.mark.parametrize(
    ("row", "reject"),
    [
        ({"is_leader": "yes", "order": 1}, ("E1", "is_leader", "type")),
        ({"is_leader": 1, "order": -1}, ("E1", "order", "number")),
        ({"is_leader": 1, "order": 1, "where": None}, ("E1", "departments", "null")),
    ],
)
def test_a_faulty_membership_leaves_the_places_undecided(
    desire: Desire, row: dict[str, object], reject: tuple[str, str, str]
) -> None:
    """The person is still wanted; the places stay as they are."""
    desired = desire([person("E1")], memberships=[{"who": "E1", "where": "D2"} | row])
    assert rules_of(desired.rejected) == [reject]
    assert desired.undecided_memberships == {"E1"}
    assert desired.rejected_members == frozenset()
    assert "E1" in desired.members


def test_two_main_departments_leave_the_places_undecided(desire: Desire) -> None:
    """Which one it is could depend on the order of rows."""
    memberships = [{"who": "E1", "where": where, "is_main": 1} for where in ("D1", "D2")]
    desired = desire([person("E1")], memberships=memberships)
    assert rules_of(desired.rejected) == [("E1", "main_department", "main_department")]
    assert desired.undecided_memberships == {"E1"}


def test_a_membership_said_twice_is_one_place(desire: Desire) -> None:
    """A leader by any of the rows, with the largest order: the order of rows does not matter."""
    memberships = [
        {"who": "E1", "where": "D2", "is_leader": leads, "order": order} for leads, order in ((0, 5), (1, 3))
    ]
    for rows in (memberships, memberships[::-1]):
        member = desire([person("E1", dept=None)], memberships=rows).members["E1"]
        assert member.departments == ("D2",)
        assert member.is_leader == ("D2",)
        assert member.order == (("D2", 5),)
