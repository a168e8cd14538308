"""Later sources add columns by key; names are checked before any row is mapped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sources.interrupted import Torn
from tests.sources.rows import DEPARTMENTS, NOW, Desire, MakeSource, Rows, person, rules_of, sync_settings
from wxsync.config.settings import SqlSourceSettings
from wxsync.errors import ConfigError, SourceError, SourceUnavailableError
from wxsync.model.desired import Aside
from wxsync.model.unknown import UNKNOWN
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
    """What it says of those whom it does not name otherwise is unknown; who is there, the first one says."""
    later = make_source("ad", members=[{"emp_no": key, "mail": None} for key in (None, "E2")])
    desired = desire([person("E1"), person("E2")], later=[later], email="mail")
    assert rules_of(desired.rejected) == [(None, "key", "key")]
    assert desired.is_doubtful("members")
    assert {key: member.email for key, member in desired.members.items()} == {"E1": UNKNOWN, "E2": None}


def test_whom_a_later_source_does_not_have_is_known(desire: Desire, make_source: MakeSource) -> None:
    """Of one that adds a column and was read whole: what they had by it is empty now."""
    people = [person("E1"), person("E2")]
    adding = make_source("ad", members=[{"emp_no": "E1", "mail": None}])
    silent = make_source("vpn", members=[{"emp_no": "E1", "full_name": "人员E1"}])
    doubtful = make_source("old", members=[{"emp_no": key, "title": "x"} for key in (None, "E1")])
    desired = desire(people, later=[adding, silent, doubtful], email="mail", position="title")
    assert desired.lacking == {"ad": {"E2"}}
    assert desire(people, later=[Torn(adding)], email="mail").lacking == {}


class TestAnIncompleteLaterSource:
    """It keeps its fields as they were: a null of it, or a row that it lacks, may merely not have shown."""

    @pytest.fixture
    def torn(self, make_source: MakeSource) -> Torn:
        rows = [
            {"emp_no": "E1", "mail": "e1@example.com", "title": None, "enabled": 1},
            {"emp_no": "E2", "mail": None, "title": "经理", "enabled": 1},
        ]
        return Torn(make_source("ad", members=rows))

    def test_what_it_shows_counts_and_the_rest_is_unknown(self, desire: Desire, torn: Torn) -> None:
        """Nobody is rejected, nothing is emptied, and the whole reading is not complete."""
        rows = [person(key) for key in ("E1", "E2", "E3")]
        desired = desire(rows, later=[torn], email="mail", position="title | upper", extattr={"号": "title"})
        assert desired.rejected == ()
        assert {key: (each.email, each.position) for key, each in desired.members.items()} == {
            "E1": ("e1@example.com", UNKNOWN),
            "E2": (UNKNOWN, "经理"),
            "E3": (UNKNOWN, UNKNOWN),
        }
        assert {key: each.extattr for key, each in desired.members.items()} == {
            "E1": (),
            "E2": (("号", "经理"),),
            "E3": (),
        }
        assert not desired.is_complete

    def test_the_same_source_whole_says_that_there_is_nothing(self, desire: Desire, torn: Torn) -> None:
        """A null of it is empty, and so is a row that it lacks."""
        desired = desire([person("E1"), person("E3")], later=[torn.whole], position="title", email="mail")
        assert {key: (each.email, each.position) for key, each in desired.members.items()} == {
            "E1": ("e1@example.com", None),
            "E3": (None, None),
        }

    @pytest.mark.parametrize(
        "field", ["active", "userid", "name", "enable", "starts", "ends", "departments", "main_department"]
    )
    def test_who_somebody_is_and_where_it_leaves_nobody_to_guess(
        self, desire: Desire, torn: Torn, field: str
    ) -> None:
        """The row is rejected: that person is neither wanted nor gone."""
        rule = "col('enabled') | default(1)" if field in ("active", "enable") else "title"
        mapping: dict[str, Any] = {field: rule}
        desired = desire([person("E3")], later=[torn], **mapping)
        assert rules_of(desired.rejected) == [("E3", field, "incomplete")]
        assert desired.rejected_members == {"E3"}

    def test_a_tag_rule_over_it_is_undecided(self, desire: Desire, torn: Torn) -> None:
        """Whoever is in the tag stays in it."""
        desired = desire([person("E1"), person("E2")], later=[torn], rules={"经理": "title == '经理'"})
        assert desired.tags["经理"].members == {"E2"}
        assert desired.undecided_places == {("经理", "E1")}

    def test_its_departments_keep_their_order(self, desire: Desire, make_source: MakeSource) -> None:
        """An order that nobody saw is not sent; a name that nobody saw holds the department."""
        rows: Rows = [{"code": "D1", "rank": 7, "label": "甲"}, {"code": "D2", "rank": None, "label": None}]
        later = Torn(make_source("ad", members=[{"emp_no": "E1"}], departments=rows))
        desired = desire([person("E1")], later=[later], department={"order": "rank"})
        assert {key: each.order for key, each in desired.departments.items()} == {"D1": 7, "D2": UNKNOWN}
        desired = desire([person("E1")], later=[later], department={"name": "label"})
        assert rules_of(desired.rejected) == [("D2", "name", "incomplete")]
        assert desired.held_departments == {"D2"}

    def test_a_missing_canary_makes_it_one(self, desire: Desire, make_source: MakeSource) -> None:
        """A reading that shows other people than it should may hide values as well."""
        later = make_source("ad", members=[{"emp_no": "E1", "mail": None}])
        settings = later.settings.model_copy(update={"canaries": ("E9",)})
        desired = desire([person("E1")], later=[SqlSource("ad", settings)], email="mail")
        assert desired.members["E1"].email is UNKNOWN
        assert [str(reading.problem) for reading in desired.readings if not reading.is_complete] == [
            "E9 of canaries was not in it"
        ]


def test_what_later_sources_have_beyond_the_first_is_counted_and_listed(
    desire: Desire, make_source: MakeSource
) -> None:
    """People and departments whom the first source does not have, each source for itself."""
    ad = make_source(
        "ad",
        members=[{"emp_no": key, "mail": None} for key in ("E9", "E1", "E7")],
        departments=[{"code": "D1", "rank": 1}, {"code": "X", "rank": 2}],
    )
    crm = make_source("crm", members=[{"emp_no": "C1"}])
    desired = desire([person("E1")], later=[ad, crm], email="mail", department={"order": "rank"})
    assert desired.asides == (
        Aside(source="ad", query="departments", column=None, keys=("X",)),
        Aside(source="ad", query="members", column=None, keys=("E7", "E9")),
        Aside(source="crm", query="members", column=None, keys=("C1",)),
    )


def test_conflicts_follow_the_configs_order_and_are_named(desire: Desire, make_source: MakeSource) -> None:
    """The first source that has the column counts, also where it is empty; case and space are no conflict,
    and neither is a later source that says nothing."""
    ad = make_source(
        "ad",
        members=[
            {"emp_no": "E1", "mobile": "13800000009", "mail": "e1@example.com"},
            {"emp_no": "E2", "mobile": "138 0000 0002", "mail": "e2@example.com"},
            {"emp_no": "E3", "mobile": "13800000003", "mail": None},
            {"emp_no": "E4", "mobile": None, "mail": None},
        ],
    )
    crm = make_source(
        "crm",
        members=[
            {"emp_no": "E1", "mail": "E1@Example.com"},
            {"emp_no": "E2", "mail": "other@example.com"},
            {"emp_no": "E9", "mail": "e9@example.com"},
        ],
    )
    rows = [person(f"E{n}", mobile=None if n == 3 else f"1380000000{n}") for n in range(1, 5)]
    desired = desire(rows, later=[ad, crm], mobile="mobile", email="mail")
    assert {key: (each.mobile, each.email) for key, each in desired.members.items()} == {
        "E1": ("13800000001", "e1@example.com"),
        "E2": ("13800000002", "e2@example.com"),
        "E3": (None, None),
        "E4": ("13800000004", None),
    }
    assert [(each.source, each.column, each.keys) for each in desired.asides] == [
        ("ad", "mobile", ("E1", "E3")),
        ("crm", None, ("E9",)),
        ("crm", "mail", ("E2",)),
    ]


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
