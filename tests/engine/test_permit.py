"""The door through which every change goes: what passes it, what is held, and what is left of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.companies import NOW, desired, reading
from wxsync.engine.guard import check, check_approval, hold_removals, permit
from wxsync.errors import GuardError, StalePlanError
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.desired import Desired
from wxsync.model.message import say
from wxsync.model.plan import Forecast, Limit, Plan
from wxsync.model.unknown import UNKNOWN

WHOLE = desired()
TORN = desired(readings=(reading("members", is_complete=False),))
DOUBTED = desired(readings=(reading("memberships", unreadable_keys=1),))
Told = list[tuple[Verb, Reason | None, list[str]]]


def change(
    verb: Verb, kind: Kind = Kind.MEMBER, id: str | int | None = "a", **fields: tuple[Any, Any]
) -> Change:
    return Change(
        kind=kind,
        verb=verb,
        key="A",
        id=id,
        name="某",
        fields={name: FieldChange(*values) for name, values in fields.items()},
        why=say("it differs"),
    )


def permitted(one: Change, wanted: Desired, *protect: str) -> Told:
    found = list(permit([one], wanted, protect))
    return [(each.verb, each.reason, sorted(each.fields)) for each in found]


EVERY = [
    change(verb, kind, id, name=("旧", "新"))
    for kind, id in ((Kind.MEMBER, "a"), (Kind.DEPARTMENT, 7), (Kind.TAG, 7))
    for verb in Verb
]


@pytest.mark.parametrize("one", EVERY, ids=lambda one: f"{one.kind}-{one.verb}")
def test_on_a_whole_reading_everything_passes_as_it_is(one: Change) -> None:
    """The same objects, in the same order."""
    assert list(permit([one, one], WHOLE, ["b"])) == [one, one]


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.KEEP])
def test_protected_members_are_kept_whatever_would_become_of_them(verb: Verb) -> None:
    """With the fields that differ; a creation would have had no id yet. What is kept already stays so."""
    one = change(verb, position=("旧", "新"))
    (kept,) = permit([one], WHOLE, ["A"])
    assert (kept.verb, kept.reason, kept.fields) == (Verb.KEEP, Reason.PROTECTED, one.fields)
    assert kept.id == (None if verb is Verb.CREATE else "a")
    assert str(kept.why) == "its userid is protected by policy.protect"


def test_what_is_kept_already_keeps_its_reason() -> None:
    """Also of protected members, and on a torn reading."""
    one = change(Verb.KEEP, departments=(("D",), ()))
    for wanted in (WHOLE, TORN, DOUBTED):
        assert list(permit([one], wanted, ["a"])) == [one]


@pytest.mark.parametrize("kind", [Kind.DEPARTMENT, Kind.TAG])
def test_a_pattern_for_userids_protects_nothing_else(kind: Kind) -> None:
    """A department with the id 7 is no userid."""
    one = change(Verb.DELETE, kind, 7)
    assert permitted(one, WHOLE, "7", "*") == [(Verb.DELETE, None, [])]
    assert permitted(change(Verb.ADOPT, kind, 7), WHOLE, "*") == [(Verb.ADOPT, None, [])]


@pytest.mark.parametrize("kind", list(Kind))
def test_adoptions_go_on_on_a_torn_reading(kind: Kind) -> None:
    """They write nothing, whatever evidence they show."""
    one = change(Verb.ADOPT, kind, "a" if kind is Kind.MEMBER else 7, alias=("旧", None), parent=("D", "E"))
    assert list(permit([one], TORN, [])) == [one]


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (change(Verb.DISABLE, enable=(True, False)), [(Verb.KEEP, Reason.INCOMPLETE, ["enable"])]),
        (change(Verb.DELETE), [(Verb.KEEP, Reason.INCOMPLETE, [])]),
        (change(Verb.DELETE, Kind.DEPARTMENT, 7), [(Verb.KEEP, Reason.INCOMPLETE, [])]),
        (change(Verb.DELETE, Kind.TAG, 7), [(Verb.KEEP, Reason.INCOMPLETE, [])]),
        (change(Verb.ENABLE, enable=(False, True)), [(Verb.ENABLE, None, ["enable"])]),
        # Fields of a member
        (change(Verb.UPDATE, alias=("旧", "新")), [(Verb.UPDATE, None, ["alias"])]),
        (change(Verb.UPDATE, alias=(None, "新")), [(Verb.UPDATE, None, ["alias"])]),
        (change(Verb.UPDATE, alias=("旧", None)), [(Verb.KEEP, Reason.INCOMPLETE, ["alias"])]),
        (change(Verb.UPDATE, alias=(UNKNOWN, None)), [(Verb.KEEP, Reason.INCOMPLETE, ["alias"])]),
        (change(Verb.UPDATE, alias=(None, None)), [(Verb.UPDATE, None, ["alias"])]),
        (
            change(Verb.UPDATE, alias=("旧", None), position=("旧", "新"), direct_leader=("B", None)),
            [(Verb.UPDATE, None, ["position"]), (Verb.KEEP, Reason.INCOMPLETE, ["alias", "direct_leader"])],
        ),
        # Places
        (
            change(Verb.UPDATE, departments=(("D",), ("D", "E")), main_department=("D", "E")),
            [(Verb.UPDATE, None, ["departments", "main_department"])],
        ),
        (
            change(
                Verb.UPDATE,
                departments=(("D",), ("E",)),
                main_department=("D", "E"),
                is_leader=((), ("E",)),
                order=((), (("E", 1),)),
                position=("旧", "新"),
            ),
            [
                (Verb.UPDATE, None, ["position"]),
                (Verb.KEEP, Reason.INCOMPLETE, ["departments", "is_leader", "main_department", "order"]),
            ],
        ),
        (change(Verb.UPDATE, departments=(("D",), None)), [(Verb.KEEP, Reason.INCOMPLETE, ["departments"])]),
        (
            change(Verb.UPDATE, departments=(UNKNOWN, ("D",))),
            [(Verb.KEEP, Reason.INCOMPLETE, ["departments"])],
        ),
        (change(Verb.UPDATE, departments=(None, ("D",))), [(Verb.UPDATE, None, ["departments"])]),
        (change(Verb.UPDATE, main_department=("D", "E")), [(Verb.UPDATE, None, ["main_department"])]),
        # Marks
        (change(Verb.UPDATE, is_leader=(("D",), ())), [(Verb.KEEP, Reason.INCOMPLETE, ["is_leader"])]),
        (change(Verb.UPDATE, is_leader=(UNKNOWN, ())), [(Verb.KEEP, Reason.INCOMPLETE, ["is_leader"])]),
        (change(Verb.UPDATE, is_leader=((), ("D",))), [(Verb.UPDATE, None, ["is_leader"])]),
        (
            change(Verb.UPDATE, is_leader=(("D",), ("E",)), order=((("D", 1),), (("D", 2),))),
            [(Verb.UPDATE, None, ["order"]), (Verb.KEEP, Reason.INCOMPLETE, ["is_leader"])],
        ),
        # What is new loses nothing
        (change(Verb.CREATE, departments=(UNKNOWN, ("D",)), alias=("旧", None)), None),
        (change(Verb.CREATE, Kind.DEPARTMENT, 7, parent=(None, "D")), None),
        # Departments
        (
            change(Verb.UPDATE, Kind.DEPARTMENT, 7, parent=("D", "E"), name=("旧", "新"), order=(1, None)),
            [(Verb.UPDATE, None, ["name", "order"]), (Verb.KEEP, Reason.INCOMPLETE, ["parent"])],
        ),
        (change(Verb.UPDATE, Kind.DEPARTMENT, 7, name=("旧", "新")), [(Verb.UPDATE, None, ["name"])]),
    ],
)
def test_on_a_torn_reading_only_what_takes_away_is_held(one: Change, told: Told | None) -> None:
    """Field by field: the rest is written, and what is held is shown."""
    assert permitted(one, TORN) == (told or [(Verb.CREATE, None, sorted(one.fields))])


@pytest.mark.parametrize(
    ("members", "more", "told"),
    [
        ((("A",), ("A", "B")), {}, [(Verb.UPDATE, ("A",), ("A", "B"))]),
        ((("B", "A"), ("C", "A")), {}, [(Verb.UPDATE, ("A", "B"), ("A", "B", "C")), (Verb.KEEP, None, None)]),
        ((("A",), ()), {}, [(Verb.KEEP, None, None)]),
        (
            ((), ("A",)),
            {"foreign_members": (("x",), ())},
            [(Verb.UPDATE, (), ("A",)), (Verb.KEEP, None, None)],
        ),
        (None, {"foreign_members": (("x",), ())}, [(Verb.KEEP, None, None)]),
        ((("A",), UNKNOWN), {}, [(Verb.KEEP, None, None)]),
    ],
)
def test_a_tag_takes_in_and_lets_nobody_go(
    members: Any, more: dict[str, Any], told: list[tuple[Verb, Any, Any]]
) -> None:
    """Whom it takes in comes beside all who are in it; who would leave is shown with the whole change."""
    fields = ({"members": members} if members else {}) | more
    one = change(Verb.UPDATE, Kind.TAG, 7, **fields)
    found = list(permit([one], TORN, []))
    assert [each.verb for each in found] == [verb for verb, *_ in told]
    for each, (verb, before, after) in zip(found, told, strict=True):
        if verb is Verb.KEEP:
            assert (each.reason, each.fields) == (Reason.INCOMPLETE, one.fields)
        else:
            assert each.fields == {"members": FieldChange(before, after)}


@pytest.mark.parametrize("members", [(None, ("A",)), (None, ()), (("B",), ("A",))])
def test_a_new_tag_is_made_as_it_is_wanted(members: Any) -> None:
    """There is nobody in it who could lose a place."""
    one = change(Verb.CREATE, Kind.TAG, None, members=members)
    assert list(permit([one], TORN, [])) == [one]


def test_who_was_found_again_is_told_apart() -> None:
    """Of members alone: a department may have the same key."""
    wanted = desired(readings=TORN.readings, found_again=frozenset("A"))
    general = "a reading of the source is not proven complete: nothing is removed"
    for one, why in (
        (change(Verb.DISABLE), "a second look found it in the source: the reading was not whole"),
        (change(Verb.DELETE, Kind.DEPARTMENT, 7), general),
    ):
        (kept,) = permit([one], wanted, [])
        assert str(kept.why) == why
    (kept,) = permit([change(Verb.DISABLE)], TORN, [])
    assert str(kept.why) == general


def test_memberships_without_a_key_hold_places_and_marks_of_members() -> None:
    """And nothing else: not other fields, not a leaver, not a department."""
    both = change(
        Verb.UPDATE, departments=(("D",), ()), is_leader=(("D",), ()), alias=("旧", None), order=((), ())
    )
    assert permitted(both, DOUBTED) == [
        (Verb.UPDATE, None, ["alias"]),
        (Verb.KEEP, Reason.REJECTED, ["departments", "is_leader", "order"]),
    ]
    assert permitted(change(Verb.UPDATE, is_leader=(("D",), ())), DOUBTED) == [
        (Verb.KEEP, Reason.REJECTED, ["is_leader"])
    ]
    joins = change(Verb.UPDATE, departments=(("D",), ("D", "E")))
    assert permitted(joins, DOUBTED) == [(Verb.UPDATE, None, ["departments"])]
    assert permitted(change(Verb.DISABLE), DOUBTED) == [(Verb.DISABLE, None, [])]
    moved = change(Verb.UPDATE, Kind.DEPARTMENT, 7, departments=(("D",), ()))
    assert permitted(moved, DOUBTED) == [(Verb.UPDATE, None, ["departments"])]
    doubt = desired(readings=(reading("members", unreadable_keys=1),))
    assert permitted(both, doubt) == [(Verb.UPDATE, None, sorted(both.fields))]


def test_whoever_holds_says_why() -> None:
    """The reason and the words are those of whoever asks."""
    one = change(Verb.UPDATE, alias=("旧", None))
    (held,) = hold_removals(one, say("because"), Reason.UNKNOWN)
    assert (held.verb, held.reason, str(held.why), held.id) == (Verb.KEEP, Reason.UNKNOWN, "because", "a")


def plan_of(*limits: Limit) -> Plan:
    return Plan(
        sync="acme",
        corp_id="ww1",
        created_at=NOW,
        is_complete=True,
        changes=(),
        limits=limits,
        forecast=Forecast(calls=0, seconds=0.0),
    )


def test_every_limit_that_is_exceeded_is_named_and_no_other() -> None:
    """With what was counted where one name covers several."""
    plan = plan_of(
        Limit(name="field_change", count=9, allowed=5, detail="position"),
        Limit(name="member_create", count=5, allowed=5),
        Limit(name="member_remove", count=6, allowed=5),
        Limit(name="member_update", count=7, allowed=None),
    )
    with pytest.raises(GuardError) as refusal:
        check(plan)
    assert refusal.value.message == (
        "the plan is over a limit, nothing was written: field_change (position): 9, allowed 5;"
        " member_remove: 6, allowed 5"
    )
    check(plan_of(Limit(name="member_remove", count=5, allowed=5)))


def test_an_approval_of_another_plan_is_no_approval_even_where_none_is_wanted() -> None:
    """The digest is compared, not counted."""
    within = plan_of(Limit(name="member_remove", count=5, allowed=5))
    check_approval(within, None)
    check_approval(within, within.digest)
    with pytest.raises(StalePlanError):
        check_approval(within, "sha256:0")
