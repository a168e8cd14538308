"""From the rows of an HR database to WeCom, and thirty days of what HR does to them."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.crash import die_at
from tests.journeys.days import a_day, every_case
from tests.journeys.hr import FIRST_DAY, Hr, found, hr_database
from tests.journeys.oracle import Company, compare
from tests.journeys.stage import MORNING, Stage, described, failures, settings_of
from wxsync.model.change import Reason

WIDE = {
    name: {"percent": 100, "max": 1_000_000, "floor": 1_000_000}
    for name in (
        "member_remove",
        "member_create",
        "member_update",
        "field_change",
        "department_delete",
        "department_move",
        "tag_member_remove",
        "source_shrink",
    )
}
"""For small companies on busy days: what is shown there is the order of changes, not the limits."""

KEPT = {
    Reason.OCCUPIED,  # a dropped department with a disabled leaver in it
    Reason.WAITING,  # a first day that is yet to come
    Reason.UNKNOWN,  # a direct leader whose row is gone
}


def live(
    stage: Stage, hr: Hr, url: str, days: int, *, intensity: int = 1, deaths: random.Random | None = None
) -> set[str]:
    """First load, then so many days, each in one apply; gives the cases that occurred.

    With `deaths` each day has a run before it that dies half-way.
    """
    company, cases = Company(), set[str]()
    with hr_database(url) as database:
        for day in range(days + 1):
            today = FIRST_DAY + timedelta(days=day)
            happened = a_day(hr, today, intensity=intensity) if day else []
            hr.save(database)
            if deaths is not None:
                die_at(stage, deaths.randrange(60), is_after=deaths.random() < 0.5)
            run = stage.apply()
            told = f"day {day}: {happened}"
            assert failures(run) == [], told
            company.follow(database, today)
            assert compare(stage.state, company) == [], told
            plan = stage.plan().plan
            assert described(plan.writes) == [], told
            assert {change.reason for change in plan.changes} <= KEPT, told
            cases.update(happened)
            stage.now = MORNING + timedelta(days=day + 1)
    assert stage.state.invitations == []
    return cases


def test_two_thousand_people_arrive_field_by_field_and_a_second_run_has_nothing_to_do(
    postgres_url: str, tmp_path: Path
) -> None:
    """2,000 members, 200 departments and 30 tags of a PostgreSQL are in WeCom after one apply."""
    hr = found(1, members=2000, departments=200, tags=30)
    stage = Stage(settings_of(postgres_url, tmp_path / "mirror.db"))
    live(stage, hr, postgres_url, 0)
    assert len(stage.state.members) == 2000
    assert len(stage.state.departments) == 200
    assert len(stage.state.tags) == 31  # and one by rule

    calls = len(stage.state.log)
    run = stage.apply()
    assert run.plan.changes == ()
    assert run.outcomes == ()
    paths = [call.path for call in stage.state.log[calls:]]
    reads = ["department/simplelist", *["tag/get"] * 31, "tag/list", "user/list_id"]
    assert sorted(paths) == sorted(reads)


def test_days_of_hr_converge_in_one_apply_each_within_the_default_limits(
    postgres_url: str, tmp_path: Path
) -> None:
    """Whatever HR does in a day, one apply follows it, the plan after is empty, nobody is invited."""
    hr = found(7, members=2000, departments=200, tags=30)
    stage = Stage(settings_of(postgres_url, tmp_path / "mirror.db"))
    assert live(stage, hr, postgres_url, 10)


@pytest.mark.soak
def test_thirty_days_of_hr_converge_in_one_apply_each_within_the_default_limits(
    postgres_url: str, tmp_path: Path
) -> None:
    """The same for thirty days, in which everything happens that HR can do."""
    hr = found(7, members=2000, departments=200, tags=30)
    stage = Stage(settings_of(postgres_url, tmp_path / "mirror.db"))
    assert live(stage, hr, postgres_url, 30) == every_case()


@pytest.mark.parametrize("seed", [11])
def test_busy_days_of_a_small_company_converge(tmp_path: Path, seed: int) -> None:
    """Three times as much in a tenth of the company: most of what happens gets in one another's way."""
    _busy(tmp_path, seed, days=8)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [12, *range(100, 140)])
def test_busy_months_converge(tmp_path: Path, seed: int) -> None:
    """The same for thirty days and many companies."""
    _busy(tmp_path, seed, days=30)


@pytest.mark.parametrize("seed", [21])
def test_days_on_which_the_first_run_dies_converge_in_the_second(tmp_path: Path, seed: int) -> None:
    """Each day a run dies at some call, and the next one ends as if it had not."""
    _busy(tmp_path, seed, days=8, deaths=random.Random(seed))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200, 240))
def test_months_in_which_every_first_run_dies_converge(tmp_path: Path, seed: int) -> None:
    """The same for thirty days and many companies."""
    _busy(tmp_path, seed, days=30, deaths=random.Random(seed))


def _busy(folder: Path, seed: int, *, days: int, deaths: random.Random | None = None) -> None:
    url = f"sqlite:///{folder / 'hr.db'}"
    hr = found(seed, members=200, departments=50, tags=8)
    stage = Stage(settings_of(url, folder / "mirror.db", limits=WIDE))
    live(stage, hr, url, days, intensity=3, deaths=deaths)
