"""A slow leak is noticed too: limits hold over 24 hours and 7 days of runs, and each thing counts once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.journeys.crash import die_at
from tests.journeys.stage import failures
from tests.journeys.story import Story, mobile
from wxsync.engine.corp import Corp
from wxsync.errors import GuardError
from wxsync.mirror.tables import limit_uses
from wxsync.model.plan import Plan
from wxsync.model.uses import FACTORS


def company(tmp_path: Path, people: int = 60, **settings: object) -> Story:
    """Sixty people, in WeCom: five may leave with a run, ten in a day, twenty in a week."""
    story = Story(tmp_path, **settings)
    story.people(people)
    story.settle()
    return story


def gone(story: Story, first: int, last: int) -> None:
    for number in range(first, last + 1):
        story.goes(f"E{number}")


def windows(plan: Plan, name: str, detail: str | None = None) -> dict[str | None, tuple[int, int | None]]:
    """Window -> how much of it is used up with this plan, and how much may be."""
    return {
        each.window: (each.count, each.allowed)
        for each in plan.limits
        if (each.name, each.detail) == (name, detail) and each.window
    }


def on_record(story: Story) -> list[tuple[str, int, bool]]:
    """What the mirror has of each limit that was used up."""

    async def act(corp: Corp) -> list[tuple[str, int, bool]]:
        c = limit_uses.c
        query = select(c.name, c.used, c.is_settled).order_by(c.run_id, c.name)
        with corp.store.reading() as connection:
            return [(row.name, row.used, row.is_settled) for row in connection.execute(query)]

    found: list[tuple[str, int, bool]] = story.stage.act(act)
    return found


def test_a_slow_leak_is_caught(tmp_path: Path) -> None:
    """Five by run after run: the third run of a day is refused, and the fifth of a week."""
    story = company(tmp_path)
    for first in (1, 6):
        gone(story, first, first + 4)
        assert failures(story.apply()) == []
        story.stage.later(hours=1)
    story.goes("E11")
    with pytest.raises(GuardError, match="member_remove within 24h: 11, allowed 10") as refused:
        story.apply()
    assert "member_remove within 7d" not in str(refused.value)
    story.stage.later(hours=24)
    gone(story, 12, 15)
    assert failures(story.apply()) == []
    story.stage.later(hours=25)
    gone(story, 16, 20)
    assert failures(story.apply()) == []
    story.stage.later(hours=25)
    story.goes("E21")
    with pytest.raises(GuardError, match="member_remove within 7d: 21, allowed 20"):
        story.apply()
    story.stage.later(days=7)
    assert failures(story.apply()) == []


def test_a_first_load_an_approved_run_and_an_undo_count_in_no_window(tmp_path: Path) -> None:
    """Each was looked at, or had nothing to lose."""
    story = company(tmp_path)
    assert on_record(story) == []
    gone(story, 1, 8)
    run = story.apply(approved=story.digest())
    assert failures(run) == []
    assert failures(story.stage.undo(run.id)) == []
    assert on_record(story) == []
    gone(story, 9, 10)
    digest = story.digest()
    plan = story.stage.plan().plan
    assert windows(plan, "member_remove") == {"24h": (10, 10), "7d": (10, 20)}
    assert failures(story.apply(approved=digest)) == []
    gone(story, 11, 11)
    assert windows(_planned(story), "member_remove") == {"24h": (1, 10), "7d": (1, 20)}


def _planned(story: Story) -> Plan:
    story.save()
    return story.stage.plan().plan


def test_each_field_counts_apart(tmp_path: Path) -> None:
    """Twenty titles and twenty names are not forty of one field; tags and departments have limits too."""
    story = company(tmp_path, 100)
    for number in range(1, 16):
        story.hr.employees[f"E{number}"].title = "经理"
        story.hr.employees[f"E{number + 20}"].alias = f"别名{number}"
    story.tag("标签", *(f"E{number}" for number in range(1, 31)))
    story.hr.departments["D1"].name = "新研发"
    story.department("D3", "客服部")
    assert failures(story.apply()) == []
    assert on_record(story) == [
        ("department_create", 1, True),
        ("department_update", 1, True),
        ("field_change", 15, True),
        ("field_change", 15, True),
        ("member_update", 30, True),
        ("tag_member_add", 30, True),
    ]
    story.hr.employees["E50"].title = "经理"
    plan = _planned(story)
    assert windows(plan, "field_change", "position") == {"24h": (16, 40), "7d": (16, 80)}
    assert windows(plan, "field_change", "alias") == {}
    assert windows(plan, "member_update") == {"24h": (31, 100), "7d": (31, 200)}


def test_what_failed_counts_not(tmp_path: Path) -> None:
    """Three of five were refused by WeCom."""
    story = company(tmp_path)
    for number in range(1, 6):
        story.hr.employees[f"E{number}"].mobile = mobile(500 + number)
    for number in range(1, 4):
        story.wecom.add_member(f"x{number}", "客人", mobile=mobile(500 + number))
    assert len(failures(story.apply())) == 3
    assert on_record(story) == [("field_change", 2, True), ("member_update", 2, True)]


@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
@pytest.mark.parametrize("deaths", [1, 3])
def test_a_run_that_dies_is_counted_once(tmp_path: Path, is_after: bool, deaths: int) -> None:
    """By its plan as long as nobody knows better; and never both what it left and what the next one did."""
    story = company(tmp_path)
    gone(story, 1, 5)
    story.save()
    for _ in range(deaths):
        assert die_at(story.stage, 1, is_after=is_after)
        assert ("member_remove", 5, False) in on_record(story)
        assert windows(story.stage.plan().plan, "member_remove") == {"24h": (5, 10), "7d": (5, 20)}
    assert failures(story.apply()) == []
    assert sum(used for name, used, _ in on_record(story) if name == "member_remove") == 5
    assert all(is_settled for *_, is_settled in on_record(story))
    gone(story, 6, 10)
    assert failures(story.apply()) == []


def test_a_window_that_is_full_refuses_nothing_else(tmp_path: Path) -> None:
    """Nobody leaves by this plan, so it is not asked about those who left."""
    story = company(tmp_path, limits={"member_remove": 2})
    for first in (1, 3):
        gone(story, first, first + 1)
        assert failures(story.apply()) == []
    story.hr.employees["E9"].title = "经理"
    assert failures(story.apply()) == []
    assert windows(_planned(story), "member_remove") == {}


def test_what_is_too_old_counts_no_more(tmp_path: Path) -> None:
    """And of runs that changed nothing there is nothing on record."""
    story = company(tmp_path)
    story.goes("E1")
    assert failures(story.apply()) == []
    story.apply()
    assert len(on_record(story)) == 1
    story.stage.later(days=8)
    story.goes("E2")
    assert windows(_planned(story), "member_remove") == {"24h": (1, 10), "7d": (1, 20)}


def test_a_clock_that_was_ahead_gives_no_second_helping(tmp_path: Path) -> None:
    """What was done before still counts when it is right again, and so does what was done meanwhile."""
    story = company(tmp_path)
    gone(story, 1, 5)
    assert failures(story.apply()) == []
    story.stage.later(days=370)
    gone(story, 6, 10)
    assert failures(story.apply()) == []
    story.stage.later(days=-370)
    story.hr.employees["E20"].title = "经理"
    assert failures(story.apply()) == []
    story.goes("E11")
    with pytest.raises(GuardError, match="member_remove within 24h: 11, allowed 10"):
        story.apply()
    story.stage.later(days=8)
    assert failures(story.apply()) == []


def test_the_windows_are_those_of_the_contract() -> None:
    """Twice what a run may do in 24 hours, and four times in seven days."""
    assert dict(FACTORS) == {"24h": 2, "7d": 4}
