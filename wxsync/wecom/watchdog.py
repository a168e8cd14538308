"""Ends this process where it was stopped between a question and the deed, and is woken too late for that.

No program sees that it is being stopped. The kernel does: a timer goes off in time whoever sleeps, and a
process that has KILL waiting for it runs no instruction more when it is woken. See timer_create(2).
"""

from __future__ import annotations

import ctypes
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_SIGNAL: Final = 0  # SIGEV_SIGNAL
_ABSOLUTE: Final = 1  # TIMER_ABSTIME
_SIGEVENT: Final = 64  # bytes, whatever they are used for


class _Event(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("number", ctypes.c_int),
        ("notice", ctypes.c_int),
        (
            "rest",
            ctypes.c_char * (_SIGEVENT - ctypes.sizeof(ctypes.c_void_p) - 2 * ctypes.sizeof(ctypes.c_int)),
        ),
    )


class _Moment(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("every", _Moment), ("first", _Moment))


@contextmanager
def ended_at(until: float) -> Iterator[None]:
    """The process dies by KILL if the block is still going on at `until`, by the clock since boot.

    The block waits for nothing, or others would run in it. There is no such timer but on 64-bit Linux, and
    where the kernel makes none (a sandbox, too many signals under way) the block is run without; nor does
    KILL reach process 1 of a container from within. Nothing is left armed after the block.
    """
    timer = ctypes.c_void_p()
    event = _Event(number=signal.SIGKILL, notice=_SIGNAL)
    if _LIBC is None or _LIBC.timer_create(time.CLOCK_BOOTTIME, ctypes.byref(event), ctypes.byref(timer)):
        yield
        return
    try:
        _LIBC.timer_settime(timer, _ABSOLUTE, ctypes.byref(_Setting(first=_moment(until))), None)
        yield
    finally:
        _LIBC.timer_delete(timer)


def _timers() -> ctypes.PyDLL | None:
    """The C library, or the one beside it where it is old (glibc before 2.34)."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return None
    for name in (None, "librt.so.1"):
        with suppress(OSError):
            # Python's lock is kept in its calls: they take a microsecond, and to get it back may take long.
            library = ctypes.PyDLL(name)
            if hasattr(library, "timer_create"):
                return library
    return None


_LIBC: Final = _timers()


def _moment(at: float) -> _Moment:
    # Never 0, which would be no moment but the order to disarm.
    nanoseconds = max(round(at * 1e9), 1)
    return _Moment(seconds=nanoseconds // 10**9, nanoseconds=nanoseconds % 10**9)
