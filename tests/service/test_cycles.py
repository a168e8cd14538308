"""Run after run after run: the daemon takes up no more memory and no more files, and loses nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest

from tests.service.cycling import Cycling, Footprint, cycling

POOL: Final = 5
"""Connections to the mirror that the store keeps at most (SQLAlchemy's QueuePool)."""
WARM: Final = 100
"""Cycles after which nothing is new to the process, and the mirror has all of the past that it keeps."""
SAMPLE: Final = 10
"""Memory goes up and down a little from run to run: so many of them count together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """How things stood after one cycle."""

    footprint: Footprint
    mirror: int
    """Bytes of its file."""


def first_load(cycle: Cycling) -> None:
    """The first run of all waits for somebody's yes."""
    waiting = cycle.begin()
    assert waiting["state"] == "refused", waiting
    loaded = cycle.approve(waiting["digest"])
    assert (loaded["state"], loaded["failures"]) == ("applied", []), loaded


def follow(cycle: Cycling, told: dict[str, int]) -> dict[str, Any]:
    """One run, which does exactly so much to people, and all of it."""
    heard = cycle.begin()
    assert (heard["state"], heard["failures"], heard["error"]) == ("applied", [], None), heard
    assert {what: count for what, count in heard["writes"].items() if "member" in what} == told, heard
    return heard


def settle(cycle: Cycling, leaving: int) -> None:
    """HR rests: those who left go, WeCom is what HR says in every field, and nothing is left to do."""
    cycle.pass_time()
    follow(cycle, {"member delete": leaving} if leaving else {})
    assert cycle.drift() == []
    cycle.pass_time()
    assert cycle.begin()["writes"] == {}


def live(cycle: Cycling, cycles: int, *, settled_every: int) -> list[Lap]:
    """So many cycles, 42 hours each, within the default limits and their rolling windows."""
    first_load(cycle)
    assert cycle.drift() == []
    share, leaving, laps = cycle.company.share, 0, []
    for number in range(1, cycles + 1):
        began = time.monotonic()
        cycle.pass_time()
        cycle.company.turn(cycle.engine)
        # Whoever is gone is believed to be when two readings in a row lacked them: one cycle later.
        told = {"member create": share, "member update": 5 * share}
        heard = follow(cycle, told | ({"member delete": leaving} if leaving else {}))
        leaving = share
        laps.append(Lap(footprint=cycle.footprint(), mirror=cycle.mirror.stat().st_size))
        show(number, time.monotonic() - began, heard, laps[-1])
        if number % settled_every == 0:
            settle(cycle, leaving)
            leaving = 0
    return laps


def show(number: int, seconds: float, heard: dict[str, Any], lap: Lap) -> None:
    """A line for whoever waits (pytest -s)."""
    taken = lap.footprint
    print(
        f"cycle {number}: {seconds:.2f} s ({heard['method']}), resident {taken.resident} KiB,"
        f" highest {taken.highest} KiB, files {taken.files}, connections {taken.connections},"
        f" mirror {lap.mirror // 1024} KiB",
        flush=True,
    )


def assert_no_file_stays_open(laps: list[Lap]) -> None:
    assert {lap.footprint.other_files for lap in laps} == {laps[0].footprint.other_files}
    assert max(lap.footprint.connections for lap in laps) <= POOL


def taken_up(laps: list[Lap]) -> float:
    return median(lap.footprint.resident for lap in laps)


def test_cycle_after_cycle_leaves_no_file_open_and_no_difference(tmp_path: Path) -> None:
    """Of 300 people three come, three go and fifteen change each time, six times: nothing is left over."""
    with cycling(tmp_path, 300) as cycle:
        assert_no_file_stays_open(live(cycle, 6, settled_every=6))


@pytest.mark.soak
def test_two_thousand_cycles_take_no_more_memory_than_a_hundred(tmp_path: Path) -> None:
    """Of 5,000 people 50 come, 50 go and 250 change each time: memory is within 5 % of that after 100."""
    with cycling(tmp_path, 5000) as cycle:
        laps = live(cycle, 2000, settled_every=100)
    warm, last = taken_up(laps[WARM - SAMPLE : WARM]), taken_up(laps[-SAMPLE:])
    print(f"resident after {WARM}: {warm} KiB, after {len(laps)}: {last} KiB, {last / warm:.3f} times")
    assert_no_file_stays_open(laps)
    assert last <= 1.05 * warm
    # That a userid was somebody's is kept for ever, as a hash.
    assert laps[-1].mirror <= 1.5 * laps[WARM - 1].mirror
