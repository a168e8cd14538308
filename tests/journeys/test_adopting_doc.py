"""docs/adopting.md is run as it stands: every command, and every line that it shows."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.journeys.adopting import PEOPLE, make_by_hand, write_files
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

PAGE = Path(__file__).parents[2] / "docs" / "adopting.md"
BLOCK = re.compile(r"^```([\w-]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(PAGE.read_text("utf-8"))


def commands(console: str) -> Iterator[tuple[list[str], list[str], int]]:
    """(arguments, lines that are shown, exit code) of each command in a block."""
    for part in console.split("$ wxsync ")[1:]:
        command, *lines = part.rstrip("\n").split("\n")
        code = 0
        if lines and lines[-1].startswith("[exit code "):
            code = int(lines.pop().removeprefix("[exit code ").rstrip("]"))
        yield command.split(), lines, code


def test_the_page_is_true(tmp_path: Path) -> None:
    """Each line of the page is the beginning of a line of the output, in the same order; at the end the
    foreign are as they were, nobody was invited, and nobody was changed who need not be."""
    state = SandboxState()
    make_by_hand(state)
    strangers = {userid: state.member(userid) for userid in ("boss", "guest", "chen.jie")}
    before = {userid: repr(member) for userid, member in strangers.items()}
    config = next(text for kind, text in blocks() if kind == "toml")
    rows = next(text for kind, text in blocks() if kind == "sql")
    secrets = {
        "WXSYNC_CONTACT_SECRET": state.contact_secret,
        "WXSYNC_APP_SECRET": state.apps[0].secret,
    }
    ran = 0
    with running_sandbox(state) as url:
        write_files(tmp_path, config, rows, url)
        for kind, text in blocks():
            if kind == "sql-change":
                with closing(sqlite3.connect(tmp_path / "hr.db")) as database:
                    database.executescript(text)
            for arguments, lines, code in commands(text) if kind == "console" else ():
                done = subprocess.run(
                    [str(Path(sys.executable).parent / "wxsync"), *arguments],
                    cwd=tmp_path,
                    env={**os.environ, **secrets},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == code, done.stdout + done.stderr
                shown = iter(done.stdout.split("\n"))
                for line in lines:
                    assert any(found.startswith(line) for found in shown), (
                        f"{arguments}: {line}\n{done.stdout}"
                    )
                ran += 1

    assert ran == 9
    assert {userid: repr(state.member(userid)) for userid in before} == before
    assert state.invitations == []
    written = {str(call.body["userid"]) for call in state.writes if call.body and "userid" in call.body}
    assert written == {"liu.yang", "zhang.wei", "chen.jie2"}
    assert len(state.members) == len(PEOPLE) + 2
