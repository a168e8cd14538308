"""Processes that are killed by -9 in the middle of a job: the next one ends it, and nothing is done twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.journeys.days import these_cases
from tests.journeys.hr import FIRST_DAY, Hr, found, hr_database
from tests.journeys.killing import (
    RESULT,
    SUBMIT,
    AtCall,
    Moment,
    Office,
    OnRecord,
    reopened,
    some_moment,
    twice,
)
from tests.journeys.oracle import Company, compare
from tests.journeys.stage import described, failures
from wxsync.mirror import schema
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

AT_ONCE = 4
"""Processes that are at work side by side; most of the time they wait."""
MOST_DEATHS = 3
FEW, MANY = 40, 1100
"""Of the many, those who have another title are more than are put on record at once."""
FAR_OFF = date(2999, 1, 1)

CASES = (
    "hired",
    "hired_with_a_leader_of_today",
    "circle_of_leaders",
    "hired_into_a_new_department",
    "renamed",
    "title_emptied",
    "joins_a_tag",
    "leaves_a_tag",
    "new_tag",
)
"""In which no value is cleared on its way to another: whatever is said of somebody is said once for all."""

PLACES: Sequence[Moment] = (
    AtCall("media/upload", is_before=True),
    AtCall("media/upload"),
    AtCall("user/list_id", 2),
    AtCall(SUBMIT, is_before=True),
    AtCall(SUBMIT),
    AtCall(SUBMIT, 2, is_before=True),
    AtCall(SUBMIT, 2),
    AtCall(SUBMIT, 2, delay=0.2),
    AtCall(RESULT, is_before=True),
    AtCall(RESULT),
    OnRecord("batch_jobs", 1),
    OnRecord("batch_job_rows", 1),
    OnRecord("batch_job_files", 1),
    OnRecord("batch_job_results", 1),
)
"""Every step of a job: of the first one, which creates those who come, or of the second one."""

HALF_WAY: Sequence[Moment] = (AtCall(RESULT, 2), AtCall(RESULT, 5))
"""Where each job takes three looks: in the middle of the first one, and of the second one."""

SLICES: Sequence[Moment] = (
    OnRecord("batch_job_rows", 100),
    OnRecord("batch_job_rows", 1010),
    OnRecord("batch_job_results", 100),
    AtCall(RESULT, 2, delay=0.1),
)


@dataclass(frozen=True)
class Loaded:
    """A company in WeCom, and the rows of the day after."""

    folder: Path
    state: SandboxState
    company: Company


def loaded(folder: Path, seed: int, *, members: int, is_first: bool = False) -> Loaded:
    """The first load is nobody's death, unless that is the day."""
    folder.mkdir()
    hr = found(seed, members=members, departments=12, tags=3, levels=4)
    for number, row in enumerate(hr.employees.values()):
        row.title = "专员"
        row.manager_no = row.manager_no if number < FEW else None
    company, state = Company(), SandboxState(job_seconds=0.02)
    with hr_database(f"sqlite:///{folder / 'hr.db'}") as database, running_sandbox(state) as base_url:
        if is_first:
            schema.upgrade(f"sqlite:///{folder / 'mirror.db'}")
        else:
            hr.save(database)
            assert failures(Office(folder, state, base_url).stage().apply()) == []
            company.follow(database, FAR_OFF)
            assert compare(state, company) == []
            _a_day(hr)
        hr.save(database)
        company.follow(database, FAR_OFF)
    return Loaded(folder, state, company)


def _a_day(hr: Hr) -> None:
    """A row each for nearly everybody, others for those who come, and calls."""
    people = list(hr.employees.values())
    these_cases(hr, FIRST_DAY, CASES)
    for row in people:
        row.title = None if row.title is None else "高级专员"


def die_and_live(start: Loaded, folder: Path, first: Moment, chance: random.Random, another: float) -> int:
    """Deaths of one run after another; how many. Then one that lives, and everything is as it must be.

    `another` is how likely the next run dies too.
    """
    company = deepcopy(start.company)
    with reopened(start.folder, start.state, folder) as office:
        office.state.job_seconds = chance.choice((0.02, 0.5, 1.2))
        office.state.jobs_by_polls = first in HALF_WAY
        before = len(office.state.log)
        moments = [first]
        while len(moments) < MOST_DEATHS and chance.random() < another:
            moments.append(some_moment(chance))
        deaths = sum([office.apply_and_kill(moment) for moment in moments])
        office.apply()
        told = f"{moments}, jobs of {office.state.job_seconds} s, {deaths} deaths"
        assert compare(office.state, company) == [], told
        assert list(twice(office, office.state.log[before:])) == [], told
        assert office.state.invitations == [], told
        assert office.open_jobs() == 0, told
        assert described(office.stage().plan().plan.writes) == [], told
    return deaths


def die_everywhere(
    start: Loaded, folder: Path, moments: Sequence[Moment], seed: int, another: float = 0
) -> int:
    """A company for each of the moments, several side by side; how often a process died."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        lives = [
            pool.submit(die_and_live, start, folder / f"{seed}-{number}", moment, chance, another)
            for number, moment in enumerate(moments)
            for chance in (random.Random(f"{seed} {number}"),)
        ]
        return sum(life.result() for life in lives)


def test_wherever_a_job_is_when_its_process_is_killed(tmp_path: Path) -> None:
    """At each step of a job: the next run follows it, submits nothing needlessly, and ends right."""
    start = loaded(tmp_path / "office", 41, members=FEW)
    moments = (*HALF_WAY, *PLACES)
    assert die_everywhere(start, tmp_path, moments, 41, 0.1) >= len(moments)


def test_between_the_slices_in_which_rows_are_stored(tmp_path: Path) -> None:
    """Half of the rows are on record, announced or with their result, when the process is killed."""
    start = loaded(tmp_path / "office", 42, members=MANY)
    assert die_everywhere(start, tmp_path, SLICES, 42) >= len(SLICES)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(400, 420))
def test_two_hundred_processes_are_killed(tmp_path: Path, seed: int) -> None:
    """At any moment, ten times for each seed."""
    chance = random.Random(seed)
    members = chance.choice((FEW, FEW, MANY))
    start = loaded(tmp_path / "office", seed, members=members, is_first=seed % 3 == 0)
    died = rounds = 0
    while died < 10:
        some = [some_moment(chance) for _ in range(AT_ONCE)]
        died += die_everywhere(start, tmp_path, some, seed * 1000 + rounds, 0.3)
        rounds += 1
