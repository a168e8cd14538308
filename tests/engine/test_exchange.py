"""Phone numbers and addresses that change hands, carried out step by step under WeCom's rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.companies import Company, desired, person, reading
from tests.engine.companies import settings as sync_settings
from wxsync.engine.decide import Decision
from wxsync.model.change import Kind, Reason, Verb

FIELDS = ("mobile", "email")
Contacts = dict[str, dict[str, Any]]


def contacts_of(company: Company) -> Contacts:
    return {
        key: {field: getattr(member, field) for field in FIELDS} for key, member in company.members.items()
    }


def carry_out(company: Company, decision: Decision) -> Contacts:
    """Do every part of every unit, in order, holding WeCom's rules: unique, and one of two is there."""
    state = contacts_of(company)
    done: set[int] = set()
    for number, unit in enumerate(decision.schedule.units):
        assert (unit.needs | unit.after) <= done
        for part in unit.parts:
            change = decision.plan.changes[part.n - 1]
            if change.kind is not Kind.MEMBER:
                continue
            key = str(change.key)
            if change.verb is Verb.DELETE:
                del state[key]
                continue
            contacts = dict(state.get(key, dict.fromkeys(FIELDS)))
            for field, values in change.fields.items():
                if field in FIELDS and (part.fields is None or field in part.fields):
                    if values.after is not None:
                        holders = [other for other, held in state.items() if held[field] == values.after]
                        assert holders in ([], [key]), f"{key} takes {field} from {holders}"
                    contacts[field] = values.after
            assert any(isinstance(value, str) for value in contacts.values()), f"{key} has no contact left"
            state[key] = contacts
        done.add(number)
    return state


def test_two_swap_phone_numbers() -> None:
    """One of them is cleared in a step of its own, which is marked temporary and not counted."""
    company = Company()
    company.member("A", mobile="13800000001", email="a@example.com")
    company.member("B", mobile="13800000002", email="b@example.com")
    wanted = [
        person("A", mobile="13800000002", email="a@example.com"),
        person("B", mobile="13800000001", email="b@example.com"),
    ]

    decision = company.decide(desired(wanted))

    state = carry_out(company, decision)
    assert (state["A"]["mobile"], state["B"]["mobile"]) == ("13800000002", "13800000001")
    assert [change.is_temporary for change in decision.plan.writes] == [True, False, False]
    assert decision.plan.summary[Kind.MEMBER][Verb.UPDATE] == 2


def test_nobody_in_the_circle_can_be_cleared() -> None:
    """Without another contact nobody may be cleared: all are rejected by name, nothing is written."""
    company = Company()
    company.member("A", mobile="13800000001", email=None)
    company.member("B", mobile="13800000002", email=None)

    decision = company.decide(desired([person("A", mobile="13800000002"), person("B", mobile="13800000001")]))

    assert decision.plan.writes == ()
    assert {(row.key, row.field, row.rule) for row in decision.plan.rejected} == {
        ("A", "mobile", "cycle"),
        ("B", "mobile", "cycle"),
    }
    assert {change.reason for change in decision.plan.changes} == {Reason.REJECTED}


def test_a_joiner_takes_a_leavers_number() -> None:
    """The leaver is disabled and cleared in one call before the joiner is created."""
    company = Company()
    company.member("OLD", mobile="13800000001", email="old@example.com")

    decision = company.decide(desired([person("NEW", mobile="13800000001")]))

    assert carry_out(company, decision)["NEW"]["mobile"] == "13800000001"
    assert [change.verb for change in decision.plan.writes] == [Verb.DISABLE, Verb.CREATE]


@pytest.mark.parametrize("leavers", ["keep", "disable"])
def test_a_leaver_without_another_contact_keeps_the_number(leavers: str) -> None:
    """What cannot be cleared is not taken: the joiner is rejected and waits."""
    company = Company()
    company.member("OLD", mobile="13800000001", email=None)

    decision = company.decide(desired([person("NEW", mobile="13800000001")]), sync_with(leavers=leavers))

    assert [(row.key, row.rule) for row in decision.plan.rejected] == [("NEW", "taken")]
    assert carry_out(company, decision)["OLD"]["mobile"] == "13800000001"


def test_a_deleted_leaver_gives_everything_up() -> None:
    """Where the policy deletes, the leaver is deleted before the number is taken."""
    company = Company()
    company.member("OLD", mobile="13800000001", email=None)

    decision = company.decide(desired([person("NEW", mobile="13800000001")]), sync_with(leavers="delete"))

    assert [change.verb for change in decision.plan.writes] == [Verb.DELETE, Verb.CREATE]
    assert carry_out(company, decision) == {"NEW": {"mobile": "13800000001", "email": None}}


def test_a_number_of_a_rejected_person_stays_theirs() -> None:
    """A rejected row keeps what WeCom holds of it, so nobody else gets it."""
    company = Company()
    company.member("BAD", mobile="13800000001", email="bad@example.com")

    decision = company.decide(
        desired([person("NEW", mobile="13800000001")], rejected_members=frozenset({"BAD"}))
    )

    assert decision.plan.writes == ()
    assert [(row.key, row.rule) for row in decision.plan.rejected] == [("NEW", "taken")]


def test_on_an_unproven_reading_nobody_is_cleared() -> None:
    """Taking a leaver's number away is a removal: the joiner is held back with the reason."""
    company = Company()
    company.member("OLD", mobile="13800000001", email="old@example.com")
    doubtful = desired([person("NEW", mobile="13800000001")], readings=(reading_incomplete(),))

    decision = company.decide(doubtful)

    assert decision.plan.writes == ()
    assert {(change.key, change.reason) for change in decision.plan.changes} == {
        ("OLD", Reason.INCOMPLETE),
        ("NEW", Reason.INCOMPLETE),
    }


def sync_with(**policy: Any) -> Any:

    return sync_settings(policy)


def reading_incomplete() -> Any:

    return reading("members", is_complete=False)


MOBILES = [f"1380000000{number}" for number in range(6)]
MAILS = [f"m{number}@example.com" for number in range(6)]


@st.composite
def populations(draw: st.DrawFn, keys: str) -> dict[str, dict[str, Any]]:
    """Some of `keys`, each with a phone number, an address or both; no value twice."""
    chosen = draw(st.lists(st.sampled_from(keys), unique=True))
    mobiles, mails = draw(st.permutations(MOBILES)), draw(st.permutations(MAILS))
    people: dict[str, dict[str, Any]] = {}
    for key, mobile, mail in zip(chosen, mobiles, mails, strict=False):
        has = draw(st.sampled_from(["both", "both", "mobile", "email"]))
        people[key] = {
            "mobile": None if has == "email" else mobile,
            "email": None if has == "mobile" else mail,
        }
    return people


@settings(max_examples=600, deadline=None)
@given(
    before=populations("ABCDEF"),
    after=populations("ABCDEFGH"),
    leavers=st.sampled_from(["disable", "delete", "keep"]),
)
def test_whatever_changes_hands_every_step_is_legal(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], leavers: str
) -> None:
    """No step takes what somebody holds or leaves anybody without a contact; who is not rejected has
    in the end what the source wants."""
    company = Company()
    for key, contacts in before.items():
        company.member(key, **contacts)

    decision = company.decide(
        desired([person(key, **contacts) for key, contacts in after.items()]), sync_with(leavers=leavers)
    )

    state = carry_out(company, decision)
    rejected = {row.key for row in decision.plan.rejected}
    for key, contacts in after.items():
        if key in rejected:
            assert state.get(key) == before.get(key)
            continue
        for field, value in contacts.items():
            if value is not None:
                assert state[key][field] == value
