"""The source has new keys for the same people and departments: nobody leaves and nobody joins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.journeys.stage import failures
from tests.journeys.story import Story
from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import holding
from wxsync.engine.reducing import reduced
from wxsync.engine.rekeying import Proposal, propose, remember_keys
from wxsync.errors import GuardError
from wxsync.mirror import links
from wxsync.model.change import Kind, Reason
from wxsync.model.rekey import KeyPair

BY_LOGIN = {"userid": "alias"}
"""The key is a number of HR's, the userid is not made of it."""


def migrated_company(folder: Path, people: int = 50) -> Story:
    """Fifty people in a tree of departments, with leaders, tags, and somebody who left long ago."""
    story = Story(folder, member=BY_LOGIN, policy={"clear_when_empty": ["position"]})
    for number in range(3, 9):
        story.department(f"D{number}", f"第{number}科", "D1" if number % 2 else "D2")
    for number in range(1, people + 1):
        manager = None if number == 1 else f"E{(number + 1) // 2}"
        story.person(f"E{number}", alias=f"user.{number}", dept=f"D{number % 8 + 1}", manager_no=manager)
    story.place("E1", "D1", is_leader=True)
    story.tag("标签", "E1", "E2", "E3")
    story.settle_beside_strangers()
    story.goes("E50")
    story.settle_beside_strangers()
    story.stage.later(days=1)
    return story


def renumber(story: Story, people: dict[str, str], departments: dict[str, str] | None = None) -> None:
    """HR calls them by other keys from now on, everywhere at once."""
    new_people, new_places = people.get, (departments or {}).get
    hr = story.hr
    hr.departments = {
        new_places(code, code): replace(
            row, code=new_places(code, code), parent_code=new_places(row.parent_code or "", row.parent_code)
        )
        for code, row in hr.departments.items()
    }
    hr.employees = {
        new_people(key, key): replace(
            row,
            emp_no=new_people(key, key),
            manager_no=new_people(row.manager_no or "", row.manager_no),
            dept_code=new_places(row.dept_code or "", row.dept_code),
        )
        for key, row in hr.employees.items()
    }
    hr.places = {
        (new_people(key, key), new_places(code, code)): replace(
            row, emp_no=new_people(key, key), dept_code=new_places(code, code)
        )
        for (key, code), row in hr.places.items()
    }
    hr.tags = {(tag, new_people(key, key)) for tag, key in hr.tags}


@dataclass
class Rekeying:
    """`wxsync rekey`, at first as a look and then for good."""

    story: Story
    listed: list[KeyPair] | None = None
    proposals: list[Proposal] = field(default_factory=list)

    def look(self) -> Proposal:
        self.story.save()
        return self._do(is_meant=False)

    def carry_out(self) -> Proposal:
        self.story.save()
        return self._do(is_meant=True)

    def _do(self, *, is_meant: bool) -> Proposal:
        async def act(corp: Corp) -> Proposal:
            async with holding(corp, "rekey") as held:
                proposal = await propose(corp, self.listed)
                if is_meant:
                    await remember_keys(corp, held, proposal)
                return proposal

        before = len(self.story.wecom.writes)
        found: Proposal = self.story.stage.act(act)
        assert len(self.story.wecom.writes) == before, "it writes nothing to WeCom"
        return found


def pairs_of(proposal: Proposal, kind: Kind) -> dict[str, str]:
    return {pair.old: pair.new for pair in proposal.rekeyed.pairs if pair.kind is kind}


def people_of(story: Story) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {userid: (member.name, member.department) for userid, member in story.wecom.members.items()}


def guids(story: Story) -> tuple[dict[str, str], dict[str, str]]:
    """New keys for everybody who is there, and for every department."""
    people = {key: f"{0xA0 + number:08x}-guid" for number, key in enumerate(story.hr.employees)}
    places = {key: f"{0xD0 + number:08x}-guid" for number, key in enumerate(story.hr.departments)}
    return people, {key: new for key, new in places.items() if key != "HQ"}


def test_after_a_migration_nobody_leaves_and_nobody_joins(tmp_path: Path) -> None:
    """Everybody and every department has a new key: by userid, name and place all are known again."""
    story = migrated_company(tmp_path)
    before, since = people_of(story), len(story.wecom.writes)
    people, places = guids(story)
    renumber(story, people, places)

    rekeying = Rekeying(story)
    shown = rekeying.look()
    assert (pairs_of(shown, Kind.MEMBER), pairs_of(shown, Kind.DEPARTMENT)) == (people, places)
    assert shown.left_over == ("E50",)
    assert story.stage.plan().plan.exceeded, "a look changes nothing"

    assert rekeying.carry_out() == shown
    run = story.apply()
    assert (failures(run), story.wecom.writes[since:], run.plan.writes) == ([], [], ())
    assert people_of(story) == before
    assert story.plan() == []
    assert rekeying.look().rekeyed.pairs == ()


def test_without_it_the_plan_is_over_its_limit_and_says_why(tmp_path: Path) -> None:
    """Nobody is removed, nobody is created a second time, and the run is refused."""
    story = migrated_company(tmp_path)
    before, since = people_of(story), len(story.wecom.writes)
    renumber(story, *guids(story))
    with pytest.raises(
        GuardError, match=r"changed_keys \(new keys for the same people\? wxsync rekey\): 57,"
    ):
        story.apply()
    assert (people_of(story), story.wecom.writes[since:]) == (before, [])
    plan = story.stage.plan().plan
    claimed = [
        change for change in plan.changes if change.reason is Reason.REJECTED and change.kind is Kind.MEMBER
    ]
    assert len(claimed) == 49
    assert "has the person another key now?" in str(claimed[0].why)


def test_a_part_of_such_a_plan_is_over_its_limit_too(tmp_path: Path) -> None:
    """Departments that cannot be had while their old keys hold the names are counted in a part as well."""
    story = migrated_company(tmp_path)
    renumber(story, *guids(story))
    story.save()
    decision = story.stage.plan()
    part = reduced(decision, (), story.stage.settings.sync[story.stage.sync], None)
    counted = {each.name: each.count for each in part.plan.limits}
    assert counted["changed_keys"] == 57


def test_new_numbers_for_half_of_the_people(tmp_path: Path) -> None:
    """The others keep theirs; leaders, tags and departments follow."""
    story = migrated_company(tmp_path)
    half = {f"E{number}": f"N{number}" for number in range(1, 26)}
    renumber(story, half)
    shown = Rekeying(story).carry_out()
    assert (pairs_of(shown, Kind.MEMBER), pairs_of(shown, Kind.DEPARTMENT)) == (half, {})
    assert story.settle_beside_strangers().plan.writes == ()
    story.hr.employees["N2"].title = "经理"
    story.goes("N3")
    assert [change.key for change in story.apply().plan.writes] == ["N2", "N3", "标签"]


def test_numbers_that_change_places(tmp_path: Path) -> None:
    """Without it HR's new E1 would get the old one's account; with it everybody keeps their own."""
    story = migrated_company(tmp_path)
    before = people_of(story)
    ring = {"E1": "E2", "E2": "E3", "E3": "E1"}
    renumber(story, ring)
    assert pairs_of(Rekeying(story).carry_out(), Kind.MEMBER) == ring
    assert story.settle_beside_strangers().plan.writes == ()
    assert people_of(story) == before


def test_a_list_says_who_is_who_where_the_userid_does_not(tmp_path: Path) -> None:
    """Members and departments by a list; it may name people who are not ours, and those who are gone."""
    story = migrated_company(tmp_path)
    renumber(story, {"E1": "N1", "E2": "N2"}, {"D3": "X3"})
    story.hr.departments["X3"].name = "另一个名字"
    listed = [KeyPair(kind=Kind.MEMBER, old=f"E{n}", new=f"N{n}") for n in (1, 2, 50, 777)]
    listed.append(KeyPair(kind=Kind.DEPARTMENT, old="D3", new="X3"))
    shown = Rekeying(story, listed).carry_out()
    assert pairs_of(shown, Kind.MEMBER) == {"E1": "N1", "E2": "N2", "E50": "N50"}
    run = story.apply()
    assert [(change.key, list(change.fields)) for change in run.plan.writes] == [("X3", ["name"])]
    assert failures(run) == []
    assert "另一个名字" in story.names()


def test_who_comes_back_under_a_new_number_has_the_own_account(tmp_path: Path) -> None:
    """Disabled when the numbers changed, back under the new one: enabled, and not somebody else."""
    story = migrated_company(tmp_path)
    assert story.wecom.members["user.50"].enable == 0
    listed = [KeyPair(kind=Kind.MEMBER, old="E50", new="N50")]
    Rekeying(story, listed).carry_out()
    story.person("N50", alias="user.50", dept="D3")
    assert failures(story.apply()) == []
    assert story.wecom.members["user.50"].enable == 1


def test_the_userid_of_somebody_who_is_gone_is_theirs_under_the_new_number(tmp_path: Path) -> None:
    """Deleted, renumbered, hired again: the userid is given back to this one and to nobody else."""
    story = migrated_company(tmp_path)
    story.configure(member=BY_LOGIN, policy={"leavers": "delete"})
    story.goes("E49")
    story.apply()
    assert "user.49" not in story.wecom.members
    Rekeying(story, [KeyPair(kind=Kind.MEMBER, old="E49", new="N49")]).carry_out()
    assert story.stage.act(retired) == {"user.49": "N49", "user.50": "E50"}
    story.person("N49", alias="user.49")
    assert failures(story.apply()) == []
    assert "user.49" in story.wecom.members


async def retired(corp: Corp) -> dict[str, str]:
    with corp.store.reading() as connection:
        return dict(links.load(connection, corp.name, corp.sync).retired_userids)


def test_what_is_ambiguous_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    """A list that gives one key to two, or the key of somebody who keeps it."""
    story = migrated_company(tmp_path)
    renumber(story, {"E1": "N1"})
    for listed, problem in (
        ([("E1", "N1"), ("E2", "N1")], "the new key N1 of a member has 2 old ones"),
        ([("E1", "E2")], "E2 is the key of another member of ours"),
        ([("E4", "N4")], "the source has E4 and not N4"),
    ):
        pairs = [KeyPair(kind=Kind.MEMBER, old=old, new=new) for old, new in listed]
        with pytest.raises(GuardError, match=problem):
            Rekeying(story, pairs).carry_out()
    assert pairs_of(Rekeying(story).look(), Kind.MEMBER) == {"E1": "N1"}
