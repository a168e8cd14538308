"""Who is wanted, who leaves, and whose row is rejected."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sources.rows import Desire, person, rules_of
from wxsync.model.unknown import UNKNOWN


def test_a_person_gets_every_mapped_field_in_normal_form(desire: Desire) -> None:
    """Texts are clean, unmapped fields are unknown, an empty one is None."""
    row = person(
        "E1",
        full_name="  林 梅\u200b ",
        tel=13800000001,
        mail=" Lin@Example.COM ",
        title="",
        no="A1",
        sex="女",
    )
    desired = desire(
        [row],
        mobile="tel",
        email="mail",
        position="title",
        extattr={"工号": "no", "b": "title"},
        gender="sex",
    )
    member = desired.members["E1"]
    assert (member.key, member.userid, member.name) == ("E1", "uE1", "林 梅")
    assert (member.mobile, member.email, member.position) == ("13800000001", "lin@example.com", None)
    assert member.gender == "2"
    assert member.extattr == (("b", None), ("工号", "A1"))
    assert (member.alias, member.is_leader, member.order, member.enable) == (UNKNOWN,) * 4
    assert member.direct_leader is UNKNOWN
    assert member.departments == ("D1",)
    assert member.main_department == "D1"
    assert desired.rejected == ()
    assert desired.is_complete


def test_keys_compare_as_trimmed_text(desire: Desire) -> None:
    """1001 and " 1001 " are one key, so both rows are rejected, once."""
    desired = desire([person(1001, login="a"), person(" 1001 ", login="b"), person("1002")])
    assert list(desired.members) == ["1002"]
    assert rules_of(desired.rejected) == [("1001", "key", "duplicate_key")]
    assert str(desired.rejected[0].problem) == "2 rows have this key"
    assert desired.rejected_members == {"1001"}


def test_a_doubled_key_is_no_leaver_even_if_one_row_says_so(desire: Desire) -> None:
    """Which of the rows is right cannot be told."""
    rows = [person("E1", on=0), person("E1", on=1), person("E2", on=1)]
    desired = desire(rows, active="on")
    assert desired.leavers == {}
    assert list(desired.members) == ["E2"]


@pytest.mark.parametrize("key", [None, "", " ", b"x"])
def test_a_row_without_a_key_sets_doubt(desire: Desire, key: object) -> None:
    """It may be anybody: the reading says how many there are."""
    desired = desire([person("E1"), person(key, login="x")])
    assert rules_of(desired.rejected) == [(None, "key", "key")]
    assert [reading.unreadable_keys for reading in desired.readings] == [0, 1]
    assert desired.is_doubtful("members")
    assert not desired.is_doubtful("departments")


def test_an_expression_over_a_null_makes_no_key(desire: Desire) -> None:
    """Joining texts would make one of the word None."""
    desired = desire([person("E1"), person(None)], key="'u' ~ emp_no")
    assert list(desired.members) == ["uE1"]
    assert rules_of(desired.rejected) == [(None, "key", "key")]


def test_one_who_is_not_active_is_a_leaver_whatever_the_row_holds(desire: Desire) -> None:
    """The other fields are not even looked at."""
    row = person("E1", on=0, login=None, full_name=None, tel="bad", dept="nowhere", until="never")
    desired = desire([row, person("E2", on=1)], active="on", ends="until", mobile="tel")
    assert {key: str(why) for key, why in desired.leavers.items()} == {
        "E1": "the source calls this person inactive"
    }
    assert desired.rejected == ()
    assert list(desired.members) == ["E2"]


def test_a_null_in_active_rejects_and_makes_no_leaver(desire: Desire) -> None:
    """Also where a comparison would call it false, and where the end date has passed."""
    rows = [person("E1", status=None, until="2020-01-01"), person("E2", status="active")]
    desired = desire(rows, active="status == 'active'", ends="until")
    assert rules_of(desired.rejected) == [("E1", "active", "null")]
    assert desired.leavers == {}


def test_an_expression_may_say_what_a_null_means(desire: Desire) -> None:
    """Then it is asked."""
    desired = desire([person("E1", left=None), person("E2", left="x")], active="left is none")
    assert list(desired.members) == ["E1"]
    assert list(desired.leavers) == ["E2"]


@pytest.mark.parametrize("value", ["1", "yes", 2, -1, 0.5])
def test_active_is_a_boolean_or_0_or_1(desire: Desire, value: object) -> None:
    """Anything else rejects the row: no text is ever a truth."""
    desired = desire([person("E1", on=value)], active="on")
    assert rules_of(desired.rejected) == [("E1", "active", "type")]


@pytest.mark.parametrize(
    ("ends", "is_wanted"),
    [
        ("2026-03-10", True),
        ("2026-03-09", False),
        ("2026-03-09 23:59:59", False),
        ("2026-03-09T16:00:00Z", True),
        ("2026-03-09T15:59:00Z", False),
        (None, True),
        ("9999-12-31", True),
    ],
)
def test_the_last_day_is_worked_to_its_end(desire: Desire, ends: str | None, is_wanted: bool) -> None:
    """It is the 10th in Shanghai: whose day is the 10th is still wanted."""
    desired = desire([person("E1", until=ends)], ends="until")
    assert ("E1" in desired.members) is is_wanted
    assert ("E1" in desired.leavers) is not is_wanted
    assert desired.rejected == ()


def test_an_unusable_date_rejects_the_row(desire: Desire) -> None:
    """Of a leaver nothing is looked at, of anybody else everything."""
    rows = [person("E1", until="soon", since=None), person("E2", until=None, since="31.01.2026")]
    desired = desire(rows, ends="until", starts="since")
    assert rules_of(desired.rejected) == [("E1", "ends", "date"), ("E2", "starts", "date")]


def test_a_first_day_to_come_is_told(desire: Desire) -> None:
    """Those who start today or started before are just members."""
    rows = [person("E1", since="2026-03-11"), person("E2", since="2026-03-10"), person("E3", since=None)]
    desired = desire(rows, starts="since")
    assert desired.starts == {"E1": date(2026, 3, 11)}
    assert list(desired.members) == ["E1", "E2", "E3"]


def test_a_row_names_all_its_faults(desire: Desire) -> None:
    """With key, field and rule, without a value."""
    row = person("E1", login="林梅", full_name=None, tel="x", mail="y@", sex="?", on=7, no=-1)
    desired = desire([row], mobile="tel", email="mail", gender="sex", enable="on", order="no")
    assert rules_of(desired.rejected) == [
        ("E1", "userid", "userid"),
        ("E1", "name", "required"),
        ("E1", "mobile", "phone_number"),
        ("E1", "email", "email"),
        ("E1", "gender", "gender"),
        ("E1", "enable", "type"),
        ("E1", "order", "number"),
    ]
    assert desired.rejected_members == {"E1"}
    assert desired.members == {}


def test_a_null_userid_rejects_the_row(desire: Desire) -> None:
    """Also one in a column that the expression joins to something."""
    desired = desire([person("E1", login=None), person("E2", login="")], userid="login ~ '' | lower")
    assert rules_of(desired.rejected) == [("E1", "userid", "null"), ("E2", "userid", "null")]


def test_an_expression_that_fails_rejects_the_row_alone(desire: Desire) -> None:
    """The others go on."""
    desired = desire([person("E1", grade="x"), person("E2", grade=3)], position="grade + 1")
    assert rules_of(desired.rejected) == [("E1", "position", "expression")]
    assert desired.members["E2"].position == "4"


def test_neither_mobile_nor_email_is_no_reject_here(desire: Desire) -> None:
    """Only a creation needs one."""
    desired = desire([person("E1", tel=None)], mobile="tel")
    assert desired.members["E1"].mobile is None


def test_enable_is_a_boolean_or_unknown(desire: Desire) -> None:
    """Null says nothing."""
    desired = desire([person("E1", on=1), person("E2", on=0), person("E3", on=None)], enable="on")
    assert [member.enable for member in desired.members.values()] == [True, False, UNKNOWN]


def test_people_who_share_what_is_unique_are_all_rejected(desire: Desire) -> None:
    """Userids without case; the problem names the other keys and no value."""
    rows = [
        person("E1", login="LIN", tel="13800000001", mail="a@example.com"),
        person("E2", login="lin", tel="13800000002", mail="b@example.com"),
        person("E3", login="c", tel="+86 138 0000 0002", mail="c@example.com"),
        person("E4", login="d", tel="13800000004", mail="C@Example.com"),
        person("E5", login="e", tel=None, mail=None),
        person("E6", login="f", tel=None, mail=None),
    ]
    desired = desire(rows, mobile="tel", email="mail")
    assert sorted(rules_of(desired.rejected)) == [
        ("E1", "userid", "duplicate_userid"),
        ("E2", "mobile", "duplicate_mobile"),
        ("E2", "userid", "duplicate_userid"),
        ("E3", "email", "duplicate_email"),
        ("E3", "mobile", "duplicate_mobile"),
        ("E4", "email", "duplicate_email"),
    ]
    assert list(desired.members) == ["E5", "E6"]
    told = {each.key: str(each.problem) for each in desired.rejected if each.field == "mobile"}
    assert told == {"E2": "mobile is also that of E3", "E3": "mobile is also that of E2"}


def test_leavers_and_rejected_rows_share_nothing_with_the_wanted(desire: Desire) -> None:
    """Somebody may have taken over the number of a leaver."""
    rows = [person("E1", tel="13800000001", on=0), person("E2", tel="13800000001", on=1)]
    desired = desire(rows, mobile="tel", active="on")
    assert list(desired.members) == ["E2"]


def test_thousands_who_share_a_value_are_named_in_short() -> None:
    """Three keys, and how many more."""
    from wxsync.sources.duplicates import others

    assert others("E2", [f"E{n}" for n in range(1, 1001)]) == "E1, E3, E4 (+996)"
    assert others("E1", ["E1", "E2"]) == "E2"


def test_direct_leaders_are_sent_where_they_are_wanted(desire: Desire) -> None:
    """Never their own, never a leaver or a rejected one; a stranger is listed; nobody is rejected."""
    rows = [
        person("E1", boss="E2", on=1),
        person("E2", boss="E2", on=1),
        person("E3", boss="E9", on=1),
        person("E4", boss="E0", on=1),
        person("E5", boss=None, on=1),
        person("E6", boss="E7", on=1),
        person("E7", boss=None, on=1, full_name=None),
        person("E9", boss=None, on=0),
    ]
    desired = desire(rows, direct_leader="boss", active="on")
    leaders = {key: member.direct_leader for key, member in desired.members.items()}
    assert leaders == {
        "E1": "E2",
        "E2": UNKNOWN,
        "E3": UNKNOWN,
        "E4": UNKNOWN,
        "E5": None,
        "E6": UNKNOWN,
    }
    assert desired.leaders_left_out == {"E4": "E0"}
    assert rules_of(desired.rejected) == [("E7", "name", "required")]


def test_people_may_be_pointed_to_by_another_name_than_the_key(desire: Desire) -> None:
    """`ref` is what a direct leader's column holds."""
    rows = [person("E1", dn="cn=1", boss="cn=2"), person("E2", dn="cn=2", boss=None)]
    desired = desire(rows, ref="dn", direct_leader="boss")
    assert desired.members["E1"].direct_leader == "E2"


def test_two_people_of_one_ref_are_both_rejected(desire: Desire) -> None:
    """Nobody can tell whom the others mean."""
    desired = desire([person("E1", dn="x"), person("E2", dn="x"), person("E3", dn="y")], ref="dn")
    assert rules_of(desired.rejected) == [("E1", "ref", "duplicate_key"), ("E2", "ref", "duplicate_key")]
    assert list(desired.members) == ["E3"]
