"""What a run took of memory goes back to the system, where the C library would keep it for the next one."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

ARENAS: Final = 2
MAPPED: Final = 256 * 1024
"""Bytes. What is larger has pages of its own, which go when it does."""
M_ARENA_MAX: Final = -8
M_MMAP_THRESHOLD: Final = -3
"""glibc's malloc.h; once it is set it stays as it is, and no longer grows to 32 MiB by itself."""


def be_frugal() -> None:
    """For a process that works for seconds and rests for hours; to be said before its threads begin.

    By itself glibc has eight arenas for each core, and puts even blocks of megabytes among the small ones
    (mallopt(3)). Some small one always stays, so a daemon for 5,000 people grew from run to run by a third
    before it kept its size. Another C library has no mallopt(3), and keeps less.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, MAPPED)


def give_back() -> None:
    """Have the process take up no more than what it still uses (malloc_trim(3))."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
