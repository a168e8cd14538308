"""What was written, what is shown and what is wanted, three ways, under each authority."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.engine.companies import NOW, Company, desired, person, settings, unit
from wxsync.engine.decide import Decision
from wxsync.engine.drift_notes import noted, outdated
from wxsync.engine.rekey import rekeyed
from wxsync.model.change import Kind, Reason, Verb
from wxsync.model.drift import Drift
from wxsync.model.rekey import KeyPair
from wxsync.model.seen import Seen, ShownMember
from wxsync.model.unknown import UNKNOWN, Value

VALUES: dict[str, Value] = {"?": UNKNOWN, "0": None, "a": "甲", "b": "乙", "c": "丙"}
"""In the table: unknown (hidden, not mapped), empty, and three texts."""

WORDS = ("source", "wecom", "report")

CASES = """
      ?    0    a    b    c
? ?  ---  ---  WWW  WWW  WWW
? 0  ---  ---  WWW  WWW  WWW
? a  ---  WAR  ---  WAR  WAR
? b  ---  WAR  WAR  ---  WAR
0 ?  ---  ---  WWW  WWW  WWW
0 0  ---  ---  WWW  WWW  WWW
0 a  ---  HAR  ---  BAR  BAR
0 b  ---  HAR  BAR  ---  BAR
a ?  ---  WWW  ---  WWW  WWW
a 0  ---  ---  HAR  BAR  BAR
a a  ---  WWW  ---  WWW  WWW
a b  ---  BAR  HAR  ---  BAR
"""
"""A row for what was written and is shown, a column for what is wanted, a letter for each authority."""

STANDING = """
      0    a    b    c
? b  WWR  H-R  ---  WWR
0 b  HAR  HAR  ---  BAR
a b  BAR  HAR  ---  BAR
b b  WWR  H-R  ---  WWR
b ?  WWR  H-R  ---  WWR
b 0  ---  HAR  HAR  BAR
"""
"""The same where a hand's work is noted already, from when the source wanted a."""


class Shown(Company):
    """A company of one, whose position WeCom shows."""

    def __init__(self, wrote: Any, shown: Any, **link: Any) -> None:
        super().__init__()
        self.member("A", link, mobile="13800000001", position=wrote)
        self._position = shown

    def seen(self) -> Seen:
        seen = super().seen()
        [member] = seen.members
        return replace(seen, members=(replace(member, shown=ShownMember(position=self._position)),))


def decided(wrote: str, shown: str, wanted: str, word: str, **more: Any) -> Decision:
    sync = settings({"clear_when_empty": ["position"]}, authority={"position": word}, member=MAPPED)
    company = Shown(VALUES[wrote], VALUES[shown], **more.pop("link", {}))
    asked = desired([person("A", mobile="13800000001", position=VALUES[wanted])])
    return company.decide(asked, sync, company.remembered(**more))


MAPPED = {"key": "no", "userid": "no", "name": "name", "position": "title"}


def letter(decision: Decision) -> str:
    """What became of it: - nothing, W written, H put back, B both changed it, A accepted, R reported."""
    if not decision.plan.changes:
        return "-"
    [change] = decision.plan.changes
    if change.verb is Verb.KEEP:
        assert (change.reason, change.drift) == (Reason.FOREIGN, ("position",))
        return "A" if "known so" in str(change.why) else "R"
    if not change.drift:
        return "W"
    return "B" if "by the source too" in str(change.why) else "H"


def rows(table: str) -> list[tuple[str, str, str, str]]:
    """What was written, is shown and is wanted, with the letters of the authorities."""
    head, *lines = table.strip().splitlines()
    return [
        (wrote, shown, wanted, letters)
        for wrote, shown, *outcomes in map(str.split, lines)
        for wanted, letters in zip(head.split(), outcomes, strict=True)
    ]


@pytest.mark.parametrize(("wrote", "shown", "wanted", "letters"), rows(CASES))
def test_every_three_under_every_authority(wrote: str, shown: str, wanted: str, letters: str) -> None:
    """Of a field that the source may clear."""
    assert "".join(letter(decided(wrote, shown, wanted, word)) for word in WORDS) == letters


@pytest.mark.parametrize(("wrote", "shown", "wanted", "letters"), rows(STANDING))
def test_every_three_where_a_hand_is_noted(wrote: str, shown: str, wanted: str, letters: str) -> None:
    """Whether the source has changed since shows by what it wanted then."""
    drift = note(base=VALUES["a"])
    found = (decided(wrote, shown, wanted, word, drifts={drift.place: drift}) for word in WORDS)
    assert "".join(map(letter, found)) == letters


@pytest.mark.parametrize("shown", "0ab")
def test_without_clear_when_empty_an_empty_source_value_is_no_wish(shown: str) -> None:
    """Whatever a hand has put there, under every authority."""
    for word in WORDS:
        company = Shown(VALUES["a"], VALUES[shown])
        asked = desired([person("A", mobile="13800000001", position=None)])
        plan = company.decide(asked, settings(authority={"position": word}, member=MAPPED)).plan
        assert plan.changes == ()


@pytest.mark.parametrize(
    ("shown", "wanted", "letters"),
    [("a", "b", "WWW"), ("a", "c", "WWW"), ("b", "c", "WWW"), ("c", "a", "WAR")],
)
def test_what_a_lost_call_may_have_left_is_no_hands(shown: str, wanted: str, letters: str) -> None:
    """a was there, b was sent, nobody knows what came of it; c is somebody else's."""
    link = {"doubts": {"position": (VALUES["a"], VALUES["b"])}}
    assert "".join(letter(decided("?", shown, wanted, word, link=link)) for word in WORDS) == letters


def test_what_wecom_may_have_ignored_is_no_hands() -> None:
    """A number that was sent to somebody who has activated: the old one is shown, and nobody put it there."""
    for word in WORDS:
        sent = decided("b", "a", "b", word, link={"unproven": frozenset({"position"})})
        assert letter(sent) == "W"


# What is remembered of it


def note(**values: Any) -> Drift:
    return Drift(kind=Kind.MEMBER, key="A", field="position", **{"base": VALUES["a"], **values})


def later(hours: float) -> Any:
    return NOW - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("before", "wrote", "after"),
    [
        (None, "a", note(put_back_at=(NOW,), is_counted=True)),
        (note(put_back_at=(NOW,), is_counted=True), "b", None),  # the run before broke off: counted already
        (note(), "b", note(put_back_at=(NOW,), is_counted=True)),
        (
            note(put_back_at=(later(25), later(23)), is_counted=True),
            "a",
            note(put_back_at=(later(23), NOW), is_counted=True),
        ),
        (
            note(put_back_at=(later(3), later(2), later(1)), is_counted=True),
            "a",
            note(put_back_at=(later(3), later(2), later(1)), is_counted=False),
        ),
        (note(put_back_at=(later(3), later(2), later(1)), is_counted=False), "b", None),
        (
            note(put_back_at=(later(3), later(2), later(1)), is_counted=True),
            "b",
            None,
        ),
        (note(base=VALUES["c"], put_back_at=(later(1),)), "a", note(put_back_at=(NOW,), is_counted=True)),
    ],
)
def test_what_a_run_notes_of_a_field_that_is_put_back(
    before: Drift | None, wrote: str, after: Drift | None
) -> None:
    """Each of a hand's changes once, of the last 24 hours; nothing where nothing is new."""
    drifts = {} if before is None else {before.place: before}
    assert noted(decided(wrote, "b", "a", "source", drifts=drifts)) == ([] if after is None else [after])


@pytest.mark.parametrize(
    ("before", "wrote", "is_written"),
    [
        (note(put_back_at=(later(3), later(2)), is_counted=True), "a", True),
        (note(put_back_at=(later(3), later(2), later(1)), is_counted=True), "a", False),
        (note(put_back_at=(later(24), later(2), later(1)), is_counted=True), "a", True),
        (note(base=VALUES["c"], put_back_at=(later(3), later(2), later(1)), is_counted=True), "a", True),
        # The third time did not come about as yet: the hand has done nothing since.
        (note(put_back_at=(later(3), later(2), later(1)), is_counted=True), "b", True),
        (note(put_back_at=(later(3), later(2), later(1)), is_counted=True), "?", True),
    ],
)
def test_three_times_in_a_day_are_enough(before: Drift, wrote: str, is_written: bool) -> None:
    """Of the same wish of the source: the one before it does not count."""
    [change] = decided(wrote, "b", "a", "source", drifts={before.place: before}).plan.changes
    assert (change.verb is Verb.UPDATE) is is_written


def test_what_is_reported_keeps_what_the_source_wanted_then() -> None:
    """Should the field be WeCom's word one day, the source has changed since."""
    before = note(is_counted=True)
    assert noted(decided("b", "b", "c", "report", drifts={before.place: before})) == []
    assert letter(decided("b", "b", "c", "wecom", drifts={before.place: before})) == "W"


def test_a_run_for_one_person_notes_the_others_without_counting_them() -> None:
    """What WeCom shows of everybody is remembered by it; what is not written is not put back."""
    decision = decided("a", "b", "a", "source")
    assert noted(replace(decision, plan=replace(decision.plan, changes=()))) == [note()]


def test_notes_go_by_the_new_keys_after_a_rekey() -> None:
    """Of the person, and of the departments and people that a value names."""
    place = Drift(kind=Kind.MEMBER, key="A", field="departments", base=("D1", 1))
    leader = Drift(kind=Kind.MEMBER, key="B", field="direct_leader", base="A")
    above = Drift(kind=Kind.DEPARTMENT, key="D2", field="parent", base="D1")
    tag = Drift(kind=Kind.TAG, key="A", field="members.a", base=True)
    company = Company()
    company.department("D1")
    company.member("A")
    drifts = {each.place: each for each in (note(), place, leader, above, tag)}
    pairs = [KeyPair(kind=Kind.MEMBER, old="A", new="X"), KeyPair(kind=Kind.DEPARTMENT, old="D1", new="E1")]

    assert rekeyed(company.remembered(drifts=drifts), pairs).drifts == {
        note().place: replace(note(), key="X"),
        place.place: replace(place, key="X", base=("E1", 1)),
        leader.place: replace(leader, base="X"),
        above.place: replace(above, base="E1"),
    }


@pytest.mark.parametrize(
    ("drift", "shown", "wanted", "is_over"),
    [
        (note(), "a", "a", True),
        (note(put_back_at=(later(23),)), "a", "a", False),
        (note(put_back_at=(later(25),)), "a", "a", True),
        (note(), "b", "c", True),  # the source has changed
        (note(), "b", "?", False),
        (replace(note(), key="B"), "b", "a", True),
    ],
)
def test_what_is_struck(drift: Drift, shown: str, wanted: str, is_over: bool) -> None:
    """What agrees, a while after it was put back; whoever is gone; nothing on the ground of a doubt."""
    decision = decided("b", shown, wanted, "source", drifts={drift.place: drift})
    renewed = {each.place for each in decision.handwork}
    assert list(outdated(decision, renewed)) == [drift.place][:is_over]


# Beside other reasons


def test_a_hands_change_of_somebody_protected_is_not_put_back() -> None:
    """Protected is protected; it is told, and counted for nothing."""
    company = Shown(VALUES["a"], VALUES["b"])
    asked = desired([person("A", mobile="13800000001", position=VALUES["a"])])
    decision = company.decide(asked, settings({"protect": ["a"]}, member=MAPPED))
    [change] = decision.plan.changes
    assert (change.verb, change.reason, change.drift) == (Verb.KEEP, Reason.PROTECTED, ("position",))
    assert noted(decision) == [note()]


def test_a_number_that_wecom_has_the_authority_for_is_not_taken_from_its_holder() -> None:
    """Somebody else wants it: rejected, as of whoever keeps a number."""
    company = Company()
    company.member("A", mobile="13800000001", email="a@example.com")
    company.member("B", mobile="13800000002")
    people = [
        person("A", mobile=None, email="a@example.com"),
        person("B", mobile="13800000001"),
    ]
    mapped = {"key": "no", "userid": "no", "name": "name", "mobile": "mobile"}

    taken = company.decide(desired(people), settings(member=mapped)).plan
    kept = company.decide(desired(people), settings(member=mapped, authority={"mobile": "wecom"})).plan

    assert [change.key for change in taken.writes] == ["A", "B"]
    assert (kept.writes, [row.rule for row in kept.rejected]) == ((), ["taken"])


def test_a_department_whose_parent_nobody_wrote_down_is_moved_by_the_source() -> None:
    """A mirror of an earlier version knows no parents: where a department is then is not a hand's work."""
    company = Company()
    company.department("D1")
    company.department("D2")
    links = company.remembered()
    forgotten = {key: replace(link, parent_id=None) for key, link in links.departments.items()}
    asked = desired(departments=[unit("D1"), unit("D2", "D1")])
    sync = settings(authority={"department": {"parent": "wecom"}})

    [change] = company.decide(asked, sync, replace(links, departments=forgotten)).plan.changes

    assert (change.verb, change.drift) == (Verb.UPDATE, ())
