"""What somebody changes in WeCom by hand, beside what the source changes, in a corp that shows its fields."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.journeys.crash import die_at
from tests.journeys.stage import failures
from tests.journeys.story import Story, email, mobile
from wxsync.model.change import Reason, Verb
from wxsync.model.drift import Drift
from wxsync.model.run import Run
from wxsync.report.as_json import plan_document
from wxsync.sandbox.state import SandboxState

Office = Callable[..., Story]

PUT_BACK = "position was changed by hand in WeCom, and is put back"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Three people with a title, in a corp whose address may read every field; nothing is left to do."""
    story = Story(tmp_path_factory.mktemp("office"))
    story.stage.state = SandboxState(job_seconds=0.02, legacy_ip=True)
    for employee in story.people(3):
        employee.title = "工程师"
    story.tag("标签", "E1", "E2")
    story.settle()
    story.stage.later(hours=1)
    story.apply()  # orders and main departments that WeCom chose are seen
    return story


@pytest.fixture
def office(loaded: Story, tmp_path: Path) -> Office:
    """That company, to go on from there with some setting or other."""

    def go_on(**settings: Any) -> Story:
        story = loaded.copy(tmp_path / "office", **settings)
        story.save()
        return story

    return go_on


def by_hand(story: Story, emp_no: str, position: str) -> None:
    story.member(emp_no).position = position


def rename_tag(story: Story) -> None:
    story.wecom.directory.rename_tag(story.wecom.tags[1], "改名")


def told(run: Run) -> list[tuple[str, str | None, tuple[str, ...], str]]:
    """Verb, key, marks and reason in words of every change."""
    return [(change.verb.value, change.key, change.drift, str(change.why)) for change in run.plan.changes]


def noted(story: Story) -> dict[Any, Drift]:
    return dict(story.stage.plan().remembered.drifts)


def reads(story: Story) -> list[str]:
    """The calls of a plan."""
    since = len(story.wecom.log)
    story.stage.plan()
    return [call.path for call in story.wecom.log[since:] if call.path != "gettoken"]


def mirror_writes(story: Story) -> list[str]:
    """The statements of an apply that write links, or what is noted of hands."""
    written: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split(maxsplit=1)[0] in ("INSERT", "UPDATE", "DELETE"):
            written.append(" ".join(statement.split()[:3]))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        story.apply()
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    return [each for each in written if any(name in each for name in ("_links", "drifts", "tag_members"))]


# Authority "source"


def test_a_hands_change_is_put_back_and_says_so(office: Office) -> None:
    """The plan tells it from a change of the source, for people and for programs; then nothing is left."""
    story = office()
    by_hand(story, "E1", "总监")
    story.hr.employees["E2"].title = "架构师"

    run = story.apply()

    assert failures(run) == []
    assert told(run) == [
        ("update", "E1", ("position",), PUT_BACK),
        ("update", "E2", (), "position differs from the source"),
    ]
    assert [entry.get("drift") for entry in plan_document(run.plan)["changes"]] == [["position"], None]
    assert story.member("E1").position == "工程师"
    story.check()


def test_a_hands_change_and_the_sources_of_one_person(office: Office) -> None:
    """One change, in which only the hand's field is marked."""
    story = office()
    by_hand(story, "E1", "总监")
    story.hr.employees["E1"].alias = "小一"

    [change] = story.apply().plan.changes

    assert change.drift == ("position",)
    assert str(change.why) == (
        "position was changed by hand in WeCom, and is put back; alias differs from the source"
    )


def test_where_both_changed_it_the_source_counts(office: Office) -> None:
    """The source's new value is written over the hand's, and the plan says that there was one."""
    story = office()
    by_hand(story, "E1", "总监")
    story.hr.employees["E1"].title = "架构师"

    [change] = story.settle().plan.changes

    assert str(change.why) == "position was changed by hand in WeCom, and by the source too, which counts"
    assert story.member("E1").position == "架构师"


def test_a_hand_that_does_what_the_source_does(office: Office) -> None:
    """Both have the same new value: nothing to do, nothing to tell."""
    story = office()
    by_hand(story, "E1", "架构师")
    story.hr.employees["E1"].title = "架构师"

    assert story.apply().plan.changes == ()
    assert noted(story) == {}


def test_the_fourth_time_within_a_day_is_told_and_no_longer_fought(office: Office) -> None:
    """Three times put back; then it stays, listed with the hour, until 24 hours after the first."""
    story = office()
    for _ in range(3):
        by_hand(story, "E1", "总监")
        [change] = story.settle().plan.changes
        assert (change.verb, str(change.why)) == (Verb.UPDATE, PUT_BACK)
        story.stage.later(hours=2)
    by_hand(story, "E1", "总监")

    since = len(story.wecom.writes)
    for _ in range(2):
        [kept] = story.apply().plan.changes
        assert (kept.verb, kept.reason, kept.drift) == (Verb.KEEP, Reason.FOREIGN, ("position",))
        assert "after it was put back 3 times in 24 hours" in str(kept.why)
    assert story.written(since) == []

    story.stage.later(hours=18, minutes=-1)
    assert story.apply().plan.writes == ()
    story.stage.later(minutes=1)
    [change] = story.settle().plan.changes
    assert str(change.why) == PUT_BACK
    by_hand(story, "E1", "总监")
    assert story.apply().plan.writes == (), "three within the last 24 hours once more"


def test_what_the_source_changes_is_written_however_often_a_hand_was_there(office: Office) -> None:
    """A contested field holds up no other; it is the source's again with its next value, and counted anew."""
    story = office()
    for _ in range(4):
        by_hand(story, "E1", "总监")
        story.hr.employees["E1"].alias = None if story.hr.employees["E1"].alias else "小一"
        run = story.apply()
    assert [(change.verb, tuple(change.fields)) for change in run.plan.changes] == [
        (Verb.UPDATE, ("alias",)),
        (Verb.KEEP, ("position",)),
    ]
    assert story.member("E1").position == "总监"
    story.hr.employees["E1"].title = "架构师"

    [change] = story.settle().plan.changes
    assert (change.drift, str(change.why)) == ((), "position differs from the source")
    by_hand(story, "E1", "总监")
    [change] = story.apply().plan.changes
    assert str(change.why) == PUT_BACK


# Runs that break off, files


@pytest.mark.parametrize("is_after", [False, True])
def test_a_run_that_dies_at_the_call_counts_once(office: Office, is_after: bool) -> None:
    """Before the call or after it: one hand's change is one time, and the next run ends it."""
    story = office()
    by_hand(story, "E1", "总监")
    story.save()
    assert die_at(story.stage, 0, is_after=is_after)

    story.settle()

    assert story.member("E1").position == "工程师"
    [drift] = noted(story).values()
    assert (drift.base, len(drift.put_back_at)) == ("工程师", 1)


@pytest.mark.soak
def test_a_run_that_dies_each_time_is_stopped_by_the_fourth_change_all_the_same(office: Office) -> None:
    """Three hand's changes, each put back by a second attempt; the fourth is told."""
    story = office()
    for _ in range(3):
        by_hand(story, "E1", "总监")
        story.save()
        assert die_at(story.stage, 0, is_after=False)
        story.settle()
    by_hand(story, "E1", "总监")
    assert [change.verb for change in story.apply().plan.changes] == [Verb.KEEP]


def test_a_number_that_wecom_refuses_is_tried_again_and_counted_once(office: Office) -> None:
    """What could not be put back is still a hand's change at the next run, and no new one."""
    story = office()
    story.member("E1").email = "other@example.com"
    story.wecom.add_member("guest", "客人", email=email(1))
    for _ in range(3):
        run = story.apply()
        assert [change.drift for change in run.plan.changes if change.key == "E1"] == [("email",)]
    [drift] = noted(story).values()
    assert len(drift.put_back_at) <= 1


@pytest.mark.parametrize(
    "policy", [{}, pytest.param({"replace": True, "exclusive": True}, marks=pytest.mark.soak)]
)
def test_rows_of_files_are_put_back_and_counted_like_calls(office: Office, policy: dict[str, Any]) -> None:
    """Three times by a file; the fourth time the file does without that field."""
    story = office(policy={"method": "batch", **policy})
    for number in range(4):
        by_hand(story, "E1", "总监")
        story.hr.employees["E2"].title = f"第{number}级"
        run = story.apply()
        assert run.plan.forecast.method != "single"
    assert [(change.key, change.verb) for change in run.plan.changes] == [
        ("E2", Verb.UPDATE),
        ("E1", Verb.KEEP),
    ]
    assert story.member("E1").position == "总监"
    assert story.member("E2").position == "第3级"


# Authority "wecom" and "report"


def test_what_wecom_has_the_authority_for_is_taken_and_remembered(office: Office) -> None:
    """Told once; then nothing, whatever runs there are, until the source itself changes."""
    story = office(authority={"position": "wecom"})
    by_hand(story, "E1", "总监")
    since = len(story.wecom.writes)

    [kept] = story.apply().plan.changes
    assert (kept.verb, kept.reason, kept.drift) == (Verb.KEEP, Reason.FOREIGN, ("position",))
    assert "from now on it is known so" in str(kept.why)
    for _ in range(2):
        story.stage.later(days=2)
        assert story.apply().plan.changes == ()
    assert story.written(since) == []

    story.hr.employees["E1"].title = "架构师"
    [change] = story.settle().plan.changes
    assert (change.drift, str(change.why)) == ((), "position differs from the source")
    story.hr.employees["E1"].title = "工程师"
    story.settle()
    assert story.member("E1").position == "工程师", "the source's former value is a change of its own"


def test_where_both_changed_it_wecom_counts_if_it_has_the_authority(office: Office) -> None:
    """The hand's value stays, and the source's next one is written again."""
    story = office(authority={"position": "wecom"})
    by_hand(story, "E1", "总监")
    story.hr.employees["E1"].title = "架构师"
    assert [change.verb for change in story.apply().plan.changes] == [Verb.KEEP]
    assert story.apply().plan.changes == ()
    story.hr.employees["E1"].title = "顾问"
    story.settle()
    assert story.member("E1").position == "顾问"


def test_what_was_taken_stays_so_when_wecom_hides_it(office: Office) -> None:
    """Remembered means remembered: an address that may read ids alone changes nothing."""
    story = office(authority={"position": "wecom"})
    by_hand(story, "E1", "总监")
    story.apply()
    story.wecom.legacy_ip = False
    assert story.apply().plan.changes == ()


def test_what_is_reported_is_never_touched_as_long_as_it_differs(office: Office) -> None:
    """Told by every plan, also after the source changed; once both agree the source counts again."""
    story = office(authority={"position": "report"})
    by_hand(story, "E1", "总监")
    since = len(story.wecom.writes)
    for title in ("工程师", "工程师", "架构师"):
        story.hr.employees["E1"].title = title
        [kept] = story.apply().plan.changes
        assert str(kept.why) == "position was changed by hand in WeCom: told, and not touched"
    story.hr.employees["E1"].title = "总监"
    assert story.apply().plan.changes == ()
    assert story.written(since) == []
    story.hr.employees["E1"].title = "顾问"
    story.settle()
    assert story.member("E1").position == "顾问"


@pytest.mark.parametrize("is_after", [False, True])
def test_a_change_of_the_source_that_a_crash_cut_off_is_no_hands(office: Office, is_after: bool) -> None:
    """With authority "wecom" too it is written by the next run, whether WeCom has it or not."""
    story = office(authority={"position": "wecom", "departments": "wecom"})
    story.hr.employees["E1"].title = "架构师"
    story.hr.employees["E2"].dept_code = "D2"
    story.save()
    assert die_at(story.stage, 0, is_after=is_after)
    story.settle()
    assert story.member("E1").position == "架构师"


def test_whom_a_hand_takes_out_of_a_tag_after_a_crash_was_settled_is_the_hands(office: Office) -> None:
    """The run after the crash had nothing to call for and saw who is in it: the doubt is over with it."""
    story = office(authority={"tag": {"members": "wecom"}})
    story.tag("标签", "E3")
    story.save()
    assert die_at(story.stage, 0, is_after=True)
    since = len(story.wecom.writes)
    assert failures(story.apply()) == []
    assert story.written(since) == []
    story.wecom.untag_members(1, ["e3"])
    story.apply()
    assert "e3" not in story.tagged("标签")


def test_a_creation_that_a_crash_cut_off_has_no_hands_values(office: Office) -> None:
    """What the creation sent and the source has changed since is the source's."""
    story = office(authority={"position": "wecom"})
    story.person("E4", title="新人")
    story.save()
    assert die_at(story.stage, 0, is_after=True)
    story.hr.employees["E4"].title = "老手"
    story.settle()
    assert story.member("E4").position == "老手"


def test_what_a_hand_did_while_the_row_was_rejected_is_still_a_hands(office: Office) -> None:
    """The source's word, known again, does not pass for new."""
    story = office(authority={"position": "wecom"})
    story.hr.employees["E1"].mobile = "不是号码"
    by_hand(story, "E1", "总监")
    story.apply()
    story.hr.employees["E1"].mobile = mobile(1)
    assert story.apply().plan.writes == ()
    assert story.member("E1").position == "总监"


def test_an_adopted_member_keeps_what_wecom_has_the_authority_for(office: Office) -> None:
    """Nobody ever wrote it for wxsync, so it is WeCom's; what is empty there is the source's."""
    story = office(authority={"position": "wecom"}, policy={"adopt": ["userid"]})
    for number in (4, 5):
        story.wecom.add_member(f"e{number}", f"员工{number}", mobile=mobile(number))
        story.person(f"E{number}", title="工程师")
    story.member("E4").position = "总监"
    story.apply()
    story.apply()
    assert (story.member("E4").position, story.member("E5").position) == ("总监", "工程师")
    assert story.apply().plan.changes == ()


def test_a_baseline_does_not_make_a_hands_value_ours(office: Office) -> None:
    """What WeCom shows is remembered by it, and still as a hand's."""
    story = office(authority={"position": "wecom"})
    by_hand(story, "E1", "总监")
    story.save()
    story.stage.baseline()
    assert story.apply().plan.writes == ()


@pytest.mark.parametrize("is_undo", [False, True])
def test_an_undo_or_one_persons_run_does_not_make_a_hands_value_the_sources(
    office: Office, is_undo: bool
) -> None:
    """One writes what a run wrote, the other remembers what WeCom shows of everybody: whose work it is
    stays known."""
    story = office(authority={"position": "wecom"})
    story.hr.employees["E3"].alias = "小三"
    story.apply()
    by_hand(story, "E1", "总监")
    run = story.stage.undo(story.stage.last_run()) if is_undo else story.stage.repair("E3")
    assert failures(run) == []

    plan = story.stage.plan().plan
    assert [change.key for change in plan.writes] == (["E3"] if is_undo else [])
    assert [change.key for change in plan.changes if change.drift] == (["E1"] if is_undo else [])


# Empty values


@pytest.mark.parametrize(("clears", "left", "drift"), [([], "小名", []), (["alias"], "", [("alias",)])])
def test_a_field_that_a_hand_filled_and_the_source_has_empty(
    office: Office, clears: list[str], left: str, drift: list[tuple[str, ...]]
) -> None:
    """It is cleared, as a hand's change, where clear_when_empty names it; else it is nobody's business."""
    story = office(policy={"clear_when_empty": clears})
    story.member("E1").alias = "小名"
    run = story.apply()
    assert [change.drift for change in run.plan.changes] == drift
    assert story.member("E1").alias == left


def test_a_field_that_a_hand_emptied_is_filled_again(office: Office) -> None:
    """Empty in WeCom by hand, and not in the source."""
    story = office()
    by_hand(story, "E1", "")
    [change] = story.settle().plan.changes
    assert str(change.why) == PUT_BACK


# Places


def test_somebody_whom_a_hand_moved_is_put_back_by_ids_alone(office: Office) -> None:
    """Where people are is always shown."""
    story = office()
    story.wecom.legacy_ip = False
    story.wecom.move_member("e1", [story.unit("市场部").id])
    [change] = story.settle().plan.changes
    assert change.drift == ("departments",)
    assert str(change.why).startswith("departments was changed by hand in WeCom, and is put back")


@pytest.mark.parametrize("word", ["wecom", "report"])
def test_somebody_whom_a_hand_moved_may_stay(office: Office, word: str) -> None:
    """With main department, marks and orders, until the source moves them too."""
    story = office(authority={"departments": word})
    there = story.unit("市场部").id
    story.wecom.move_member("e1", [there])
    for _ in range(2):
        assert story.apply().plan.writes == ()
    assert story.member("E1").department == (there,)
    assert len(story.apply().plan.changes) == {"wecom": 0, "report": 1}[word]
    story.wecom.move_member("e1", [1])
    assert [change.drift for change in story.apply().plan.changes] == [("departments",)]
    assert len(story.apply().plan.changes) == {"wecom": 0, "report": 1}[word]
    story.wecom.move_member("e1", [there])
    story.apply()
    story.department("D3", "客服部")
    story.hr.employees["E1"].dept_code = "D3"
    story.apply()
    moved = story.member("E1").department == (story.unit("客服部").id,)
    assert moved is (word == "wecom")


def test_a_department_that_still_holds_whom_a_hand_put_there_is_not_deleted(office: Office) -> None:
    """The source drops it, and somebody may stay in it by WeCom's word."""
    story = office(authority={"departments": "wecom"})
    story.wecom.move_member("e1", [story.unit("市场部").id])
    story.apply()
    del story.hr.departments["D2"]
    run = story.apply()
    assert [(change.key, change.reason) for change in run.plan.changes] == [("D2", Reason.OCCUPIED)]


# Departments


def test_a_department_that_a_hand_renamed_and_moved(office: Office) -> None:
    """Both are put back as a hand's; a move of the source is told apart, and so is one after another."""
    story = office()
    ours, other = story.unit("研发部"), story.unit("市场部")
    story.wecom.rename_department(ours.id, "研究所")
    story.wecom.move_department(ours.id, other.id)
    [change] = story.settle().plan.changes
    assert change.drift == ("name", "parent")
    story.hr.departments["D1"].parent_code = "D2"
    [change] = story.settle().plan.changes
    assert (tuple(change.fields), change.drift) == (("parent",), ())
    story.hr.departments["D1"].parent_code = "HQ"
    [change] = story.settle().plan.changes
    assert (tuple(change.fields), change.drift) == (("parent",), ())


@pytest.mark.parametrize("word", ["wecom", "report"])
def test_a_department_that_a_hand_renamed_and_moved_may_stay_so(office: Office, word: str) -> None:
    """Told once with "wecom", each time with "report"; the source's next name is written with the first."""
    story = office(authority={"department": {"name": word, "parent": word}})
    ours, other = story.unit("研发部").id, story.unit("市场部").id
    story.wecom.rename_department(ours, "研究所")
    story.wecom.move_department(ours, other)
    [kept] = story.apply().plan.changes
    assert (kept.verb, kept.drift) == (Verb.KEEP, ("name", "parent"))
    assert len(story.apply().plan.changes) == {"wecom": 0, "report": 1}[word]
    story.hr.departments["D1"].name = "研发中心"
    story.apply()
    found = story.wecom.departments[ours]
    assert (found.name, found.parentid) == ({"wecom": "研发中心", "report": "研究所"}[word], other)


def test_a_department_that_a_hand_deleted_is_made_again(office: Office) -> None:
    """People need it: missing_in_wecom is for people. The plan says that it was ours."""
    story = office()
    story.wecom.remove_department(story.unit("市场部").id)
    [change] = story.settle_beside_strangers().plan.changes
    assert (change.verb, str(change.why)) == (Verb.CREATE, "it was ours and is no longer in WeCom")


# Tags


def test_whom_a_hand_took_out_of_a_tag_comes_back_three_times(office: Office) -> None:
    """Then they stay out; others come in as the source says."""
    story = office()
    for _ in range(3):
        story.wecom.untag_members(1, ["e1"])
        [change] = story.settle().plan.changes
        assert (change.drift, str(change.why)) == (
            ("members",),
            "members was changed by hand in WeCom, and is put back",
        )
    story.wecom.untag_members(1, ["e1"])
    story.tag("标签", "E3")
    run = story.apply()
    assert [(change.verb, change.drift) for change in run.plan.changes] == [
        (Verb.UPDATE, ()),
        (Verb.KEEP, ("members",)),
    ]
    assert story.tagged("标签") == {"e2", "e3"}


@pytest.mark.parametrize("word", ["wecom", "report"])
def test_whom_a_hand_took_out_of_a_tag_may_stay_out(office: Office, word: str) -> None:
    """Until the source takes them out itself and puts them in again."""
    story = office(authority={"tag": {"members": word, "name": word}})
    story.wecom.untag_members(1, ["e1"])
    rename_tag(story)
    assert [change.drift for change in story.apply().plan.changes] == [("name", "members")]
    assert len(story.apply().plan.changes) == {"wecom": 0, "report": 1}[word]
    story.hr.tags.remove(("标签", "E1"))
    assert story.apply().plan.writes == ()
    story.tag("标签", "E1")
    story.apply()
    assert {each.lower() for each in story.wecom.tags[1].users} == {"e1", "e2"}
    assert story.wecom.tags[1].name == "改名"


def test_a_tag_that_a_hand_renamed_is_given_its_name_three_times(office: Office) -> None:
    """A crash in between counts nothing twice."""
    story = office()
    rename_tag(story)
    story.save()
    assert die_at(story.stage, 0, is_after=False)
    story.settle()
    for _ in range(2):
        rename_tag(story)
        [change] = story.settle().plan.changes
        assert change.drift == ("name",)
    rename_tag(story)
    for _ in range(2):
        assert [change.verb for change in story.apply().plan.changes] == [Verb.KEEP]


def test_a_tag_that_a_hand_deleted_is_made_again(office: Office) -> None:
    """With its people, and the plan says that it was ours."""
    story = office()
    story.wecom.remove_tag(1)
    [change] = story.settle().plan.changes
    assert (change.verb, str(change.why)) == (Verb.CREATE, "it was ours and is no longer in WeCom")
    assert story.tagged("标签") == {"e1", "e2"}


# People who are gone


@pytest.mark.parametrize("word", ["report", "recreate"])
def test_somebody_whom_a_hand_deleted_follows_the_policy(office: Office, word: str) -> None:
    """With whatever was noted of them: who is created again is written whole."""
    story = office(policy={"missing_in_wecom": word}, authority={"position": "wecom"})
    by_hand(story, "E1", "总监")
    story.apply()
    story.wecom.remove_member("e1")
    story.apply()
    assert noted(story) == {}
    assert ("e1" in story.wecom.members) is (word == "recreate")
    if word == "recreate":
        story.settle()
        assert story.member("E1").position == "工程师"


def test_nothing_is_noted_of_somebody_who_is_deleted(office: Office) -> None:
    """What the mirror knows of them goes with them."""
    story = office(authority={"position": "wecom"}, policy={"leavers": "delete"})
    by_hand(story, "E1", "总监")
    story.apply()
    assert [place[1] for place in noted(story)] == ["E1"]
    story.goes("E1")
    story.apply()
    assert noted(story) == {}


# What it costs


def test_an_unchanged_run_notes_nothing_and_asks_nothing_more(office: Office) -> None:
    """With an accepted, a reported and a contested field standing: no row is written, no call added."""
    story = office(authority={"position": "wecom", "alias": "report"})
    calm = reads(story)
    by_hand(story, "E1", "总监")
    story.member("E2").alias = "二"
    story.hr.employees["E2"].alias = "阿二"
    for _ in range(4):
        story.member("E3").email = "x@example.com"
        story.apply()
    assert len(noted(story)) == 3
    assert mirror_writes(story) == []
    assert reads(story) == calm


@pytest.mark.parametrize("is_after", [False, True], ids=["before_its_effect", "after_its_effect"])
def test_whoever_never_came_into_a_tag_was_taken_out_by_nobody(tmp_path: Path, is_after: bool) -> None:
    """However often a run dies as it puts them in: no hand is blamed, and the next run that lives does it."""
    story = Story(tmp_path)
    story.people(5)
    story.settle()
    story.tag("标签", "E1", "E2")
    story.save()
    assert die_at(story.stage, 1, is_after=False)
    for _ in range(4):
        story.stage.later(minutes=5)
        die_at(story.stage, 0, is_after=is_after)
    assert failures(story.apply()) == []
    assert story.tagged("标签") == {"e1", "e2"}
    assert story.plan() == []


@pytest.mark.soak  # every call is repeated at its own pace
def test_whose_place_in_a_tag_had_no_answer_was_taken_out_by_nobody(tmp_path: Path) -> None:
    """The reply is lost and the call with it, three runs in a row."""
    story = Story(tmp_path)
    story.people(5)
    story.settle()
    story.tag("标签", "E1")
    for _ in range(4):
        story.wecom.faults.reset("tag/addtagusers", times=None, after=False)
        assert len(failures(story.apply())) == 1
        story.stage.later(minutes=5)
    story.wecom.faults.clear()
    assert failures(story.apply()) == []
    assert story.tagged("标签") == {"e1"}
