"""The benchmark of reading a directory runs, and reads the same by every way."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.house.tree import ROOT
from tests.servers.presence import require
from tests.servers.slapd import SLAPD


def test_it_runs() -> None:
    """A small run gives every figure; growth and ratio are judged by `make bench` alone."""
    require(package="slapd", present=SLAPD.exists())
    command = [
        sys.executable,
        "benchmarks/ldap.py",
        "--entries",
        "1000",
        "--runs",
        "1",
        "--any-ratio",
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert [size["entries"] for size in measured["sizes"]] == [100, 1000]
    for size in measured["sizes"]:
        assert size["ratio"] > 0
        for kind in ("wxsync", "bare", "dns"):
            assert size[kind]["cpu_seconds"] > 0
            assert size[kind]["peak_mb"] > 0
