"""Every kind of fault as a client meets it, over ASGI and over a real socket alike."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
import pytest

from wxsync.sandbox.faults import FaultKind, Faults
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport

BODY = {"name": "部门", "parentid": 1}


class Wire:
    """One client of one sandbox, by either way."""

    def __init__(self, state, post):
        self.state = state
        self._post = post
        self.token = self.ask("gettoken", corpid=state.corp_id, corpsecret=state.contact_secret).json()[
            "access_token"
        ]

    def ask(self, path, **query):
        return self._post("GET", f"/cgi-bin/{path}", params=query, content=b"")

    def create(self, timeout=5.0):
        """department/create, the call that the faults are for."""
        params = {"access_token": self.token}
        return self._post(
            "POST",
            "/cgi-bin/department/create",
            params=params,
            content=json.dumps(BODY, ensure_ascii=False).encode(),
            timeout=timeout,
        )

    @property
    def has_effect(self):
        return len(self.state.departments) == 2


@pytest.fixture(params=["asgi", "socket"])
def wire(request):
    state = SandboxState()
    if request.param == "socket":
        with running_sandbox(state) as url, httpx.Client(base_url=url, trust_env=False) as client:
            yield Wire(state, client.request)
        return
    with asyncio.Runner() as runner:
        mounted = httpx.AsyncClient(transport=SandboxTransport(state), base_url="https://sandbox.invalid")
        yield Wire(state, lambda *args, **options: runner.run(mounted.request(*args, **options)))
        runner.run(mounted.aclose())


CALL = "department/create"


@pytest.mark.parametrize("after", [False, True])
def test_an_errcode(wire, after):
    """The caller is told an errcode, with or without the effect."""
    wire.state.faults.answer(CALL, 45009, after=after)
    assert wire.create().json()["errcode"] == 45009
    assert wire.has_effect is after


@pytest.mark.parametrize("after", [False, True])
def test_a_page_with_502(wire, after):
    """No JSON, and a status that is not 200."""
    wire.state.faults.http_status(CALL, 502, after=after)
    answer = wire.create()
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (502, "text/html")
    assert wire.has_effect is after


@pytest.mark.parametrize("after", [False, True])
def test_a_page_with_200(wire, after):
    """No JSON behind a status that looks good, as from a proxy that wants a login."""
    wire.state.faults.html(CALL, after=after)
    answer = wire.create()
    assert (answer.status_code, answer.text[:6]) == (200, "<html>")
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()
    assert wire.has_effect is after
    assert (wire.state.log[-1].errcode, wire.state.log[-1].http_status) == (None, 200)


@pytest.mark.parametrize("after", [False, True])
def test_a_reset(wire, after):
    """A transport error, before the change or after it."""
    wire.state.faults.reset(CALL, after=after)
    with pytest.raises(httpx.TransportError):
        wire.create()
    assert wire.has_effect is after
    assert wire.create().status_code == 200


def test_nobody_there(wire):
    """A transport error, and nothing has happened."""
    wire.state.faults.unreachable(CALL)
    with pytest.raises(httpx.TransportError):
        wire.create()
    assert not wire.has_effect


@pytest.mark.parametrize("after", [False, True])
def test_a_body_that_ends_in_the_middle(wire, after):
    """HTTP 200, as many bytes as announced, and no end to the JSON."""
    wire.state.faults.cut(CALL, after=after)
    answer = wire.create()
    assert answer.status_code == 200
    assert answer.text.startswith('{"errcode":')
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"(Unterminated|Expecting)"):
        answer.json()
    assert wire.has_effect is after
    assert (wire.state.log[-1].errcode, wire.state.log[-1].is_carried_out) == (None, after)


@pytest.mark.parametrize(("after", "errcode"), [(True, "0"), (False, "-1")])
def test_an_errcode_that_is_a_text(wire, after, errcode):
    """As one real log has it; the rest of the answer is there."""
    wire.state.faults.text_errcode(CALL, after=after)
    answer = wire.create().json()
    assert answer["errcode"] == errcode
    assert ("id" in answer) is after
    assert wire.has_effect is after


def test_ten_megabytes(wire):
    """The answer is good JSON and very long."""
    wire.state.faults.huge(CALL)
    answer = wire.create()
    assert len(answer.content) > 10_000_000
    assert answer.json()["errcode"] == 0
    assert wire.has_effect


@pytest.mark.parametrize("after", [False, True])
def test_a_slow_answer(wire, after):
    """The client gives up, and the effect comes all the same."""
    wire.state.faults.delay(CALL, 0.5, after=after)
    with pytest.raises(httpx.ReadTimeout):
        wire.create(timeout=0.15)
    assert wire.has_effect is after
    deadline = time.monotonic() + 5
    while not wire.has_effect and time.monotonic() < deadline:
        wire.ask("tag/list", access_token=wire.token)
        time.sleep(0.05)
    assert wire.has_effect


def test_a_token_that_ends_in_mid_run(wire):
    """42001 at the third call, and for the same token from then on."""
    wire.state.faults.answer("*", 42001, skip=2)
    codes = [wire.ask("tag/list", access_token=wire.token).json()["errcode"] for _ in range(4)]
    assert codes == [0, 0, 42001, 42001]
    again = wire.ask("gettoken", corpid=wire.state.corp_id, corpsecret=wire.state.contact_secret).json()
    assert wire.ask("tag/list", access_token=again["access_token"]).json()["errcode"] == 0


def test_a_warning(wire):
    """errcode 0 and words that mean failure."""
    wire.state.faults.warn(CALL)
    assert wire.create().json() == {"errcode": 0, "errmsg": "created. Warning: wrong json format. "}


# Which calls meet a fault


def meetings(faults, calls=1000, path="user/create"):
    return [number for number in range(calls) if faults.take(path, {}, {})]


def test_a_chance_is_the_same_for_the_same_seed():
    """About so many calls meet it, for ever unless `times` says otherwise, and the seed tells which."""
    runs = []
    for seed in (1, 1, 2):
        faults = Faults(seed)
        faults.answer("user/*", -1, chance=0.1, times=None)
        runs.append(meetings(faults))
    assert runs[0] == runs[1] != runs[2]
    assert 60 < len(runs[0]) < 140
    some = Faults()
    some.answer("user/*", -1, chance=0.5, times=3)
    assert len(meetings(some)) == 3


def test_a_chance_that_is_missed_leaves_the_next_order_its_turn():
    """Two orders with chances for one path are thrown for one after the other."""
    faults = Faults()
    faults.answer("*", 1, chance=0.5, times=None)
    faults.answer("*", 2, times=None)
    met = [faults.take("a", {}, {}) for _ in range(100)]
    codes = [fault.errcode for fault in met if fault is not None]
    assert 30 < codes.count(1) < 70
    assert codes.count(1) + codes.count(2) == 100


def test_the_kth_call_of_a_family():
    """`skip` counts the calls of all paths that the order names."""
    faults = Faults()
    faults.answer("user/*", -1, skip=2)
    met = [bool(faults.take(path, {}, {})) for path in ("user/a", "tag/a", "user/b", "user/c", "user/d")]
    assert met == [False, False, False, True, False]


@pytest.mark.parametrize("timing", [{"times": 0}, {"skip": -1}, {"chance": 0}, {"chance": 1.5}])
def test_orders_that_make_no_sense(timing):
    """A ValueError, and nothing is ordered."""
    faults = Faults()
    with pytest.raises(ValueError, match=r"(at least one|above 0)"):
        faults.answer("*", -1, **timing)
    assert faults.waiting == []


def test_every_kind_has_its_order():
    """No kind is left that cannot be ordered."""
    faults = Faults()
    faults.answer("*", 1)
    faults.http_status("*")
    faults.delay("*", 1)
    orders = (faults.reset, faults.unreachable, faults.warn, faults.cut, faults.text_errcode)
    for order in (*orders, faults.html, faults.huge):
        order("*")
    assert {fault.kind for fault in faults.waiting} == set(FaultKind)
