"""Who is who after the source has given out new keys, and what is then remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.companies import Company, desired, person, unit
from wxsync.engine.actual import Actual, recall
from wxsync.engine.rekey import check_pairs, left_over, paired_by_place, paired_by_userid, rekeyed
from wxsync.errors import GuardError
from wxsync.model.change import Kind
from wxsync.model.desired import Desired
from wxsync.model.member import Member
from wxsync.model.message import say
from wxsync.model.rekey import KeyPair
from wxsync.model.remembered import LinkState, Remembered, RememberedMember
from wxsync.model.unknown import UNKNOWN


def member(old: str, new: str) -> KeyPair:
    return KeyPair(kind=Kind.MEMBER, old=old, new=new)


def department(old: str, new: str) -> KeyPair:
    return KeyPair(kind=Kind.DEPARTMENT, old=old, new=new)


def known(company: Company) -> tuple[Actual, Remembered]:
    remembered = company.remembered()
    return recall(company.seen(), remembered, 1), remembered


def renamed(key: str, userid: str, **fields: Any) -> Member:
    return person(key, userid=userid, **fields)


def company_of(*keys: str) -> Company:
    company = Company()
    for key in keys:
        company.member(key)
    return company


class TestByUserid:
    """The userid is the same, case aside, and the key is another one."""

    def test_only_those_with_another_key_are_paired(self) -> None:
        """Who kept the key, who is new and who is gone are not."""
        remembered = company_of("A", "B", "C").remembered()
        wanted = desired([person("A"), renamed("9", "B"), renamed("8", "new")])
        assert paired_by_userid(wanted, remembered) == (member("B", "9"),)

    def test_keys_may_change_places(self) -> None:
        """Each userid says whose the key is now."""
        remembered = company_of("A", "B").remembered()
        wanted = desired([renamed("A", "b"), renamed("B", "a")])
        pairs = paired_by_userid(wanted, remembered)
        assert pairs == (member("B", "A"), member("A", "B"))
        assert check_pairs(pairs, wanted, remembered) == pairs

    def test_somebody_who_is_gone_is_nobodys_other_self(self) -> None:
        """Their userid is retired; an announced one counts."""
        company = company_of("A", "B")
        company.links["A"] = {"state": LinkState.GONE}
        company.links["B"] = {"state": LinkState.PENDING}
        wanted = desired([renamed("8", "a"), renamed("9", "b")])
        assert paired_by_userid(wanted, company.remembered()) == (member("B", "9"),)


class TestByPlace:
    """A department that the source dropped, and a new one of its name in its place."""

    def test_a_whole_tree_is_found(self) -> None:
        """From the top down: the place of the lower ones is the pair of the upper one."""
        company = Company()
        company.department("a", name="研发")
        company.department("b", "a", "平台")
        company.department("c", "b", "存储")
        company.department("d", name="市场")
        wanted = desired(
            departments=[
                unit("3", "2", "存储"),
                unit("2", "1", "平台"),
                unit("1", name="研发"),
                unit("d", name="市场"),
            ]
        )
        actual, remembered = known(company)
        assert set(paired_by_place(wanted, actual, remembered)) == {
            department("a", "1"),
            department("b", "2"),
            department("c", "3"),
        }

    def test_another_name_or_another_place_is_another_department(self) -> None:
        """Neither is guessed; and who is still in the source, or held, is not given away."""
        company = Company()
        for key, name in (("a", "研发"), ("b", "市场"), ("c", "平台"), ("e", "客服")):
            company.department(key, name=name)
        wanted = desired(
            departments=[
                unit("1", name="研发部"),
                unit("2", "1", "市场"),
                unit("c", name="平台二"),
                unit("3", name="平台"),
                unit("4", name="客服"),
            ],
            held_departments=frozenset({"e"}),
        )
        assert paired_by_place(wanted, *known(company)) == ()

    def test_what_a_list_says_goes_before(self) -> None:
        """And what is below it follows it."""
        company = Company()
        company.department("a", name="研发")
        company.department("b", "a", "平台")
        company.department("c", name="市场")
        wanted = desired(departments=[unit("1", name="市场"), unit("2", "1", "平台")])
        actual, remembered = known(company)
        listed = [department("a", "1")]
        assert paired_by_place(wanted, actual, remembered, listed) == (department("b", "2"),)
        assert paired_by_place(wanted, actual, remembered) == (department("c", "1"),)

    def test_a_name_that_nobody_knows_is_no_name(self) -> None:
        """Unknown is not equal to anything."""
        company = Company()
        company.department("a", name="研发")
        actual, remembered = known(company)
        (hidden,) = actual.departments.values()
        unseen = replace(actual, departments={"a": replace(hidden, name=UNKNOWN)})
        wanted = desired(departments=[replace(unit("1"), name=UNKNOWN)])
        assert paired_by_place(wanted, unseen, remembered) == ()

    def test_a_department_that_was_ours_once_is_not_new(self) -> None:
        """Its key is taken, by whatever was known of it."""
        company = Company()
        company.department("a", name="研发")
        company.department("1", name="旧")
        actual, remembered = known(company)
        wanted = desired(departments=[unit("1", name="研发")])
        assert paired_by_place(wanted, actual, remembered) == ()


class TestWhatIsRefused:
    """Nothing is changed where it cannot be told who is who."""

    @pytest.mark.parametrize(
        ("pairs", "problem"),
        [
            ([member("A", "8"), member("A", "9")], "the old key A of a member has 2 new ones"),
            ([member("A", "9"), member("B", "9")], "the new key 9 of a member has 2 old ones"),
            ([member("X", "8"), member("X", "9")], "the old key X of a member has 2 new ones"),
            ([department("D", "9"), department("E", "9")], "the new key 9 of a department has 2 old ones"),
            ([member("A", "B")], "B is the key of another member of ours, and not that of A"),
            ([department("D", "E")], "E is the key of another department of ours, and not that of D"),
            ([member("C", "Z")], "the source has C and not Z"),
            ([department("F", "Z")], "the source has F and not Z"),
        ],
    )
    def test_a_pair_that_is_ambiguous_is_named(self, pairs: list[KeyPair], problem: str) -> None:
        """Two others for one key, a key that somebody keeps, a list that is the wrong way round."""
        wanted, remembered = self.situation()
        with pytest.raises(GuardError) as caught:
            check_pairs(pairs, wanted, remembered)
        assert caught.value.message == f"nothing was changed, as it cannot be told who is who: {problem}"

    def test_many_faults_are_counted(self) -> None:
        """The first five are named."""
        wanted, remembered = self.situation()
        pairs = [member(f"X{number}", key) for number in range(7) for key in ("8", f"9{number}")]
        with pytest.raises(GuardError, match=r"X4 .*; and 3 more$"):
            check_pairs(pairs, wanted, remembered)

    def test_what_is_not_ours_is_left_out(self) -> None:
        """A list may name everybody; a pair that stands there twice is one."""
        wanted, remembered = self.situation()
        pairs = [member("A", "9"), member("nobody", "8"), department("A", "7"), member("A", "9")]
        assert check_pairs(pairs, wanted, remembered) == (member("A", "9"),)

    def test_a_ring_and_a_chain_are_no_ambiguity(self) -> None:
        """The key that is taken is given up by the same list."""
        wanted, remembered = self.situation()
        for pairs in (
            (member("A", "B"), member("B", "A")),
            (member("A", "B"), member("B", "9")),
            (department("D", "E"), department("E", "D")),
        ):
            assert check_pairs(pairs, wanted, remembered) == pairs

    def situation(self) -> tuple[Desired, Remembered]:
        company = company_of("A", "B", "C")
        for key in ("D", "E", "F"):
            company.department(key)
        wanted = desired([person("C"), person("9")], [unit("F")])
        return wanted, company.remembered()


class TestWhatIsRemembered:
    """Everything in which a key stands has the new one; nothing else changes."""

    def test_links_places_leaders_and_doubts(self) -> None:
        """Those too whose own key stays; WeCom's ids stay what they are."""
        company = Company()
        first, second = company.department("D1"), company.department("D2", "D1")
        company.member(
            "A",
            departments=("D1", "D2", 77),
            main_department="D1",
            is_leader=("D1", "D2"),
            order=(("D1", 5), ("D2", 6), (77, 7)),
        )
        company.member(
            "B", {"doubts": {"direct_leader": ("A", None), "email": ("A",)}}, direct_leader=UNKNOWN
        )
        company.member("C", direct_leader="A")
        company.member("E", main_department=None, departments=(), direct_leader=None, is_leader=UNKNOWN)
        remembered = company.remembered(missed_reads={"A": 3, "C": 1}, retired_userids={"a": "A", "c": "C"})
        new = rekeyed(remembered, [member("A", "1"), department("D1", "X1"), department("D2", "A2")])

        assert new.departments == {
            "D1": replace(remembered.departments["D1"], key="X1", id=first),
            "D2": replace(remembered.departments["D2"], key="A2", id=second),
        }
        assert new.members == {
            "A": replace(
                remembered.members["A"],
                member=replace(
                    remembered.members["A"].member,
                    key="1",
                    departments=("X1", "A2", 77),
                    main_department="X1",
                    is_leader=("A2", "X1"),
                    order=(("A2", 6), ("X1", 5), (77, 7)),
                ),
            ),
            "B": replace(remembered.members["B"], doubts={"direct_leader": ("1", None), "email": ("A",)}),
            "C": replace(
                remembered.members["C"], member=replace(remembered.members["C"].member, direct_leader="1")
            ),
        }
        assert new.missed_reads == {"1": 3, "C": 1}
        assert new.retired_userids == {"a": "1"}

    def test_two_who_change_keys_keep_their_own_record(self) -> None:
        """The userid stays with the person."""
        remembered = company_of("A", "B").remembered()
        new = rekeyed(remembered, [member("A", "B"), member("B", "A")])
        assert {key: (link.member.key, link.member.userid) for key, link in new.members.items()} == {
            "A": ("B", "a"),
            "B": ("A", "b"),
        }

    def test_a_member_and_a_department_of_one_key_are_two(self) -> None:
        """Each has its own new one."""
        company = company_of("A")
        company.department("A")
        remembered = company.remembered()
        new = rekeyed(remembered, [department("A", "X")])
        assert (new.members, list(new.departments)) == ({}, ["A"])
        link: RememberedMember = rekeyed(remembered, [member("A", "Y")]).members["A"]
        assert link.member.key == "Y"


def test_who_is_left_over_leaves_by_the_next_plan() -> None:
    """Members of ours whom the source has under no key: not the inactive, the rejected, or the paired."""
    company = company_of("A", "B", "C", "D", "E")
    actual, _ = known(company)
    wanted = desired([person("A")], leavers={"B": say("x")}, rejected_members=frozenset("C"))
    assert left_over(wanted, actual, [member("D", "9"), department("E", "8")]) == ("E",)
