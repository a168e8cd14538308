"""The clock that moves, the calls that the real WeCom has not, and the log of calls in a file."""

from __future__ import annotations

import json

import pytest

from wxsync.errors import WxsyncError
from wxsync.sandbox.call_log import logging_calls, masked
from wxsync.sandbox.clock import MovableClock
from wxsync.sandbox.dump import parse_dump, restore
from wxsync.sandbox.seed import fill_corp


def control(wecom, method, name, body=None):
    """A call below /sandbox/: its status and its document."""
    content = None if body is None else json.dumps(body).encode()
    answer = wecom.run(wecom.client.request(method, f"/sandbox/{name}", content=content))
    return answer.status_code, answer.json()


def test_time_passes_at_once(wecom, state, clock):
    """Whatever the clock was; tokens grow older."""
    state.forward(7199)
    assert wecom.get("tag/list")["errcode"] == 0
    state.forward(1)
    assert wecom.get("tag/list")["errcode"] == 42001
    assert state.clock() == clock.now + 7200


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_a_clock_never_goes_back(seconds):
    """Nor to nowhere."""
    clock = MovableClock(lambda: 5.0)
    with pytest.raises(ValueError, match="forward only"):
        clock.forward(seconds)
    assert clock() == 5.0


def test_the_clock_is_moved_over_http(wecom, state, clock):
    """Without a token; what is no number is refused."""
    assert control(wecom, "GET", "clock") == (200, {"now": clock.now})
    assert control(wecom, "POST", "clock", {"forward": 90.5}) == (200, {"now": clock.now + 90.5})
    wrongs: tuple[object, ...] = ({}, {"forward": "1"}, {"forward": True}, {"forward": -1}, [])
    for wrong in wrongs:
        status, answer = control(wecom, "POST", "clock", wrong)
        assert (status, set(answer)) == (400, {"error"})
    assert control(wecom, "DELETE", "clock") == (404, {"error": "there is no such call"})
    assert control(wecom, "GET", "nothing")[0] == 404


def test_counters_and_dump_are_had_over_http(wecom, state):
    """The dump is one that can be seeded; none of these calls is in the log."""
    fill_corp(state, members=5)
    calls = len(state.log)
    assert control(wecom, "GET", "counters") == (200, state.counted())
    _, document = control(wecom, "GET", "dump")
    assert restore(parse_dump(document)).members.keys() == state.members.keys()
    assert len(state.log) == calls


def test_codes_are_had_over_http(wecom, state):
    """As if a member opened the page."""
    state.add_member("Lin", "林")
    app = wecom.fetch_token(state.apps[0].secret)
    _, answer = control(wecom, "POST", "code", {"userid": "lin"})
    assert wecom.get("auth/getuserinfo", app, code=answer["code"])["userid"] == "Lin"
    _, answer = control(wecom, "POST", "code", {"userid": "lin", "second_verification": True})
    assert wecom.post("auth/get_tfa_info", {"code": answer["code"]})["userid"] == "Lin"
    assert control(wecom, "POST", "code", {"userid": "nobody"})[0] == 400


def test_every_call_is_a_line_without_secrets_and_personal_data(wecom, state, tmp_path):
    """Path, who, errcode and what was asked; tokens, numbers and addresses masked; mode 0600."""
    path = tmp_path / "calls.jsonl"
    with logging_calls(state, path):
        wecom.fetch_token(state.contact_secret)
        wecom.make("a", mobile="13800000001", email="a@example.com")
        wecom.get("auth/getuserinfo", code="secret-code")
        wecom.send("GET", "nothing")
    wecom.get("tag/list")
    text = path.read_text(encoding="utf-8")
    first, second, third, fourth = (json.loads(line) for line in text.splitlines())
    assert path.stat().st_mode & 0o777 == 0o600
    assert (first["path"], first["query"]) == ("gettoken", {"corpid": state.corp_id})
    assert second == {
        "at": "2027-01-15T08:00:00.000+00:00",
        "method": "POST",
        "path": "user/create",
        "who": "contact",
        "ip": "127.0.0.1",
        "errcode": 0,
        "http_status": 200,
        "is_write": True,
        "is_carried_out": True,
        "query": {},
        "body": {
            "userid": "a",
            "name": "林梅",
            "department": [1],
            "to_invite": False,
            "mobile": "***",
            "email": "***",
        },
    }
    assert (third["path"], third["errcode"], fourth["http_status"]) == ("auth/getuserinfo", 48002, 404)
    for hidden in (wecom.token, state.contact_secret, "13800000001", "a@example.com", "secret-code"):
        assert hidden not in text


def test_masking_goes_all_the_way_down():
    """Lists and tables within the body, whatever the case of the key; an empty value stays empty."""
    body = {
        "callback": {"EncodingAESKey": "k", "url": "https://x.invalid"},
        "rows": [{"Mobile": "1"}],
        "email": "",
    }
    assert masked(body) == {
        "callback": {"EncodingAESKey": "***", "url": "https://x.invalid"},
        "rows": [{"Mobile": "***"}],
        "email": "",
    }


def test_a_log_that_cannot_be_written_is_told(state, tmp_path):
    """Before anything is served."""
    with pytest.raises(WxsyncError, match="cannot write"), logging_calls(state, tmp_path / "none" / "x"):
        pass


def test_calls_are_counted_where_no_log_is_kept(wecom, state):
    """Memory does not grow with the calls."""
    state.keeps_log = False
    before, calls = len(state.log), state.counters.calls["user/create"]
    wecom.make("a")
    wecom.make("a")
    assert len(state.log) == before
    assert state.counters.calls["user/create"] == calls + 2
    assert state.counters.writes == {"user/create": 1}


def test_a_call_is_counted_at_the_first_check_that_it_fails(wecom, state):
    """In WeCom's order: path, token, address, frequency, permission, body, the call itself."""
    app = wecom.fetch_token(state.apps[0].secret)
    wecom.send("GET", "nothing")
    wecom.get("tag/list", "bad")
    state.trusted_ips = {"203.0.113.7"}
    wecom.get("user/get")
    state.trusted_ips, state.calls_at_once = None, 0
    wecom.post("user/create", {}, app)
    state.calls_at_once = None
    wecom.post("user/create", {}, app)
    wecom.send("POST", "user/create", params={"access_token": wecom.token}, content=b"{")
    wecom.post("user/create", {})
    assert state.counted()["refused"] == dict.fromkeys(
        ("path", "token", "address", "frequency", "permission", "body", "call"), 1
    )
