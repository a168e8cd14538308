"""Waiting, as a command does: for its asynchronous work, for an answer, and for Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

import click

from wxsync.errors import GuardError

T = TypeVar("T")


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. Ctrl-C or SIGTERM cancels it and is a KeyboardInterrupt once it has cleaned up."""
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    runner = asyncio.Runner()
    try:
        result = runner.run(work)
    except KeyboardInterrupt:
        # Not closed: that would wait for a thread that still waits for a database, and we are about to leave.
        raise
    except BaseException:
        runner.close()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    runner.close()
    return result


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


def can_ask() -> bool:
    """Somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


async def ask(question: str) -> bool:
    """Somebody's yes. The loop goes on while they think, and Ctrl-C is not held up by a thread that reads."""
    click.echo(f"{question} [y/N]: ", nl=False, err=True)
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()
    descriptor = sys.stdin.fileno()
    loop.add_reader(descriptor, answered.set)
    try:
        await answered.wait()
    finally:
        loop.remove_reader(descriptor)
    # A terminal gives a whole line at a time, or nothing at its end (Ctrl-D).
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")


def must_agree(question: str, *, yes: bool) -> None:
    """Go on only with a yes: `--yes`, or somebody's at the terminal. Raises GuardError without one."""
    if yes:
        return
    if not can_ask():
        raise GuardError(
            "nothing was changed: without a terminal to ask on, this needs --yes",
            hint="say the same with --yes",
        )
    if not run_to_end(ask(question)):
        raise GuardError('nothing was changed: the answer was "no"')
