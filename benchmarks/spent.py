"""Measures a piece of work in a process that does nothing else. Imports nothing that would weigh."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATUS = Path("/proc/self/status")


@contextmanager
def spending(**facts: object) -> Iterator[dict[str, object]]:
    """Print as JSON what the block took, with the facts that it leaves in the dictionary."""
    began, began_work = time.perf_counter(), time.process_time()
    yield facts
    facts["seconds"] = time.perf_counter() - began
    facts["cpu_seconds"] = time.process_time() - began_work
    facts["peak_mb"] = peak_mb()
    print(json.dumps(facts))


def peak_mb() -> float:
    """The most memory that this program has had.

    On Linux ru_maxrss is never less than what the process that started us had, so the kernel's mark
    for this program alone is taken where there is one.
    """
    if STATUS.exists():
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)
