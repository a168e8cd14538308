"""What a run took of memory goes back to the system, where the C library keeps it for the next one."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Have the process take up no more than what it still uses.

    A run takes a hundred megabytes for seconds, and the daemon rests for hours. What is freed stays with
    glibc, in an arena for each thread that ever worked (malloc(3), mallopt(3)): so a process grows until
    each of them has had the largest of all tasks. Another C library has no malloc_trim(3), and keeps less.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
