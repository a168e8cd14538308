"""HR says who works here and where, the directory knows mail and title: two sources in one sync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.stage import described, failures
from tests.journeys.story import Story
from tests.sources.interrupted import Torn
from tests.sources.rows import Rows, write_tables
from wxsync.config.settings import SqlSourceSettings
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.run import Run
from wxsync.report.as_json import plan_document
from wxsync.sources.base import SourceSession
from wxsync.sources.sql import SqlSource

MEMBER = {"email": "mail", "position": "job", "telephone": "phone"}


@dataclass
class Returning:
    """A real source that has changed by the second look at it."""

    whole: SqlSource
    then: Callable[[], None]
    looks: int = 0
    name: str = "ad"
    canaries: tuple[str, ...] = ()

    @contextmanager
    def open(self) -> Iterator[SourceSession]:
        self.looks += 1
        with self.whole.open() as session:
            yield session
        if self.looks == 1:
            self.then()


class Directory:
    """The later source: people by key, with what HR does not know."""

    def __init__(self, folder: Path, story: Story) -> None:
        self.file = folder / "ad.db"
        self.story = story
        self.people: dict[str, dict[str, object]] = {}

    def knows(self, key: str, **fields: object) -> None:
        number = int(key[1:])
        self.people[key] = {
            "emp_no": key,
            "mail": f"p{number}@example.com",
            "job": "工程师",
            "phone": f"021-{number:05}",
            **fields,
        }

    def source(self) -> SqlSource:
        self.file.unlink(missing_ok=True)
        rows: Rows = list(self.people.values())
        write_tables(self.file, {"members": rows})
        settings = {"type": "sql", "url": f"sqlite:///{self.file}", "members": "SELECT * FROM members"}
        return SqlSource("ad", SqlSourceSettings.model_validate(settings))

    def apply_when(self, back: str) -> tuple[Run, int]:
        """With the directory as it is now, and with one more person in it for whoever looks again."""
        hr = self.story.stage.settings.source["hr"]
        assert isinstance(hr, SqlSourceSettings)

        def comes_back() -> None:
            self.knows(back)
            self.source()

        ad = Returning(self.source(), comes_back)
        self.story.stage.sources = [SqlSource("hr", hr), ad]
        return self.story.apply(), ad.looks

    def apply(self, *, torn: bool = False) -> Run:
        """With the directory as it is now, whole or not."""
        hr = self.story.stage.settings.source["hr"]
        assert isinstance(hr, SqlSourceSettings)
        later = self.source()
        self.story.stage.sources = [SqlSource("hr", hr), Torn(later) if torn else later]
        return self.story.apply()


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """Five people in WeCom, with a mail, a title and a telephone each from the directory."""
    story = Story(tmp_path, member=MEMBER, policy={"clear_when_empty": ["position", "telephone"]})
    directory = Directory(tmp_path, story)
    for person in story.people(5):
        directory.knows(person.emp_no)
    assert failures(directory.apply()) == []
    story.stage.later(days=1)
    return directory


def told(story: Story) -> dict[str, tuple[str, str, str]]:
    return {
        userid: (member.email, member.position, member.telephone)
        for userid, member in story.wecom.members.items()
    }


def test_what_the_directory_says_is_in_wecom_and_it_adds_nobody(directory: Directory) -> None:
    """Whom HR does not have is counted and listed, in the plan of every day."""
    story = directory.story
    assert told(story)["e3"] == ("p3@example.com", "工程师", "021-00003")
    directory.knows("E77")
    directory.knows("E78")
    run = directory.apply()
    assert (run.plan.writes, failures(run)) == ((), [])
    document = plan_document(run.plan)
    assert document["unmatched"] == [{"source": "ad", "query": "members", "count": 2, "keys": ["E77", "E78"]}]
    assert "conflicts" not in document
    assert set(story.wecom.members) == {"e1", "e2", "e3", "e4", "e5"}


def test_where_both_say_something_the_first_counts_and_the_plan_names_it(directory: Directory) -> None:
    """By the order of the config."""
    directory.knows("E1", full_name="别的名字", mobile="13900000001")
    directory.knows("E2", full_name="员工2", mobile=None)
    run = directory.apply()
    assert run.plan.writes == ()
    assert plan_document(run.plan)["conflicts"] == [
        {"source": "ad", "query": "members", "column": name, "count": 1, "keys": ["E1"]}
        for name in ("full_name", "mobile")
    ]


def test_an_incomplete_directory_empties_nothing(directory: Directory) -> None:
    """Half of it is missing and the rest shows no telephones: all stays as it was, HR's news come in."""
    story = directory.story
    before = told(story)
    del directory.people["E1"], directory.people["E2"]
    directory.knows("E3", phone=None, job=None)
    directory.knows("E4", job="经理")
    story.hr.employees["E1"].full_name = "新名字"
    story.person("E6")
    run = directory.apply(torn=True)
    assert described(run.plan.writes)[:1] == ["update member E1 name: '员工1' -> '新名字'"]
    assert {change.key: change.verb for change in run.plan.writes} == {
        "E1": Verb.UPDATE,
        "E4": Verb.UPDATE,
        "E6": Verb.CREATE,
    }
    assert not run.plan.is_complete
    e6 = ("", "", "")
    assert told(story) == {**before, "e4": (before["e4"][0], "经理", before["e4"][2]), "e6": e6}

    run = directory.apply()
    assert {change.key: sorted(change.fields) for change in run.plan.writes} == {
        "E1": ["position", "telephone"],
        "E2": ["position", "telephone"],
        "E3": ["position", "telephone"],
    }


def test_on_an_incomplete_directory_nobody_leaves_either(directory: Directory) -> None:
    """HR is whole and says who has left: that waits too, and is told. Every reading counts."""
    story = directory.story
    story.goes("E1")
    story.hr.employees["E2"].status = "left"
    run = directory.apply(torn=True)
    held = {change.key: change.reason for change in run.plan.changes if change.kind is Kind.MEMBER}
    assert held == {"E1": Reason.INCOMPLETE, "E2": Reason.INCOMPLETE}
    assert {member.enable for member in story.wecom.members.values()} == {1}
    assert failures(directory.apply()) == []
    assert {key for key, member in story.wecom.members.items() if member.enable == 0} == {"e1", "e2"}


def test_whoever_is_in_the_directory_by_the_second_look_keeps_what_it_gave(directory: Directory) -> None:
    """A complete reading without E1 and E2 would clear title and telephone; one is there after all."""
    story = directory.story
    before = told(story)
    del directory.people["E1"], directory.people["E2"]
    run, looks = directory.apply_when("E1")
    assert looks == 2
    assert {change.key: str(change.why) for change in run.plan.changes} == {
        "E1": "a second look found it in the source: the reading was not whole",
        "E2": "a reading of the source is not proven complete: nothing is removed",
    }
    assert {change.reason for change in run.plan.changes} == {Reason.INCOMPLETE}
    (doubted,) = (each for each in run.plan.readings if not each.is_complete)
    assert (doubted.source, str(doubted.problem)) == (
        "ad",
        "it lacked people whom a second look found: E1",
    )
    assert told(story) == before


def test_whoever_is_gone_from_the_directory_loses_what_it_gave(directory: Directory) -> None:
    """The second look agrees; where nobody loses anything no second look is taken."""
    story = directory.story
    del directory.people["E1"]
    run, looks = directory.apply_when("E77")
    assert (looks, failures(run)) == (2, [])
    assert told(story)["e1"] == ("p1@example.com", "", "")
    run, looks = directory.apply_when("E78")
    assert (looks, run.plan.writes) == (1, ())
