"""WeCom lets a corp create three times its cap of accounts within 30 days; wxsync counts before it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.stage import described, failures, outcome_of
from tests.journeys.story import Story
from tests.journeys.test_two_syncs import both
from wxsync.config.settings import Settings
from wxsync.errors import GuardError
from wxsync.sandbox.state import SandboxState


def capped(settings: Settings, cap: int) -> Settings:
    corp = settings.corp["acme"].model_copy(update={"account_cap": cap})
    return settings.model_copy(update={"corp": {"acme": corp}})


def loaded(folder: Path, people: int, cap: int) -> Story:
    """A company of so many, in WeCom since this morning."""
    story = Story(folder, limits={"member_create": 1000})
    story.stage.settings = capped(story.stage.settings, cap)
    story.people(people)
    story.settle()
    return story


def month_creations(story: Story) -> list[tuple[int, int | None, bool]]:
    story.save()
    limits = story.stage.plan().plan.limits
    return [
        (limit.count, limit.allowed, limit.is_exceeded) for limit in limits if limit.name == "month_creations"
    ]


def test_the_cap_is_reached_and_not_passed(tmp_path: Path) -> None:
    """Three accounts make nine creations: the ninth is made, the tenth waits until the first ones are
    thirty days old, and no approval lifts that."""
    story = loaded(tmp_path, 6, cap=3)
    for number in (7, 8, 9):
        story.person(f"E{number}")
    assert month_creations(story) == [(9, 9, False)]
    story.settle()
    story.person("E10")
    assert month_creations(story) == [(10, 9, True)]
    before = len(story.wecom.writes)
    with pytest.raises(GuardError, match="month_creations: 10, allowed 9") as refused:
        story.apply()
    assert "--approve" not in str(refused.value.hint)
    with pytest.raises(GuardError, match="month_creations: 10, allowed 9"):
        story.apply(approved=story.digest())
    assert len(story.wecom.writes) == before

    story.stage.later(days=30, seconds=-1)
    assert month_creations(story) == [(10, 9, True)]
    story.stage.later(seconds=2)
    assert month_creations(story) == [(1, 9, False)]
    story.settle()


def test_other_changes_go_on_where_nobody_is_created(tmp_path: Path) -> None:
    """A month that is used up says nothing about updates and leavers."""
    story = loaded(tmp_path, 9, cap=3)
    story.hr.employees["E1"].full_name = "改名"
    story.goes("E2")
    assert month_creations(story) == []
    assert failures(story.apply()) == []


def test_without_a_cap_nothing_is_counted(tmp_path: Path) -> None:
    """The config does not say, and wxsync does not guess."""
    story = Story(tmp_path)
    story.people(30)
    assert month_creations(story) == []


def test_a_creation_that_wecom_refused_does_not_count(tmp_path: Path) -> None:
    """Six were created; the seventh had the number of somebody by hand, and may try again."""
    story = loaded(tmp_path, 6, cap=3)
    story.wecom.add_member("stranger", "外人", mobile="13900000001")
    story.person("E7", mobile="13900000001")
    assert outcome_of(story.apply(), "E7").errcode == 60104
    story.hr.employees["E7"].mobile = "13900000002"
    assert month_creations(story) == [(7, 9, False)]


def test_both_syncs_of_a_corp_count(tmp_path: Path) -> None:
    """What one of them created is gone from the month of the other."""
    (tmp_path / "branch").mkdir()
    head, branch = Story(tmp_path), Story(tmp_path / "branch")
    wecom = SandboxState()
    wecom.add_department("总部", id=50)
    wecom.add_department("分公司", id=60)
    head.stage.settings = branch.stage.settings = capped(both(head.stage.settings, branch.stage.settings), 2)
    head.stage.state = branch.stage.state = wecom
    branch.stage.sync = "branch"
    head.people(5)
    branch.person("E101")
    head.save()
    branch.save()
    assert failures(head.apply()) == []
    assert month_creations(branch) == [(6, 6, False)]
    branch.person("E102")
    assert month_creations(branch) == [(7, 6, True)]
    with pytest.raises(GuardError, match="month_creations: 7, allowed 6"):
        branch.apply()
    assert described(head.stage.plan().plan.writes) == []
