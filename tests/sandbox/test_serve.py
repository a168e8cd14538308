"""The sandbox on a real socket."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import httpx
import pytest

from wxsync.errors import ConfigError, WxsyncError
from wxsync.sandbox.serve import base_url, is_loopback, run_sandbox, running_sandbox
from wxsync.sandbox.state import SandboxState

PROGRAM = """
import sys
from wxsync.sandbox.serve import run_sandbox
from wxsync.sandbox.state import SandboxState
run_sandbox(SandboxState(), on_ready=lambda port: print(port, flush=True))
print("ended", flush=True)
"""


def token(client, state):
    query = {"corpid": state.corp_id, "corpsecret": state.contact_secret}
    return client.get("/cgi-bin/gettoken", params=query).json()["access_token"]


def test_it_serves_while_the_block_lasts():
    """A free loopback port; WeCom's Server header; closed afterwards."""
    state = SandboxState()
    with running_sandbox(state) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert url.startswith("http://127.0.0.1:")
        answer = client.get("/cgi-bin/tag/list", params={"access_token": token(client, state)})
        assert answer.json() == {"errcode": 0, "errmsg": "ok", "taglist": []}
        assert answer.headers["server"] == "nginx"
    assert [call.path for call in state.log] == ["gettoken", "tag/list"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


@pytest.mark.parametrize("after", [False, True])
def test_a_reset_breaks_the_connection(after):
    """Over a socket too the client gets a transport error, and the server goes on."""
    state = SandboxState()
    with running_sandbox(state) as url, httpx.Client(base_url=url, trust_env=False) as client:
        params = {"access_token": token(client, state)}
        state.faults.reset("department/create", after=after)
        body = b'{"name": "a", "parentid": 1}'
        with pytest.raises(httpx.TransportError):
            client.post("/cgi-bin/department/create", params=params, content=body)
        assert (len(state.departments) == 2) is after
        assert client.get("/cgi-bin/tag/list", params=params).json()["errcode"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(number):
    """The port is told once calls are taken; on SIGINT or SIGTERM the function returns."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert httpx.get(f"http://127.0.0.1:{port}/cgi-bin/gettoken", trust_env=False).status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("ended\n", "", 0)


def test_it_listens_on_loopback_only():
    """Another address has to be asked for in so many words."""
    with pytest.raises(ConfigError, match="loopback"):
        run_sandbox(SandboxState(), host="0.0.0.0")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "example.com")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert base_url("::1", 80) == "http://[::1]:80"


def test_a_port_in_use_is_told():
    """An error with a hint, not a traceback of asyncio."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WxsyncError, match=f"127.0.0.1:{port}") as caught:
            run_sandbox(SandboxState(), port=port)
    assert caught.value.hint == "choose another port, or 0 for a free one"
