"""`wxsync serve` as a process: it runs syncs, reads its config again, and leaves in order."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import Stage, open_stage, wait_for

SERVED = '\n[service]\nlanguage = "en"\n'
LISTEN = '\n[service]\nlanguage = "en"\nlisten = "127.0.0.1:0"\n'
APPLY = ('mode = "plan"', 'mode = "apply"\nschedule = "0 3 * * *"\nmin_interval = 1')


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_stage(tmp_path) as opened:
        opened.configure((SERVED, LISTEN), APPLY)
        yield opened


def up(process: subprocess.Popen[str]) -> str:
    """Waits until the daemon says so; gives its base URL."""
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    return f"http://127.0.0.1:{ready['port']}"


def begin(process: subprocess.Popen[str]) -> None:
    """A run of every sync."""
    process.send_signal(signal.SIGUSR1)


def shown(stage: Stage, run: int) -> Any:
    """A run as JSON; nothing while there is none."""
    printed = stage.run("runs", str(run), "--format", "json")
    return printed.json if printed.code == 0 else {}


def state_of(stage: Stage, run: int) -> str | None:
    return shown(stage, run).get("state")


@contextmanager
def serving(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    """A daemon that is up and leads; that it leaves in order is seen at the end."""
    with stage.running("serve") as process:
        up(process)
        time.sleep(0.5)  # it leads by now
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_what_it_is_told_to_begin_is_applied(stage: Stage) -> None:
    """Somebody new in HR is in WeCom a moment later, and the run is on record as one by schedule."""
    stage.ok("apply", "--yes")
    with serving(stage) as process:
        stage.hire(13, 13)
        begin(process)
        wait_for(lambda: state_of(stage, 2) == "applied")
    assert "e013" in stage.active_userids
    assert shown(stage, 2)["trigger"] == "schedule"
