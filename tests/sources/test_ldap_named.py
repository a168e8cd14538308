"""Names that a config gives to a directory's attributes, and attributes that there are none of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers.samba import MakeSamba
from tests.servers.slapd import MakeSlapd, SlapdServer
from tests.sources.rows import NOW, MakeSource, sync_settings
from tests.sources.shapes import (
    AD_BASE,
    BASE,
    desire,
    openldap_source,
    person,
    places,
    samba_source,
    tree,
    unit,
    user,
)
from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.errors import ConfigError, SourceError
from wxsync.sources.ldap import LdapSource
from wxsync.sources.reader import read_desired

SALES = f"ou=Sales,{BASE}"


@pytest.fixture
def server(make_slapd: MakeSlapd) -> SlapdServer:
    return make_slapd(
        [
            unit(BASE),
            unit(SALES),
            person("a", employeeNumber="E1", mail=["a@example.com", "a2@example.com"], departmentNumber="D1"),
            person("b", SALES, employeeNumber="E2", departmentNumber="D2"),
        ]
    )


def opened(source: dict[str, Any]) -> LdapSource:
    return LdapSource("ad", LdapSourceSettings.model_validate(source))


def refusal(source: dict[str, Any]) -> SourceError:
    with pytest.raises(SourceError) as caught, opened(source).open():
        pass
    return caught.value


def test_a_mapping_by_other_names(server: SlapdServer) -> None:
    """Keys, fields, lists of values and ready-made booleans, in any case."""
    names = {"emp_no": "employeeNumber", "addresses": "MAIL", "is_off": "disabled", "unit": "parent_dn"}
    desired = desire(
        openldap_source(server, names=names),
        key="Emp_No",
        email="addresses",
        alias="all('addresses') | join(' ')",
        active="not is_off",
        departments="unit",
    )
    assert {key: (each.email, each.alias) for key, each in desired.members.items()} == {
        "E1": ("a@example.com", "a@example.com a2@example.com"),
        "E2": (None, None),
    }
    assert places(desired) == {"a": ("Company",), "b": ("Sales",)}
    assert desired.rejected == ()


def test_departments_of_an_attribute_by_another_name(server: SlapdServer) -> None:
    """department_attribute is an attribute; the mapping may read it by both names."""
    source = openldap_source(
        server,
        departments="(departmentNumber=*)",
        department_attribute="departmentNumber",
        names={"dept": "departmentnumber"},
    )
    desired = desire(source, department={"key": "dept"}, departments="all('dept')")
    assert tree(desired) == {"D1": "", "D2": ""}
    assert places(desired) == {"a": ("D1",), "b": ("D2",)}


def test_somebody_is_looked_up_by_another_name(server: SlapdServer) -> None:
    """The server itself compares the attribute, before somebody is removed; a GUID too."""
    names = {"emp_no": "employeeNumber", "id": "entryUUID", "where": "dn"}
    with opened(openldap_source(server, names=names)).open() as session:
        assert session.find(Expression("EMP_NO"), {"E2", "E9"}) == frozenset({"E2"})
        (key,) = [row["id"] for row in session.read("members", frozenset({"id", "uid"})) if row["uid"] == "a"]
        assert session.find(Expression("id"), {str(key), "no"}) == frozenset({str(key)})
        assert session.find(Expression("where"), {"uid=a"}) is None, "no filter compares a DN"


def test_another_name_on_active_directory(make_samba: MakeSamba) -> None:
    """As HR calls it, with the number in employeeID; a GUID by another name is found by the server."""
    server = make_samba([unit(AD_BASE), user("a", employeeID="E1"), user("b", employeeID="E2")])
    source = samba_source(server, names={"emp_no": "employeeid", "id": "objectGUID"})
    desired = desire(source, key="emp_no")
    assert {key: each.userid for key, each in desired.members.items()} == {"E1": "a", "E2": "b"}
    with opened(source).open() as session:
        guid = server.values(f"CN=a,{AD_BASE}", "objectGUID")[0]
        assert session.find(Expression("id"), {guid}) == frozenset({guid})
    told = refusal(samba_source(server, names={"emp_no": "employeID"}))
    assert told.message == (
        'source ad: names.emp_no names "employeID", which the server\'s schema does not know.'
        ' Did you mean "employeeID"?'
    )
    assert told.hint == "correct source.ad.names.emp_no"


def unknown(where: str, attribute: str, meant: str | None = None) -> str:
    told = f'{where} "{attribute}", which the server\'s schema does not know'
    return told if meant is None else f'{told}. Did you mean "{meant}"?'


def test_what_the_schema_does_not_know(server: SlapdServer) -> None:
    """Everything in the config of the source at once, each with the nearest attribute that there is."""
    told = refusal(
        openldap_source(
            server,
            names={"emp_no": "employeNumber", "x": "zzzzzzzz"},
            members="(&(objectClas=person)(uidd=*))",
            groups="(cn=*)",
            group_name="descripton",
            department_attribute="departmentNumbr",
            memberships="(member=*",
        )
    )
    assert told.message.removeprefix("source ad: ").split("; ") == [
        unknown("the members filter asks for", "objectClas", "objectClass"),
        "the memberships filter is not a filter (RFC 4515)",
        unknown("department_attribute names", "departmentNumbr", "departmentNumber"),
        unknown("group_name names", "descripton", "description"),
        unknown("names.emp_no names", "employeNumber", "employeeNumber"),
        unknown("names.x names", "zzzzzzzz"),
    ]
    assert told.hint is not None
    assert told.hint.startswith("correct source.ad.members, source.ad.memberships, source.ad.dep")


def problems(sources: list[Any], **member: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_desired(sources, sync_settings(**member), NOW, sync_name="acme")
    return caught.value.problems


def test_a_mistyped_attribute_of_a_mapping(server: SlapdServer, make_source: MakeSource) -> None:
    """The error names source and attribute, and the nearest one of all that the sources know."""
    hr = make_source("hr", departments=[{"code": "D1", "parent": None, "name": "x"}], members=[HR_ROW])
    ad = openldap_source(server, names={"emp_no": "employeeNumber"})
    assert problems([hr, opened(ad)], mobile="mobil", position="full_nam", alias="emp_noo") == (
        in_neither("alias", "emp_noo", "emp_no"),
        in_neither("mobile", "mobil", "mobile"),
        in_neither("position", "full_nam", "full_name"),
    )


def in_neither(field: str, name: str, meant: str) -> str:
    return (
        f'sync.acme.member.{field}: the members query of source hr gives no column "{name}",'
        f' and the schema of source ad has no attribute "{name}". Did you mean "{meant}"?'
        " hr gives emp_no, login, full_name, dept."
        " Where the directory has it by another name, say so in source.ad.names"
    )


def test_a_key_that_the_directory_calls_otherwise(server: SlapdServer, make_source: MakeSource) -> None:
    """Without `names` the error says where to put it."""
    hr = make_source("hr", departments=[{"code": "D1", "parent": None, "name": "x"}], members=[HR_ROW])
    (told,) = problems([hr, opened(openldap_source(server))], mobile="mobile")
    assert told == (
        'sync.acme.member.key: the schema of source ad has no attribute "emp_no".'
        " Where the directory has it by another name, say so in source.ad.names"
    )


HR_ROW = {"emp_no": "E1", "login": "u1", "full_name": "人员1", "dept": "D1"}
