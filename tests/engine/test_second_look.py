"""What a second look may conclude, and who is looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.engine.companies import Company, desired, person, reading, settings, unit
from wxsync.engine.decide import Decision
from wxsync.engine.second_look import doubted_keys, emptied_keys, judged
from wxsync.model.change import Change, Reason, Verb
from wxsync.model.desired import Desired
from wxsync.model.message import say

TWO = (reading("departments"), reading("members", rows=9), reading("tags"))


def company_of(*keys: str) -> Company:
    company = Company()
    for number, key in enumerate(keys):
        company.member(key, mobile=f"1380000000{number}")
    return company


def verdicts(decision: Decision) -> dict[str | None, tuple[Verb, Reason | None, str]]:
    return {change.key: _verdict(change) for change in decision.plan.changes}


def _verdict(change: Change) -> tuple[Verb, Reason | None, str]:
    return change.verb, change.reason, str(change.why)


def test_those_are_looked_for_who_are_removed_for_being_absent() -> None:
    """Not those whom the source itself calls inactive, whom nobody removes, or who merely change."""
    company = company_of("A", "B", "C", "D")
    wanted = desired(
        [person("C", mobile="13800000002", position="新"), person("E", mobile="13800000009")],
        leavers={"B": say("the source calls this person inactive")},
    )
    assert doubted_keys(company.decide(wanted, settings({"protect": ["d"]}))) == {"A"}
    assert doubted_keys(company.decide(wanted, settings({"leavers": "delete"}))) == {"A", "D"}
    assert doubted_keys(company.decide(wanted, settings({"leavers": "keep"}))) == frozenset()
    torn = replace(wanted, readings=(reading("members", is_complete=False),))
    assert doubted_keys(company.decide(torn)) == frozenset()


def test_a_member_who_is_disabled_by_the_mapping_is_no_absent_one() -> None:
    """`enable = false` is what their row says."""
    company = company_of("A")
    decision = company.decide(desired([person("A", mobile="13800000000", enable=False)]))
    assert [change.verb for change in decision.plan.writes] == [Verb.DISABLE]
    assert doubted_keys(decision) == frozenset()


def test_those_are_looked_for_in_a_later_source_who_lose_something_and_are_not_in_it() -> None:
    """A cleared field, a place, a tag, the right to log in; not what is merely written otherwise."""
    company = Company()
    company.department("D1")
    more: dict[str, dict[str, Any]] = {
        "A": {"position": "经理"},
        "B": {"departments": ("D1",)},
        "F": {"position": "经理"},
    }
    for number, key in enumerate("ABCDEFG"):
        company.member(key, mobile=f"1380000000{number}", **more.get(key, {}))
    company.tag("标签", "D", "E")
    wanted = desired(
        [
            person("A", mobile="13800000000", position=None),
            person("B", mobile="13800000001"),
            person("C", mobile="13800000002", enable=False),
            person("D", mobile="13800000003"),
            person("E", mobile="13800000004", position="新"),
            person("F", mobile="13800000005", position="员工"),
            person("G", mobile="13800000006"),
        ],
        [unit("D1")],
        tags={"标签": ["E"]},
        lacking={"ad": frozenset("ABCDEFG"), "vpn": frozenset("AX")},
    )
    decision = company.decide(wanted, settings({"clear_when_empty": ["position"]}))
    assert emptied_keys(decision, "ad") == {"A", "B", "C", "D"}
    assert emptied_keys(decision, "vpn") == {"A"}
    assert emptied_keys(decision, "hr") == frozenset()


def test_where_all_are_absent_the_reading_stays_as_it_is() -> None:
    """Nothing speaks against it."""
    wanted = desired([person("A")])
    assert judged(wanted, "hr", frozenset()) is wanted


def test_whoever_is_found_again_is_kept_and_nobody_else_is_removed() -> None:
    """One proof of a reading that was not whole is proof enough: all removals are held back."""
    company = company_of("A", "B", "C")
    wanted = desired([person("C", mobile="13800000002", position="新")], readings=TWO)
    known = judged(wanted, "hr", frozenset({"A"}))
    assert [(each.query, each.is_complete, each.rows) for each in known.readings] == [
        ("departments", True, 1),
        ("members", False, 9),
        ("tags", True, 1),
    ]
    assert verdicts(company.decide(known)) == {
        "A": (
            Verb.KEEP,
            Reason.INCOMPLETE,
            "a second look found it in the source: the reading was not whole",
        ),
        "B": (
            Verb.KEEP,
            Reason.INCOMPLETE,
            "a reading of the source is not proven complete: nothing is removed",
        ),
        "C": (Verb.UPDATE, None, "position differs from the source"),
    }


def test_only_the_readings_of_the_authority_are_in_doubt() -> None:
    """A later source says nothing of who exists."""
    both = (reading("members"), replace(reading("members"), source="ad"))
    known = judged(desired(readings=both), "hr", frozenset({"A"}))
    assert [(each.source, each.is_complete) for each in known.readings] == [("hr", False), ("ad", True)]


def test_where_nobody_can_tell_everybody_stays() -> None:
    """A second look that proves nothing is no ground to remove anybody."""
    company = company_of("A")
    known = judged(desired(), "hr", None)
    assert not known.is_complete
    assert [change.reason for change in company.decide(known).plan.changes] == [Reason.INCOMPLETE]
    assert problem_of(known) == "whether those whom it lacks are gone could not be told by a second look"


def test_the_problem_names_a_few_of_them() -> None:
    """Enough to look for, and how many more."""
    found = frozenset(f"E{number}" for number in range(1, 6))
    text = problem_of(judged(desired(), "hr", found))
    assert text == "it lacked people whom a second look found: E1, E2, E3 (+2)"
    text = problem_of(judged(desired(), "hr", frozenset({"E1"})))
    assert text == "it lacked people whom a second look found: E1"


def problem_of(known: Desired) -> str:
    (problem,) = [each.problem for each in known.readings if not each.is_complete]
    return str(problem)
