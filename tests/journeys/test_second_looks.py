"""Before somebody is removed for being absent they are looked for once more; in the daemon, later again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.journeys.hr import hr_database
from tests.journeys.stage import failures
from tests.journeys.story import Story
from wxsync.config.expressions import Expression
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import SourceUnavailableError
from wxsync.model.change import Reason, Verb
from wxsync.model.message import Message, say
from wxsync.model.run import Run
from wxsync.report.as_json import plan_document
from wxsync.sources.base import SourceSession
from wxsync.sources.sql import SqlSource


@dataclass
class Mended:
    """A real source whose rows are put right, or wrong, between the first look at it and the next."""

    story: Story
    then: object
    name: str = "hr"
    canaries: tuple[str, ...] = ()
    looks: list[str] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[SourceSession]:
        self.looks.append("look")
        settings = self.story.stage.settings.source["hr"]
        assert isinstance(settings, SqlSourceSettings)
        with SqlSource("hr", settings).open() as session:
            yield session
        if len(self.looks) == 1 and callable(self.then):
            self.then()


@dataclass
class Wide(Mended):
    """The same, whose system tells where it has people whom its queries do not give, as a directory does."""

    places: Mapping[str, str] = field(default_factory=dict)
    asked: list[frozenset[str]] = field(default_factory=list)

    def whereabouts(self, key: Expression, keys: frozenset[str]) -> Mapping[str, Message]:
        assert key.names == {"emp_no"}
        self.asked.append(keys)
        return {
            each: say("no longer below base_dn; the directory still has it in {place}", place=place)
            for each, place in self.places.items()
        }


def office(folder: Path, **settings: object) -> Story:
    story = Story(folder, **settings)
    story.people(6)
    story.tag("标签", "E1", "E2")
    story.settle()
    story.stage.later(days=1)
    return story


def comes_back(story: Story, key: str) -> None:
    """The row is there again, for whoever looks from now on."""
    story.person(key)
    story.save()


def kept(run: Run) -> dict[str | None, tuple[Reason | None, str]]:
    return {
        change.key: (change.reason, str(change.why))
        for change in run.plan.changes
        if change.verb is Verb.KEEP
    }


@pytest.mark.parametrize("key", ["emp_no", "emp_no | upper"])
@pytest.mark.parametrize("policy", ["disable", "delete"])
def test_whoever_is_there_by_then_is_kept(tmp_path: Path, key: str, policy: str) -> None:
    """Found by key, or by reading all once more; and then nobody else is removed either."""
    story = office(tmp_path, member={"key": key}, policy={"leavers": policy})
    story.goes("E1")
    story.goes("E2")
    story.save()
    story.stage.sources = [hr := Mended(story, lambda: comes_back(story, "E1"))]
    run = story.stage.apply()
    assert len(hr.looks) == (2 if key == "emp_no" else 3)
    assert kept(run) == {
        "E1": (Reason.INCOMPLETE, "a second look found it in the source: the reading was not whole"),
        "E2": (Reason.INCOMPLETE, "a reading of the source is not proven complete: nothing is removed"),
        "标签": (Reason.INCOMPLETE, "a reading of the source is not proven complete: nothing is removed"),
    }
    assert not run.plan.is_complete
    assert {member.enable for member in story.wecom.members.values()} == {1}
    assert len(story.wecom.members) == 6
    assert story.tagged("标签") == {"e1", "e2"}


def test_whoever_is_gone_by_then_too_leaves(tmp_path: Path) -> None:
    """One more look, and the plan goes its way."""
    story = office(tmp_path)
    story.goes("E1")
    story.save()
    story.stage.sources = [hr := Mended(story, None)]
    assert failures(story.stage.apply()) == []
    assert len(hr.looks) == 2
    assert story.member("E1").enable == 0


def test_the_plan_says_where_those_are_who_leave(tmp_path: Path) -> None:
    """Who left the base alone leaves all the same; of the others nothing is told."""
    story = office(tmp_path)
    story.goes("E1")
    story.goes("E2")
    story.save()
    story.stage.sources = [hr := Wide(story, None, places={"E1": "ou=Left,dc=example"})]
    plan = story.stage.plan().plan
    assert hr.asked == [frozenset({"E1", "E2"})]
    assert {each.key: (each.verb, str(each.why)) for each in plan.changes if each.verb is Verb.DISABLE} == {
        "E1": (Verb.DISABLE, "no longer below base_dn; the directory still has it in ou=Left,dc=example"),
        "E2": (Verb.DISABLE, "no longer in the source"),
    }


def test_nobody_is_asked_where_those_are_who_stay(tmp_path: Path) -> None:
    """Not on a day without leavers, and not where a second look finds one of them."""
    story = office(tmp_path)
    story.save()
    story.stage.sources = [hr := Wide(story, None)]
    assert story.stage.plan().plan.writes == ()
    story.goes("E1")
    story.save()
    story.stage.sources = [again := Wide(story, lambda: comes_back(story, "E1"))]
    assert story.stage.plan().plan.writes == ()
    assert (hr.asked, again.asked) == ([], [])


def test_a_plan_looks_as_well_and_nobody_looks_where_nobody_leaves(tmp_path: Path) -> None:
    """What `plan` shows is what `apply` would do; a day without leavers costs no second look."""
    story = office(tmp_path)
    story.save()
    story.stage.sources = [hr := Mended(story, None)]
    assert story.stage.plan().plan.writes == ()
    assert len(hr.looks) == 1
    story.goes("E1")
    story.save()
    story.stage.sources = [hr := Mended(story, lambda: comes_back(story, "E1"))]
    plan = story.stage.plan().plan
    assert plan.writes == ()
    assert plan_document(plan)["complete"] is False
    assert len(hr.looks) == 2


def test_a_source_that_vanishes_before_the_second_look_ends_the_run(tmp_path: Path) -> None:
    """An error, and nobody is removed."""
    story = office(tmp_path)
    story.goes("E1")
    story.save()
    story.stage.sources = [Mended(story, (tmp_path / "hr.db").unlink)]
    with pytest.raises(SourceUnavailableError):
        story.stage.apply()
    assert story.member("E1").enable == 1


def test_a_source_that_loses_everybody_meanwhile_proves_nothing(tmp_path: Path) -> None:
    """Those who were there just now are gone for the second look too: it is not believed."""
    story = office(tmp_path)
    story.goes("E1")
    story.save()

    def emptied() -> None:
        story.hr.employees.clear()
        story.hr.places.clear()
        story.hr.tags.clear()
        with hr_database(story.url) as engine:
            story.hr.save(engine)

    story.stage.sources = [Mended(story, emptied)]
    run = story.stage.apply()
    assert {reason for reason, _ in kept(run).values()} == {Reason.INCOMPLETE}
    assert story.member("E1").enable == 1


def test_in_the_daemon_somebody_must_be_missing_from_complete_reads_in_a_row(tmp_path: Path) -> None:
    """Two by default: a plan and an incomplete read count for nothing, and who is back begins anew."""
    story = office(tmp_path)
    story.stage.confirm_reads = 2
    story.goes("E1")
    waiting = {
        "E1": (
            Reason.WAITING,
            "no longer in the source: 1 complete readings without it, 2 are wanted",
        )
    }
    assert kept(story.apply()) == waiting
    story.person("E1")
    story.settle()
    story.goes("E1")
    for _ in range(3):
        story.plan()
    assert kept(story.apply()) == waiting
    assert story.member("E1").enable == 1
    assert failures(story.apply()) == []
    assert story.member("E1").enable == 0
