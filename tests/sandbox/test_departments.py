"""Departments are created, renamed, moved and deleted under WeCom's rules."""

from __future__ import annotations

import pytest


def code(answer):
    return answer["errcode"]


def create(wecom, **body):
    return wecom.post("department/create", {"name": "x", "parentid": 1, **body})


def update(wecom, id, **body):
    return wecom.post("department/update", {"id": id, **body})


def test_a_department_gets_an_id_and_an_order(wecom, state):
    """The highest id + 1 unless one is chosen; later siblings come after earlier ones."""
    assert create(wecom, name="a") == {"errcode": 0, "errmsg": "created", "id": 2}
    assert create(wecom, name="b", id=40)["id"] == 40
    assert create(wecom, name="c")["id"] == 41
    assert create(wecom, name="d", order=7)["id"] == 42
    orders = [state.departments[id].order for id in (2, 40, 41, 42)]
    assert orders == [100_000_000, 99_999_000, 99_998_000, 7]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"name": None}, 40058),
        ({"parentid": None}, 40058),
        ({"name": ""}, 60001),
        ({"name": "名" * 65}, 60001),
        *(({"name": f"a{char}b"}, 60009) for char in '\\:*?"<>|｜'),
        ({"name_en": "a:b"}, 60009),
        ({"parentid": 99}, 60004),
        ({"parentid": 0}, 60004),
        ({"id": 0}, 40058),
        ({"id": -1}, 40058),
        ({"id": 2**31}, 40058),
        ({"id": "2"}, 40058),
        ({"order": -1}, 40058),
        ({"order": 2**32}, 40058),
    ],
)
def test_a_creation_is_checked(wecom, state, body, errcode):
    """Name, parent, id and order have their limits."""
    assert code(create(wecom, **body)) == errcode
    assert set(state.departments) == {1}


def test_ids_and_sibling_names_are_taken_once(wecom, state):
    """60008 names the department that is there; another parent may hold the same name."""
    a = wecom.department("a")
    clash = create(wecom, name="a")
    assert (code(clash), clash["errmsg"].split(",")[0]) == (60008, f"department existed: {a}")
    assert create(wecom, name="b", id=a)["errmsg"].startswith(f"department existed: {a},")
    assert code(create(wecom, name="b", id=1)) == 60008
    assert code(create(wecom, name="a", parentid=a)) == 0
    assert code(create(wecom, name="名" * 64)) == 0


def test_a_rename_frees_the_old_name(wecom, state):
    """Sibling names are checked against what holds now."""
    a, b = wecom.department("a"), wecom.department("b")
    assert code(update(wecom, a, name="b")) == 60008
    assert code(update(wecom, a, name="a")) == 0
    assert update(wecom, b, name="c") == {"errcode": 0, "errmsg": "updated"}
    assert code(update(wecom, a, name="b")) == 0
    assert (state.departments[a].name, state.departments[b].name) == ("b", "c")
    assert code(update(wecom, a, order=3)) == 0
    assert (state.departments[a].order, state.departments[a].name) == (3, "b")
    assert code(update(wecom, 99, name="x")) == 60003
    assert code(wecom.post("department/update", {"name": "x"})) == 40058


def test_a_move_takes_the_subtree_along(wecom, state):
    """Not below itself (60010), not to a parent that is not there (60004) or holds the name (60008)."""
    a = wecom.department("a")
    b = wecom.department("b", a)
    c = wecom.department("c", b)
    other = wecom.department("c")
    assert code(update(wecom, a, parentid=a)) == 60010
    assert code(update(wecom, a, parentid=c)) == 60010
    assert code(update(wecom, c, parentid=1)) == 60008
    assert code(update(wecom, c, parentid=99)) == 60004
    assert code(update(wecom, c, parentid=0)) == 60124
    assert code(update(wecom, c, parentid=1, name="c2")) == 0
    assert code(update(wecom, a, parentid=c)) == 0
    assert state.departments[a].parentid == c
    assert list(state.departments[1].children) == [other, c]


def test_the_root_is_renamed_but_not_moved_or_deleted(wecom, state):
    """60124 for any parentid, 60007 for a deletion."""
    assert code(update(wecom, 1, name="新公司")) == 0
    assert state.departments[1].name == "新公司"
    assert code(update(wecom, 1, parentid=0)) == 60124
    assert code(update(wecom, 1, parentid=1)) == 60124
    assert code(wecom.get("department/delete", id=1)) == 60007


def test_only_an_empty_department_is_deleted(wecom, state):
    """60005 with members, 60006 with sub-departments, 60003 when it is gone."""
    a = wecom.department("a")
    b = wecom.department("b", a)
    wecom.make("m", department=[b])
    wecom.post("tag/create", {"tagname": "t", "tagid": 1})
    wecom.post("tag/addtagusers", {"tagid": 1, "partylist": [b]})
    assert code(wecom.get("department/delete", id=a)) == 60006
    assert code(wecom.get("department/delete", id=b)) == 60005
    wecom.get("user/delete", userid="m")
    assert wecom.get("department/delete", id=b) == {"errcode": 0, "errmsg": "deleted"}
    assert list(state.tags[1].parties) == []
    assert code(wecom.get("department/delete", id=b)) == 60003
    assert code(wecom.get("department/delete")) == 40058
    assert code(wecom.get("department/delete", id=a)) == 0


def test_the_tree_has_fifteen_levels(wecom, state):
    """81002 for a creation or a move that goes deeper, the root being the first level."""
    parent = 1
    for level in range(2, 16):
        parent = wecom.department(f"level {level}", parent)
    assert code(create(wecom, parentid=parent)) == 81002
    pair = wecom.department("pair")
    wecom.department("child", pair)
    fourteenth = state.departments[parent].parentid
    assert code(update(wecom, pair, parentid=fourteenth)) == 81002
    assert code(update(wecom, pair, parentid=state.departments[fourteenth].parentid)) == 0


def test_a_full_department_takes_nobody_more(wecom, state):
    """81001; members and sub-departments count together."""
    a = wecom.department("a")
    state.max_nodes = 2
    wecom.make("m", department=[a])
    assert code(create(wecom, parentid=a, name="one")) == 0
    assert code(create(wecom, parentid=a, name="two")) == 81001


def test_lists_hold_a_department_and_all_below(wecom, state):
    """Parents before children, siblings by order; names in list and get only."""
    a = wecom.department("a", order=1, name_en="A")
    b = wecom.department("b", order=2)
    c = wecom.department("c", a)
    wecom.make("m", department=[1, a], is_leader_in_dept=[0, 1])
    wecom.make("n", department=[a])
    assert wecom.get("department/simplelist") == {
        "errcode": 0,
        "errmsg": "ok",
        "department_id": [
            {"id": 1, "parentid": 0, "order": 100_000_000},
            {"id": b, "parentid": 1, "order": 2},
            {"id": a, "parentid": 1, "order": 1},
            {"id": c, "parentid": a, "order": 100_000_000},
        ],
    }
    assert [row["id"] for row in wecom.get("department/simplelist", id=a)["department_id"]] == [a, c]
    app = wecom.fetch_token(state.apps[0].secret)
    shown = {
        "id": a,
        "name": "a",
        "name_en": "A",
        "department_leader": ["m"],
        "parentid": 1,
        "order": 1,
    }
    assert wecom.get("department/list", app, id=a)["department"][0] == shown
    assert wecom.get("department/get", app, id=a)["department"] == shown
    assert code(wecom.get("department/get", app, id=99)) == 60003
    assert wecom.get("department/list", app, id=99)["department"] == []
