"""The command's own input and output: a terminal, a pipe that may be closed, or not there at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
