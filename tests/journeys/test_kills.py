"""Runs that are killed by -9, day after day, by calls and by files, over a file and over a server."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from tests.journeys.days import these_cases
from tests.journeys.hr import FIRST_DAY, Hr, found, hr_database
from tests.journeys.killing import Moment, Office, some_moment, some_moment_of_calls, twice
from tests.journeys.oracle import Company, compare
from tests.journeys.stage import described
from tests.journeys.test_batch_kills import CASES
from wxsync.mirror import schema
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

PEOPLE = 40
FAR_OFF = date(2999, 1, 1)
MOST_DAYS = 5
"""For every kill: some processes are done before their moment comes."""
ANOTHER = 0.3
"""How likely the run after a killed one is killed too."""
WAYS = ("single", "batch")
SOAK_SEEDS = range(25)
SOAK_KILLS = 3


def a_day(hr: Hr, number: int) -> None:
    """A row or a call for nearly everybody, and others beside them."""
    people = list(hr.employees.values())
    these_cases(hr, FIRST_DAY, CASES)
    for row in people:
        row.title = f"专员{number}"


def die_day_after_day(folder: Path, mirror_url: str, method: str, seed: int, kills: int) -> int:
    """So many deaths, from the first load on; after each day everything is as if there had been none."""
    chance = random.Random(f"{seed} {method}")
    hr = found(seed, members=PEOPLE, departments=10, tags=2, levels=4)
    state = SandboxState(job_seconds=chance.choice((0.02, 0.4)))
    company, died = Company(), 0
    if not mirror_url.startswith("sqlite"):
        schema.upgrade(mirror_url)
    else:
        schema.upgrade(f"sqlite:///{folder / 'mirror.db'}")
    with hr_database(f"sqlite:///{folder / 'hr.db'}") as database, running_sandbox(state) as base_url:
        office = Office(folder, state, base_url, method=method, mirror_url=mirror_url)
        for day in range(kills * MOST_DAYS):
            if day:
                a_day(hr, day)
            hr.save(database)
            company.follow(database, FAR_OFF)
            before, moments = len(state.log), list[Moment]()
            while not moments or (died < kills and chance.random() < ANOTHER):
                moments.append(some_moment(chance) if method == "batch" else some_moment_of_calls(chance))
                died += office.apply_and_kill(moments[-1])
            office.apply()
            told = f"{method}, seed {seed}, day {day}: {moments}"
            assert compare(state, company) == [], told
            assert list(twice(office, state.log[before:])) == [], told
            assert state.invitations == [], told
            assert office.open_jobs() == 0, told
            assert described(office.stage().plan().plan.writes) == [], told
            if died >= kills:
                break
    return died


@pytest.mark.parametrize("method", WAYS)
def test_kills_over_a_file(tmp_path: Path, method: str) -> None:
    """A few, with SQLite as the mirror."""
    assert die_day_after_day(tmp_path, "sqlite:///mirror.db", method, 1, 2) >= 2


@pytest.mark.parametrize("method", WAYS)
def test_kills_over_a_server(tmp_path: Path, postgres_url: str, method: str) -> None:
    """The same with PostgreSQL."""
    assert die_day_after_day(tmp_path, postgres_url, method, 2, 1) >= 1


@pytest.mark.soak
@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("seed", SOAK_SEEDS)
def test_many_kills_over_a_file(tmp_path: Path, method: str, seed: int) -> None:
    """Three hundred in all, with those over a server."""
    assert die_day_after_day(tmp_path, "sqlite:///mirror.db", method, 100 + seed, SOAK_KILLS) >= SOAK_KILLS


@pytest.mark.soak
@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("seed", SOAK_SEEDS)
def test_many_kills_over_a_server(tmp_path: Path, postgres_url: str, method: str, seed: int) -> None:
    """The other half."""
    assert die_day_after_day(tmp_path, postgres_url, method, 200 + seed, SOAK_KILLS) >= SOAK_KILLS
