"""What nobody knows is written in as many runs as the limits ask for, and is no reason to refuse one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import Company, desired, person, settings
from wxsync.engine.decide import Decision
from wxsync.model.change import Change, FieldChange, Kind, Reason, Verb
from wxsync.model.message import say
from wxsync.model.seen import ShownMember
from wxsync.model.unknown import UNKNOWN
from wxsync.model.uses import LimitKey, PastUses


def mobile(number: int) -> str:
    return f"138{number:08}"


def decided(count: int, known: Any, wanted: Any) -> Decision:
    """A company of `count`; `known` and `wanted` give the fields of the person with a number."""
    company = Company()
    for number in range(count):
        company.member(f"E{number:03}", **known(number))
    people = [person(f"E{number:03}", **wanted(number)) for number in range(count)]
    return company.decide(desired(people), settings(limits={}))


def written(decision: Decision, field: str) -> list[str]:
    return [str(change.key) for change in decision.plan.writes if field in change.fields]


def waiting(decision: Decision) -> list[Change]:
    return [change for change in decision.plan.changes if change.reason is Reason.UNKNOWN]


def test_of_what_is_unknown_for_all_a_run_writes_what_it_may() -> None:
    """A hundred phone numbers, twenty a run: five runs, and the first one is within its limits."""
    decision = decided(
        100, lambda n: {"mobile": UNKNOWN, "email": f"e{n}@example.com"}, lambda n: {"mobile": mobile(n)}
    )

    assert len(written(decision, "mobile")) == 20
    assert len(waiting(decision)) == 80
    assert {change.why.facts["runs"] for change in waiting(decision)} == {5}
    assert not decision.plan.exceeded


@pytest.mark.parametrize(
    ("window", "used", "written_now"),
    [("24h", 10, 20), ("24h", 20, 10), ("24h", 30, 0), ("7d", 50, 20), ("7d", 65, 5), ("7d", 80, 0)],
)
@pytest.mark.parametrize("key", [LimitKey("member_update"), LimitKey("field_change", "mobile")])
def test_what_waits_keeps_to_the_windows_too(key: LimitKey, window: str, used: int, written_now: int) -> None:
    """Twenty a run, but thirty in a day and seventy in a week: ten of each are left to what is known."""
    company = Company()
    for number in range(100):
        company.member(f"E{number:03}", mobile=UNKNOWN, email=f"e{number}@example.com")
    people = [person(f"E{number:03}", mobile=mobile(number)) for number in range(100)]
    limits = {"member_update": 20, "field_change": 20}
    past = company.remembered(uses=PastUses(counts={window: {key: used}}))
    decision = company.decide(desired(people), settings(limits=limits), past)
    assert len(written(decision, "mobile")) == written_now
    assert not decision.plan.exceeded


def test_whom_wecom_refused_in_the_last_run_comes_last() -> None:
    """The first five by key fail each time: the others are not kept waiting by them for ever."""
    company = Company()
    for number in range(40):
        company.member(f"E{number:03}", mobile=UNKNOWN, email=f"e{number}@example.com")
    people = [person(f"E{number:03}", mobile=mobile(number)) for number in range(40)]
    bad = frozenset(f"E{number:03}" for number in range(5))
    sync = settings(limits={"field_change": 5})
    first = company.decide(desired(people), sync)
    assert set(written(first, "mobile")) == bad
    failed = frozenset(key.lower() for key in bad)
    then = company.decide(desired(people), sync, company.remembered(failed_lately=failed))
    assert written(then, "mobile") == [f"E{number:03}" for number in range(5, 10)]


@pytest.mark.parametrize("limit", ["field_change", "member_update"])
def test_a_limit_of_nothing_is_told(limit: str) -> None:
    """There is no later run in which it would be written."""
    company = Company()
    company.member("E1", mobile=UNKNOWN, email="e1@example.com")
    decision = company.decide(desired([person("E1", mobile=mobile(1))]), settings(limits={limit: 0}))
    (change,) = waiting(decision)
    assert str(change.why) == "nobody knows what it holds, and a limit lets none of it be written"


def test_an_unknown_value_beside_a_known_change_waits_by_itself() -> None:
    """Thirty changed titles, and everybody's number unknown: the titles are over no limit because of it."""

    def wanted(n: int) -> dict[str, Any]:
        return {
            "mobile": mobile(n),
            "position": "新" if n < 15 else "旧",
            "alias": "甲" if 15 <= n < 30 else None,
        }

    decision = decided(
        100,
        lambda n: {"mobile": UNKNOWN, "email": f"e{n}@example.com", "position": "旧", "alias": None},
        wanted,
    )

    assert len(written(decision, "position")) == 15
    assert len(written(decision, "alias")) == 15
    assert len(written(decision, "mobile")) == 20
    assert len(waiting(decision)) == 80
    assert not decision.plan.exceeded


def test_what_is_known_to_differ_counts_first() -> None:
    """Eighteen numbers have changed: two that are unknown go with them, and the others wait."""
    decision = decided(
        100,
        lambda n: {"mobile": mobile(n + 500) if n < 18 else UNKNOWN, "email": f"e{n}@example.com"},
        lambda n: {"mobile": mobile(n)},
    )

    assert len(written(decision, "mobile")) == 20
    assert set(written(decision, "mobile")) >= {f"E{n:03}" for n in range(18)}
    assert len(waiting(decision)) == 80
    assert not decision.plan.exceeded


def test_updates_in_all_are_counted_too() -> None:
    """Sixty people with one unknown field each, twenty of each field: fifty updates a run, so two runs."""
    fields = ("position", "alias", "address")

    def known(n: int) -> dict[str, Any]:
        return {"mobile": mobile(n), **({fields[n % 3]: UNKNOWN} if n < 60 else {})}

    def wanted(n: int) -> dict[str, Any]:
        return {"mobile": mobile(n), **({fields[n % 3]: "值"} if n < 60 else {})}

    decision = decided(100, known, wanted)

    assert [change.verb for change in decision.plan.writes] == [Verb.UPDATE] * 50
    assert [change.why.facts["runs"] for change in waiting(decision)] == [2] * 10


def test_the_runs_are_told_also_where_this_one_has_nothing_left() -> None:
    """Twenty known changes use the run up; the unknown ones take as many runs as the limits say."""
    decision = decided(
        100,
        lambda n: {"mobile": mobile(n + 500) if n < 20 else UNKNOWN, "email": f"e{n}@example.com"},
        lambda n: {"mobile": mobile(n)},
    )

    assert len(written(decision, "mobile")) == 20
    assert {change.why.facts["runs"] for change in waiting(decision)} == {4}


# What was given up, and what others wait for


def beside_strangers(known: Any) -> Decision:
    """A hundred; `known` gives the numbers of the first 25, who want ones that belong to strangers."""
    company = Company()
    people = []
    for number in range(100):
        is_first = number < 25
        held = known(number) if is_first else UNKNOWN
        company.member(f"E{number:03}", mobile=held, email=f"e{number}@example.com")
        people.append(person(f"E{number:03}", mobile=mobile(number + (900 if is_first else 0))))
    for number in range(25):
        company.foreign_members[f"s{number}"] = frozenset({1})
        company.shown[f"s{number}"] = ShownMember(mobile=mobile(number + 900))
    return company.decide(desired(people), settings(limits={}))


@pytest.mark.parametrize("known", [mobile, lambda n: UNKNOWN], ids=["known", "unknown"])
def test_what_is_given_up_uses_nothing_up(known: Any) -> None:
    """Twenty-five numbers are a stranger's, run after run: twenty others are written all the same."""
    decision = beside_strangers(known)

    assert [each.rule for each in decision.plan.rejected] == ["taken"] * 25
    assert written(decision, "mobile") == [f"E{n:03}" for n in range(25, 45)]
    assert len(waiting(decision)) == 55
    assert {change.why.facts["runs"] for change in waiting(decision)} == {4}


def test_what_is_released_for_others_counts_too() -> None:
    """Ten take the numbers of ten who shall have none: that is twenty, and no unknown one comes on top."""
    decision = decided(
        100,
        lambda n: {"mobile": mobile(n) if n < 20 else UNKNOWN, "email": f"e{n}@example.com"},
        lambda n: {
            "mobile": mobile(n - 10) if 10 <= n < 20 else None if n < 10 else mobile(n),
            "email": f"e{n}@example.com",
        },
    )

    assert sorted(written(decision, "mobile")) == [f"E{n:03}" for n in range(20)]
    assert not decision.plan.exceeded
    assert not decision.plan.rejected


def test_nothing_waits_that_somebody_else_waits_for() -> None:
    """A circle of thirty in which one number is in doubt: all of it is asked for, and nobody is rejected."""

    def doubted(company: Company) -> None:
        in_doubt(company, "E029", mobile(29), mobile(0))
        company.members["E000"] = replace(company.members["E000"], mobile=None)

    decision = with_doubts(
        60,
        lambda n: {"mobile": mobile(n)},
        lambda n: {"mobile": mobile((n + 1) % 30 if n < 30 else n)},
        doubted,
    )

    assert sorted(written(decision, "mobile")) == [f"E{n:03}" for n in range(30)]
    assert [(limit.name, limit.count) for limit in decision.plan.exceeded] == [("field_change", 30)]
    assert not decision.plan.rejected
    assert not waiting(decision)


def test_what_somebody_else_waits_for_comes_before_all_that_is_in_doubt() -> None:
    """Fifteen known numbers, one of them held by the last of eleven in doubt: that one is not left out."""

    def doubted(company: Company) -> None:
        for n in range(89, 100):
            in_doubt(company, f"E{n:03}", mobile(n), mobile(n + 500))

    decision = with_doubts(
        100,
        lambda n: {"mobile": mobile(n)},
        lambda n: {"mobile": mobile(99 if n == 0 else n + 500 if n < 15 or n >= 89 else n)},
        doubted,
    )

    assert sorted(written(decision, "mobile")) == [f"E{n:03}" for n in (*range(15), *range(89, 93), 99)]
    assert not decision.plan.rejected
    assert not decision.plan.exceeded


def test_the_other_contact_of_one_whose_number_is_taken_does_not_wait() -> None:
    """Without an address the number could not be released: the taker would be rejected for a mere wait."""
    decision = decided(
        100,
        lambda n: {"mobile": mobile(n), "email": UNKNOWN if n < 40 else None},
        lambda n: {
            "mobile": {38: None, 40: mobile(38)}.get(n, mobile(n)),
            "email": f"e{n}@example.com" if n < 40 else None,
        },
    )

    assert written(decision, "mobile") == ["E038", "E040"]
    assert len(written(decision, "email")) == 20
    assert "E038" in written(decision, "email")
    assert not decision.plan.rejected


# What a call of ours left in doubt


def in_doubt(company: Company, key: str, *values: str) -> None:
    company.members[key] = replace(company.members[key], mobile=UNKNOWN)
    company.links[key] = {"doubts": {"mobile": values}}


def with_doubts(
    count: int, known: Any, wanted: Any, doubted: Callable[[Company], None], **remembered: Any
) -> Decision:
    company = Company()
    for number in range(count):
        company.member(f"E{number:03}", email=f"e{number}@example.com", **known(number))
    doubted(company)
    people = [
        person(f"E{number:03}", **{"email": f"e{number}@example.com", **wanted(number)})
        for number in range(count)
    ]
    return company.decide(desired(people), settings(limits={}), company.remembered(**remembered))


def test_what_was_begun_comes_before_what_nobody_ever_knew() -> None:
    """Ten known changes leave room for ten: of the fifteen in doubt, though those are last in order."""

    def doubted(company: Company) -> None:
        for n in range(85, 100):
            in_doubt(company, f"E{n:03}", mobile(n), mobile(n + 500))

    decision = with_doubts(
        100,
        lambda n: {"mobile": mobile(n) if n < 10 or n >= 85 else UNKNOWN},
        lambda n: {"mobile": mobile(n + 500)},
        doubted,
    )

    assert written(decision, "mobile") == [f"E{n:03}" for n in (*range(10), *range(85, 95))]
    assert len(waiting(decision)) == 80
    assert not decision.plan.exceeded


def test_what_was_begun_and_has_no_room_is_asked_for() -> None:
    """Else it would wait for as long as the known changes fail, and nobody could say yes to it."""

    def doubted(company: Company) -> None:
        for n in range(97, 100):
            in_doubt(company, f"E{n:03}", mobile(n), mobile(n + 500))

    decision = with_doubts(
        100,
        lambda n: {"mobile": mobile(n) if n < 20 or n >= 97 else UNKNOWN},
        lambda n: {"mobile": mobile(n + 500)},
        doubted,
    )

    assert written(decision, "mobile") == [f"E{n:03}" for n in (*range(20), *range(97, 100))]
    assert [(limit.name, limit.count) for limit in decision.plan.exceeded] == [("field_change", 23)]
    assert len(waiting(decision)) == 77


def test_a_remembered_value_that_is_merely_not_believed_is_nothing_begun() -> None:
    """After `wxsync db restored`: a hundred numbers wait for their run, be there no room for one of them."""

    def doubted(company: Company) -> None:
        for n in range(20, 100):
            in_doubt(company, f"E{n:03}", mobile(n))

    decision = with_doubts(
        100,
        lambda n: {"mobile": mobile(n)},
        lambda n: {"mobile": mobile(n + 500 if n < 20 else n)},
        doubted,
    )

    assert written(decision, "mobile") == [f"E{n:03}" for n in range(20)]
    assert len(waiting(decision)) == 80
    assert not decision.plan.exceeded


def test_nothing_waits_that_an_approval_covers_and_all_else_does() -> None:
    """Thirty numbers in doubt that were approved are planned at once; titles that nobody knows come later."""

    def doubted(company: Company) -> None:
        for n in range(30):
            in_doubt(company, f"E{n:03}", mobile(n), mobile(n + 500))

    def company(left: tuple[Change, ...]) -> Decision:
        return with_doubts(
            100,
            lambda n: {"mobile": mobile(n), "position": UNKNOWN},
            lambda n: {"mobile": mobile(n + 500 if n < 30 else n), "position": "工程师"},
            doubted,
            left_of_approved=left,
        )

    def approved(n: int, after: str) -> Change:
        values = FieldChange(mobile(n), after)
        return Change(
            kind=Kind.MEMBER,
            verb=Verb.UPDATE,
            key=f"E{n:03}",
            id=f"e{n:03}",
            name=None,
            fields={"mobile": values},
            why=say("as it was planned"),
        )

    going_on = company(tuple(approved(n, mobile(n + 500)) for n in range(30)))
    other = company(tuple(approved(n, mobile(n + 700)) for n in range(30)))

    assert written(going_on, "mobile") == [f"E{n:03}" for n in range(30)]
    assert written(going_on, "position") == []
    assert len(written(company(()), "mobile")) == 20
    assert len(written(company(()), "position")) == 20
    assert len(written(other, "mobile")) == 20
