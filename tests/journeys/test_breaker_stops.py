"""A large run tries some changes first, and any run stops where too many of them fail."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.stage import failures
from tests.journeys.story import Story
from wxsync.cli.output import exit_code_of
from wxsync.model.run import Outcome, OutcomeState, Run, RunState

REFUSED = 60103
MANY = 240
WIDE = {"percent": 100, "floor": 1000, "max": 1000}
KINDS = ("member_remove", "member_create", "member_update", "field_change", "source_shrink")
LIMITS = dict.fromkeys(KINDS, WIDE)
APP = {"agent_id": 1000002, "secret": "sandbox-app-secret"}
WAYS = {
    "single": {"method": "single"},
    "batch": {"method": "batch"},
    "replace": {"method": "batch", "replace": True, "exclusive": True, "leavers": "delete"},
}
SUBMITS = {"batch": "batch/syncuser", "replace": "batch/replaceuser"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """So many people in WeCom, who came by a file."""
    story = Story(tmp_path_factory.mktemp("office"), policy=WAYS["batch"], limits=LIMITS, app=APP)
    story.people(MANY, title="工程师")
    story.settle()
    return story


@pytest.fixture
def office(loaded: Story, tmp_path: Path) -> Callable[..., Story]:
    def opened(way: str = "single", **more: object) -> Story:
        return loaded.copy(tmp_path / "copy", policy=WAYS[way], limits=LIMITS, app=APP, **more)

    return opened


def a_day(story: Story) -> None:
    """More than 200 changes of four verbs: nearly all have another title, some come, some go."""
    for number, row in enumerate(story.hr.employees.values()):
        row.title = "高级工程师" if number < MANY - 30 else row.title
    for number in range(MANY - 10, MANY):
        story.hr.employees[f"E{number}"].status = "left"
    for number in range(1001, 1012):
        story.person(f"E{number}", dept="D2")
    story.department("D9", "新部门")


def counted(run: Run) -> Counter[OutcomeState]:
    return Counter(outcome.state for outcome in run.outcomes)


def verbs(run: Run, outcomes: list[Outcome]) -> set[tuple[str, str]]:
    changes = [run.plan.changes[outcome.n - 1] for outcome in outcomes]
    return {(change.kind.value, change.verb.value) for change in changes}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_large_run_tries_twenty_first(office: Callable[..., Story], way: str) -> None:
    """Where what is tried is refused nothing else is tried, by whatever way the rest would go."""
    story = office(way)
    a_day(story)
    since = len(story.wecom.writes)
    story.wecom.faults.answer("user/update", REFUSED, times=None)
    run = story.apply()
    tried = [outcome for outcome in run.outcomes if outcome.state is not OutcomeState.SKIPPED]
    assert run.state is RunState.STOPPED
    assert exit_code_of(run) == 5
    assert len(tried) <= (21 if way == "replace" else 20)  # the tree is one file, and goes before
    assert verbs(run, tried) >= {("member", "create"), ("member", "update"), ("department", "create")}
    assert re.search(
        rf"of the last \d+ changes .* Most often: \d+ times errcode {REFUSED} \(", str(run.error)
    )
    assert "batch/syncuser" not in {call.path for call in story.wecom.writes[since:]}
    assert "batch/replaceuser" not in {call.path for call in story.wecom.writes[since:]}
    story.wecom.faults.clear()
    story.settle_beside_strangers()


@pytest.mark.parametrize("way", list(WAYS))
def test_where_the_trial_goes_well_all_goes(office: Callable[..., Story], way: str) -> None:
    """Twenty by calls, the rest as planned, and nothing is left to do."""
    story = office(way)
    a_day(story)
    since = len(story.wecom.writes)
    run = story.settle_beside_strangers()
    calls = Counter(call.path for call in story.wecom.writes[since:] if call.path.startswith("user/"))
    assert len(run.outcomes) > 200
    if way == "single":
        assert calls.total() == len(run.plan.writes) - 1
    else:
        assert calls["user/create"] + calls["user/update"] <= 20 + 10  # and those who are disabled in no file
        assert [call for call in story.wecom.writes[since:] if call.path == SUBMITS[way]]
    assert story.wecom.invitations == []


def test_one_of_the_trial_may_fail(office: Callable[..., Story]) -> None:
    """One bad record never stops the others."""
    story = office()
    a_day(story)
    story.wecom.faults.answer("user/update", REFUSED)
    run = story.apply()
    assert run.state is RunState.APPLIED
    assert counted(run)[OutcomeState.FAILED] == 1
    assert counted(run)[OutcomeState.SKIPPED] == 0
    story.settle()


def test_a_run_that_goes_wrong_later_is_stopped_too(office: Callable[..., Story]) -> None:
    """The eleventh failure among the last 200 is the last but those under way; the rest is as it was."""
    story = office()
    a_day(story)
    story.wecom.faults.answer("user/update", REFUSED, times=None, skip=60)
    run = story.apply()
    assert run.state is RunState.STOPPED
    assert 11 <= counted(run)[OutcomeState.FAILED] <= 11 + 16
    assert counted(run)[OutcomeState.DONE] >= 60
    assert counted(run)[OutcomeState.SKIPPED] > 50
    assert "no more than 10 may" in str(run.error)
    story.wecom.faults.clear()
    story.settle()


def test_a_few_bad_records_hold_up_nobody_for_ever(office: Callable[..., Story]) -> None:
    """Fifteen whom WeCom refuses stop the first run; then they are known, and everybody else gets theirs."""
    story = office()
    bad = {f"e{number}" for number in range(1, 16)}
    for number in range(1, 41):
        story.hr.employees[f"E{number}"].title = "高级工程师"
    story.wecom.faults.answer(
        "user/update", REFUSED, times=None, where=lambda query, body: body["userid"] in bad
    )
    assert story.apply().state is RunState.STOPPED
    run = story.apply()
    while run.state is RunState.STOPPED:
        run = story.apply()
    assert run.state is RunState.APPLIED
    titles = {userid: member.position for userid, member in story.wecom.members.items()}
    assert {titles[f"e{number}"] for number in range(16, 41)} == {"高级工程师"}
    assert counted(run) == {OutcomeState.FAILED: len(bad)}
    story.wecom.faults.clear()
    story.settle()


def test_after_a_file_of_which_too_many_rows_fail_nothing_comes(office: Callable[..., Story]) -> None:
    """Those who come go first, by one file; a second file, of those who change, is not made."""
    story = office("batch")
    for number in range(1001, 1041):
        story.person(f"E{number}")
    for row in story.hr.employees.values():
        row.title = "高级工程师"
    before = len(story.wecom.log)
    story.wecom.job_faults.fail_rows("batch/syncuser", REFUSED, every=2)
    run = story.apply()
    submitted = [call for call in story.wecom.log[before:] if call.path == "batch/syncuser"]
    assert len(submitted) == 1
    assert run.state is RunState.STOPPED
    assert counted(run)[OutcomeState.SKIPPED] > 200
    story.wecom.job_faults.clear()
    story.settle()


def test_the_config_moves_trial_and_breaker(office: Callable[..., Story]) -> None:
    """A smaller trial, for smaller runs."""
    story = office()
    story.configure(limits=LIMITS, breaker={"trial": 3, "trial_from": 10})
    for number in range(1, 31):
        story.hr.employees[f"E{number}"].title = "高级工程师"
    story.wecom.faults.answer("user/update", REFUSED, times=None)
    run = story.apply()
    assert run.state is RunState.STOPPED
    assert counted(run) == {OutcomeState.FAILED: 3, OutcomeState.SKIPPED: 27}
    story.wecom.faults.clear()
    assert failures(story.apply()) == []
