"""Whatever WeCom and the source have of people in common: nobody becomes somebody else unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.journeys.existing import WAYS, Snapshot, Way, policy, snapshot
from tests.journeys.stage import described
from tests.journeys.story import Story, email, mobile
from wxsync.model.change import Kind, Verb
from wxsync.model.plan import Plan

FEW = st.integers(1, 4)
PERHAPS = st.integers(0, 3).map(lambda number: number or None)
MOSTLY = st.integers(0, 4).map(bool)


@dataclass(frozen=True)
class Known:
    """What one side knows of somebody; few of everything, so that much agrees and much is in the way."""

    userid: int
    is_capital: bool
    name: int
    mobile: int | None
    email: int | None
    is_activated: bool
    is_there: bool
    """On the source's side, whether they are still at work when everybody has been adopted."""

    @property
    def spelled(self) -> str:
        return f"U{self.userid}" if self.is_capital else f"u{self.userid}"


PERSON = st.builds(
    Known,
    userid=FEW,
    is_capital=st.booleans(),
    name=FEW,
    mobile=PERHAPS,
    email=PERHAPS,
    is_activated=st.booleans(),
    is_there=MOSTLY,
)


def somebody(userid: int, mobile: int, email: int) -> Known:
    return Known(userid, False, userid, mobile, email, False, True)


def distinct(people: list[Known]) -> Iterator[Known]:
    """Those whom WeCom can have beside one another."""
    taken: set[tuple[str, int | None]] = {("mobile", None), ("email", None)}
    for each in people:
        has = {("userid", each.userid), ("mobile", each.mobile), ("email", each.email)}
        if not has & (taken - {("mobile", None), ("email", None)}):
            taken |= has
            yield each


@settings(max_examples=20)
@example(  # one has the member's number, another the address: neither is the member
    way=WAYS[-1],
    there=[somebody(1, 1, 1)],
    wanted=[somebody(2, 1, 2), somebody(3, 2, 1)],
    then=[somebody(2, 1, 2), somebody(3, 2, 1)],
    weak_too=(True, True, True),
)
@given(
    way=st.sampled_from(WAYS),
    there=st.lists(PERSON, min_size=1, max_size=6),
    wanted=st.lists(PERSON, min_size=1, max_size=6),
    then=st.lists(PERSON, min_size=1, max_size=6),
    weak_too=st.tuples(MOSTLY, MOSTLY, MOSTLY),
)
def test_whatever_the_mixture_nobody_is_mistaken(
    tmp_path_factory: pytest.TempPathFactory,
    way: Way,
    there: list[Known],
    wanted: list[Known],
    then: list[Known],
    weak_too: tuple[bool, bool, bool],
) -> None:
    """No userid, phone number or address passes to another member unless the plan showed that very change."""
    story = _story(tmp_path_factory.mktemp("mixture"), way)
    for each in distinct(there):
        story.wecom.add_member(
            each.spelled,
            f"员工{each.name}",
            mobile=mobile(each.mobile) if each.mobile else "",
            email=email(each.email) if each.email else "",
            is_activated=each.is_activated,
        )
    ours: set[str] = set()
    for people, is_weak in zip((wanted, wanted, then), weak_too, strict=True):
        _hire(story, people)
        before = snapshot(story.wecom)
        plan = story.stage.plan(weak_too=is_weak).plan
        story.stage.apply(approved=plan.digest)
        _check(plan, before, snapshot(story.wecom), ours)
    assert story.wecom.invitations == []


def _story(folder: Path, way: Way) -> Story:
    return way.story(
        folder,
        policy=policy(),
        member={"userid": "alias", "alias": "''"},
        limits={"source_shrink": 100},
    )


def _hire(story: Story, people: list[Known]) -> None:
    story.hr.employees.clear()
    for number, each in enumerate(people, 1):
        story.person(
            f"E{number}",
            alias=each.spelled,
            full_name=f"员工{each.name}",
            mobile=mobile(each.mobile) if each.mobile else None,
            email=email(each.email) if each.email else None,
            status="active" if each.is_there else "left",
        )
    story.save()


def _check(plan: Plan, before: Snapshot, after: Snapshot, ours: set[str]) -> None:
    """`ours` are the folded userids that an earlier plan adopted or created."""
    told = described(plan.changes)
    shown: dict[str, dict[str, set[object]]] = {}
    created: set[str] = set()
    for change in plan.writes:
        if change.kind is Kind.MEMBER:
            folded = str(change.id).lower()
            fields = shown.setdefault(folded, {})
            for name, values in change.fields.items():
                fields.setdefault(name, set()).add(values.after or "")
            if change.verb is Verb.CREATE:
                created.add(folded)
            if change.verb is not Verb.ADOPT and change.verb is not Verb.CREATE:
                assert folded in ours, told
    assert before.keys() <= after.keys(), told
    assert after.keys() - before.keys() <= created, told
    assert not created & before.keys(), told
    for folded, record in before.items():
        assert after[folded]["userid"] == record["userid"], told
        for name in ("mobile", "email", "name"):
            if (value := after[folded][name]) != record[name]:
                assert value in shown.get(folded, {}).get(name, ()), (folded, name, told)
        if folded not in ours:
            assert after[folded] == record, (folded, told)
    adopted = [
        str(change.id).lower()
        for change in plan.writes
        if change.kind is Kind.MEMBER and change.verb is Verb.ADOPT
    ]
    assert len(set(adopted)) == len(adopted), told
    assert ours.isdisjoint(adopted), told
    ours |= (after.keys() - before.keys()) | set(adopted)
