"""Who of ours has another key in the source by now, and who has merely somebody's old number."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.companies import NOW, Company, desired, person
from wxsync.engine.decide import Decision
from wxsync.model.change import Reason, Verb
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN

KNOWN: dict[str, Any] = {"name": "林梅", "mobile": "13800000001", "email": "lin@example.com"}


def company_with(**fields: Any) -> Company:
    """林梅 under the key OLD, and somebody else."""
    company = Company()
    company.member("OLD", **{**KNOWN, **fields})
    company.member("B", mobile="13800000009")
    return company


def decided(company: Company, **newcomer: Any) -> Decision:
    """OLD has no row any more, and NEW has one."""
    return company.decide(desired([person("B", mobile="13800000009"), person("NEW", **newcomer)]))


def counted(decision: Decision) -> int:
    return sum(each.count for each in decision.plan.limits if each.name == "changed_keys")


@pytest.mark.parametrize(
    ("known", "newcomer", "fields"),
    [
        ({}, {**KNOWN}, "name, mobile, email"),
        ({}, {"name": "林梅", "email": "lin@example.com"}, "name, email"),
        ({}, {"name": "林梅", "mobile": "13800000001", "email": "mei@example.com"}, "name, mobile"),
        (
            {},
            {"name": "林梅-何", "mobile": "13800000001", "email": "lin@example.com"},
            "mobile, email",
        ),
        ({"name": UNKNOWN}, {"name": "林梅", "mobile": "13800000001"}, "mobile"),
    ],
)
def test_the_same_person_under_another_key_has_not_left(
    known: dict[str, Any], newcomer: dict[str, Any], fields: str
) -> None:
    """Nobody is disabled and nobody created; the plan asks, and counts it as a changed key."""
    decision = decided(company_with(**known), **newcomer)
    assert decision.plan.writes == ()
    (kept,) = (change for change in decision.plan.changes if change.key == "OLD")
    assert (kept.verb, kept.reason) == (Verb.KEEP, Reason.REJECTED)
    assert str(kept.why) == (
        f"no longer in the source, but NEW is there with the same {fields}: has the person another key now?"
    )
    assert {(row.key, row.rule) for row in decision.plan.rejected} == {("NEW", "taken")}
    assert counted(decision) == 1
    assert decision.absent == decision.leavers == frozenset()


@pytest.mark.parametrize(
    ("known", "newcomer"),
    [
        ({}, {"name": "何洋", "mobile": "13800000001", "email": "he@example.com"}),
        ({}, {"name": "何洋", "email": "lin@example.com", "mobile": None}),
        ({}, {"name": "林梅", "mobile": "13800000002", "email": "mei@example.com"}),
        ({"name": UNKNOWN}, {"name": "林梅", "mobile": "13800000002"}),
    ],
)
def test_a_number_or_a_name_that_is_given_to_the_next_one_is_no_doubt(
    known: dict[str, Any], newcomer: dict[str, Any]
) -> None:
    """One leaves, one comes, in one run: a recycled number or address, or a namesake."""
    decision = decided(company_with(**known), **newcomer)
    assert {(change.key, change.verb) for change in decision.plan.writes} >= {
        ("OLD", Verb.DISABLE),
        ("NEW", Verb.CREATE),
    }
    assert decision.plan.rejected == ()
    assert counted(decision) == 0


def test_whom_their_own_row_calls_a_leaver_has_left() -> None:
    """Also where they are back under another number the same day: HR says both."""
    wanted = desired(
        [person("B", mobile="13800000009"), person("NEW", name="林梅", mobile="13800000001")],
        leavers={"OLD": say("the source calls this person inactive")},
    )
    decision = company_with().decide(wanted)
    assert ("OLD", Verb.DISABLE) in {(change.key, change.verb) for change in decision.plan.writes}
    assert counted(decision) == 0


def test_whoever_left_before_may_come_back_under_another_key() -> None:
    """A run has taken the old key for a leaver: the new one takes over what it needs."""
    company = company_with(enable=False)
    company.links["OLD"] = {"left_at": NOW, "disabled_at": NOW}
    decision = decided(company, name="林梅", mobile="13800000001", email="mei@example.com")
    assert {(change.key, change.verb) for change in decision.plan.writes} == {
        ("OLD", Verb.UPDATE),
        ("NEW", Verb.CREATE),
    }


def test_somebody_who_is_there_under_a_key_is_no_newcomer() -> None:
    """B takes over number and name of one who leaves: two people, as before."""
    company = company_with()
    decision = company.decide(desired([person("B", name="林梅", mobile="13800000001")]))
    assert ("OLD", Verb.DISABLE) in {(change.key, change.verb) for change in decision.plan.writes}
    assert counted(decision) == 0


def test_the_userid_alone_says_that_it_is_the_same_person() -> None:
    """Case aside, whatever else is another; also of one whom the old key's row calls a leaver."""
    newcomer = person("NEW", userid="Old", name="何洋", mobile="13800000005")
    others = [person("B", mobile="13800000009"), newcomer]
    for leavers in ({}, {"OLD": say("the source calls this person inactive")}):
        decision = company_with().decide(desired(others, leavers=leavers))
        (kept,) = (change for change in decision.plan.changes if change.key == "OLD")
        assert str(kept.why) == "its userid is wanted by NEW: has the person another key now?"
        assert (decision.plan.writes, counted(decision)) == ((), 1)


def test_who_is_wanted_still_is_asked_about_nothing() -> None:
    """The old key has its row: the newcomer wants what somebody keeps."""
    company = company_with()
    wanted = desired([person("B", mobile="13800000009"), person("OLD", **KNOWN), person("NEW", **KNOWN)])
    assert counted(company.decide(wanted)) == 0


def test_nobody_is_led_by_a_newcomer_who_is_not_created() -> None:
    """Who had the old key for a leader keeps that one until it is settled, and loses nothing else."""
    company = company_with()
    company.member("C", mobile="13800000008", direct_leader="OLD", position="工程师")
    company.member("D", mobile="13800000007", direct_leader="OLD")
    wanted = [
        person("B", mobile="13800000009"),
        person("C", mobile="13800000008", direct_leader="NEW", position="经理"),
        person("D", mobile="13800000007", direct_leader="NEW"),
        person("NEW", **KNOWN),
    ]
    decision = company.decide(desired(wanted))
    assert {change.key: sorted(change.fields) for change in decision.plan.writes} == {"C": ["position"]}
    waiting = {
        change.key: str(change.why) for change in decision.plan.changes if "direct_leader" in change.fields
    }
    assert waiting == dict.fromkeys(("C", "D"), "its direct leader NEW is not in WeCom yet")
