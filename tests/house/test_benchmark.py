"""The benchmark runs, holds a plan to its calls, and tells linear growth from any steeper one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks.apply import Figures as Load
from benchmarks.figures import Figures, Report, Spent
from tests.house.tree import ROOT

FIGURES = Figures(
    members=1000,
    departments=100,
    plan=Spent(seconds=1.0, cpu_seconds=1.0, peak_mb=100.0),
    calls=13,
    calls_allowed=13,
    tokens=1,
    writes=0,
    changes=0,
    bare=Spent(seconds=0.5, cpu_seconds=0.5, peak_mb=50.0),
    bare_rows=5000,
    first_load=None,
    first_load_calls=0,
)


def report(*seconds: float) -> Report:
    """One second for start-up, and so many more for 1,000 members, 10,000 and so on."""
    sizes = (
        replace(
            FIGURES, members=1000 * 10**place, plan=Spent(seconds=1 + net, cpu_seconds=1 + net, peak_mb=1)
        )
        for place, net in enumerate(seconds)
    )
    return Report(runs=1, start=replace(FIGURES, members=10), sizes=tuple(sizes))


def test_it_runs() -> None:
    """A small run ends with 0 and gives every figure, for wxsync and for the bare reading beside it."""
    command = [sys.executable, "benchmarks/plan.py", "--sizes", "100", "200", "--runs", "1", "--any-growth"]
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    sizes = json.loads(done.stdout)["sizes"]
    assert [size["members"] for size in sizes] == [100, 200]
    for size in sizes:
        assert size["calls"] == size["calls_allowed"] == 1 + 1 + 1 + 10
        assert size["writes"] == size["changes"] == 0
        # Departments, members and places are read on both sides, each once.
        assert size["bare_rows"] > 2 * (size["members"] + size["departments"])
        assert size["first_load_calls"] > size["members"] + size["departments"]
        for spent in (size["plan"], size["bare"], size["first_load"]):
            assert spent["seconds"] > 0
            assert spent["cpu_seconds"] > 0
            assert spent["peak_mb"] > 0


def test_a_first_load_keeps_to_the_limits() -> None:
    """A short one creates everybody, ten calls at once at most, and no call comes over a limit."""
    command = [sys.executable, "benchmarks/apply.py", "--people", "300", "--any-rate", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["created"] == figures["people"] == 300
    assert figures["violations"] == 0
    assert figures["permitted_a_minute"] == 10_000
    assert 2 <= figures["most_at_once"] <= 10
    # Ten at once, each after 50 ms: more than 200 a second cannot be.
    assert 0 < figures["reached_a_minute"] <= 12_500
    assert figures["share"] == pytest.approx(figures["reached_a_minute"] / 10_000)


def test_what_a_first_load_may_not_do() -> None:
    """Somebody who is missing, a call over a limit, and a rate below 90 % are faults, each with its size."""
    good = Load(
        people=100,
        latency=0.05,
        created=100,
        seconds=1.0,
        permitted_a_minute=10_000,
        reached_a_minute=9_000,
        violations=0,
        most_at_once=10,
        cpu_seconds=1.0,
        whole_seconds=1.0,
    )
    assert list(good.faults(any_rate=False)) == []
    slow = replace(good, reached_a_minute=8_900)
    assert list(slow.faults(any_rate=False)) == ["89% of the permitted rate was reached, 90% are wanted"]
    assert list(slow.faults(any_rate=True)) == []
    faulty = replace(good, created=99, violations=2)
    assert list(faulty.faults(any_rate=False)) == [
        "99 of 100 people were created",
        "2 calls came over a limit",
    ]


def test_growth_is_fitted_without_start_up() -> None:
    """Ten times the time for ten times the members has exponent 1, and a hundred times has 2."""
    assert report(1, 10).exponents["cpu_seconds"] == pytest.approx(1)
    assert not report(1, 10, 100).is_too_steep
    assert report(1, 100).exponents["cpu_seconds"] == pytest.approx(2)
    assert report(1, 100).is_too_steep


def test_too_little_time_tells_nothing_about_growth() -> None:
    """Where a size takes no longer than start-up, nothing is fitted and nothing is claimed."""
    assert report(-0.1, 1).exponents["cpu_seconds"] is None
    assert not report(-0.1, 1).is_too_steep
    assert "too small to tell" in report(-0.1, 1).as_table()


def test_what_a_plan_may_not_do() -> None:
    """One call too many, a write, and a change where nothing has changed are faults, each with its size."""
    assert report(1, 10).faults == []
    faulty = replace(FIGURES, calls=14, writes=1, changes=2)
    assert list(faulty.faults) == [
        "1000: a plan made 14 calls, allowed 13",
        "1000: a plan made 1 write calls",
        "1000: nothing had changed, and the plan has 2 changes",
    ]
