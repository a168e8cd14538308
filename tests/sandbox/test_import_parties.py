"""Departments come in by file (contacts.md §7.2, §7.4, §7.5)."""

from __future__ import annotations

import pytest

from tests.sandbox.importing import PARTY_HEADER, codes, member_table, person, run_job, start, table

HEAD = ("总部", 1, 0, "")


def parties(*rows):
    return table(PARTY_HEADER, rows)


def tree(state):
    """The departments: id -> (name, parentid)."""
    return {
        department.id: (department.name, department.parentid) for department in state.departments.values()
    }


def test_the_tree_becomes_that_of_the_file(wecom, state, clock):
    """Created, renamed, moved, reordered: the result says which, with the documented bits."""
    for id, name, parentid in ((2, "研发", 1), (3, "产品", 1), (4, "测试", 2), (5, "旧", 1)):
        wecom.department(name, parentid, id=id, order=10)
    state.rename_department(1, "旧名")
    content = parties(
        HEAD,
        ("研发", 2, 1, ""),
        ("产品中心", 3, 1, 0),
        ("测试", 4, 3, 20),
        ("新", 6, 4, 7),
        ("新二", 7, 4, ""),
    )
    answer = run_job(wecom, clock, "replaceparty", content)
    assert {name: answer[name] for name in ("errcode", "status", "type", "total", "percentage")} == {
        "errcode": 0,
        "status": 3,
        "type": "replace_party",
        "total": 6,
        "percentage": 100,
    }
    assert answer["result"] == [
        {"action": action, "partyid": id, "errcode": 0, "errmsg": "ok"}
        for action, id in ((2, 1), (0, 2), (2, 3), (4 | 8, 4), (1, 6), (1, 7))
    ]
    assert tree(state) == {
        1: ("总部", 0),
        2: ("研发", 1),
        3: ("产品中心", 1),
        4: ("测试", 3),
        6: ("新", 4),
        7: ("新二", 4),
    }
    assert [state.departments[id].order for id in (2, 3, 4, 6)] == [10, 10, 20, 7]


def test_the_root_need_not_be_there_and_may_be_reordered(wecom, state, clock):
    """A file without the root's row keeps it; with one, 10 says that it was renamed and reordered."""
    assert codes(run_job(wecom, clock, "replaceparty", parties(("研发", 2, 1, "")))) == {2: 0}
    answer = run_job(wecom, clock, "replaceparty", parties(("集团", 1, 0, 5)))
    assert [(row["partyid"], row["action"]) for row in answer["result"]] == [(1, 10)]
    assert tree(state) == {1: ("集团", 0)}


def test_names_may_be_swapped_and_branches_turned(wecom, state, clock):
    """The file is the end: siblings swap names, and a child becomes its parent's parent."""
    for id, name, parentid in ((2, "甲", 1), (3, "乙", 1), (4, "丙", 2)):
        wecom.department(name, parentid, id=id)
    content = parties(HEAD, ("乙", 2, 4, ""), ("甲", 3, 1, ""), ("丙", 4, 1, ""))
    answer = run_job(wecom, clock, "replaceparty", content)
    assert {row["partyid"]: (row["errcode"], row["action"]) for row in answer["result"]} == {
        1: (0, 2),
        2: (0, 6),
        3: (0, 2),
        4: (0, 4),
    }
    assert tree(state) == {1: ("总部", 0), 2: ("乙", 4), 3: ("甲", 1), 4: ("丙", 1)}


def test_who_makes_way_and_only_moves_is_not_renamed(wecom, state, clock):
    """A department that gives up its name for a moment, and has it again elsewhere, was moved alone."""
    for id, name, parentid in ((2, "甲", 1), (3, "乙", 1)):
        wecom.department(name, parentid, id=id)
    answer = run_job(
        wecom, clock, "replaceparty", parties(("甲", 4, 1, ""), ("乙", 3, 1, ""), ("甲", 2, 3, ""))
    )
    assert {row["partyid"]: row["action"] for row in answer["result"]} == {4: 1, 3: 0, 2: 4}
    assert tree(state) == {1: ("样例公司", 0), 4: ("甲", 1), 3: ("乙", 1), 2: ("甲", 3)}


def test_only_what_is_empty_is_deleted(wecom, state, clock):
    """Departments that the file lacks go from below; those with people wait for an import without them."""
    for id, name, parentid in ((2, "研发", 1), (3, "测试", 2), (4, "产品", 1), (5, "空", 4)):
        wecom.department(name, parentid, id=id)
    wecom.make("lin", department=[3])
    run_job(wecom, clock, "replaceparty", parties(HEAD))
    assert set(state.departments) == {1, 2, 3}
    run_job(wecom, clock, "syncuser", member_table(person("wang")))
    assert set(state.departments) == {1, 2, 3}
    wecom.post("user/update", {"userid": "lin", "department": [1]})
    assert set(state.departments) == {1, 2, 3}
    run_job(wecom, clock, "syncuser", member_table(person("wang")))
    assert set(state.departments) == {1}


def test_a_later_file_can_spare_a_department(wecom, state, clock):
    """What a replaceparty lacked and a later one has is no longer to be deleted."""
    wecom.department("研发", id=2)
    wecom.make("lin", department=[2])
    run_job(wecom, clock, "replaceparty", parties(HEAD))
    run_job(wecom, clock, "replaceparty", parties(HEAD, ("研发", 2, 1, "")))
    run_job(wecom, clock, "syncuser", member_table(person("lin")))
    assert state.members["lin"].department == (1,)
    assert set(state.departments) == {1, 2}


@pytest.mark.parametrize(
    ("rows", "errcode", "errmsg"),
    [
        ([("甲", 2, 1, ""), ("乙", 2, 1, "")], "302006", "partyid duplicated in import file"),
        ([("甲", 2, 1, ""), ("甲", 3, 1, "")], "302007", "party name duplicated in import file"),
        ([("", 2, 1, "")], "302004", "invalid party tree in import file"),
        ([("甲", "", 1, "")], "302004", "invalid party tree in import file"),
        ([("甲", 2, "", "")], "302004", "invalid party tree in import file"),
        ([("甲", "x", 1, "")], "302004", "invalid party tree in import file"),
        ([("甲", 2, 9, "")], "302004", "invalid party tree in import file"),
        ([("甲", 2, 0, "")], "302004", "invalid party tree in import file"),
        ([("总部", 1, 2, ""), ("甲", 2, 1, "")], "302004", "invalid party tree in import file"),
        ([("甲", 2, 3, ""), ("乙", 3, 2, "")], "302004", "invalid party tree in import file"),
        ([("甲", 2, 2, "")], "302004", "invalid party tree in import file"),
        ([("甲", 2, 1, "x")], "302004", "invalid party tree in import file"),
    ],
)
def test_what_is_no_tree_fails_the_job(wecom, state, clock, rows, errcode, errmsg):
    """One tree, no empty cell, no id and no sibling's name twice: else the errcode, and nothing changes."""
    wecom.department("旧", id=8)
    answer = run_job(wecom, clock, "replaceparty", parties(*rows))
    assert answer == {"errcode": errcode, "errmsg": errmsg, "type": "replace_party"}
    assert set(state.departments) == {1, 8}


def test_a_bad_department_stops_no_other(wecom, state, clock):
    """Rules of department/create hold row by row; what hangs on a bad row has no parent."""
    wecom.department("占", id=9)
    wecom.make("lin", department=[9])
    content = parties(
        ("a:b", 2, 1, ""), ("子", 3, 2, ""), ("占", 4, 1, ""), ("好", 5, 1, ""), ("x" * 65, 6, 1, "")
    )
    answer = run_job(wecom, clock, "replaceparty", content)
    assert codes(answer) == {2: 60009, 3: 60004, 4: 60008, 5: 0, 6: 60001}
    assert next(row["errmsg"] for row in answer["result"] if row["partyid"] == 4) == "department existed"
    assert set(state.departments) == {1, 5, 9}


@pytest.mark.parametrize(
    "header", [("部门名称", "部门ID", "排序"), ("部门名称", "父部门ID"), ("姓名", "帐号", "邮箱")]
)
def test_the_first_three_columns_must_be_there(wecom, header):
    """A file that lacks one is refused when it is sent in."""
    assert start(wecom, "replaceparty", table(header, [["1"] * len(header)]))["errcode"] == 40092


def test_a_large_tree_comes_in_whole(wecom, state, clock):
    """400 departments, children before parents in the file, are 400 departments afterwards."""
    rows = [(f"部门{id}", id, max(id // 3, 1), id) for id in range(2, 402)]
    answer = run_job(wecom, clock, "replaceparty", parties(*reversed(rows)))
    assert codes(answer) == dict.fromkeys(range(2, 402), 0)
    assert tree(state) == {1: ("样例公司", 0), **{id: (name, parent) for name, id, parent, _ in rows}}
