"""What was freed is the system's again."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from tests.service.cycling import resident
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
