"""Tags follow the source; people put in by hand stay, and nobody leaves on a doubt."""

from __future__ import annotations

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


def test_a_foreign_tag_of_the_same_name_is_left_alone() -> None:
    """It is not of our making: kept, unadopted."""
    company = company_of("A")
    company.foreign_tags["骨干"] = 7

    (change,) = tag_changes(company.decide(desired(people("A"), tags={"骨干": "A"})).plan)

    assert (change.verb, change.reason, change.id) == (Verb.KEEP, Reason.UNADOPTED, 7)


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
