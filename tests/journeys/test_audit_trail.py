"""Every write to WeCom has its line in the audit trail, whatever breaks, and the trail is whole."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.crash import die_at
from tests.journeys.stage import failures
from tests.journeys.story import Story, mobile
from wxsync.mirror import audit
from wxsync.mirror.audit_chain import verify
from wxsync.mirror.people import find_person
from wxsync.mirror.schema import prepare
from wxsync.mirror.store import Store
from wxsync.model.audit import AuditLine, Begun, Deed, Verdict
from wxsync.model.change import FieldChange, Kind, Verb
from wxsync.model.run import OutcomeState

CORP = "acme"
ALL = 100_000


def trail(story: Story, person: str | None = None) -> list[AuditLine]:
    """The lines, the oldest first."""
    store = Store(prepare(f"sqlite:///{story.mirror}"))
    with store.reading() as connection:
        who = None if person is None else find_person(connection, CORP, person)
        lines = audit.lines(connection, CORP, person=who, limit=ALL)
    store.close()
    return list(reversed(lines))


def deeds(story: Story, person: str | None = None) -> list[Deed]:
    return [line.record for line in trail(story, person) if isinstance(line.record, Deed)]


def verdict(story: Story) -> Verdict:
    store = Store(prepare(f"sqlite:///{story.mirror}"))
    with store.reading() as connection:
        found = verify(connection, CORP)
    store.close()
    return found


def calls_of(story: Story) -> Counter[str]:
    return Counter(call.path for call in story.wecom.writes)


def steps_of(story: Story) -> Counter[tuple[int, int, int]]:
    """Every call that was ever announced."""
    with closing(sqlite3.connect(story.mirror)) as mirror:
        return Counter(mirror.execute("SELECT run_id, n, step FROM steps").fetchall())


def told_steps(story: Story) -> Counter[tuple[int, int, int]]:
    return Counter(
        (line.run_id, line.record.n, line.record.step)
        for line in trail(story)
        if isinstance(line.record, Deed)
        and line.run_id is not None
        and line.record.n is not None
        and line.record.step is not None
    )


def office(folder: Path, **settings: object) -> Story:
    """Six people, two of them with a tag, in WeCom."""
    story = Story(folder, **settings)
    story.people(6)
    story.hr.employees["E2"].manager_no = "E1"
    story.tag("标签一", "E1", "E2")
    story.settle()
    story.stage.later(days=1)
    return story


def a_day(story: Story) -> None:
    """Something of everything."""
    rows = story.hr.employees
    story.department("D3", "新部")
    story.hr.departments["D1"].name = "研究院"
    story.swap("mobile", "E1", "E2")
    rows["E3"].title, rows["E3"].dept_code = "经理", "D3"
    rows["E4"].status = "left"
    story.person("E7", mobile=mobile(4), dept="D3")
    story.tag("标签一", "E3", "E7")
    story.hr.tags.remove(("标签一", "E1"))


def test_every_write_has_a_line_with_before_and_after_and_why(tmp_path: Path) -> None:
    """As many lines as calls, each bound to its run; somebody's are found by key and by userid."""
    story = office(tmp_path)
    a_day(story)
    story.settle()
    assert Counter(deed.call for deed in deeds(story)) == calls_of(story)
    assert told_steps(story) == steps_of(story)
    assert {deed.state for deed in deeds(story)} == {OutcomeState.DONE}
    [update] = [deed for deed in deeds(story, "E3") if deed.verb is Verb.UPDATE and deed.kind is Kind.MEMBER]
    assert update.fields["position"] == FieldChange(None, "经理")
    assert (update.key, update.id, update.name, update.call) == ("E3", "e3", "员工3", "user/update")
    assert str(update.why) == "departments, main_department, position differs from the source"
    [joined] = [deed for deed in deeds(story, "E3") if deed.kind is Kind.TAG]
    assert joined.joined == ("e3", "e7")
    assert trail(story, "e3") == trail(story, "E3")
    assert "E1" in {
        str(deed.fields["direct_leader"].after) for deed in deeds(story, "E1") if deed.key == "E2"
    }
    first, second = (line.record for line in trail(story) if isinstance(line.record, Begun))
    assert (first.verb, first.trigger, first.sources, first.approved_by) == ("apply", "manual", ("hr",), None)
    assert second.digest != first.digest
    found = verdict(story)
    assert (found.flaw, found.lines, found.first) == (None, len(trail(story)), 1)


def test_what_passes_on_the_way_is_told_as_such(tmp_path: Path) -> None:
    """A number that changes hands in a circle is cleared and written again: two lines more than changes."""
    story = office(tmp_path)
    story.swap("mobile", "E1", "E2")
    story.settle()
    passing = [deed for deed in deeds(story) if deed.verb is Verb.UPDATE and "mobile" in deed.fields]
    assert len(passing) == 3
    assert [deed.fields["mobile"].after for deed in passing if deed.is_temporary] == [None]


def test_a_refusal_has_a_line_with_its_errcode(tmp_path: Path) -> None:
    """Also what WeCom did not do is told, and what it was to do."""
    story = office(tmp_path)
    story.hr.employees["E5"].mobile = mobile(99)
    story.wecom.faults.answer("user/update", 60104)
    story.apply()
    refused = [deed for deed in deeds(story, "E5") if deed.state is OutcomeState.FAILED]
    assert [(deed.errcode, deed.fields["mobile"].after) for deed in refused] == [(60104, mobile(99))]


@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
@pytest.mark.parametrize("at", [1, 4, 8])
def test_a_call_whose_run_died_has_its_line_once_the_next_one_began(
    tmp_path: Path, at: int, is_after: bool
) -> None:
    """What stands on record as done has a line already when the process dies; the rest gets one after."""
    (tmp_path / "before").mkdir()
    story = office(tmp_path / "before")
    a_day(story)
    story.save()
    assert die_at(story.stage, at, is_after=is_after)
    dead = told_steps(story)
    assert verdict(story).flaw is None
    assert not dead - steps_of(story)
    run = story.apply()
    assert failures(run) == []
    story.check()
    assert told_steps(story) == steps_of(story)
    cut_off = [deed for deed in deeds(story) if deed.is_settled and deed.step is not None]
    assert cut_off
    assert {deed.state for deed in cut_off} == {OutcomeState.UNKNOWN}
    assert all(deed.key is not None for deed in cut_off)
    assert verdict(story).flaw is None


def test_rows_of_files_have_lines_as_calls_do(tmp_path: Path) -> None:
    """Of each row of each import there is one, with what it said."""
    story = office(tmp_path, policy={"method": "batch"})
    story.hr.employees["E3"].title = "经理"
    story.hr.employees["E4"].status = "left"
    story.settle()
    assert told_steps(story) == steps_of(story)
    created = [deed for deed in deeds(story) if deed.call == "batch/syncuser create"]
    assert sorted(str(deed.key) for deed in created) == [f"E{number}" for number in range(1, 7)]
    [update] = [deed for deed in deeds(story, "E3") if deed.call == "batch/syncuser"]
    assert update.fields["position"] == FieldChange(None, "经理")
    assert verdict(story).flaw is None


def test_a_run_that_writes_nothing_adds_no_line(tmp_path: Path) -> None:
    """Neither does a plan."""
    story = office(tmp_path)
    before = len(trail(story))
    story.stage.plan()
    story.apply()
    assert len(trail(story)) == before
