"""Members as the reading calls show them."""

from __future__ import annotations

import pytest


@pytest.fixture
def app(wecom, state):
    """The token of an app that sees everything but sensitive fields."""
    return wecom.fetch_token(state.apps[0].secret)


def test_user_get_shows_a_member(wecom, state, app):
    """Every field that an app of today sees, found by the userid in any case."""
    rd = wecom.department("研发")
    state.attributes = {"工号": 0}
    wecom.make(
        "Lin",
        department=[1, rd],
        order=[0, 5],
        is_leader_in_dept=[0, 1],
        extattr={"attrs": [{"type": 0, "name": "工号", "text": {"value": "A1"}}]},
    )
    assert wecom.get("user/get", app, userid="lin") == {
        "errcode": 0,
        "errmsg": "ok",
        "userid": "Lin",
        "name": "林梅",
        "department": [1, rd],
        "position": "",
        "status": 4,
        "isleader": 1,
        "extattr": {"attrs": [{"name": "工号", "value": "A1", "type": 0, "text": {"value": "A1"}}]},
        "telephone": "",
        "enable": 1,
        "hide_mobile": 0,
        "order": [0, 5],
        "external_profile": {"external_attr": [], "external_corp_name": ""},
        "main_department": 1,
        "alias": "",
        "is_leader_in_dept": [0, 1],
        "direct_leader": [],
    }
    assert wecom.get("user/get", app, userid="nobody")["errcode"] == 60111
    assert wecom.get("user/get", app)["errcode"] == 41009


def test_lists_hold_direct_members_only(wecom, state, app):
    """Not those of sub-departments, with or without fetch_child."""
    rd = wecom.department("研发")
    wecom.make("a")
    wecom.make("b", department=[rd, 1])
    wecom.make("c", department=[rd])
    simple = wecom.get("user/simplelist", app, department_id=1, fetch_child=1)
    assert simple["userlist"] == [
        {"userid": "a", "name": "林梅", "department": [1]},
        {"userid": "b", "name": "林梅", "department": [rd, 1]},
    ]
    full = wecom.get("user/list", app, department_id=rd)["userlist"]
    assert [row["userid"] for row in full] == ["b", "c"]
    assert "errcode" not in full[0]
    assert wecom.get("user/list", app, department_id=99)["errcode"] == 60003
    assert wecom.get("user/list", app)["errcode"] == 40058
    assert wecom.get("user/list", app, department_id="x")["errcode"] == 40058


def pages(wecom, limit):
    """All pages of user/list_id."""
    found, cursor = [], ""
    while True:
        answer = wecom.post("user/list_id", {"limit": limit, "cursor": cursor})
        assert answer["errcode"] == 0
        found.append([(row["userid"], row["department"]) for row in answer["dept_user"]])
        cursor = answer["next_cursor"]
        if not cursor:
            return found


def test_list_id_counts_rows_so_a_member_may_straddle_pages(wecom, state):
    """One row for each place of each member; the last cursor is empty."""
    x = wecom.department("x")
    wecom.make("a", department=[1, x])
    wecom.make("b", department=[x])
    assert pages(wecom, 1) == [[("a", 1)], [("a", x)], [("b", x)]]
    assert pages(wecom, 2) == [[("a", 1), ("a", x)], [("b", x)]]
    assert pages(wecom, 3) == [[("a", 1), ("a", x), ("b", x)]]
    assert pages(wecom, 10_000) == [[("a", 1), ("a", x), ("b", x)]]


def test_list_id_of_nobody_is_one_empty_page(wecom):
    """No rows and no cursor."""
    assert wecom.post("user/list_id", {}) == {
        "errcode": 0,
        "errmsg": "ok",
        "next_cursor": "",
        "dept_user": [],
    }


def test_list_id_shows_one_moment(wecom, state):
    """Who comes while it is being paged is in the next listing; a page can be asked for again."""
    wecom.make("a")
    wecom.make("b")
    cursor = wecom.post("user/list_id", {"limit": 1})["next_cursor"]
    wecom.make("c")
    second = wecom.post("user/list_id", {"limit": 9, "cursor": cursor})
    assert [row["userid"] for row in second["dept_user"]] == ["b"]
    assert wecom.post("user/list_id", {"limit": 9, "cursor": cursor}) == second
    assert len(wecom.post("user/list_id", {})["dept_user"]) == 3


@pytest.mark.parametrize("cursor", ["x", "MS4x", "!!", "é"])
def test_a_cursor_that_was_not_given_out_is_refused(wecom, cursor):
    """50100; the same for one that WeCom has forgotten."""
    assert wecom.post("user/list_id", {"cursor": cursor})["errcode"] == 50100


def test_forgotten_cursors_and_bad_limits(wecom, state):
    """50100 after the listings were dropped; a limit is 1 to 10000."""
    wecom.make("a")
    wecom.make("b")
    cursor = wecom.post("user/list_id", {"limit": 1})["next_cursor"]
    state.forget_listings()
    assert wecom.post("user/list_id", {"cursor": cursor})["errcode"] == 50100
    for limit in (0, 10_001, -1, "5"):
        assert wecom.post("user/list_id", {"limit": limit})["errcode"] == 40058


def test_members_are_found_by_number_and_address(wecom, state):
    """Number in any spelling; corp addresses by default, personal ones by type 2; else 46004."""
    state.mail_domain = "corp.example.com"
    wecom.make("Lin", mobile="+86-13800000001", email="Lin@example.com")
    for number in range(9):
        wecom.make(f"u{number}")

    def by_email(email, **fields):
        return wecom.post("user/get_userid_by_email", {"email": email, **fields})

    assert wecom.post("user/getuserid", {"mobile": "13800000001"})["userid"] == "Lin"
    assert wecom.post("user/getuserid", {"mobile": "13800000002"})["errcode"] == 46004
    assert wecom.post("user/getuserid", {"mobile": "138"})["errcode"] == 40058
    assert wecom.post("user/getuserid", {})["errcode"] == 40058
    assert by_email("lin@example.com", email_type=2)["userid"] == "Lin"
    assert by_email("lin@corp.example.com")["userid"] == "Lin"
    assert by_email("lin@example.com")["errcode"] == 46004
    assert by_email("lin@example.com", email_type=3)["errcode"] == 40058
