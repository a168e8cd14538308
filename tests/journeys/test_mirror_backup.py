"""A backup that is made in mid run, and put back when much has happened since."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.meanwhile import Meanwhile
from tests.journeys.safekeeping import (
    apply_approved,
    keep,
    lose,
    people_of,
    put_back,
    settle_approved,
    verbs,
)
from tests.journeys.stage import described, failures
from tests.journeys.story import Story
from wxsync.errors import GuardError, MirrorError
from wxsync.model.change import Reason, Verb
from wxsync.sandbox.transport import SandboxTransport


def kept_in_mid_run(story: Story, path: str, nth: int) -> Path:
    """A run that goes to its end, and a backup of the moment just before its nth call of a path."""
    kept: list[Path] = []
    line = Meanwhile(SandboxTransport(story.wecom), path, nth, lambda: kept.append(keep(story)))
    story.stage.line = line
    assert failures(story.apply()) == []
    story.stage.line = None
    [file] = kept
    return file


def test_a_first_load_is_finished_with_a_backup_of_its_middle(tmp_path: Path) -> None:
    """Whoever was created since is a stranger: adopted by approval, never doubled, and nobody is removed."""
    story = Story(tmp_path, policy={"adopt": ["userid"]})
    story.people(40)
    story.tag("标签", "E1", "E40")
    backup = kept_in_mid_run(story, "user/create", 25)
    before = people_of(story)
    assert backup.stat().st_mode & 0o777 == 0o600

    told = put_back(story, backup)
    assert 15 <= told.members < 40
    assert told.runs == (1,)
    plan = story.stage.plan().plan
    unadopted = [change for change in plan.changes if change.reason is Reason.UNADOPTED]
    assert told.members + len(unadopted) == 40
    assert not [change for change in plan.writes if change.verb in (Verb.CREATE, Verb.DELETE, Verb.DISABLE)]

    adopting = apply_approved(story, weak_too=True)
    assert failures(adopting) == []
    settle_approved(story)
    assert people_of(story) == before
    story.check()


def test_without_the_word_nobody_goes_on_with_it(tmp_path: Path) -> None:
    """A backup in the mirror's place is refused by whatever reads the mirror, until it is said."""
    story = Story(tmp_path)
    story.people(3)
    story.settle()
    backup = keep(story)
    lose(story)
    backup.rename(story.mirror)
    since = len(story.wecom.log)
    for act in (story.plan, story.apply, story.stage.baseline):
        with pytest.raises(MirrorError, match="is a backup, made at"):
            act()
    assert len(story.wecom.log) == since


def test_nobody_is_changed_before_somebody_has_looked(tmp_path: Path) -> None:
    """Over no limit, the first plan waits all the same; approved, it is carried out, and then none waits."""
    story = Story(tmp_path)
    story.people(3)
    story.settle()
    put_back(story, keep(story))
    with pytest.raises(GuardError):
        story.apply()
    assert set(verbs(settle_approved(story)).values()) == {Verb.UPDATE}
    story.hr.employees["E1"].title = "顾问"
    story.settle()


def test_a_file_of_then_is_not_sent_once_more(tmp_path: Path) -> None:
    """An import that was under way when the backup was made is given up: its values are of then."""
    story = Story(tmp_path, policy={"method": "batch"})
    story.people(12, title="工程师")
    story.settle()
    for employee in story.hr.employees.values():
        employee.title = "高级工程师"
    backup = kept_in_mid_run(story, "batch/syncuser", 1)
    for employee in story.hr.employees.values():
        employee.title = "总监"
    story.settle()

    told = put_back(story, backup)
    since = len(story.wecom.writes)
    assert len(told.jobs) == 1
    settle_approved(story)
    assert [call.path for call in story.wecom.writes[since:]].count("batch/syncuser") <= 2
    assert {member.position for member in story.wecom.members.values()} == {"总监"}
    assert described(story.stage.plan().plan.writes) == []
