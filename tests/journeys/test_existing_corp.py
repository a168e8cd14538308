"""A corp that exists already comes under wxsync: nobody is changed in vain, and nobody mistaken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.existing import (
    ELSEWHERE,
    WAYS,
    Case,
    Existing,
    Snapshot,
    Way,
    differing,
    make,
    policy,
    snapshot,
    verdict,
    verdicts,
)
from tests.journeys.stage import described, failures
from tests.journeys.story import email, mobile
from wxsync.config.settings import Settings
from wxsync.errors import GuardError
from wxsync.model.change import Kind, Verb
from wxsync.model.plan import Plan

in_every_way = pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])


@in_every_way
def test_a_corp_made_by_hand_comes_under_wxsync(tmp_path: Path, way: Way) -> None:
    """500 people, 40 departments, 20 tags: plan, approval, adoption, baseline, nothing left to do."""
    _comes_under(make(tmp_path, way, 500, departments=40))


@pytest.mark.soak
@in_every_way
def test_five_thousand_people_made_by_hand_come_under_wxsync(tmp_path: Path, way: Way) -> None:
    """The same for 5,000 people and 400 departments."""
    _comes_under(make(tmp_path, way, 5000, departments=400))


def _comes_under(corp: Existing) -> None:
    assert all(corp.keys(case) for case in Case)
    assert all([corp.moved, corp.retitled, corp.activated, corp.there, corp.tags_there])
    before = snapshot(corp.state)
    units = {id: (each.name, each.parentid, each.order) for id, each in corp.state.departments.items()}
    tags = {tag.name: (id, set(tag.users)) for id, tag in corp.state.tags.items()}
    if not corp.way.shows_names:
        corp.stage.settings = _configured(corp, adopt_departments=corp.there)
    shown: list[Plan] = [_first_plan(corp)]

    run = corp.stage.apply(approved=shown[0].digest)
    _refused_as_expected(corp, failures(run))
    assert differing(before, snapshot(corp.state)) == {}
    corp.stage.baseline()

    _mend(corp)
    shown.append(_second_plan(corp))
    corp.stage.apply(approved=shown[-1].digest)
    corp.stage.baseline()
    shown.append(corp.stage.plan().plan)
    corp.stage.apply(approved=shown[-1].digest)

    assert described(corp.stage.plan().plan.writes) == []
    assert described(corp.stage.plan(weak_too=True).plan.writes) == []
    _nobody_is_harmed(corp, before, shown)
    after = {id: (each.name, each.parentid, each.order) for id, each in corp.state.departments.items()}
    assert {id: after[id] for id in units} == units
    for name, (id, users) in tags.items():
        assert corp.state.tags[id].name == name
        assert set(corp.state.tags[id].users) == users


def _configured(corp: Existing, **more: object) -> Settings:
    """The same config with a wider policy."""
    settings = corp.stage.settings
    sync = settings.sync["acme"]
    changed = type(sync.policy).model_validate({**sync.policy.model_dump(), **more})
    return settings.model_copy(update={"sync": {"acme": sync.model_copy(update={"policy": changed})}})


def _first_plan(corp: Existing) -> Plan:
    """Right for every record in both forms; and nothing is written before somebody says yes to it."""
    for weak_too in (True, False):
        plan = corp.stage.plan(weak_too=weak_too).plan
        expected = {key: verdict(case, corp.way, weak_too=weak_too) for key, case in corp.cases.items()}
        assert verdicts(plan) == expected
        units = {str(change.key): change.id for change in plan.changes if change.kind is Kind.DEPARTMENT}
        assert {code: id for code, id in units.items() if id is not None} == corp.there
        assert set(units) == corp.story.hr.departments.keys() - {"HQ"}
        adopted = {
            change.key for change in plan.changes if change.kind is Kind.TAG and change.verb is Verb.ADOPT
        }
        assert adopted == corp.tags_there & {name for name, _ in corp.story.hr.tags}
    assert "first_load" in [limit.name for limit in plan.exceeded]
    since = len(corp.state.writes)
    with pytest.raises(GuardError, match="first_load"):
        corp.stage.apply()
    assert corp.state.writes[since:] == []
    return plan


def _refused_as_expected(corp: Existing, failed: list[str]) -> None:
    """Where numbers are hidden WeCom itself refuses to have a person twice, and nothing else goes wrong."""
    refused = [line for line in failed if line.startswith("failed 6010")]
    hidden = set() if corp.way.shows_numbers else corp.keys(*ELSEWHERE)
    assert len(refused) == len(hidden)
    rejected = corp.keys(Case.NAMESAKE) if corp.way.shows_names else set()
    assert len(failed) == len(refused) + len(rejected), failed


def _mend(corp: Existing) -> None:
    """What an operator does whose WeCom shows too little: says who is who, and who is somebody else."""
    if not corp.way.shows_numbers:
        for key in corp.keys(*ELSEWHERE):
            corp.story.hr.employees[key].alias = corp.userids[key]
        corp.story.save()
    if not corp.way.shows_names:
        namesakes = sorted(key.lower() for key in corp.keys(Case.NAMESAKE))
        corp.stage.settings = _configured(corp, protect=namesakes)


def _second_plan(corp: Existing) -> Plan:
    """Everybody who is in WeCom is adopted now, and no namesake."""
    plan = corp.stage.plan(weak_too=True).plan
    adopted = {
        change.key: str(change.id).lower()
        for change in plan.changes
        if change.kind is Kind.MEMBER and change.verb is Verb.ADOPT
    }
    assert adopted.items() <= corp.userids.items()
    waiting = {
        key
        for key, case in corp.cases.items()
        if key in corp.userids and (case in ELSEWHERE or verdict(case, corp.way, weak_too=False) != "adopt")
    }
    assert adopted.keys() == waiting
    return plan


def _nobody_is_harmed(corp: Existing, before: Snapshot, shown: list[Plan]) -> None:
    """Only what a plan showed has changed, of those alone with whom something was wrong."""
    after = snapshot(corp.state)
    changed = differing(before, after)
    assert changed.keys() == corp.changing()
    planned = {
        (str(change.id).lower(), name)
        for plan in shown
        for change in plan.writes
        if change.kind is Kind.MEMBER and change.verb is Verb.UPDATE
        for name in change.fields
    }
    arrays = {"is_leader", "order", "main_department"}  # aligned with the departments
    for userid, names in changed.items():
        for name in names:
            assert (userid, "departments" if name in arrays else name) in planned
    written = {
        str(call.body["userid"]).lower()
        for call in corp.state.writes
        if call.path == "user/update" and call.body is not None
    }
    assert written == corp.changing()
    assert after.keys() - before.keys() == {key.lower() for key in corp.keys(Case.NOTHING)}
    assert before.keys() <= after.keys()
    assert corp.state.invitations == []
    paths = {call.path for call in corp.state.writes}
    assert paths <= {"user/create", "user/update", "department/create", "tag/create", "tag/addtagusers"}


def test_a_wrong_number_in_one_row_does_not_hold_up_whose_place_is_proven(tmp_path: Path) -> None:
    """Two rows mean one member: userid and name prove the one, and the other is kept, with or without
    --adopt."""
    way = WAYS[-1]
    story = way.story(tmp_path, policy=policy())
    story.wecom.add_member("e1", "员工1", mobile=mobile(2), email=email(1))
    story.person("E1", dept=None)
    story.person("E2", dept=None)
    story.save()
    for weak_too in (True, False):
        plan = story.stage.plan(weak_too=weak_too).plan
        assert verdicts(plan) == {"E1": "adopt", "E2": "keep unadopted"}
    story.apply()
    story.apply()
    assert story.mobiles() == {"e1": mobile(1), "e2": mobile(2)}
    assert story.stage.plan().plan.writes == ()
