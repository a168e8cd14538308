"""Tags follow the source; people put in by hand stay, and nobody leaves on a doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import Company, desired, person, reading, settings
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.member import Member
from wxsync.model.plan import Plan


def company_of(keys: str) -> Company:
    company = Company()
    for key in keys:
        company.member(key, mobile=f"138000000{ord(key)}")
    return company


def people(keys: str) -> list[Member]:
    return [person(key, mobile=f"138000000{ord(key)}") for key in keys]


def tag_changes(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.kind is Kind.TAG]


def test_a_new_tag_is_created_with_its_members() -> None:
    """Joiners of the same day are in it."""
    (change,) = tag_changes(company_of("A").decide(desired(people("AB"), tags={"骨干": "AB"})).plan)

    assert (change.verb, change.id, change.fields) == (
        Verb.CREATE,
        None,
        {"members": FieldChange(None, ("A", "B"))},
    )


def test_who_was_put_in_by_hand_stays() -> None:
    """Only those whom wxsync put in are taken out; strict_tags takes out everybody else too."""
    company = company_of("ABC")
    company.tag("骨干", ["A"], by_hand=["b", "stranger"])
    company.foreign_members["stranger"] = frozenset({1})
    wanted = desired(people("ABC"), tags={"骨干": "C"})

    (loose,) = tag_changes(company.decide(wanted).plan)
    (strict,) = tag_changes(company.decide(wanted, settings({"strict_tags": True})).plan)

    assert loose.fields == {"members": FieldChange(("A", "B"), ("B", "C"))}
    assert strict.fields == {
        "members": FieldChange(("A", "B"), ("C",)),
        "foreign_members": FieldChange(("stranger",), ()),
    }


def test_a_leaver_leaves_the_tags_too() -> None:
    """Whom the policy disables is wanted in no tag; whom it keeps is left alone."""
    company = company_of("AB")
    company.tag("骨干", ["A", "B"])
    wanted = desired(people("A"), tags={"骨干": "A"})

    (change,) = tag_changes(company.decide(wanted).plan)

    assert change.fields == {"members": FieldChange(("A", "B"), ("A",))}
    assert tag_changes(company.decide(wanted, settings({"leavers": "keep"})).plan) == []


@pytest.mark.parametrize(
    "doubt",
    [
        {"undecided_tags": frozenset({"骨干"})},
        {"undecided_places": frozenset({("骨干", "B")})},
        {"readings": (reading("tags", unreadable_keys=1),)},
    ],
)
def test_nobody_leaves_on_a_doubt(doubt: dict[str, Any]) -> None:
    """A rule that failed, a bad row, a row without a key: what holds now stays."""
    company = company_of("AB")
    company.tag("骨干", ["A", "B"])

    assert tag_changes(company.decide(desired(people("AB"), tags={"骨干": "A"}, **doubt)).plan) == []


def test_a_foreign_tag_of_the_same_name_is_adopted() -> None:
    """Names of tags are always shown: it becomes ours, and nothing is written by that."""
    company = company_of("A")
    company.foreign_tags["骨干"] = 7

    (change,) = tag_changes(company.decide(desired(people("A"), tags={"骨干": "A"})).plan)

    assert (change.verb, change.id, change.fields) == (Verb.ADOPT, 7, {})


def test_a_dropped_tag_is_emptied_and_deleted_only_where_the_policy_says_so() -> None:
    """With a stranger in it, it is emptied of ours and kept."""
    company = company_of("A")
    company.tag("旧", ["A"])
    wanted = desired(people("A"), tags={})

    (kept,) = tag_changes(company.decide(wanted).plan)
    (deleted,) = tag_changes(company.decide(wanted, settings({"empty_tags": "delete"})).plan)
    company.tags["旧"] = (1, frozenset("A"), frozenset({"stranger"}))
    company.foreign_members["stranger"] = frozenset({1})
    occupied = tag_changes(company.decide(wanted, settings({"empty_tags": "delete"})).plan)

    assert (kept.verb, kept.fields) == (Verb.UPDATE, {"members": FieldChange(("A",), ())})
    assert deleted.verb is Verb.DELETE
    assert [(change.verb, change.reason) for change in occupied] == [
        (Verb.UPDATE, None),
        (Verb.KEEP, Reason.OCCUPIED),
    ]


def test_a_sync_without_tags_leaves_all_tags_alone() -> None:
    """Tags are none of its business."""
    company = company_of("A")
    company.tag("旧", ["A"])

    assert tag_changes(company.decide(desired(people("A"))).plan) == []


def test_protected_people_neither_join_nor_leave() -> None:
    """Ours or not, whoever is protected keeps their places in tags."""
    company = company_of("ABC")
    company.tag("骨干", ["A", "B"], by_hand=["svc-1", "stranger"])
    for userid in ("svc-1", "stranger"):
        company.foreign_members[userid] = frozenset({1})
    wanted = desired(people("ABC"), tags={"骨干": "C", "新": "AC"})
    sync = settings({"protect": ["a", "c", "svc-*"], "strict_tags": True})

    new, old = sorted(tag_changes(company.decide(wanted, sync).plan), key=lambda change: change.verb)

    assert new.fields == {"members": FieldChange(None, ())}
    assert old.fields == {
        "members": FieldChange(("A", "B"), ("A",)),
        "foreign_members": FieldChange(("stranger",), ()),
    }


def test_a_tag_with_a_department_in_it_is_not_deleted() -> None:
    """Only a hand can have put it there."""
    company = company_of("A")
    company.tag("旧", ["A"])
    seen = company.seen()
    tags = tuple(replace(tag, department_ids=frozenset({7})) for tag in seen.tags)
    company.seen = lambda: replace(seen, tags=tags)  # type: ignore[method-assign]

    plan = company.decide(desired(people("A"), tags={}), settings({"empty_tags": "delete"})).plan

    assert [(change.verb, change.reason) for change in tag_changes(plan)] == [
        (Verb.UPDATE, None),
        (Verb.KEEP, Reason.OCCUPIED),
    ]


def test_a_tag_that_was_renamed_by_hand_gets_its_name_back() -> None:
    """tag/list shows names, so a hand that changed one is seen."""
    company = company_of("A")
    company.tag("骨干", ["A"])
    seen = company.seen()
    company.seen = lambda: replace(seen, tags=(replace(seen.tags[0], name="别名"),))  # type: ignore[method-assign]

    (change,) = tag_changes(company.decide(desired(people("A"), tags={"骨干": "A"})).plan)

    assert (change.verb, change.fields) == (Verb.UPDATE, {"name": FieldChange("别名", "骨干")})


def test_a_tag_is_not_deleted_before_its_last_member_is() -> None:
    """Where that deletion fails, somebody is still in the tag, so it is not tried."""
    company = company_of("A")
    company.tag("旧", ["A"])

    schedule = company.decide(
        desired(tags={}), settings({"leavers": "delete", "empty_tags": "delete"})
    ).schedule

    verbs = [(change.kind, change.verb) for change in schedule.changes]
    assert verbs == [(Kind.MEMBER, Verb.DELETE), (Kind.TAG, Verb.DELETE)]
    assert schedule.units[1].needs == {0}
