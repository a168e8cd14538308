"""`wxsync sandbox` with its options: what it begins with, what it leaves behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from wxsync.cli.sandbox import sandbox
from wxsync.sandbox.dump import load_dump

WXSYNC = str(Path(sys.executable).with_name("wxsync"))


class Served:
    """One `wxsync sandbox` at work."""

    def __init__(self, process: subprocess.Popen[str], facts: dict[str, Any]) -> None:
        self.process = process
        self.facts = facts
        self.client = httpx.Client(base_url=facts["base_url"], trust_env=False)
        self.token = self.fetch_token(facts["contact_secret"])

    def fetch_token(self, secret: str) -> str:
        query = {"corpid": self.facts["corp_id"], "corpsecret": secret}
        return str(self.client.get("/cgi-bin/gettoken", params=query).json().get("access_token"))

    def get(self, path: str, token: str | None = None, **query: str | int) -> dict[str, Any]:
        params: dict[str, str | int] = {"access_token": token or self.token, **query}
        return dict(self.client.get(f"/cgi-bin/{path}", params=params).json())

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(
            f"/cgi-bin/{path}",
            params={"access_token": self.token},
            content=json.dumps(body, ensure_ascii=False).encode(),
        )
        return dict(answer.json())

    def stop(self) -> tuple[int, dict[str, Any]]:
        """Its exit code, and what it counted."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=10)
        return self.process.returncode, json.loads(err.splitlines()[0])


@contextmanager
def served(*options: str) -> Iterator[Served]:
    command = [WXSYNC, "sandbox", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        sandbox_ = Served(process, json.loads(line))
        try:
            yield sandbox_
        finally:
            sandbox_.client.close()
            process.kill()


def test_a_corp_goes_from_one_sandbox_into_the_next(tmp_path: Path) -> None:
    """Made-up members, a change, a dump at the end, and the same corp from that seed."""
    dump, log = tmp_path / "corp.json", tmp_path / "calls.jsonl"
    with served("--members", "40", "--dump", str(dump), "--log", str(log)) as first:
        body = {"userid": "new", "name": "新", "mobile": "13800000001", "department": [1]}
        assert first.post("user/create", body)["errcode"] == 0
        code, counted = first.stop()
    assert (code, counted["writes"], counted["invitations"]) == (0, {"user/create": 1}, 1)
    assert (dump.stat().st_mode & 0o777, log.stat().st_mode & 0o777) == (0o600, 0o600)
    assert json.loads(dump.read_text())["counters"] == counted
    text = log.read_text()
    assert [json.loads(line)["path"] for line in text.splitlines()] == ["gettoken", "user/create"]
    assert "13800000001" not in text
    with served("--seed", str(dump), "--legacy-ip") as second:
        assert second.get("user/get", userid="new")["mobile"] == "13800000001"
        assert len(second.post("user/list_id", {})["dept_user"]) >= 41


def test_a_signal_asks_for_a_dump(tmp_path: Path) -> None:
    """On SIGUSR1 the corp is written as it is, and the serving goes on; a full disk does not end it."""
    dump = tmp_path / "corp.json"
    with served("--dump", str(dump)) as sandbox_:
        sandbox_.post("department/create", {"name": "研发", "parentid": 1})
        sandbox_.process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + 10
        while not dump.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [department.name for department in load_dump(dump).departments] == ["样例公司", "研发"]
        assert sandbox_.get("tag/list")["errcode"] == 0
        assert sandbox_.stop()[0] == 0


def test_the_switches_of_the_command_line() -> None:
    """They turn what they name, apps included, and nothing else."""
    options = (
        *("--contact-secret", "mine", "--foreign-secret", "theirs", "--foreign-secret", "others"),
        *("--contact-sync", "read", "--sees-sensitive", "--account-cap", "0", "--app-scope", "1"),
        *("--calls-per-minute", "3"),
    )
    with served(*options) as sandbox_:
        assert sandbox_.facts["contact_secret"] == "mine"
        query = {"corpid": sandbox_.facts["corp_id"]}
        codes = [
            sandbox_.client.get("/cgi-bin/gettoken", params={**query, "corpsecret": secret}).json()["errcode"]
            for secret in ("theirs", "others")
        ]
        assert codes == [40091, 40091]
        assert sandbox_.post("department/create", {"name": "a", "parentid": 1})["errcode"] == 60011
        assert [sandbox_.get("tag/list")["errcode"] for _ in range(4)] == [0, 0, 0, 45009]
        _, counted = sandbox_.stop()
    assert counted["violations"]["corp_minute"] == 1
    assert counted["refused"] == {
        **dict.fromkeys(("path", "address", "body", "call"), 0),
        "token": 2,
        "frequency": 1,
        "permission": 1,
    }


def test_real_limits_are_wecoms(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 a minute and 150,000 an hour for the corp; twice and four times that for an address."""
    taken = []
    monkeypatch.setattr("wxsync.cli.sandbox.run_sandbox", lambda state, *_, **__: taken.append(state))
    assert CliRunner().invoke(sandbox, ["--real-limits"]).exit_code == 0
    assert CliRunner().invoke(sandbox, ["--real-limits", "--calls-per-minute", "7"]).exit_code == 0
    [real, own] = taken
    assert (real.calls_per_minute, real.calls_per_hour) == (10_000, 150_000)
    assert (real.calls_per_minute_and_ip, real.calls_per_hour_and_ip) == (20_000, 600_000)
    assert (own.calls_per_minute, own.calls_per_hour) == (7, 150_000)
    assert not real.keeps_log


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--seed", "a", "--members", "3"), "--seed and --members do not go together"),
        (("--app-scope", "9"), "there is no department 9"),
        (("--members", "0"), "0 is not in the range"),
        (("--contact-sync", "on"), "'on' is not one of 'edit', 'read', 'off'"),
    ],
)
def test_wrong_usage(options: tuple[str, ...], said: str) -> None:
    """Exit code 2, and nothing is served."""
    result = CliRunner().invoke(sandbox, list(options))
    assert result.exit_code == 2
    assert said in result.output


def test_what_cannot_be_read_or_written_is_told_before_serving(tmp_path: Path) -> None:
    """Exit code 1 with every problem of the seed; a dump or log that cannot be written likewise."""
    seed = tmp_path / "seed.json"
    seed.write_text('{"members": [{"userid": "a", "nam": "x"}], "corp": {"mail": "x"}}')
    for options, problems in (
        (("--seed", str(seed)), ("corp.mail: there is no such key", "members[0].name: Field required")),
        (("--dump", str(tmp_path / "no" / "x")), ("cannot write", "name another file with --dump")),
        (("--log", str(tmp_path / "no" / "x")), ("cannot write", "name another file with --log")),
    ):
        done = subprocess.run(
            [WXSYNC, "sandbox", "--listen", "127.0.0.1:0", *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert (done.returncode, done.stdout) == (1, "")
        for problem in problems:
            assert problem in done.stderr
