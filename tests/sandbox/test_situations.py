"""Each call of the two documents in each state that they tell of, and the errcode that it gives.

The tables are in the `situations_*` modules, one for each family; they are read from the documents and not
from the sandbox.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.situation import APP, CONTACT, Situation, Stage
from tests.sandbox.situations_access import SITUATIONS as ACCESS
from tests.sandbox.situations_chats import SITUATIONS as CHATS
from tests.sandbox.situations_customers import FAILED
from tests.sandbox.situations_customers import SITUATIONS as CUSTOMERS
from tests.sandbox.situations_departments import SITUATIONS as DEPARTMENTS
from tests.sandbox.situations_files import ENDS, ROWS, started
from tests.sandbox.situations_files import SITUATIONS as FILES
from tests.sandbox.situations_members import SITUATIONS as MEMBERS
from tests.sandbox.situations_messages import SITUATIONS as MESSAGES
from tests.sandbox.situations_people import SITUATIONS as PEOPLE
from tests.sandbox.situations_reads import SITUATIONS as READS
from wxsync.sandbox.app import OPERATIONS

SITUATIONS = (*ACCESS, *MEMBERS, *READS, *DEPARTMENTS, *PEOPLE, *FILES, *CHATS, *MESSAGES, *CUSTOMERS)


@pytest.fixture
def stage(wecom):
    return Stage(wecom)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.id)
def test_situation(stage: Stage, situation: Situation) -> None:
    """The errcode is the documented one, a refusal comes in WeCom's envelope, and the log tells the same."""
    situation.given(stage)
    records = (dict(stage.state.members), dict(stage.state.departments), dict(stage.state.tags))

    response = situation.ask(stage)

    answer = response.json()
    assert response.status_code == 200
    assert answer["errcode"] == situation.errcode, answer["errmsg"]
    assert {name: answer.get(name) for name in situation.answer} == dict(situation.answer)
    assert [name for name in situation.lacks if name in answer] == []
    call = stage.state.log[-1]
    assert (call.errcode, call.is_carried_out) == (situation.errcode, situation.errcode == 0)
    assert f"{call.method} {call.path}" == situation.call
    if situation.errcode:
        assert response.headers["Error-Code"] == str(situation.errcode)
        assert answer["errmsg"].endswith(f"devtool/query?e={situation.errcode}")
        assert (stage.state.members, stage.state.departments, stage.state.tags) == records


@pytest.mark.parametrize(
    ("call", "title", "errcode", "given", "body"), FAILED, ids=[f"{row[0]} {row[1]}" for row in FAILED]
)
def test_a_chat_that_fails(stage, call, title, errcode, given, body) -> None:
    """A hand-over of chats is taken as such, and tells which chats failed and why."""
    given(stage)

    answer = stage.did(APP, "POST", call, body=body)

    [row] = answer["failed_chat_list"]
    assert (row["chat_id"], row["errcode"]) == (body["chat_id_list"][0], errcode)
    assert row["errmsg"]


def outcome(stage: Stage, call: str, text: str) -> dict[str, Any]:
    """What getresult says of this import when it is over."""
    started(call, text)(stage)
    stage.forward(3600)
    query = {"jobid": stage.notes["jobid"]}
    return dict(stage.call(CONTACT, "GET", "batch/getresult", query=query).json())


@pytest.mark.parametrize(("call", "title", "errcode", "text", "given"), ENDS, ids=[row[1] for row in ENDS])
def test_an_import_that_fails_as_a_whole(stage, call, title, errcode, text, given) -> None:
    """The errcode comes with the result, as a text, and nothing was changed; 0 is a job that went through."""
    given(stage)
    members, departments = dict(stage.state.members), dict(stage.state.departments)

    answer = outcome(stage, call, text)

    assert answer["errcode"] == (str(errcode) if errcode else 0)
    assert ("status" in answer) == (not errcode)
    assert ((stage.state.members, stage.state.departments) == (members, departments)) == bool(errcode)


@pytest.mark.parametrize(("call", "title", "errcode", "text", "given"), ROWS, ids=[row[1] for row in ROWS])
def test_a_row_of_an_import_that_fails(stage, call, title, errcode, text, given) -> None:
    """The row has its errcode in the result of a job that ended well."""
    given(stage)

    answer = outcome(stage, call, text)

    assert (answer["errcode"], answer["status"]) == (0, 3)
    assert [row["errcode"] for row in answer["result"] if row["errcode"]] == [errcode]


def test_there_are_enough_and_no_two_are_one() -> None:
    """150 situations at least, each with a name of its own."""
    assert len(SITUATIONS) >= 150
    assert len({situation.id for situation in SITUATIONS}) == len(SITUATIONS)


def test_every_call_of_the_sandbox_is_in_a_situation() -> None:
    """No call is left out."""
    asked = {situation.call.split()[1] for situation in SITUATIONS}
    assert sorted(set(OPERATIONS) - asked) == []
