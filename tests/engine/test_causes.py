"""Over a limit a plan says where it comes from: a key of the config, or what became of the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import NOW, Company, desired, person, reading, settings, unit
from wxsync.engine.causes import config_changes, told_change
from wxsync.engine.decide import decide
from wxsync.model.config_mark import ConfigChange, changed_since, marks_of
from wxsync.model.desired import Desired
from wxsync.model.message import say
from wxsync.model.plan import Plan
from wxsync.model.remembered import Remembered

BEFORE: Mapping[str, str] = {
    "source.ad.base_dn": "OU=Company,DC=example",
    "source.ad.url": "ldaps://dc1.example.com",
    "source.ad.members": "(objectClass=user)" + "(x=1)" * 40,
    "source.ad.groups": "(objectClass=group)",
    "sync.acme.member.mobile": "mobile",
    "sync.acme.member.active": "status == 'active'",
    "sync.acme.department.parent": "parent",
    "sync.acme.policy.leavers": "disable",
    "sync.acme.tags.干部": "grade >= 10",
}


def company(people: int = 40) -> Company:
    """Half of them in Sales, the others in one of two units below Works."""
    found = Company()
    for key, parent in (("S", 1), ("W", 1), ("W1", "W"), ("W2", "W")):
        found.department(key, parent, {"S": "销售部", "W": "工厂", "W1": "一车间", "W2": "二车间"}[key])
    for number in range(people):
        found.member(f"E{number}", mobile=f"138{number:08}", departments=(place(number),), position="员工")
    return found


def place(number: int) -> str:
    return "S" if number % 2 else ("W1" if number % 4 else "W2")


def wanted(
    numbers: range | list[int], units: tuple[str, ...] = ("S", "W", "W1", "W2"), **more: Any
) -> Desired:
    parents: dict[str, str | int] = {"S": 1, "W": 1, "W1": "W", "W2": "W", "N": 1}
    names = {"S": "销售部", "W": "工厂", "W1": "一车间", "W2": "二车间", "N": "新部"}
    fields = more.pop("fields", lambda number: {})
    return desired(
        [
            person(
                f"E{n}",
                **{
                    "mobile": f"138{n:08}",
                    "departments": (place(n),),
                    "main_department": place(n),
                    "position": "员工",
                    **fields(n),
                },
            )
            for n in numbers
        ],
        [unit(key, parents[key], names[key]) for key in units],
        **more,
    )


def planned(
    asked: Desired,
    changed: Mapping[str, str | None] | None = None,
    *,
    among: Company | None = None,
    **remembered: Any,
) -> Plan:
    """The plan after these keys of the config have changed; None: one was left out."""
    found = among or company()
    configured = {path: value for path, value in {**BEFORE, **(changed or {})}.items() if value is not None}
    return decide(
        sync="acme",
        corp_id="ww5a6d626f78000001",
        settings=settings(limits={}),
        desired=asked,
        seen=found.seen(),
        remembered=replace(found.remembered(**remembered), applied_config=marks_of(BEFORE)),
        now=NOW,
        configured=configured,
    ).plan


def causes(plan: Plan) -> list[str]:
    return [str(each) for each in plan.causes]


SINCE = " since the last run"
STAYING = [number for number in range(40) if not number % 2]


def test_a_plan_within_its_limits_has_no_causes() -> None:
    """Whatever changed."""
    assert planned(wanted(range(38)), {"source.ad.base_dn": "OU=Other"}).causes == ()


def test_a_department_that_is_gone_with_its_people_and_the_key_that_did_it() -> None:
    """Twenty leave with Sales, since the search begins elsewhere."""
    plan = planned(wanted(STAYING, ("W", "W1", "W2")), {"source.ad.base_dn": "OU=Works"})
    moved = "source.ad.base_dn changed since the last run, from OU=Company,DC=example to OU=Works"
    assert causes(plan) == [
        f"20 removals: {moved}",
        "20 removals: department 销售部 is gone from the source, with 20 people",
    ]


def test_a_department_of_which_nobody_is_left() -> None:
    """The topmost of those that are emptied is told, with all who were below it."""
    odd = [number for number in range(40) if number % 2]
    assert causes(planned(wanted(odd))) == [
        "20 removals: department 工厂 has nobody left in the source, and had 20 people"
    ]


def test_the_rows_of_a_source_that_fell() -> None:
    """Both the limit of rows and that of removals name them."""
    readings = (reading("departments", 4), reading("members", 20))
    plan = planned(
        wanted([*range(20)], readings=readings),
        baselines={("hr", "departments"): 4, ("hr", "members"): 40},
    )
    told = "hr.members gives 20 rows, and gave 40 in the last run"
    assert causes(plan) == [f"20 removals: {told}", f"20 rows fewer in hr.members: {told}"]


def test_the_source_itself_calls_them_leavers() -> None:
    """An export that marks half of the company."""
    leavers = {f"E{number}": say("inactive") for number in range(20, 40)}
    plan = planned(wanted(range(20), leavers=leavers), {"sync.acme.member.active": "on"})
    assert causes(plan) == [
        "20 removals: the mapping of active changed since the last run, from status == 'active' to on",
        "20 removals: the source itself calls 20 of them inactive or past their last day",
    ]


def test_a_field_that_changes_for_many() -> None:
    """By its mapping, or by one value for all; the mapping of another field is no cause of it."""
    plan = planned(
        wanted(range(40), fields=lambda number: {"position": "总经理"}),
        {"sync.acme.member.position": "job", "sync.acme.member.mobile": "phone"},
    )
    assert causes(plan) == [
        "40 changes of position: the mapping of position changed since the last run, to job",
        "40 changes of position: 40 of them get one and the same value",
    ]


def test_people_who_are_moved_because_their_department_is_gone() -> None:
    """An OU was renamed, and has another key: its people are elsewhere."""
    moved = {"departments": ("N",), "main_department": "N"}
    plan = planned(
        wanted(range(60), ("N", "W", "W1", "W2"), fields=lambda number: moved if number % 2 else {}),
        among=company(60),
    )
    assert causes(plan) == [
        "30 moves: department 销售部 is gone from the source, and 30 people of it are in others"
    ]


def test_departments_that_move_below_one() -> None:
    """The new parent is named."""
    found = Company()
    for number in range(12):
        found.department(f"D{number}")
    asked = desired([], [unit("D0"), *(unit(f"D{number}", "D0") for number in range(1, 12))])
    plan = planned(asked, {"sync.acme.department.parent": "boss"}, among=found)
    assert causes(plan) == [
        f"11 moves of departments: the mapping of department parent changed{SINCE}, from parent to boss",
        "11 moves of departments: 11 of them go below department 部门D0",
    ]


def test_departments_that_are_deleted() -> None:
    """The topmost of them."""
    found = Company()
    found.department("T", 1, "顶")
    for number in range(11):
        found.department(f"D{number}", "T")
    plan = planned(desired([], [unit("X")]), among=found)
    assert causes(plan) == [
        "12 deletions of departments: department 顶 is gone from the source, with 11 below it"
    ]


@pytest.mark.parametrize(
    ("path", "after", "told"),
    [
        ("source.ad.base_dn", "OU=X", "source.ad.base_dn changed{}, from OU=Company,DC=example to OU=X"),
        ("source.ad.url", "ldaps://dc9", "source.ad.url changed{}"),
        ("source.ad.members", "(b=1)", "source.ad.members changed{}, to (b=1)"),
        ("source.ad.groups", None, "source.ad.groups changed{}; it was (objectClass=group)"),
        ("sync.acme.member.alias", "nick", "the mapping of alias changed{}, to nick"),
        ("sync.acme.tags.干部", "grade > 9", "sync.acme.tags.干部 changed{}, from grade >= 10 to grade > 9"),
    ],
)
def test_a_change_of_the_config_in_words(path: str, after: str | None, told: str) -> None:
    """With what it was and is, where that is short and no address of a server."""
    values = {name: value for name, value in {**BEFORE, path: after}.items() if value is not None}
    found = config_changes(Remembered(applied_config=marks_of(BEFORE)), values)
    assert [str(told_change(change)) for change in found] == [told.format(SINCE)]


def test_what_is_kept_of_the_config_gives_nothing_away() -> None:
    """Of an address and of a long value a hash with a salt: twice the same is not the same text."""
    first, second = marks_of(BEFORE), marks_of(BEFORE)
    for path in ("source.ad.url", "source.ad.members"):
        assert BEFORE[path] not in first[path]
        assert first[path] != second[path]
    assert first["source.ad.base_dn"] == "=OU=Company,DC=example"
    assert list(changed_since(first, BEFORE)) == []


def test_before_anything_was_applied_nothing_is_compared() -> None:
    """An older mirror has no config on record."""
    assert config_changes(Remembered(), BEFORE) == ()
    assert ConfigChange(path="a.b") == ConfigChange(path="a.b")


@pytest.mark.parametrize(
    ("path", "leavers_count"),
    [
        ("sync.acme.member.mobile", 0),
        ("sync.acme.tags.干部", 0),
        ("source.ad.groups", 0),
        ("sync.acme.limits.field_change.max", 0),
        ("sync.acme.limits.member_remove.max", 1),
        ("sync.acme.policy.leavers", 1),
        ("sync.acme.member.active", 1),
        ("source.ad.base_dn", 1),
        ("source.ad.members", 1),
        ("sync.acme.sources", 1),
    ],
)
def test_a_key_is_named_under_the_limits_that_it_may_concern(path: str, leavers_count: int) -> None:
    """Of what decides who is there, and of nothing else."""
    plan = planned(wanted([*range(20)]), {path: "other"})
    assert sum("changed since the last run" in each for each in causes(plan)) == leavers_count
