"""The mirror moves from database to database, and the company goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.safekeeping import follow_to, move_to, people_of, restored, settle_approved
from tests.journeys.story import Story
from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import schema


def test_round_all_databases_and_on(tmp_path: Path, postgres_url: str, mariadb_url: str) -> None:
    """Wherever it is, the plan is empty right after, the next day is applied, and its runs count on."""
    story = Story(tmp_path)
    story.people(10, title="工程师")
    story.tag("标签", "E1", "E2")
    story.settle()
    numbers = [story.stage.last_run()]
    for number, url in enumerate((postgres_url, mariadb_url, f"sqlite:///{tmp_path}/back.db"), 1):
        move_to(story, url)
        assert story.plan() == []
        story.hr.employees[f"E{number}"].title = "架构师"
        story.person(f"E{10 + number}", title="工程师")
        story.goes(f"E{10 - number}")
        story.settle()
        story.stage.later(days=1)
        numbers.append(story.stage.last_run())
    assert numbers == sorted(set(numbers))
    assert (tmp_path / "back.db").stat().st_mode & 0o777 == 0o600


def test_the_former_one_goes_on_only_by_a_word(tmp_path: Path) -> None:
    """By the old config nothing is planned; where the new one is lost, the old one is a restored backup."""
    story = Story(tmp_path)
    story.people(5, title="工程师")
    story.settle()
    former = f"sqlite:///{tmp_path}/mirror.db"
    move_to(story, f"sqlite:///{tmp_path}/new.db")
    story.person("E6", title="工程师")
    story.settle()
    before = people_of(story)

    follow_to(story, former)
    for act in (story.plan, story.apply):
        with pytest.raises(MirrorError, match="is the mirror no more"):
            act()
    (tmp_path / "new.db").unlink()
    restored(story)
    settle_approved(story)
    assert people_of(story) == before


@pytest.mark.soak
def test_not_while_a_run_writes(tmp_path: Path) -> None:
    """It is refused at every change of the run, which goes to its end on the mirror that it began on."""
    story = Story(tmp_path)
    story.people(3)
    story.settle()
    story.hr.employees["E1"].title = "架构师"
    story.save()
    tried: list[type[Exception]] = []

    def move_meanwhile(done: int, total: int) -> None:
        try:
            move_to(story, f"sqlite:///{tmp_path}/new.db")
        except RunInProgressError as error:
            tried.append(type(error))

    story.stage.apply(progress=move_meanwhile)
    assert set(tried) == {RunInProgressError}
    assert schema.status(story.stage.settings.mirror.full_url).marks == ()
