"""What two syncs of one corp claim is neither's."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

from wxsync.engine.claims import claims_of, without_claimed
from wxsync.model.claim import Claim
from wxsync.model.desired import Desired
from wxsync.model.member import Member
from wxsync.model.tag import Tag
from wxsync.model.unknown import UNKNOWN

LIN = Member(key="E1", userid="Lin", name="林", mobile="13800000001", email="lin@example.com")
WU = Member(key="E2", userid="wu", name="吴", mobile="13800000002", email=None, direct_leader="E1")
HE = Member(key="E3", userid="he", name="何", direct_leader="E2")


def claim(field: str, value: str) -> Claim:
    return Claim(field, sha256(value.encode()).hexdigest())


def wanted(**more) -> Desired:
    tags = {"干部": Tag(name="干部", members=frozenset({"E1", "E2"}))}
    return Desired(departments={}, members={each.key: each for each in (LIN, WU, HE)}, tags=tags, **more)


def test_userids_numbers_and_addresses_are_claimed():
    """The userid in the form in which WeCom compares it; what is empty or not mapped claims nothing."""
    assert claims_of(wanted()) == {
        claim("userid", "lin"),
        claim("mobile", "13800000001"),
        claim("email", "lin@example.com"),
        claim("userid", "wu"),
        claim("mobile", "13800000002"),
        claim("userid", "he"),
    }


def test_what_nobody_else_claims_is_as_it_was():
    """Another sync's other people change nothing, nor does the same value of another field."""
    desired = wanted()
    others = {claim("mobile", "13800000003"): "branch", claim("email", "13800000001"): "branch"}
    assert without_claimed(desired, others, sync="head") is desired
    assert without_claimed(desired, {}, sync="head") is desired


def test_whoever_is_claimed_twice_is_rejected_by_each_field():
    """The problem names the field and both syncs, and not the value."""
    others = {claim("mobile", "13800000001"): "branch", claim("userid", "lin"): "branch, lab"}
    judged = without_claimed(wanted(starts={"E1": date(2026, 1, 1)}), others, sync="head")
    assert judged.members.keys() == {"E2", "E3"}
    assert judged.rejected_members == {"E1"}
    assert judged.starts == {}
    assert [(row.key, row.field, row.rule, str(row.problem)) for row in judged.rejected] == [
        ("E1", "userid", "claimed_twice", "two syncs of the corp claim its userid: head and branch, lab"),
        ("E1", "mobile", "claimed_twice", "two syncs of the corp claim its mobile: head and branch"),
    ]


def test_tags_and_direct_leaders_of_the_rejected_stay_as_they_are():
    """Nobody is taken out of a tag, and of those whom they lead no other leader is sent."""
    judged = without_claimed(wanted(), {claim("userid", "lin"): "branch"}, sync="head")
    assert judged.tags["干部"].members == {"E2"}
    assert judged.undecided_places == {("干部", "E1")}
    assert judged.members["E2"].direct_leader is UNKNOWN
    assert judged.members["E3"].direct_leader == "E2"
