"""What an operator does with the mirror of a story: keeps it, loses it, puts it back, moves it."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy.engine import URL

from tests.journeys.stage import described, failures
from tests.journeys.story import Story
from wxsync.mirror.backup import back_up
from wxsync.mirror.moving import move
from wxsync.mirror.restored import Restored
from wxsync.mirror.restoring import restore
from wxsync.model.change import Verb
from wxsync.model.run import Run


def url_of(story: Story) -> URL:
    return story.stage.settings.mirror.full_url


def keep(story: Story, name: str = "backup.db") -> Path:
    """`wxsync db backup`."""
    file = story.folder / name
    back_up(url_of(story), file, made_at=story.stage.now, progress=lambda done, total: None)
    return file


def lose(story: Story) -> None:
    for file in story.folder.glob("mirror.db*"):
        file.unlink()


def put_back(story: Story, backup: Path) -> Restored:
    """The backup in the mirror's place, and `wxsync db restored`."""
    lose(story)
    shutil.copy(backup, story.mirror)
    return restored(story)


def restored(story: Story) -> Restored:
    syncs = [(sync.corp, name) for name, sync in story.stage.settings.sync.items()]
    return restore(url_of(story), syncs, story.stage.now)


def move_to(story: Story, url: str) -> None:
    """`wxsync db copy URL`, and the config follows."""
    corps = list(story.stage.settings.corp)
    move(url_of(story), url, corps, story.stage.now, lambda done, total: None)
    follow_to(story, url)


def follow_to(story: Story, url: str) -> None:
    settings = story.stage.settings
    mirror = type(settings.mirror).model_validate({"url": url})
    story.stage.settings = settings.model_copy(update={"mirror": mirror})


def apply_approved(story: Story, *, weak_too: bool = False) -> Run:
    """The plan is looked at, and then that very plan is carried out."""
    story.save()
    digest = story.stage.plan(weak_too=weak_too).plan.digest
    return story.stage.apply(approved=digest)


MOST_RUNS = 6


def settle_approved(story: Story) -> Run:
    """The first run is approved; with those that follow all of it is done, and nothing is left to do."""
    first = run = apply_approved(story)
    for _ in range(MOST_RUNS):
        assert failures(run) == []
        if described(story.stage.plan().plan.writes) == []:
            return first
        run = story.apply()
    raise AssertionError(described(story.stage.plan().plan.writes))


def verbs(run: Run) -> dict[str, Verb]:
    """Key -> what was done to it, of members."""
    return {str(change.key): change.verb for change in run.plan.writes if change.kind.value == "member"}


def people_of(story: Story) -> list[str]:
    return sorted(member.userid for member in story.wecom.members.values())
