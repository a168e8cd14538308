from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import UnsendableError, WeComApiError, WeComTransportError
from wxsync.wecom.invitations import Invitations
from wxsync.wecom.wire.invitations import NotInvited


def invite(line: Line, *args, **kwargs):
    return line.ask(lambda transport: Invitations(transport).invite(*args, **kwargs))


def test_the_valid_ones_are_invited():
    """WeCom leaves out whom it does not know, and says so by kind."""
    line = Line().script("batch/invite", ok(invaliduser=["x"], invalidparty=[9], invalidtag=[3]))
    left_out = invite(line, ["a", "x"], [2, 9], [3])
    assert left_out == NotInvited(
        userids=frozenset({"x"}), department_ids=frozenset({9}), tag_ids=frozenset({3})
    )
    assert line.bodies("batch/invite") == [{"user": ["a", "x"], "party": [2, 9], "tag": [3]}]


def test_lists_that_are_not_there_are_empty():
    """Neither an absent list of the answer nor an empty one of ours is a list of somebody."""
    line = Line().script("batch/invite", ok())
    assert invite(line, ["a"]) == NotInvited(
        userids=frozenset(), department_ids=frozenset(), tag_ids=frozenset()
    )
    assert line.bodies("batch/invite") == [{"user": ["a"]}]


def test_a_lost_answer_is_not_repeated():
    """Nobody is invited twice because a line broke."""
    line = Line().script("batch/invite", httpx.ReadTimeout("slow"), ok())
    with pytest.raises(WeComTransportError) as caught:
        invite(line, ["a"])
    assert caught.value.is_ambiguous
    assert line.count("batch/invite") == 1


def test_a_busy_wecom_is_not_asked_again():
    """It may have invited them all the same, and a second invitation would leave no trace of the first."""
    line = Line().script("batch/invite", errcode(-1), ok())
    with pytest.raises(WeComApiError):
        invite(line, ["a"])
    assert line.count("batch/invite") == 1


@pytest.mark.parametrize(
    "lists", [([],), (["a"] * 1001,), ([], [1] * 101), ([], [], [1] * 101)], ids=["none", "m", "d", "t"]
)
def test_limits_of_an_invitation(lists):
    """1,000 members, 100 departments, 100 tags, somebody at least: the rest is not sent."""
    line = Line()
    with pytest.raises(UnsendableError):
        invite(line, *lists)
    assert line.requests == {}


def test_a_refused_invitation_is_an_error():
    """40035 where WeCom counts otherwise than we."""
    line = Line().script("batch/invite", errcode(40035))
    with pytest.raises(WeComApiError) as caught:
        invite(line, ["a"] * 1000)
    assert caught.value.errcode == 40035
