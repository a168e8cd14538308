"""What nobody knows is written in as many runs as the limits ask for, and is no reason to refuse one."""

from __future__ import annotations

from typing import Any

from tests.engine.companies import Company, desired, person, settings
from wxsync.engine.decide import Decision
from wxsync.model.change import Change, Reason, Verb
from wxsync.model.unknown import UNKNOWN


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
