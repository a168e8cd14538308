"""Nobody leaves by being absent before enough complete readings in a row have lacked them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.companies import NOW, Company, desired, person, reading, settings
from wxsync.engine.decide import Decision, decide
from wxsync.engine.leaving import MOST_MISSED, next_missed
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.desired import Desired
from wxsync.model.message import say

TORN = (reading("members", is_complete=False),)


def decided(company: Company, wanted: Desired, confirm_reads: int, **missed: int) -> Decision:
    return decide(
        sync="acme",
        corp_id="ww5a6d626f78000001",
        settings=settings(),
        desired=wanted,
        seen=company.seen(),
        remembered=company.remembered(missed_reads=missed),
        now=NOW,
        confirm_reads=confirm_reads,
    )


def company_of(*keys: str, **link: Any) -> Company:
    company = Company()
    for number, key in enumerate(keys):
        company.member(key, link, mobile=f"1380000000{number}", email=f"{key}x@example.com".lower())
    return company


@pytest.mark.parametrize(
    ("missed", "confirm_reads", "verb"),
    [
        (0, 1, Verb.DISABLE),
        (0, 2, Verb.KEEP),
        (1, 2, Verb.DISABLE),
        (1, 3, Verb.KEEP),
        (2, 3, Verb.DISABLE),
        (MOST_MISSED, 2, Verb.DISABLE),
    ],
)
def test_the_reading_at_hand_counts(missed: int, confirm_reads: int, verb: Verb) -> None:
    """Missing from this one and from so many before it."""
    decision = decided(company_of("A"), desired(), confirm_reads, A=missed)
    assert [change.verb for change in decision.plan.changes] == [verb]
    assert decision.leavers == (frozenset("A") if verb is Verb.DISABLE else frozenset())


def test_who_waits_is_told_with_the_numbers() -> None:
    """It is no fault of any reading: the reason is that it waits."""
    (change,) = decided(company_of("A"), desired(), 3, A=1).plan.changes
    assert change.reason is Reason.WAITING
    assert str(change.why) == "no longer in the source: 2 complete readings without it, 3 are wanted"


def test_whom_the_source_calls_inactive_leaves_at_once() -> None:
    """A row says so, and a row that is there is not missing."""
    decision = decided(company_of("A"), desired(leavers={"A": say("inactive")}), 9)
    assert [change.verb for change in decision.plan.changes] == [Verb.DISABLE]


def test_who_waits_loses_neither_tags_nor_numbers() -> None:
    """A removal in the wide sense waits as well."""
    company = company_of("A", "B")
    company.tag("骨干", ["A", "B"])
    wanted = desired([person("B", mobile="13800000000")], tags={"骨干": ["B"]})
    waiting = decided(company, wanted, 2).plan
    assert [change for change in waiting.changes if change.kind is Kind.TAG] == []
    assert [(row.key, row.rule) for row in waiting.rejected] == [("B", "taken")]
    confirmed = decided(company, wanted, 2, A=1).plan
    assert confirmed.rejected == ()
    assert [change.verb for change in confirmed.changes if change.kind is Kind.TAG] == [Verb.UPDATE]


class TestCounting:
    """How many complete readings in a row have lacked whom."""

    def test_a_complete_reading_counts_one_more(self) -> None:
        """For everybody of ours whom it lacks; all others begin anew."""
        assert next_missed({"A": 1, "B": 3, "C": 1}, desired([person("B")]), frozenset("AD")) == {
            "A": 2,
            "D": 1,
        }

    def test_an_incomplete_reading_counts_nothing(self) -> None:
        """Whom it shows is there; of the others it says nothing."""
        wanted = desired([person("B")], readings=TORN)
        assert next_missed({"A": 1, "B": 3}, wanted, frozenset("AD")) == {"A": 1}

    def test_a_row_of_any_kind_is_a_row(self) -> None:
        """Inactive or rejected people are there."""
        wanted = desired(leavers={"A": say("inactive")}, rejected_members=frozenset("B"))
        assert next_missed({"A": 1, "B": 1}, wanted, frozenset("A")) == {}
        torn = desired(leavers={"A": say("x")}, rejected_members=frozenset("B"), readings=TORN)
        assert next_missed({"A": 1, "B": 1, "C": 1}, torn, frozenset()) == {"C": 1}

    def test_it_is_counted_no_further_than_matters(self) -> None:
        """Else every run would write down anew those who are long gone."""
        count: dict[str, int] = {}
        for _ in range(30):
            count = next_missed(count, desired(), frozenset("A"))
        assert count == {"A": MOST_MISSED}
