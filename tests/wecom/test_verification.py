from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import FieldError, UnsendableError, WeComError, WeComTransportError
from wxsync.wecom.verification import Verification
from wxsync.wecom.wire.verification import SecondFactor, SignedIn

CODE = "one-time-code"
ZHANG = SecondFactor(userid="zhang", tfa_code="second-code")


def verify(line: Line, act):
    return line.ask(lambda transport: act(Verification(transport)))


def test_a_code_tells_who_waits():
    """Under auth/, not user/; the code goes in the body."""
    line = Line().script("auth/get_tfa_info", ok(userid="zhang", tfa_code="second-code"))
    assert verify(line, lambda calls: calls.get_tfa_info(CODE)) == ZHANG
    assert line.bodies("auth/get_tfa_info") == [{"code": CODE}]


def test_a_code_that_is_used_up_is_told():
    """Also after a lost answer: the member opens the page again."""
    line = Line().script("auth/get_tfa_info", httpx.ReadTimeout("slow"), errcode(40029))
    with pytest.raises(FieldError) as caught:
        verify(line, lambda calls: calls.get_tfa_info(CODE))
    assert caught.value.errcode == 40029
    assert line.count("auth/get_tfa_info") == 2


def test_a_member_is_let_in_again_and_again():
    """A repeat of authsucc has the same effect, so a lost answer is repeated."""
    line = Line().script("user/authsucc", httpx.ReadError("gone"), ok())
    assert verify(line, lambda calls: calls.accept("zhang")) is None
    request = line.requests["user/authsucc"][1]
    assert (request.method, request.url.params["userid"]) == ("GET", "zhang")


def test_an_unlock_is_sent_once():
    """Its code is good once: nobody knows what a lost answer means."""
    line = Line().script("user/tfa_succ", ok(), httpx.ReadError("gone"))
    verify(line, lambda calls: calls.unlock(ZHANG))
    assert line.bodies("user/tfa_succ") == [{"userid": "zhang", "tfa_code": "second-code"}]
    with pytest.raises(WeComTransportError) as caught:
        verify(line, lambda calls: calls.unlock(ZHANG))
    assert caught.value.is_ambiguous
    assert line.count("user/tfa_succ") == 2


def test_who_signed_in():
    """A member has a userid; somebody else has none, and nobody at all is an error."""
    line = Line().script(
        "auth/getuserinfo", ok(userid="zhang", user_ticket="t"), ok(openid="o"), ok(userid="")
    )
    assert verify(line, lambda calls: calls.get_user(CODE)) == SignedIn(userid="zhang", user_ticket="t")
    assert verify(line, lambda calls: calls.get_user(CODE)) == SignedIn(openid="o")
    with pytest.raises(WeComError, match="neither userid nor openid"):
        verify(line, lambda calls: calls.get_user(CODE))


def test_codes_are_in_no_repr():
    """What is good for a sign-in is not printed by accident."""
    printed = repr((ZHANG, SignedIn(userid="zhang", user_ticket="ticket-secret")))
    assert "second-code" not in printed
    assert "ticket-secret" not in printed


def test_a_code_that_is_no_code_is_not_sent():
    """Empty, or longer than 512 bytes: from outside, and so not worth a call."""
    line = Line()
    for code in ("", "x" * 513):
        with pytest.raises(UnsendableError, match="code: "):
            verify(line, lambda calls, code=code: calls.get_tfa_info(code))
    assert line.requests == {}
