"""What an administrator, or the people themselves, do by hand."""

from __future__ import annotations

import time

import pytest

from wxsync.sandbox.access import issue_token
from wxsync.sandbox.app import Arrived, carry_out
from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.state import SandboxState


def test_people_come_move_and_go_by_hand(wecom, state):
    """Without any call in the log, and with every index true."""
    calls = len(state.log)
    rd = state.add_department("研发").id
    state.add_member("Foreign", "外", department=[rd], mobile="13800000009")
    state.add_tag("手工", ["foreign"])
    state.move_member("foreign", [1, rd])
    assert state.member("foreign").department == (1, rd)
    state.set_mobile("foreign", "13800000008")
    state.untag_members(1, ["Foreign"])
    state.rename_department(rd, "研发部")
    assert len(state.log) == calls
    assert wecom.make("a", mobile="13800000009")["errcode"] == 0
    assert wecom.make("b", mobile="13800000008")["errcode"] == 60104
    state.remove_member("foreign")
    assert wecom.make("b", mobile="13800000008")["errcode"] == 0
    state.remove_department(rd)
    assert set(state.departments) == {1}
    assert state.tags[1].users == {}


def test_departments_move_by_hand(state):
    """The subtree goes along; a department that holds somebody is not deleted."""
    a, b = state.add_department("a").id, state.add_department("b").id
    state.move_department(b, a)
    assert [d.id for d in state.directory.walk(state.departments[1])] == [1, a, b]
    with pytest.raises(ValueError, match="not empty"):
        state.remove_department(a)


@pytest.mark.parametrize("status", [1, 2, 4, 5])
def test_a_status_is_set_by_hand(state, status):
    """1 activated, 2 disabled, 4 not activated, 5 left."""
    state.add_member("a", "a")
    state.set_status("a", status)
    assert state.member("a").status == status
    with pytest.raises(ValueError, match="no status"):
        state.set_status("a", 3)


def test_a_corp_is_filled_alike_from_the_same_seed():
    """Generated people in a tree, with numbers and addresses of their own."""
    corps = [SandboxState(), SandboxState()]
    for corp in corps:
        fill_corp(corp, members=200, departments=30, tags=4, seed=7)
    one, other = ([(m.userid, m.name, m.mobile, m.department) for m in c.members.values()] for c in corps)
    assert one == other
    assert len(one) == 200
    assert len({mobile for _, _, mobile, _ in one}) == 200
    assert len(corps[0].departments) == 31
    assert {len(tag.users) for tag in corps[0].tags.values()} == {10}
    assert {member.status for member in corps[0].members.values()} == {1, 4}


def test_a_call_costs_the_same_in_a_big_corp(state):
    """At 10,000 members a creation takes under a millisecond of the sandbox's own time."""
    fill_corp(state, members=10_000, departments=300)
    query = {"access_token": issue_token(state, state.corp_id, state.contact_secret).text}
    bodies = [{"userid": f"n{n}", "name": "林", "mobile": f"137{n:08d}"} for n in range(500)]
    started = time.process_time()
    answers = [
        carry_out(state, Arrived("POST", "user/create", query, b"", body, "127.0.0.1")) for body in bodies
    ]
    assert (time.process_time() - started) / len(answers) < 0.001
    assert {answer.errcode for answer in answers} == {0}
