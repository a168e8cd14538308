"""`wxsync apply` as a process of its own, at a time of its own: `python -m tests.chaos.process FILE`."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.chaos.clockwork import BRIEF
from tests.journeys.stage import IMPATIENT, settings_of
from wxsync.cli.output import exit_code_of
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import carry_out, holding, preview, refuse
from wxsync.errors import GuardError, StalePlanError, WxsyncError
from wxsync.model.change import Kind, Verb
from wxsync.model.plan import Plan
from wxsync.runtime import open_corp
from wxsync.sandbox.identity import Call
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

READS: Final = ("gettoken", "user/list_id", "department/simplelist", "tag/list")
PATHS: Final = {
    (Kind.DEPARTMENT, Verb.CREATE): "department/create",
    (Kind.DEPARTMENT, Verb.UPDATE): "department/update",
    (Kind.DEPARTMENT, Verb.DELETE): "department/delete",
    (Kind.MEMBER, Verb.CREATE): "user/create",
    (Kind.MEMBER, Verb.DELETE): "user/delete",
    (Kind.TAG, Verb.CREATE): "tag/create",
    (Kind.TAG, Verb.UPDATE): "tag/addtagusers",
    (Kind.TAG, Verb.DELETE): "tag/delete",
}
CHECKOUT: Final = Path(__file__).parents[2]
INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH")
PATIENCE: Final = 60.0
SETTLING: Final = 0.05
"""Seconds in which the last call of a dead process arrives."""
ENDS: Final = frozenset({0, 1, 4, 5, -signal.SIGKILL})


@dataclass(frozen=True, slots=True)
class Moment:
    """When it dies: at the nth call of a path, before its effect, or after it and before its answer."""

    nth: int
    path: str | None = None
    """None: any call that writes."""
    is_before: bool = False
    delay: float = 0.0
    """Seconds later than that."""


def some_moment(chance: random.Random, plan: Plan | None) -> Moment:
    """One that is likely to come while this plan is carried out."""
    if plan is None or not plan.writes or chance.random() < 0.1:
        return Moment(1, chance.choice(READS), chance.random() < 0.5, chance.choice((0.0, 0.05, 0.3)))
    if chance.random() < 0.6:
        nth = chance.randrange(1, min(len(plan.writes), 9) + 1)
        return Moment(nth, delay=chance.choice((0.0, 0.0, 0.01, 0.05)))
    change = chance.choice(plan.writes)
    path = PATHS.get((change.kind, change.verb), "user/update")
    if plan.forecast.method != "single" and change.kind is Kind.MEMBER:
        path = chance.choice((path, "media/upload", "batch/syncuser", "batch/syncuser", "batch/getresult"))
    return Moment(1, path, chance.random() < 0.7)


def apply_and_kill(folder: Path, asked: Mapping[str, Any], state: SandboxState, moment: Moment) -> int:
    """Start it, and kill it by -9 at that moment; its exit code, -9 where it died."""
    document = folder / "process.json"
    with running_sandbox(state) as base_url:
        document.write_text(json.dumps({**asked, "base_url": base_url}), "utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.process", str(document)],
            cwd=CHECKOUT,
            env={name: os.environ[name] for name in INHERITED if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        killer = _Killer(process.pid, moment, state)
        state.on_call = killer
        try:
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            state.on_call = None
            if process.poll() is None:
                process.kill()
                process.communicate()
        time.sleep(SETTLING)
    if moment.is_before:
        state.faults.waiting = [fault for fault in state.faults.waiting if fault is not killer.fault]
    assert process.returncode in ENDS, f"exit {process.returncode}\n{err}\n{out}"
    assert process.returncode != 1 or "Traceback" not in err, err
    return process.returncode


class _Killer:
    """Told of every call."""

    def __init__(self, pid: int, moment: Moment, state: SandboxState) -> None:
        self._pid, self._moment, self._seen = pid, moment, 0
        self._is_over = False
        self.fault: object = None
        if moment.is_before:
            before = len(state.faults.waiting)
            state.faults.reset(moment.path or "*", skip=moment.nth - 1)
            self.fault = state.faults.waiting[before]

    def __call__(self, call: Call) -> None:
        moment = self._moment
        self._seen += call.is_write if moment.path is None else call.path == moment.path
        if self._seen != moment.nth or self._is_over:
            return
        self._is_over = True
        if moment.delay:
            threading.Timer(moment.delay, self._kill).start()
        else:
            self._kill()

    def _kill(self) -> None:
        """Unreaped or not, the number is still its own."""
        try:
            os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            return


async def _apply(asked: Mapping[str, Any]) -> int:
    settings = settings_of(**asked["settings"])
    corp = settings.corp["acme"].model_copy(update={"base_url": asked["base_url"]})
    settings = settings.model_copy(update={"corp": {"acme": corp}})
    start, began = datetime.fromisoformat(asked["now"]), time.monotonic()
    opening = open_corp(
        settings,
        "acme",
        clock=lambda: start + timedelta(seconds=time.monotonic() - began),
        patience=BRIEF,
        pauses=IMPATIENT,
    )
    async with opening as opened, holding(opened, "manual") as held:
        return await _once(opened, held, asked["approved"])


async def _once(corp: Corp, held: Any, approved: str | None) -> int:
    run_id, decision = await preview(corp, verb="apply", approved=approved)
    try:
        run = await carry_out(corp, run_id, decision, held, approved=approved, approver="somebody")
        return exit_code_of(run)
    except (GuardError, StalePlanError) as error:
        await refuse(corp, run_id, decision, error)
        return 4


def main(file: str) -> int:
    asked = json.loads(Path(file).read_text("utf-8"))
    try:
        return asyncio.run(_apply(asked))
    except WxsyncError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
