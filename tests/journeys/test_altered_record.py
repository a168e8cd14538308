"""The mirror's record of a run's plan was altered: what was never planned is never written by an undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.journeys.stage import described, failures
from tests.journeys.story import Story
from wxsync.engine.corp import Corp
from wxsync.errors import MirrorError
from wxsync.mirror.documents import packed, unpacked
from wxsync.mirror.erasing import erase
from wxsync.mirror.people import find_person
from wxsync.mirror.tables import plans


def office(folder: Path) -> Story:
    story = Story(folder, policy={"leavers": "delete"})
    story.people(4, title="工程师")
    story.settle()
    story.stage.later(days=1)
    return story


def alter(story: Story, run: int, before: str, after: str) -> None:
    """Somebody mends the record of the run's plan by hand."""

    async def act(corp: Corp) -> None:
        with corp.store.transaction() as connection:
            this = plans.c.run_id == run
            text = unpacked(connection.execute(select(plans.c.document).where(this)).scalar_one())
            assert text.count(before) == 1
            packed_anew = packed([text.replace(before, after)])
            connection.execute(update(plans).where(this).values(document=packed_anew))

    story.stage.act(act)


def test_what_was_never_planned_is_not_written(tmp_path: Path) -> None:
    """The record of the plan has to give the digest that was noted apart from it."""
    story = office(tmp_path)
    story.hr.employees["E1"].title = "架构师"
    run = story.apply()
    alter(story, run.id, '"before": "工程师"', '"before": "chief executive"')

    with pytest.raises(MirrorError, match=f"record of the plan of run {run.id} was altered") as raised:
        story.stage.plan_undo(run.id)

    assert "db restored" in str(raised.value.hint)
    assert "chief executive" not in f"{raised.value} {raised.value.hint}"
    with pytest.raises(MirrorError, match="was altered"):
        story.stage.undo(run.id)
    alter(story, run.id, '"before": "chief executive"', '"before": "工程师"')
    assert failures(story.stage.undo(run.id)) == []


def erased(story: Story, key: str) -> None:
    async def act(corp: Corp) -> None:
        with corp.store.transaction() as connection:
            person = find_person(connection, corp.name, key)
            assert person is not None
            erase(connection, person, story.stage.now)

    story.stage.act(act)


def test_a_run_from_which_somebody_was_erased_is_still_taken_back(tmp_path: Path) -> None:
    """What is left of its plan has a digest of its own, which what is altered later does not give either."""
    story = office(tmp_path)
    former = story.member("E1").position
    story.hr.employees["E1"].title = "架构师"
    story.goes("E3")
    run = story.apply()
    story.stage.later(days=1)
    story.apply()
    erased(story, "E3")
    described_undo = described(story.stage.plan_undo(run.id).plan.writes)
    assert [each for each in described_undo if "E3" in each] == []
    alter(story, run.id, '"after": "架构师"', '"after": "总裁"')
    with pytest.raises(MirrorError, match="was altered"):
        story.stage.plan_undo(run.id)
    alter(story, run.id, '"after": "总裁"', '"after": "架构师"')
    story.stage.undo(run.id)
    assert story.member("E1").position == former
