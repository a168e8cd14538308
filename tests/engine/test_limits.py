"""How many changes of each kind are counted, against what the config allows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import Company, desired, person, policy, reading, settings, unit
from wxsync.config.settings import LimitsSettings
from wxsync.engine.limits import limits_of
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.message import say
from wxsync.model.plan import Limit, Plan
from wxsync.model.remembered import Remembered
from wxsync.model.unknown import Value
from wxsync.model.uses import FACTORS, LimitKey, PastUses


def limit(plan: Plan, name: str) -> Limit:
    (found,) = [each for each in plan.limits if each.name == name and each.window is None]
    return found


def crowd(count: int, **fields: Any) -> Company:
    company = Company()
    for number in range(count):
        company.member(f"E{number}", mobile=f"138{number:08}", **fields)
    return company


@pytest.mark.parametrize(("people", "leavers", "exceeded"), [(100, 5, False), (100, 6, True), (10, 5, False)])
def test_removals_have_a_limit_where_the_config_is_silent(people: int, leavers: int, exceeded: bool) -> None:
    """5 % of ours, five in any case: the sixth of a hundred is one too many."""
    company = crowd(people)
    stay = [person(f"E{n}", mobile=f"138{n:08}") for n in range(people - leavers)]

    found = limit(company.decide(desired(stay), settings(limits={})).plan, "member_remove")

    assert (found.count, found.is_exceeded) == (leavers, exceeded)


def test_one_attribute_for_many_people() -> None:
    """The attribute that changes for most is counted and named."""
    company = crowd(100, position="旧")
    wanted = [person(f"E{n}", mobile=f"138{n:08}", position="新" if n < 21 else "旧") for n in range(100)]

    found = limit(company.decide(desired(wanted), settings(limits={})).plan, "field_change")

    assert (found.count, found.allowed, found.detail, found.is_exceeded) == (21, 20, "position", True)


def test_a_first_load_is_not_limited() -> None:
    """Until a run has been applied to its end, creations are as many as they are."""
    wanted = [person(f"E{n}", mobile=f"138{n:08}") for n in range(500)]

    first = Company().decide(desired(wanted), settings(limits={}), Remembered()).plan
    later = Company().decide(desired(wanted), settings(limits={}), Remembered(has_been_applied=True)).plan

    assert limit(first, "member_create").allowed is None
    assert limit(later, "member_create").is_exceeded


@pytest.mark.parametrize(("strangers", "exceeded"), [(20, False), (21, True)])
def test_a_full_corp_and_an_empty_mirror(strangers: int, exceeded: bool) -> None:
    """More than twenty people whom nobody here created: a new or a lost mirror, and nothing is written
    without approval. Protected ones do not count."""
    company = Company()
    for number in range(strangers):
        company.foreign_members[f"u{number}"] = frozenset({1})
    company.foreign_members["admin"] = frozenset({1})

    plan = company.decide(
        desired([person("A", mobile="13800000001")]),
        settings({"protect": ["admin"]}, limits={}),
        Remembered(),
    ).plan

    assert limit(plan, "first_load").is_exceeded is exceeded
    assert limit(plan, "first_load").detail == ("new or lost mirror?" if exceeded else None)


def test_a_source_that_shrinks() -> None:
    """Fewer rows than in the last complete read that was applied, beyond 3 % and five rows."""
    company = crowd(3)
    remembered = company.remembered(baselines={("hr", "members"): 200, ("hr", "departments"): 10})
    readings = (reading("members", 193), reading("departments", 5))

    plan = company.decide(desired(readings=readings), settings(limits={}), remembered).plan

    found = {each.detail: each for each in plan.limits if each.name == "source_shrink"}
    assert (found["hr.members"].count, found["hr.members"].is_exceeded) == (7, True)
    assert (found["hr.departments"].count, found["hr.departments"].is_exceeded) == (5, False)


@pytest.mark.parametrize(
    ("rows", "entries", "is_exceeded"), [(0, 2, True), (0, 0, True), (1, 2, False), (0, None, False)]
)
def test_groups_of_which_nothing_is_left(rows: int, entries: int | None, is_exceeded: bool) -> None:
    """However few there were: so looks a right to read that was taken away. A table may become empty."""
    remembered = Remembered(baselines={("hr", "tags"): 3, ("hr", "memberships"): 0})
    readings = (replace(reading("tags", rows), entries=entries), reading("memberships", 0))

    plan = Company().decide(desired(readings=readings), settings(limits={}), remembered).plan

    found = {each.detail: each for each in plan.limits if each.name == "source_shrink"}
    assert found["hr.tags"].is_exceeded is is_exceeded
    assert not found["hr.memberships"].is_exceeded


def test_an_incomplete_reading_says_nothing_of_shrinking() -> None:
    """It is judged on complete reads only."""
    remembered = Remembered(baselines={("hr", "members"): 200})

    plan = (
        Company()
        .decide(desired(readings=(reading("members", 1, is_complete=False),)), remembered=remembered)
        .plan
    )

    assert [each for each in plan.limits if each.name == "source_shrink"] == []


def test_temporary_changes_are_not_counted() -> None:
    """A swap of two names is two changes, however many steps it takes."""
    company = Company()
    company.department("A", name="甲")
    company.department("B", name="乙")

    plan = company.decide(desired(departments=[unit("A", name="乙"), unit("B", name="甲")])).plan

    assert len(plan.writes) == 3
    assert limit(plan, "department_move").count == 0


def test_deleting_a_tag_counts_its_members() -> None:
    """A tag with thirty people that is dropped is thirty places lost."""
    company = crowd(30)
    company.tag("骨干", [f"E{n}" for n in range(30)])
    stay = [person(f"E{n}", mobile=f"138{n:08}") for n in range(30)]

    plan = company.decide(desired(stay, tags={}), settings({"empty_tags": "delete"}, limits={})).plan

    assert limit(plan, "tag_member_remove") == Limit(name="tag_member_remove", count=30, allowed=20)


def test_a_corp_that_has_lost_most_of_ours_is_another_corp() -> None:
    """Beyond twenty people and 20 % it is not a matter of a few deletions by hand."""
    company = crowd(100)
    remembered = company.remembered()
    for number in range(21):
        del company.members[f"E{number}"]
    wanted = [person(f"E{n}", mobile=f"138{n:08}") for n in range(100)]

    found = limit(company.decide(desired(wanted), remembered=remembered).plan, "missing_in_wecom")

    assert (found.count, found.allowed, found.detail) == (21, 20, "another corp than the mirror's?")


@pytest.mark.parametrize(
    ("people", "renumbered", "exceeded"), [(10, 5, False), (10, 6, True), (200, 10, False), (200, 11, True)]
)
def test_many_who_have_another_key_are_a_migration(people: int, renumbered: int, exceeded: bool) -> None:
    """Five, or 5 %, may have one: beyond that wxsync is to be told, and nothing is written."""
    company = crowd(people)
    wanted = [
        person(f"N{n}" if n < renumbered else f"E{n}", userid=f"e{n}", mobile=f"138{n:08}")
        for n in range(people)
    ]

    plan = company.decide(desired(wanted)).plan

    found = limit(plan, "changed_keys")
    assert (found.count, found.is_exceeded) == (renumbered, exceeded)
    assert found.detail == ("new keys for the same people? wxsync rekey" if exceeded else None)
    assert plan.writes == ()


def test_departments_with_another_key_count_too() -> None:
    """A dropped one beside a new one of its name in its place; where nothing is so there is no such limit."""
    company = Company()
    for number in range(6):
        company.department(f"D{number}", name=f"部{number}")
    same = company.decide(desired(departments=[unit(f"D{n}", name=f"部{n}") for n in range(6)])).plan
    other = company.decide(desired(departments=[unit(f"X{n}", name=f"部{n}") for n in range(6)])).plan

    assert [each.name for each in same.limits if each.name == "changed_keys"] == []
    assert (limit(other, "changed_keys").count, limit(other, "changed_keys").is_exceeded) == (6, True)


def _change(kind: Kind, verb: Verb, **fields: tuple[Value, Value]) -> Change:
    values = {name: FieldChange(*both) for name, both in fields.items()}
    return Change(kind=kind, verb=verb, key="X", id="x", name=None, fields=values, why=say("a test"))


ONE_OF_EACH = {
    LimitKey("member_remove"): _change(Kind.MEMBER, Verb.DISABLE, enable=(True, False)),
    LimitKey("member_create"): _change(Kind.MEMBER, Verb.CREATE, name=(None, "甲")),
    LimitKey("member_update"): _change(Kind.MEMBER, Verb.UPDATE, name=("甲", "乙")),
    LimitKey("field_change", "name"): _change(Kind.MEMBER, Verb.UPDATE, name=("甲", "乙")),
    LimitKey("department_create"): _change(Kind.DEPARTMENT, Verb.CREATE, name=(None, "甲")),
    LimitKey("department_update"): _change(Kind.DEPARTMENT, Verb.UPDATE, name=("甲", "乙")),
    LimitKey("department_delete"): _change(Kind.DEPARTMENT, Verb.DELETE),
    LimitKey("department_move"): _change(Kind.DEPARTMENT, Verb.UPDATE, parent=("A", "B")),
    LimitKey("tag_member_add"): _change(Kind.TAG, Verb.UPDATE, members=((), ("E0",))),
    LimitKey("tag_member_remove"): _change(Kind.TAG, Verb.UPDATE, members=(("E0",), ())),
}


def test_every_limit_of_the_config_is_tried_below() -> None:
    """But for the one on the reading."""
    assert {key.name for key in ONE_OF_EACH} == set(LimitsSettings.model_fields) - {"source_shrink"}


@pytest.mark.parametrize("key", ONE_OF_EACH, ids=lambda key: key.name)
@pytest.mark.parametrize(("window", "factor"), FACTORS.items())
def test_every_limit_holds_over_each_window(key: LimitKey, window: str, factor: int) -> None:
    """Three may be done by a run, six in a day and twelve in a week, whatever it is that is done."""
    decision = crowd(1).decide(desired([person("E0", mobile="13800000000")]), settings(limits={}))
    limits = LimitsSettings.model_validate(dict.fromkeys(LimitsSettings.model_fields, 3))
    for used, is_exceeded in ((3 * factor - 1, False), (3 * factor, True)):
        past = PastUses(counts={window: {key: used}})
        remembered = replace(decision.remembered, has_been_applied=True, uses=past)
        (found,) = [
            each
            for each in limits_of(
                [ONE_OF_EACH[key]], decision.desired, decision.actual, remembered, limits, policy()
            )
            if (each.name, each.detail or "", each.window) == (*key, window)
        ]
        assert (found.count, found.allowed, found.is_exceeded) == (used + 1, 3 * factor, is_exceeded)
