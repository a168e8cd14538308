"""The command's own input and output: a terminal, a pipe that may be closed, or not there at all."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click


def discard_stdout() -> None:
    """From now on what is printed goes nowhere: its reader has gone, or there is no room for it."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def going_on_without_reader() -> Iterator[None]:
    """Print inside; a reader that has gone is no reason to stop."""
    try:
        yield
    except BrokenPipeError:
        discard_stdout()


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
