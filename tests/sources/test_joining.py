"""Later sources add columns by key; names are checked before any row is mapped."""

from __future__ import annotations

import pytest

from tests.sources.rows import DEPARTMENTS, NOW, Desire, MakeSource, person, rules_of, sync_settings
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import ConfigError, SourceError, SourceUnavailableError
from wxsync.sources.reader import read_desired
from wxsync.sources.sql import SqlSource


def test_a_later_source_adds_columns_by_key(desire: Desire, make_source: MakeSource) -> None:
    """It adds nobody, and where both have a column the first source's counts."""
    later = make_source(
        "ad",
        members=[
            {"emp_no": " E1 ", "mail": "e1@example.com", "full_name": "other"},
            {"emp_no": "E9", "mail": "e9@example.com", "full_name": "stranger"},
        ],
    )
    desired = desire([person("E1"), person("E2")], later=[later], email="mail")
    assert {key: (member.name, member.email) for key, member in desired.members.items()} == {
        "E1": ("人员E1", "e1@example.com"),
        "E2": ("人员E2", None),
    }
    assert [(reading.source, reading.query, reading.rows) for reading in desired.readings] == [
        ("hr", "departments", 2),
        ("ad", "members", 2),
        ("hr", "members", 2),
    ]


def test_people_whom_a_later_source_has_twice_are_rejected(desire: Desire, make_source: MakeSource) -> None:
    """Which row is right cannot be told."""
    later = make_source("ad", members=[{"emp_no": key, "mail": None} for key in ("E1", "E1", "E2")])
    desired = desire([person("E1"), person("E2")], later=[later], email="mail")
    assert rules_of(desired.rejected) == [("E1", "key", "duplicate_key")]
    assert list(desired.members) == ["E2"]


def test_a_keyless_row_of_a_later_source_may_be_anybodys(desire: Desire, make_source: MakeSource) -> None:
    """Whom it does not name otherwise is rejected: what it says of them is not known."""
    later = make_source("ad", members=[{"emp_no": key, "mail": None} for key in (None, "E2")])
    desired = desire([person("E1"), person("E2")], later=[later], email="mail")
    assert rules_of(desired.rejected) == [(None, "key", "key"), ("E1", "key", "incomplete")]
    assert desired.is_doubtful("members")
    assert list(desired.members) == ["E2"]


def test_a_later_source_may_know_more_of_departments(desire: Desire, make_source: MakeSource) -> None:
    """Its departments are read where it has a column that the first source lacks."""
    later = make_source(
        "ad",
        members=[{"emp_no": "E1"}],
        departments=[{"code": "D1", "rank": 7}, {"code": "D1x", "rank": 9}],
    )
    desired = desire([person("E1")], later=[later], department={"order": "rank"})
    assert desired.departments["D1"].order == 7
    assert len(desired.departments) == 2


def test_a_later_sources_tags_count_too(desire: Desire, make_source: MakeSource) -> None:
    """And its memberships: both only point to whom the first source has."""
    later = make_source(
        "ad",
        members=[{"emp_no": "E1"}],
        tags=[{"tag": "T", "who": "E1"}],
        memberships=[{"who": "E1", "where": "D2"}],
    )
    desired = desire([person("E1")], later=[later])
    assert desired.tags["T"].members == {"E1"}
    assert desired.members["E1"].departments == ("D1", "D2")


def test_a_later_source_that_cannot_be_read_stops_the_run(desire: Desire) -> None:
    """Nothing is concluded without it."""
    settings = {"type": "sql", "url": "sqlite:////nowhere/ad.db", "members": "SELECT 1"}
    later = SqlSource("ad", SqlSourceSettings.model_validate(settings))
    with pytest.raises(SourceUnavailableError, match="source ad: there is no database file"):
        desire([person("E1")], later=[later])


def test_names_that_no_source_gives_are_all_told(desire: Desire) -> None:
    """Each with its path and what was perhaps meant, before any row is mapped."""
    with pytest.raises(ConfigError) as caught:
        desire(
            [person("E1", mobile="13800000001")],
            mobile="mobil",
            position="titel | lower",
            extattr={"工号": "nummer"},
            rules={"Managers": "grade >= 10"},
            department={"order": "sortt"},
        )
    at_departments = "the departments query of source hr gives no column"
    at_members = "the members query of source hr gives no column"
    columns = "It gives code, parent, name, sort"
    members = "It gives emp_no, login, full_name, dept, mobile"
    assert list(caught.value.problems) == [
        f'sync.acme.department.order: {at_departments} "sortt". Did you mean "sort"? {columns}',
        f'sync.acme.member.mobile: {at_members} "mobil". Did you mean "mobile"? {members}',
        f'sync.acme.member.position: {at_members} "titel". {members}',
        f'sync.acme.member.extattr.工号: {at_members} "nummer". {members}',
        f'sync.acme.tags.Managers: {at_members} "grade". {members}',
    ]


def test_every_source_must_give_the_key(desire: Desire, make_source: MakeSource) -> None:
    """The rows are joined by it."""
    later = make_source("ad", members=[{"employeeID": "E1", "mail": None}])
    with pytest.raises(ConfigError) as caught:
        desire([person("E1")], later=[later], email="mail")
    (problem,) = caught.value.problems
    assert problem == (
        'sync.acme.member.key: the members query of source ad gives no column "emp_no".'
        " It gives employeeID, mail"
    )


def test_pairs_need_two_columns(make_source: MakeSource) -> None:
    """They go by position."""
    source = make_source("hr", departments=DEPARTMENTS, members=[person("E1")])
    settings = source.settings.model_copy(update={"tags": "SELECT 1 AS tag"})
    with pytest.raises(ConfigError) as caught:
        read_desired([SqlSource("hr", settings)], sync_settings(), NOW, sync_name="acme")
    assert list(caught.value.problems) == [
        "source.hr.tags: gives 1 column; its first two must be tag name and member key"
    ]


def test_the_first_source_needs_departments(make_source: MakeSource) -> None:
    """A later one does not."""
    source = make_source("hr", members=[person("E1")])
    with pytest.raises(ConfigError, match=r"source\.hr\.departments: is missing"):
        read_desired([source], sync_settings(), NOW, sync_name="acme")


def test_a_column_that_vanished_stops_the_run(make_source: MakeSource) -> None:
    """It is never taken for null."""
    source = make_source("hr", departments=DEPARTMENTS, members=[person("E1")])
    settings = source.settings.model_copy(update={"members": "SELECT emp_no, login, full_name FROM members"})
    with pytest.raises(ConfigError, match=r'sync\.acme\.member\.departments: .* gives no column "dept"'):
        read_desired([SqlSource("hr", settings)], sync_settings(), NOW, sync_name="acme")
    broken = source.settings.model_copy(update={"members": "SELECT emp_no, mobile FROM members"})
    with pytest.raises(SourceError, match="no such column: mobile"):
        read_desired([SqlSource("hr", broken)], sync_settings(), NOW, sync_name="acme")


def test_no_rows_are_just_told(make_source: MakeSource) -> None:
    """Whether that can be true is judged against the last applied read, elsewhere."""
    source = make_source("hr", departments=DEPARTMENTS, members=[person("E1")])
    settings = source.settings.model_copy(update={"members": "SELECT * FROM members WHERE 0"})
    desired = read_desired([SqlSource("hr", settings)], sync_settings(), NOW, sync_name="acme")
    assert desired.members == {}
    assert [(reading.rows, reading.is_complete) for reading in desired.readings] == [(2, True), (0, True)]
