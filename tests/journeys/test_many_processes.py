"""Several processes on one mirror: one token, one refusal of a wrong secret, one count of calls."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.journeys.caller import CORP_ID
from wxsync.mirror import schema
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

PROCESSES = 3
CALLS = 20


@pytest.fixture(params=["sqlite", "postgresql"])
def mirror_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty mirror at head, on each database in turn."""
    url: str = (
        f"sqlite:///{tmp_path}/mirror.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    schema.upgrade(url)
    return url


def run_all(mirror_url: str, base_url: str, secret: str, calls: object, processes: int = PROCESSES):
    """What each of so many processes says that work at the same time."""
    command = [sys.executable, "-m", "tests.journeys.caller", mirror_url, base_url, secret, str(calls)]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(processes)
    ]
    said = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * processes, said
    # What a process logs goes to its stderr: no secret and no token is in it.
    assert all(secret.encode() not in err and b"access_token" not in err for _, err in said)
    return [json.loads(out) for out, _ in said]


def fetched(state: SandboxState) -> int:
    """How often gettoken was called since the last time that this was asked."""
    count = sum(call.path == "gettoken" for call in state.log)
    state.log.clear()
    return count


def test_all_processes_share_one_token(mirror_url: str):
    """One gettoken for three processes with twenty calls each, at first and after WeCom ended the token."""
    state = SandboxState(corp_id=CORP_ID, latency=0.02)
    everybody = [{"answered": CALLS, "refused": []}] * PROCESSES
    with running_sandbox(state) as url:
        assert run_all(mirror_url, url, state.contact_secret, CALLS) == everybody
        assert fetched(state) == 1
        assert run_all(mirror_url, url, state.contact_secret, CALLS) == everybody
        assert fetched(state) == 0
        for spoil in (state.expire_tokens, state.revoke_tokens):
            spoil()
            assert run_all(mirror_url, url, state.contact_secret, CALLS) == everybody
            assert fetched(state) == 1


def test_a_wrong_secret_is_tried_once(mirror_url: str):
    """By whatever process: until somebody says so, or the secret is another one."""
    state = SandboxState(corp_id=CORP_ID, latency=0.02)
    with running_sandbox(state) as url:
        for _ in range(2):
            said = run_all(mirror_url, url, "wrong-secret-in-config", CALLS)
            assert said == [{"answered": 0, "refused": [[40001, CALLS]]}] * PROCESSES
        assert fetched(state) == 1
        assert run_all(mirror_url, url, "wrong-secret-in-config", "retry", 1) == [{"forgotten": 1}]
        assert run_all(mirror_url, url, "wrong-secret-in-config", "retry", 1) == [{"forgotten": 0}]
        run_all(mirror_url, url, "wrong-secret-in-config", 1, 1)
        assert fetched(state) == 1
        assert run_all(mirror_url, url, state.contact_secret, 1, 1) == [{"answered": 1, "refused": []}]
