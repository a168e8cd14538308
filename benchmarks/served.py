"""A local WeCom in a process of its own, so that neither its time nor its memory is taken for the client's.

As a script it serves until its input ends, with the switches of its first argument (JSON), and obeys one
line at a time: `calls`, `pace PATH`, or `fill FILE`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What was called since the last time that it was asked."""

    reads: int
    """All calls but the fetching of tokens; writes are among them."""
    tokens: int
    writes: int
    """Calls of the kind that changes the corp."""
    rows: int
    """How many rows user/list_id has in all, a row for a member and a department."""
    tags: int
    """How many tags the corp has."""
    members: int
    """How many members the corp has."""
    invitations: int
    """How many people were ever invited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the calls of one path came, as WeCom saw it."""

    carried_out: int
    seconds: float
    """From the answer to the first to the answer to the last."""
    violations: int
    """Calls of any path that came over a limit."""
    most_at_once: int


@dataclass(frozen=True, slots=True)
class Served:
    """A WeCom that runs elsewhere."""

    base_url: str
    corp_id: str
    secret: str
    _process: Process

    async def calls(self) -> Calls:
        """What was called since the last time."""
        return Calls(**await _answer(self._process, "calls"))

    async def pace(self, path: str) -> Pace:
        """How fast the calls of `path` came since the last time that `calls` was asked."""
        return Pace(**await _answer(self._process, f"pace {path}"))

    async def fill(self, file: Path) -> None:
        """Put in at once what the file lists (`wecom_of` in wxsync_side wrote it)."""
        await _answer(self._process, f"fill {file}")


async def run_module(module: str, *arguments: object) -> str:
    """What a module of this folder prints, run in a process of its own."""
    process = await _start(module, *arguments)
    printed, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"benchmarks.{module} failed; what it said is above")
    return printed.decode()


async def _start(module: str, *arguments: object) -> Process:
    command = (sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments))
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)


@asynccontextmanager
async def served(**switches: float) -> AsyncIterator[Served]:
    """An empty corp on a loopback port for the length of the block; `switches` are the sandbox's own."""
    process = await _start("served", json.dumps(switches))
    try:
        yield Served(**await _answer(process), _process=process)
    finally:
        cast("asyncio.StreamWriter", process.stdin).close()
        await process.wait()


async def _answer(process: Process, order: str | None = None) -> dict[str, Any]:
    if order is not None:
        cast("asyncio.StreamWriter", process.stdin).write(f"{order}\n".encode())
    line = await cast("asyncio.StreamReader", process.stdout).readline()
    if not line:
        raise SystemExit("the local WeCom has died; what it said is above")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _serve(switches: Mapping[str, Any]) -> None:
    state = SandboxState(**switches)
    with running_sandbox(state) as url:
        _say({"base_url": url, "corp_id": state.corp_id, "secret": state.contact_secret})
        for line in sys.stdin:
            order, _, what = line.strip().partition(" ")
            if order == "pace":
                _say(_pace(state, what))
                continue
            if order == "fill":
                _fill(state, json.loads(Path(what).read_text(encoding="utf-8")))
            _say(_calls(state))
            state.log.clear()


def _calls(state: SandboxState) -> dict[str, int]:
    paths = Counter(call.path for call in state.log)
    tokens = paths.pop("gettoken", 0)
    return {
        "reads": paths.total(),
        "tokens": tokens,
        "writes": len(state.writes),
        "rows": sum(len(member.department) for member in state.members.values()),
        "tags": len(state.tags),
        "members": len(state.members),
        "invitations": len(state.invitations),
    }


def _pace(state: SandboxState, path: str) -> dict[str, float]:
    moments = [call.at for call in state.log if call.path == path and call.is_carried_out]
    return {
        "carried_out": len(moments),
        "seconds": max(moments) - min(moments) if moments else 0.0,
        "violations": state.quotas.violations.total(),
        "most_at_once": state.most_at_once,
    }


def _fill(state: SandboxState, wecom: Mapping[str, Any]) -> None:
    for id, parent_id, name, order in wecom["departments"]:
        state.directory.add_department(name=name, parentid=parent_id, id=id, order=order)
    for userid, name, department_ids in wecom["members"]:
        state.add_member(userid, name, department=department_ids)
    for id, name, userids in wecom["tags"]:
        state.add_tag(name, userids, id=id)


def _say(document: Mapping[str, Any]) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
