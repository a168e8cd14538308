"""Hundreds of events a second over real connections, while a run applies."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.house.tree import ROOT


def test_all_are_kept_once_while_a_run_applies() -> None:
    """300 a second for 5 s, one in ten repeated or out of order: each answered 200 and kept once.

    How fast, `make bench` judges.
    """
    command = [sys.executable, "benchmarks/callbacks.py", "--seconds", "5", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--any-time", "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [load] = json.loads(done.stdout)["rounds"]
    assert load["sent"] == 1500
    assert load["kept"] == load["distinct"] == 1425
    assert load["answers"] == {"200": 1500}
    assert load["created"] > 0
