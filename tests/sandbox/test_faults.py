"""Faults come when they were ordered, before or after the effect, as a client over a socket meets them."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from wxsync.sandbox.app import create_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport

BODY = {"userid": "a", "name": "a", "email": "a@example.com"}


@pytest.mark.parametrize("errcode", [-1, 6000, 45009, 45033, 60020])
def test_an_errcode_before_the_effect(wecom, state, errcode):
    """So many calls of the path get it, nothing is changed, other paths go on."""
    state.faults.answer("user/create", errcode, times=2)
    assert wecom.get("tag/list")["errcode"] == 0
    assert [wecom.post("user/create", BODY)["errcode"] for _ in range(3)] == [errcode, errcode, 0]
    assert [(c.errcode, c.is_carried_out) for c in state.writes] == [
        (errcode, False),
        (errcode, False),
        (0, True),
    ]


def test_an_errcode_after_the_effect(wecom, state):
    """The caller is told of an error, and the member is there."""
    state.faults.answer("user/create", -1, after=True)
    assert wecom.post("user/create", BODY)["errcode"] == -1
    assert "a" in state.members
    assert (state.log[-1].errcode, state.log[-1].is_carried_out) == (-1, True)
    assert wecom.post("user/create", BODY)["errcode"] == 60102


def test_an_expired_token_is_ended(wecom, state):
    """After an ordered 42001 the token is no longer good, and gettoken gives another."""
    state.faults.answer("tag/list", 42001)
    assert wecom.get("tag/list")["errcode"] == 42001
    assert wecom.get("tag/list")["errcode"] == 42001
    again = wecom.fetch_token(state.contact_secret)
    assert again != wecom.token
    assert wecom.get("tag/list", again)["errcode"] == 0


def test_tokens_expire_or_are_revoked_by_hand(wecom, state):
    """42001 for what was good once, 40014 after a reset of the secrets."""
    state.expire_tokens()
    assert wecom.get("tag/list")["errcode"] == 42001
    state.revoke_tokens()
    assert wecom.get("tag/list")["errcode"] == 40014


@pytest.mark.parametrize("after", [False, True])
def test_a_web_servers_error_page(wecom, state, after):
    """HTTP 502 without JSON; the effect is there only with `after`."""
    state.faults.http_status("user/create", 502, after=after)
    response = wecom.send("POST", "user/create", params={"access_token": wecom.token}, json=BODY)
    assert response.status_code == 502
    assert response.headers["content-type"].startswith("text/html")
    assert ("a" in state.members) is after
    assert (state.log[-1].http_status, state.log[-1].errcode) == (502, None)


@pytest.mark.parametrize("after", [False, True])
def test_a_reset_connection_is_a_transport_error(wecom, state, after):
    """The client gets httpx.ReadError, and cannot tell whether there was an effect."""
    state.faults.reset("user/create", after=after)
    with pytest.raises(httpx.ReadError) as caught:
        wecom.post("user/create", BODY)
    assert caught.value.request.url.path == "/cgi-bin/user/create"
    assert ("a" in state.members) is after
    assert state.log[-1].http_status is None


def test_a_reset_is_the_same_under_httpx_own_transport(state):
    """`httpx.ASGITransport` shows it too, without a wrapper."""

    async def call():
        transport = httpx.ASGITransport(create_sandbox(state))
        async with httpx.AsyncClient(transport=transport, base_url="https://sandbox.invalid") as client:
            await client.get("/cgi-bin/gettoken")

    state.faults.reset("gettoken")
    with pytest.raises(httpx.TransportError):
        asyncio.run(call())


def test_nobody_to_talk_to(wecom, state):
    """httpx.ConnectError for every call: the call cannot have had an effect."""
    state.faults.unreachable("*", times=2)
    for path in ("tag/list", "gettoken"):
        with pytest.raises(httpx.ConnectError):
            wecom.get(path)
    assert wecom.get("tag/list")["errcode"] == 0


@pytest.mark.parametrize("after", [False, True])
def test_a_late_answer_is_a_timeout_and_the_call_goes_on(state, after):
    """httpx.ReadTimeout; the effect comes all the same."""

    async def story():
        transport = SandboxTransport(state)
        async with httpx.AsyncClient(transport=transport, base_url="https://sandbox.invalid") as client:
            query = {"corpid": state.corp_id, "corpsecret": state.contact_secret}
            token = (await client.get("/cgi-bin/gettoken", params=query)).json()["access_token"]
            call = client.post(
                "/cgi-bin/user/create",
                params={"access_token": token},
                content=json.dumps(BODY).encode(),
                timeout=0.05,
            )
            with pytest.raises(httpx.ReadTimeout):
                await call
            assert ("a" in state.members) is after
            await transport.finish()
            assert "a" in state.members

    state.faults.delay("user/create", 0.15, after=after)
    asyncio.run(story())


def test_latency_and_calls_at_once(state):
    """Calls overlap for as long as they take; over the limit 45033."""

    async def story():
        async with httpx.AsyncClient(
            transport=SandboxTransport(state), base_url="https://sandbox.invalid"
        ) as client:
            query = {"corpid": state.corp_id, "corpsecret": state.contact_secret}
            token = (await client.get("/cgi-bin/gettoken", params=query)).json()["access_token"]
            state.latency, state.calls_at_once = 0.02, 2
            call = "/cgi-bin/tag/list"
            answers = await asyncio.gather(
                *(client.get(call, params={"access_token": token}) for _ in range(4))
            )
            return sorted(answer.json()["errcode"] for answer in answers)

    codes = asyncio.run(story())
    assert state.most_at_once == 4
    assert codes == [0, 0, 45033, 45033]
    assert state.under_way.total() == 0


def test_a_warning_with_and_without_the_effect(wecom, state):
    """errcode 0 and words that mean failure."""
    wecom.make("a", position="x")
    state.faults.warn("user/update", after=False)
    state.faults.warn("user/update")
    body = {"userid": "a", "position": "y"}
    warned = {"errcode": 0, "errmsg": "updated. Warning: wrong json format. "}
    assert wecom.post("user/update", body) == warned
    assert state.member("a").position == "x"
    assert wecom.post("user/update", body) == warned
    assert state.member("a").position == "y"


def test_a_fault_waits_and_chooses(wecom, state):
    """`skip` lets calls go by; `where` picks them by query and body; `clear` calls all off."""
    state.faults.answer("user/create", -1, skip=1, where=lambda _query, body: body["userid"] != "b")
    assert [wecom.make(userid)["errcode"] for userid in ("a", "b", "c", "d")] == [0, 0, -1, 0]
    state.faults.answer("user/delete", -1, times=5)
    state.faults.clear()
    assert wecom.get("user/delete", userid="a")["errcode"] == 0
    with pytest.raises(ValueError, match="at least one call"):
        state.faults.answer("user/delete", -1, times=0)


def test_a_refused_call_is_not_carried_out_by_a_fault(wecom, state):
    """The reply of a call that would have been refused may be lost as well."""
    state.faults.reset("user/delete", after=True)
    with pytest.raises(httpx.ReadError):
        wecom.get("user/delete", userid="nobody")
    assert state.log[-1].is_carried_out is False


def test_two_sandboxes_share_nothing():
    """No state lives outside of SandboxState."""
    one, other = SandboxState(), SandboxState()
    one.add_member("a", "a")
    one.faults.reset("*")
    one.attributes["x"] = 0
    assert (other.members, other.faults.waiting, other.attributes) == ({}, [], {})
