"""The whole decision: the same whatever order things are read in, and refused where it has no ground."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import NOW, ROOT, Company, desired, person, reading, settings, unit
from wxsync.engine.decide import decide
from wxsync.errors import ConfigError
from wxsync.model.change import Kind, Verb
from wxsync.model.desired import Desired
from wxsync.model.remembered import LinkState, Remembered, RememberedDepartment, RememberedMember
from wxsync.model.seen import Seen, SeenDepartment, SeenMember


def busy_company() -> tuple[Company, Desired]:
    company = Company()
    for key in "ABCDEFGH":
        company.department(key, name=f"旧{key}")
    for number in range(30):
        company.member(
            f"E{number}",
            mobile=f"138{number:08}",
            email=f"e{number}@example.com",
            departments=("ABCDEFGH"[number % 8],),
        )
    company.tag("骨干", [f"E{n}" for n in range(10)])
    kept = [
        person(
            f"E{n}",
            mobile=f"138{(n + 1) % 20:08}",
            email=f"e{(n * 3) % 20}@example.com",
            departments=("ABCXYZ"[n % 6],),
        )
        for n in range(20)
    ]
    joiners = [
        person(
            f"J{n}", mobile=f"138{20 + n:08}", departments=("XYZ"[n % 3],), direct_leader=f"J{(n + 1) % 6}"
        )
        for n in range(6)
    ]
    units = [
        unit("A", name="旧B"),
        unit("B", name="旧C"),
        unit("C", "X"),
        unit("X"),
        unit("Y", "X"),
        unit("Z"),
    ]
    return company, desired([*kept, *joiners], units, tags={"骨干": ["E1", "J1"], "新": ["J2"]})


def shuffled(mapping: Any, chance: random.Random) -> Any:
    items = list(mapping.items())
    chance.shuffle(items)
    return dict(items)


def test_the_order_of_rows_does_not_change_the_plan() -> None:
    """Sources, WeCom and the mirror may give their records in any order: the digest is the same."""
    company, wanted = busy_company()
    seen, remembered = company.seen(), company.remembered()
    digests = set()
    for seed in range(25):
        chance = random.Random(seed)
        decision = decide(
            sync="acme",
            corp_id="ww1",
            settings=settings({"empty_tags": "delete"}),
            desired=replace(
                wanted,
                departments=shuffled(wanted.departments, chance),
                members=shuffled(wanted.members, chance),
                tags=shuffled(wanted.tags, chance),
            ),
            seen=Seen(
                departments=tuple(chance.sample(seen.departments, len(seen.departments))),
                members=tuple(chance.sample(seen.members, len(seen.members))),
                tags=tuple(chance.sample(seen.tags, len(seen.tags))),
            ),
            remembered=replace(
                remembered,
                departments=shuffled(remembered.departments, chance),
                members=shuffled(remembered.members, chance),
            ),
            now=NOW,
        )
        digests.add(decision.plan.digest)

    assert len(digests) == 1


def test_a_root_department_that_is_not_there_is_a_config_error() -> None:
    """Nothing can be put below it."""
    with pytest.raises(ConfigError, match=r"sync\.acme\.root_department: WeCom has no department 7"):
        Company().decide(desired(), settings(root_department=7))


class TestAdoptDepartments:
    """policy.adopt_departments, the operator's word."""

    def adopt(self, company: Company, wishes: dict[str, int], wanted: Desired) -> Any:
        return company.decide(wanted, settings({"adopt_departments": wishes}))

    def test_an_adopted_department_with_people_of_ours_in_it(self) -> None:
        """They are where they are: nobody is moved because of its new owner."""
        company = Company()
        company.foreign_departments[5] = ROOT
        company.member("M", mobile="13800000001", departments=(5,))

        decision = self.adopt(
            company, {"D": 5}, desired([person("M", mobile="13800000001", departments=("D",))], [unit("D")])
        )

        assert [change for change in decision.plan.writes if "departments" in change.fields] == []
        assert [change.id for change in decision.plan.writes if change.verb is Verb.ADOPT] == [5]

    @pytest.mark.parametrize(
        ("wishes", "problem"),
        [
            ({"D": 1}, "root_department itself"),
            ({"D": 99}, "WeCom has no department with this id"),
            ({"D": 100}, "belongs to OURS already"),
            ({"TYPO": 5}, "no source has a department with this key"),
        ],
    )
    def test_a_wish_that_cannot_be_granted_is_a_config_error(
        self, wishes: dict[str, int], problem: str
    ) -> None:
        """A config error that says which and why."""
        company = Company()
        company.department("OURS")
        company.foreign_departments[5] = ROOT

        with pytest.raises(ConfigError, match=problem):
            self.adopt(company, wishes, desired(departments=[unit("OURS"), unit("D")]))


class TestAnnouncedCreations:
    """What an earlier run announced and did not see the end of."""

    def test_a_member_found_again_is_ours_and_not_believed(self) -> None:
        """In exactly the announced departments: ours, and every field is written once more."""
        announced = RememberedMember(
            state=LinkState.PENDING,
            member=person("A", mobile="13800000001", position="经理"),
            announced_department_ids=(ROOT,),
        )
        seen = Seen(
            departments=(SeenDepartment(id=ROOT, parent_id=0, order=0),),
            members=(SeenMember(userid="a", department_ids=frozenset({ROOT})),),
            tags=(),
        )
        company = Company()
        company.seen = lambda: seen  # type: ignore[method-assign]

        plan = company.decide(
            desired([person("A", mobile="13800000001", position="经理")]),
            remembered=Remembered(members={"A": announced}),
        ).plan

        (change,) = plan.writes
        assert (change.verb, set(change.fields)) == (
            Verb.UPDATE,
            {"name", "mobile", "main_department", "position"},
        )

    def test_a_department_found_again_gets_its_name_once_more(self) -> None:
        """Names are hidden: it may be the one that we announced."""
        company = Company()
        id = company.department("D")
        link = RememberedDepartment(key="D", id=id, state=LinkState.PENDING, parent_id=ROOT, name="部门D")

        plan = company.decide(
            desired(departments=[unit("D")]), remembered=Remembered(departments={"D": link})
        ).plan

        assert [(change.kind, change.verb, set(change.fields)) for change in plan.writes] == [
            (Kind.DEPARTMENT, Verb.UPDATE, {"name"})
        ]


def test_marks_are_not_lost_on_memberships_without_a_key() -> None:
    """A leader mark is a removal too, known or not."""
    company = Company()
    company.member("A", mobile="13800000001", is_leader=(ROOT,))
    doubt = (reading("memberships", unreadable_keys=1),)

    plan = company.decide(desired([person("A", mobile="13800000001", is_leader=())], readings=doubt)).plan

    assert plan.writes == ()
