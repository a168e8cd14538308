"""`wxsync sandbox --faults FILE`, as somebody rehearses a bad day with it."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager

import httpx
import pytest

from tests.cli.stage import WXSYNC

COMMAND = (str(WXSYNC), "sandbox", "--listen", "127.0.0.1:0", "--faults")

FAULTS = """
[[fault]]
call = "tag/list"
kind = "errcode"
errcode = 45009
at = 2

[[fault]]
call = "department/simplelist"
kind = "cut"
"""


@contextmanager
def serving(*arguments):
    """The command with what it prints when it is ready; it has ended when the block is left."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(FAULTS, encoding="utf-8")
    return path


def test_the_faults_of_the_file_come(file):
    """The second tag/list gets 45009; the first department/simplelist ends in the middle."""
    with serving(str(file)) as said, httpx.Client(base_url=said["base_url"], trust_env=False) as client:
        query = {"corpid": said["corp_id"], "corpsecret": said["contact_secret"]}
        token = client.get("/cgi-bin/gettoken", params=query).json()["access_token"]

        def get(path):
            return client.get(f"/cgi-bin/{path}", params={"access_token": token})

        assert [get("tag/list").json()["errcode"] for _ in range(3)] == [0, 45009, 0]
        with pytest.raises(ValueError, match=r"(Unterminated|Expecting)"):
            get("department/simplelist").json()
        assert get("department/simplelist").json()["errcode"] == 0


def test_a_file_that_cannot_be_used_is_told(file):
    """Exit code 1, and every problem with its place; nothing is served."""
    file.write_text('[[fault]]\ncall = "tag/lost"\nkind = "errcode"\n', encoding="utf-8")
    done = subprocess.run([*COMMAND, str(file)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert 'fault[0].call: the sandbox has no call tag/lost. Did you mean "tag/list"?' in done.stderr
    assert "fault[0].errcode: is required for errcode" in done.stderr
