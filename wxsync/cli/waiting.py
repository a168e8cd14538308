"""Runs a command's asynchronous work to its end, or until somebody presses Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

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
