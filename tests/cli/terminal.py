"""A terminal of its own for a command."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.stage import WXSYNC, Printed, Stage

QUESTION = "Write this to WeCom? [y/N]: "
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at_a_terminal(
    stage: Stage, *arguments: str, keys: bytes = b"", env: dict[str, str] | None = None
) -> Printed:
    """Run it on a terminal of its own; the keys are pressed when it asks."""
    started = time.monotonic()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", str(WXSYNC), *arguments],  # so that Ctrl-C at this terminal is for it
        cwd=stage.home,
        env=stage.environment(TERM="xterm-256color", **(env or {})),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    with ending(process), os.fdopen(ours, "r+b", buffering=0) as terminal:
        while time.monotonic() - started < 60:
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                more = terminal.read(65536)
            except OSError:  # the other side is closed
                break
            if not more:
                break
            seen += more
            if keys and QUESTION.encode() in seen:
                terminal.write(keys)
                keys = b""
        code = process.wait(timeout=10)
    return stage.keep(arguments, Printed(code, seen.decode("utf-8"), "", time.monotonic() - started))


@contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
