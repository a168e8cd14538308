"""Tags by rows and by rule."""

from __future__ import annotations

from tests.sources.rows import Desire, person, rules_of


def members(desired, name: str) -> list[str]:
    return sorted(desired.tags[name].members)


def test_tags_are_none_of_our_business_where_nothing_asks_for_them(desire: Desire) -> None:
    """Neither a query nor a rule."""
    desired = desire([person("E1")])
    assert desired.tags == {}
    assert not desired.tags_are_mapped


def test_an_empty_tags_query_is_still_a_query(desire: Desire) -> None:
    """Then tags are mapped, and there are none."""
    desired = desire([person("E1")], tags=[])
    assert desired.tags_are_mapped
    assert desired.tags == {}


def test_rows_put_people_into_tags(desire: Desire) -> None:
    """Names are clean; the same place twice is one."""
    tags = [
        {"tag": tag, "who": who}
        for tag, who in (("党员", "E1"), (" 党员 ", "E2"), ("党员", "E1"), ("司机", "E2"))
    ]
    desired = desire([person("E1"), person("E2")], tags=tags)
    assert set(desired.tags) == {"党员", "司机"}
    assert members(desired, "党员") == ["E1", "E2"]
    assert members(desired, "司机") == ["E2"]
    assert desired.tags_are_mapped
    assert desired.rejected == ()


def test_rules_put_people_into_tags(desire: Desire) -> None:
    """A failure or a null leaves the place as it is; a rule that nobody meets is an empty tag."""
    rows = [person("E1", grade=10), person("E2", grade=3), person("E3", grade=None), person("E4", grade="x")]
    desired = desire(rows, rules={"Managers": "grade >= 10", "None": "grade == 99", "Null": "grade"})
    assert members(desired, "Managers") == ["E1"]
    assert members(desired, "None") == []
    assert members(desired, "Null") == ["E1", "E2", "E4"]
    assert desired.undecided_places == {("Managers", "E3"), ("Managers", "E4"), ("Null", "E3")}
    assert desired.tags_are_mapped


def test_a_tag_of_both_kinds_is_one(desire: Desire) -> None:
    """Whoever is in either is in it."""
    rows = [person("E1", grade=10), person("E2", grade=1)]
    desired = desire(rows, tags=[{"tag": "M", "who": "E2"}], rules={"M": "grade >= 10"})
    assert members(desired, "M") == ["E1", "E2"]


def test_those_who_are_not_wanted_are_left_out_silently(desire: Desire) -> None:
    """A leaver is out; of a rejected person nobody knows; one who is yet to start is in."""
    rows = [
        person("E1", on=0, since=None),
        person("E2", on=1, full_name=None, since=None),
        person("E3", on=1, since="2026-09-01"),
        person("E4", on=1, login="uE3", since=None),
        person("E5", on=1, since="2026-09-01"),
    ]
    tags = [{"tag": "T", "who": row["emp_no"]} for row in rows]
    desired = desire(rows, tags=tags, active="on", starts="since", rules={"R": "true"})
    assert members(desired, "T") == ["E5"]
    assert members(desired, "R") == ["E5"]
    assert desired.undecided_places == {(tag, key) for tag in "TR" for key in ("E2", "E3", "E4")}
    assert desired.undecided_tags == frozenset()
    assert {each.kind.value for each in desired.rejected} == {"member"}


def test_a_row_that_names_nobody_leaves_the_tag_undecided(desire: Desire) -> None:
    """It may be anybody's: nobody is taken out. Told once a stranger."""
    tags = [{"tag": "T", "who": who} for who in ("E1", None, None, "E9", "E9", "E8")]
    desired = desire([person("E1")], tags=tags)
    assert rules_of(desired.rejected) == [
        ("T", "members", "key"),
        ("T", "members", "unknown_member"),
        ("T", "members", "unknown_member"),
    ]
    assert desired.undecided_tags == {"T"}
    assert members(desired, "T") == ["E1"]


def test_a_row_without_a_tag_name_sets_doubt(desire: Desire) -> None:
    """It may be of any tag."""
    desired = desire([person("E1")], tags=[{"tag": None, "who": "E1"}, {"tag": "T", "who": "E1"}])
    assert rules_of(desired.rejected) == [(None, "tag", "key")]
    assert desired.is_doubtful("tags")


def test_tag_names_have_32_characters(desire: Desire) -> None:
    """Longer ones are rejected, by row and by rule."""
    tags = [{"tag": "梅" * 32, "who": "E1"}, {"tag": "梅" * 33, "who": "E1"}]
    desired = desire([person("E1")], tags=tags, rules={"x" * 33: "true"})
    assert list(desired.tags) == ["梅" * 32]
    assert rules_of(desired.rejected) == [("x" * 33, "tag", "length"), ("梅" * 33, "tag", "length")]
