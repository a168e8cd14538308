"""What was freed is the system's again."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.cycling import ROOT, resident
from wxsync.service.memory import give_back

MIB = 1024


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_what_a_run_took_goes_back_though_a_little_of_it_stays_in_use() -> None:
    """Of 100 MiB in small pieces every thousandth is kept: without a word the C library keeps them all."""
    pieces = [bytes(1000) for _ in range(100_000)]
    kept = pieces[::1000]
    del pieces
    before = resident(Path(f"/proc/{os.getpid()}"))
    give_back()
    assert len(kept) == 100
    assert resident(Path(f"/proc/{os.getpid()}")) < before - 60 * MIB


LARGE_AMONG_SMALL = """
import sys
from pathlib import Path
from tests.service.cycling import ROOT, resident
from wxsync.service.memory import be_frugal

if "frugal" in sys.argv:
    be_frugal()
first = [bytearray(1 << 20) for _ in range(2)]
del first  # from here on glibc would take a megabyte for small
before = resident(Path("/proc/self"))
large, small = [], []
for _ in range(100):
    large.append(bytearray(1 << 20))
    small.append(bytes(20_000))
del large
print(resident(Path("/proc/self")) - before)
"""


def left_behind(*arguments: str) -> int:
    """MiB that a process still has when it has freed 100 blocks of one each, and kept what lies between."""
    command = [sys.executable, "-c", LARGE_AMONG_SMALL, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return int(done.stdout) // MIB


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")
def test_large_blocks_go_as_they_are_freed() -> None:
    """Also where small ones were made between them; else the C library keeps them all."""
    assert left_behind() > 80
    assert left_behind("frugal") < 10
