"""The gate: a reading is complete only where nothing that was observed speaks against it."""

from __future__ import annotations

from typing import Any

import pytest

from wxsync.model.message import say
from wxsync.sources.proof import Evidence, prove, with_canaries

WHOLE: dict[str, Any] = {
    "rows": 7,
    "has_ended": True,
    "counted": 7,
    "is_watched": True,
    "before": "dn:cn=reader",
    "after": "dn:cn=reader",
}


def problem_of(**observed: Any) -> str | None:
    proof = prove("ad", "members", Evidence(**{**WHOLE, **observed}))
    assert (proof.source, proof.query) == ("ad", "members")
    assert proof.is_complete is (proof.problem is None)
    return None if proof.problem is None else str(proof.problem)


def test_a_reading_with_nothing_against_it_is_complete() -> None:
    """As many rows as the second look counts, one identity, an end that the source itself told."""
    proof = prove("ad", "members", Evidence(**WHOLE))
    assert (proof.rows, proof.is_complete, proof.problem) == (7, True, None)


@pytest.mark.parametrize(
    ("observed", "problem"),
    [
        ({"has_ended": False}, "it was not read to its end"),
        ({"broken": say("page 3 failed")}, "page 3 failed"),
        ({"broken": say("page 3 failed"), "has_ended": False}, "page 3 failed"),
        ({"before": None}, "the server does not say as whom it lets wxsync read"),
        ({"after": None}, "the server does not say as whom it lets wxsync read"),
        ({"before": None, "after": None}, "the server does not say as whom it lets wxsync read"),
        ({"after": ""}, "the server let wxsync read as somebody else at the end than at the beginning"),
        ({"counted": None}, "it was not counted a second time"),
        ({"uncounted": say("it could not be counted")}, "it could not be counted"),
        ({"counted": None, "uncounted": say("it could not be counted")}, "it could not be counted"),
        ({"counted": 8}, "it gave 7 rows, and 8 when it was counted once more"),
        ({"counted": 6}, "it gave 7 rows, and 6 when it was counted once more"),
        ({"strays": 1}, "two looks at it were not the same: 1 entries were in one alone"),
        ({"strays": 3, "counted": 8}, "it gave 7 rows, and 8 when it was counted once more"),
        ({"created": 1}, "two looks at it were not the same: 0 entries were in one alone"),
        (
            {"referrals": ("dc2", "dc3")},
            "a part of it is on dc2, dc3, which was not read and is not declared in referrals",
        ),
    ],
)
def test_each_thing_that_speaks_against_it_is_told(observed: dict[str, Any], problem: str) -> None:
    """One is enough, and the problem says which."""
    assert problem_of(**observed) == problem


def test_whom_somebody_created_meanwhile_is_no_gap() -> None:
    """The second look may have more, as far as those were created after the reading began."""
    assert problem_of(counted=9, created=2) is None
    assert problem_of(counted=9, created=1) == "it gave 7 rows, and 9 when it was counted once more"


def test_a_source_without_identity_needs_none() -> None:
    """Who reads a file or a database does not change on the way."""
    assert problem_of(is_watched=False, before=None, after=None) is None
    assert problem_of(is_watched=False, before="a", after="b") is None


def test_whatever_is_left_out_speaks_against_it() -> None:
    """A source that shows less than the gate asks for is not complete."""
    assert prove("hr", "members", Evidence(rows=7, has_ended=True, counted=7)).is_complete
    assert not prove("hr", "members", Evidence(rows=7, has_ended=True)).is_complete
    assert not prove("hr", "members", Evidence(rows=0, has_ended=True)).is_complete
    assert not prove(
        "hr", "members", Evidence(rows=7, has_ended=True, counted=7, is_watched=True)
    ).is_complete


def test_a_canary_that_is_not_in_it_makes_it_incomplete() -> None:
    """All who are missing are named; the rows stay as they were counted."""
    whole = prove("ad", "members", Evidence(**WHOLE))
    assert with_canaries(whole, ("E1", "E2"), {"E1", "E2", "E3"}) == whole
    assert with_canaries(whole, (), ()) == whole
    torn = with_canaries(whole, ("E1", "E8", "E9"), {"E1"})
    assert (torn.rows, torn.is_complete, str(torn.problem)) == (7, False, "E8, E9 of canaries was not in it")


def test_the_first_problem_stays_the_problem() -> None:
    """A missing canary is no news of a reading that broke off."""
    broken = prove("ad", "members", Evidence(rows=3, has_ended=False))
    assert with_canaries(broken, ("E9",), ()) == broken
