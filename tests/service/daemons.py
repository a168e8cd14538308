"""Daemons as processes of their own, each on a port of its own, over the company of `tests.cli.stage`."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.stage import WXSYNC, Stage, wait_for

SERVED = '\n[service]\nlanguage = "en"\n'
LISTEN = '\n[service]\nlanguage = "en"\nlisten = "127.0.0.1:0"\n'
MODE = 'mode = "plan"'
APPLY = (MODE, 'mode = "apply"\nschedule = "0 3 * * *"\nmin_interval = 1')
"""Its own time never comes within a test: each says when a run begins."""
UP = 30.0


@dataclass
class Process:
    """A daemon that is up."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def says(self) -> str:
        """All that it has logged so far."""
        return self.log.read_text(encoding="utf-8")

    def begin(self) -> None:
        """A run of every sync for which it leads."""
        self.process.send_signal(signal.SIGUSR1)

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> float:
        """By SIGTERM; gives the seconds that it took. It leaves with 0."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(25) == 0, self.says()
        return time.monotonic() - started


@contextmanager
def daemon(stage: Stage, name: str = "daemon", **environment: str) -> Iterator[Process]:
    """`wxsync serve`, up; killed where the block leaves it alive. What it logs must hold no secret."""
    log = stage.home / f"{name}.log"
    with log.open("ab") as err:
        process = subprocess.Popen(
            [str(WXSYNC), "serve"],
            cwd=stage.home,
            env=stage.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
        )
    try:
        yield Process(process=process, port=_port(process, log), log=log)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        text = log.read_text(encoding="utf-8")
        assert not [secret for secret in (*stage.secrets, *stage.wecom.tokens) if secret in text]


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], UP)
    line = process.stdout.readline() if readable else b""
    assert line, f"it did not come up:\n{log.read_text(encoding='utf-8')}"
    return int(json.loads(line)["port"])


def runs_of(stage: Stage) -> list[dict[str, Any]]:
    """All runs on record, the oldest first."""
    printed = stage.ok("runs", "--format", "json")
    return sorted(printed.json, key=lambda run: int(run["id"]))


def wait_for_log(process: Process, text: str, seconds: float = 30.0) -> None:
    """Until it has logged that."""
    wait_for(lambda: text in process.says(), seconds)
