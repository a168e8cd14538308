"""Attributes with several values, where one decides: whichever comes first, nobody is lost by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers.slapd import MakeSlapd, SlapdServer
from tests.sources.rows import NOW, MakeSource, rules_of, sync_settings
from tests.sources.shapes import BASE, desire, doubts, openldap_source, person, places, tagged, tree, unit
from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.sources.ldap import LdapSource
from wxsync.sources.reader import read_desired

UNIT = f"ou=A,{BASE}"
TREE = [unit(BASE), unit(UNIT), unit(f"ou=B,{BASE}")]
RULE = "several_values"


@pytest.fixture
def server(make_slapd: MakeSlapd) -> SlapdServer:
    """Somebody with one value of everything, and somebody with two."""
    two: dict[str, Any] = {
        "uid": ["b", "alias"],
        "employeeNumber": "2",
        "employeeType": ["active", "党员"],
        "departmentNumber": ["A", "B"],
        "carLicense": ["2026-03-01", "2030-01-01"],
        "mail": ["b@example.com", "b2@example.com"],
    }
    one: dict[str, Any] = {
        "employeeNumber": "1",
        "employeeType": "active",
        "departmentNumber": "A",
        "carLicense": "2030-01-01",
        "mail": "a@example.com",
    }
    return make_slapd([*TREE, person("a", UNIT, **one), person("b", UNIT, **two)])


@pytest.mark.parametrize(
    ("field", "expression"),
    [
        ("userid", "uid"),
        ("userid", "uid | lower"),
        ("userid", "col('uid')"),
        ("active", "employeeType == 'active'"),
        ("ends", "carLicense"),
        ("starts", "carLicense"),
        ("enable", "employeeType == 'active'"),
        ("ref", "departmentNumber ~ uid"),
        ("departments", "[departmentNumber]"),
        ("main_department", "departmentNumber"),
        ("is_leader", "employeeType == 'active'"),
    ],
)
def test_where_it_decides_the_row_is_rejected(server: SlapdServer, field: str, expression: str) -> None:
    """Neither wanted nor gone: the other row is used, whatever it becomes."""
    mapping: dict[str, Any] = {"key": "employeeNumber", "userid": "employeeNumber", field: expression}
    desired = desire(openldap_source(server), department={"ref": "ou"}, **mapping)
    assert ("2", field, RULE) in rules_of(desired.rejected)
    assert RULE not in {rule for key, _, rule in rules_of(desired.rejected) if key == "1"}
    assert desired.rejected_members >= {"2"}
    assert "2" not in desired.leavers
    (told,) = {str(each.problem) for each in desired.rejected if each.rule == RULE}
    assert told.startswith(f"{field} reads one value of ")
    assert "党员" not in told


def test_where_the_mapping_says_which_it_is_used(server: SlapdServer) -> None:
    """`all('…')` names them all; a text field takes the first one as before."""
    desired = desire(
        openldap_source(server),
        department={"ref": "ou"},
        key="employeeNumber",
        userid="rdn",
        active="'active' in all('employeeType')",
        departments="all('departmentNumber')",
        email="mail",
    )
    assert {userid: set(names) for userid, names in places(desired).items()} == {"a": {"A"}, "b": {"A", "B"}}
    assert desired.members["2"].email in ("b@example.com", "b2@example.com")
    assert (desired.rejected, doubts(desired)) == ((), [])


def test_in_the_key_it_may_be_anybody(server: SlapdServer) -> None:
    """While there is such a row, nobody is taken for absent; a second look finds it by each of its values."""
    desired = desire(openldap_source(server), key="uid", userid="employeeNumber")
    assert rules_of(desired.rejected) == [(None, "key", RULE)]
    assert desired.is_doubtful("members")
    settings = LdapSourceSettings.model_validate(openldap_source(server))
    with LdapSource("directory", settings).open() as session:
        found = session.find(Expression("uid"), frozenset({"a", "b", "alias", "x"}))
    assert found == frozenset({"a", "b", "alias"})


def test_in_a_tag_rule_the_place_is_undecided(server: SlapdServer) -> None:
    """Who is in the tag stays in it."""
    rules = {"党员": "employeeType == '党员'", "All": "'党员' in all('employeeType')"}
    desired = desire(openldap_source(server), key="employeeNumber", userid="rdn", rules=rules)
    assert tagged(desired) == {"党员": set(), "All": {"b"}}
    assert desired.undecided_places == {("党员", "2")}


def test_a_department_above_which_two_are_named_is_rejected(make_slapd: MakeSlapd) -> None:
    """With all that is below it."""
    two = (f"ou=C,{BASE}", {"objectClass": ["organizationalUnit"], "description": ["A", "B"]})
    server = make_slapd([*TREE, two, person("c", two[0])])
    mapping = {"key": "ou", "ref": "ou", "parent": "description"}
    desired = desire(openldap_source(server), department=mapping)
    assert rules_of(desired.rejected) == [("C", "parent", RULE)]
    assert desired.held_departments == {"C"}
    assert set(tree(desired)) == {"Company", "A", "B"}


def test_of_a_later_source_too(server: SlapdServer, make_source: MakeSource) -> None:
    """A directory that adds columns to a database decides no more by the first of several."""
    hr = make_source(
        "hr",
        departments=[{"code": "D1", "parent": None, "name": "x"}],
        members=[
            {"employeeNumber": number, "full_name": f"人员{number}", "dept": "D1"} for number in ("1", "2")
        ],
    )
    ad = LdapSource("ad", LdapSourceSettings.model_validate(openldap_source(server)))
    mapping = sync_settings(key="employeeNumber", userid="employeeNumber", active="employeeType == 'active'")
    desired = read_desired([hr, ad], mapping, NOW, sync_name="acme")
    assert set(desired.members) == {"1"}
    assert rules_of(desired.rejected) == [("2", "active", RULE)]
