"""What a run that died, a stranger's number or a refusal may not lead to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.journeys.crash import die_at
from tests.journeys.stage import described, outcome_of
from tests.journeys.story import Story, mobile
from wxsync.model.change import Verb
from wxsync.model.run import OutcomeState
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport


class DeletesFirst(SandboxTransport):
    """A hand that deletes a department just before the first creation of a member reaches WeCom."""

    def __init__(self, state: SandboxState, department: int) -> None:
        super().__init__(state)
        self._wecom, self._department = state, department

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/user/create") and self._department in self._wecom.departments:
            self._wecom.remove_department(self._department)
        return await super().handle_async_request(request)


def office(tmp_path: Path, **settings: object) -> Story:
    story = Story(tmp_path, **settings)
    story.people(3)
    story.settle()
    story.stage.later(days=1)
    return story


def test_an_announcement_of_long_ago_claims_no_stranger(tmp_path: Path) -> None:
    """The run died before the creation, HR dropped the person, a month later a hand makes somebody with
    that very userid: foreign, and never removed."""
    story = office(tmp_path, policy={"leavers": "delete"})
    story.person("E9", dept="D1")
    story.save()
    assert die_at(story.stage, 0, is_after=False)
    story.goes("E9")
    story.settle()
    story.stage.later(days=30)
    place = next(iter(story.member("E1").department))
    story.wecom.add_member("e9", "别人", department=[place], mobile=mobile(999))

    run = story.apply()

    assert described(run.plan.writes) == []
    assert story.wecom.member("e9").name == "别人"


def test_a_department_made_by_hand_meanwhile_is_not_taken_for_ours(tmp_path: Path) -> None:
    """The run died before it created a department; a hand makes another, which gets the next id."""
    story = office(tmp_path)
    story.department("D9", "新研")
    story.save()
    assert die_at(story.stage, 0, is_after=False)
    by_hand = story.wecom.add_department("手工")

    story.settle_beside_strangers()

    assert story.wecom.departments[by_hand.id].name == "手工"
    assert [each.name for each in story.wecom.departments.values()].count("新研") == 1


def test_a_key_that_was_corrected_after_a_death_does_not_block_the_sync(tmp_path: Path) -> None:
    """The announcement under the old key is struck: the userid is free for the new one."""
    story = office(tmp_path)
    person = story.person("E9", dept="D1")
    story.save()
    assert die_at(story.stage, 0, is_after=False)
    story.goes("E9")
    story.hr.employees["e9"] = person
    person.emp_no = "e9"

    story.settle()


def test_who_comes_back_is_enabled_though_their_new_number_is_somebody_elses(tmp_path: Path) -> None:
    """The number fails and says so; the person can work again, and everything else is written."""
    story = office(tmp_path)
    story.wecom.add_member("stranger", "别人", mobile=mobile(900))
    story.hr.employees["E1"].status = "left"
    story.apply()
    assert story.member("E1").enable == 0
    story.hr.employees["E1"].status = "active"
    story.hr.employees["E1"].mobile = mobile(900)
    story.hr.employees["E1"].title = "顾问"

    run = story.apply()

    outcome = outcome_of(run, "E1")
    assert (outcome.state, outcome.errcode) == (OutcomeState.FAILED, 60104)
    assert (story.member("E1").enable, story.member("E1").position) == (1, "顾问")
    assert story.member("E1").mobile == mobile(1)


def test_a_refused_removal_from_a_tag_is_tried_again(tmp_path: Path) -> None:
    """Whom WeCom does not take out is still in it, and still ours to take out."""
    story = office(tmp_path)
    story.tag("标签", "E1", "E2")
    story.settle()
    story.hr.tags.discard(("标签", "E1"))
    story.wecom.faults.answer("tag/deltagusers", 40031)

    run = story.apply()

    assert outcome_of(run, "标签").state is OutcomeState.FAILED
    story.settle()


def test_grace_starts_anew_for_who_came_back(tmp_path: Path) -> None:
    """Left, came back, left again a year later: disabled on that day, and deleted thirty days after it."""
    story = office(tmp_path, policy={"delete_after_days": 30})
    for _ in range(2):
        story.hr.employees["E1"].status = "left"
        assert [change.verb for change in story.apply().plan.writes] == [Verb.DISABLE]
        story.hr.employees["E1"].status = "active"
        story.settle()
        story.stage.now += timedelta(days=365)


def test_a_department_that_wecom_made_up_anew_gets_its_name_again(tmp_path: Path) -> None:
    """A hand deletes it between our reading and our creation, and WeCom makes one up under a name of its
    own: nobody believes the remembered name any more."""
    story = office(tmp_path)
    there = story.unit("市场部").id
    story.person("E9", dept="D2")

    story.stage.line = DeletesFirst(story.wecom, there)
    outcome = outcome_of(story.apply(), "E9")
    story.stage.line = None
    made_up = story.wecom.departments[there].name
    story.apply()

    assert outcome.state is OutcomeState.FAILED
    assert made_up != "市场部"
    assert story.wecom.departments[there].name == "市场部"


@pytest.mark.parametrize("errcode", [60020, 50003, 40058])
def test_what_a_repeat_was_told_is_not_what_became_of_the_call(tmp_path: Path, errcode: int) -> None:
    """The update had its effect, its answer was lost, and the repeat was refused: nobody knows the title,
    and HR, who takes it back, has the last word."""
    story = office(tmp_path)
    story.hr.employees["E1"].title = "老板"
    story.wecom.faults.reset("user/update", after=True)
    story.wecom.faults.answer("user/update", errcode)
    run = story.apply()
    outcome = outcome_of(run, "E1")
    assert (outcome.state, outcome.errcode) == (OutcomeState.UNKNOWN, errcode)
    assert story.member("E1").position == "老板"

    story.hr.employees["E1"].title = None
    story.settle()
    assert story.member("E1").position == ""


@pytest.mark.parametrize("kind", ["user/create", "department/create", "tag/create"])
def test_a_creation_that_wecom_was_too_busy_to_tell_of_is_ours(tmp_path: Path, kind: str) -> None:
    """-1 each time, after the effect: it is looked for, found, and no stranger to the next run."""
    story = office(tmp_path)
    story.department("D9", "新部")
    story.person("E9", dept="D9")
    story.tag("新标签", "E9")
    story.wecom.faults.answer(kind, -1, times=4, after=True)
    story.apply()
    story.settle()
    assert [each.name for each in story.wecom.departments.values()].count("新部") == 1
    assert story.tagged("新标签") == {"e9"}


def test_a_large_tag_that_breaks_half_way_is_ours_as_far_as_it_came(tmp_path: Path) -> None:
    """A thousand were put in by the first call, the second was refused: all of them can leave again."""
    story = Story(tmp_path, policy={"empty_tags": "keep"}, limits={"tag_member_add": 2000})
    everybody = [person.emp_no for person in story.people(1010)]
    story.tag("全员", everybody[0])
    story.settle()
    story.tag("全员", *everybody)
    story.wecom.faults.answer("tag/addtagusers", 81003, skip=1)
    assert outcome_of(story.apply(), "全员").state is OutcomeState.FAILED
    assert len(story.tagged("全员")) == 1001

    story.hr.tags = {("全员", everybody[0])}
    assert outcome_of(story.apply(approved=story.digest()), "全员").state is OutcomeState.DONE
    assert story.tagged("全员") == {everybody[0].lower()}
