"""What an LDAP source asks its server for, and what it keeps of it."""

from __future__ import annotations

import tracemalloc
from base64 import b64encode
from typing import Any

import pytest

from tests.servers.slapd import MakeSlapd, SlapdServer
from tests.sources.directory import BASE, PEOPLE, company, ldap_source, person
from tests.sources.rows import NOW, sync_settings
from wxsync.errors import ConfigError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_filters import equals
from wxsync.sources.reader import read_desired

DEPARTMENT = {"key": "ou", "parent": "parent_dn", "name": "ou", "ref": "dn"}
MEMBER: dict[str, Any] = {"key": "employeeNumber", "userid": "uid", "name": "cn", "departments": "parent_dn"}
HOSTILE = ["a, b", 'say "x"', "a+b", "张伟", " both ends ", "#1", "x\\y", "<a>;b=c", "a\tb"]


@pytest.fixture
def server(make_slapd: MakeSlapd) -> SlapdServer:
    return make_slapd(company(20))


def test_only_what_is_asked_for_comes(server: SlapdServer) -> None:
    """No other attribute goes over the line, and names are told apart without case."""
    with ldap_source(server).open() as session:
        entries = list(session.survey("members", ("EMPLOYEENUMBER", "mobile")))
    assert len(entries) == 20
    assert entries[0] == Entry(person(0)[0], {"employeenumber": (b"E00000",), "mobile": (b"13800000000",)})
    assert {frozenset(entry.attributes) for entry in entries} == {frozenset({"employeenumber", "mobile"})}


def test_the_mapping_says_what_is_asked_for(server: SlapdServer) -> None:
    """Names that every row has by itself are no attributes."""
    with ldap_source(server).open() as session:
        stream = session.read("members", frozenset({"uid", "dn", "parent_dn", "title"}))
        assert sorted(stream.columns) == ["dn", "parent_dn", "title", "uid"]
        rows = list(stream)
    assert rows[3]["uid"] == "u00003"
    assert rows[3]["title"] is None


def test_a_desired_directory_comes_out(server: SlapdServer) -> None:
    """Departments by their DN, people by where they are."""
    settings = sync_settings(department=DEPARTMENT, **MEMBER)
    desired = read_desired([ldap_source(server)], settings, NOW, sync_name="acme")
    assert desired.is_complete
    assert len(desired.members) == 20
    assert desired.members["E00005"].departments == ("Sales",)
    assert desired.departments["Sales"].parent == "Company"
    assert desired.rejected == ()


def test_a_mistyped_attribute_is_an_error_before_anything_is_read(server: SlapdServer) -> None:
    """It is not empty on everybody."""
    settings = sync_settings(department=DEPARTMENT, **MEMBER, mobile="mobil", email="mail")
    with pytest.raises(ConfigError, match=r'has no attribute "mobil"\. Did you mean "mobile"') as caught:
        read_desired([ldap_source(server)], settings, NOW, sync_name="acme")
    assert len(caught.value.problems) == 1


def test_hostile_names_come_as_they_are(make_slapd: MakeSlapd) -> None:
    """And each of them is found again by its DN."""
    server = make_slapd(
        [
            *company(1),
            *(
                (f"cn={escaped(name)},{BASE}", {"objectClass": ["person"], "cn": [name], "sn": ["x"]})
                for name in HOSTILE
            ),
        ]
    )
    with ldap_source(server, members="(objectClass=person)").open() as session:
        entries = list(session.survey("members", ("cn",)))
        found = {entry.attributes["cn"][0].decode() for entry in entries}
        assert found == {*HOSTILE, "人员00000"}
        for entry in entries:
            assert session.lookup(entry.dn, ("cn",)) == entry


def test_hostile_values_come_as_they_are(make_slapd: MakeSlapd) -> None:
    """A value of a megabyte, NUL bytes, what is no UTF-8."""
    values = [b"x" * 1_000_000, b"a\0b", bytes(range(256)), b"\xff\xfe"]
    server = make_slapd(
        [
            *company(0),
            *(
                (f"uid=h{n},{BASE}", {"objectClass": ["inetOrgPerson"], "uid": [f"h{n}"], **rest(value)})
                for n, value in enumerate(values)
            ),
        ]
    )
    with ldap_source(server).open() as session:
        survey = session.survey("members", ("jpegPhoto",))
        assert [entry.attributes["jpegphoto"] for entry in survey] == [(value,) for value in values]
        survey.seal()
        assert survey.evidence.has_ended


def test_a_lookup_of_nobody(server: SlapdServer) -> None:
    """Neither an entry that is not there nor one that the filter leaves out is an error."""
    with ldap_source(server).open() as session:
        assert session.lookup(f"uid=nobody,{BASE}", ("uid",)) is None
        assert session.lookup(person(1)[0], ("uid",), "(uid=u00002)") is None
        assert session.lookup(person(1)[0], ("uid",), "(uid=u00001)") is not None


@pytest.mark.parametrize("value", [b" a b ", b"\x00\x20", b"*", b"\\2a", b"(x)", bytes(range(256)), b"\xff"])
def test_a_filter_finds_bytes_as_they_are(server: SlapdServer, value: bytes) -> None:
    """An objectGUID may begin or end with a space, and hold whatever means something in a filter."""
    server.limit(olcAccess="to * by * read")
    with ldap_source(server).open() as session:
        changes = f"dn: {person(1)[0]}\nchangetype: modify\nreplace: userPassword\nuserPassword:: "
        server.change(changes + b64encode(value).decode() + "\n")
        found = session.listing("a search", equals("userPassword", value), ("uid",))
        assert [entry.dn for entry in found] == [person(1)[0]]


def test_two_listings_at_once_are_not_whole(server: SlapdServer) -> None:
    """OpenLDAP forgets where the first one was: it is broken, and not short."""
    with ldap_source(server, page_size=5).open() as session:
        first = session.listing("one", "(objectClass=person)", ("uid",))
        rows = iter(first)
        next(rows)
        assert len(list(session.listing("another", "(objectClass=person)", ("uid",)))) == 20
        assert len(list(rows)) < 19
        assert first.broken is not None


def test_memory_does_not_grow_with_the_company(make_slapd: MakeSlapd) -> None:
    """Pages are dropped as they are read; what stays of an entry is eight bytes."""
    server = make_slapd(company(4000))

    def peak(filter_: str) -> tuple[int, int]:
        with ldap_source(server, members=filter_).open() as session:
            tracemalloc.start()
            try:
                count = sum(1 for _ in session.read("members", PEOPLE))
                return count, tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    peak("(uid=u000*)")  # what is loaded and kept once
    few, little = peak("(uid=u00*)")
    many, much = peak("(uid=u0*)")
    assert (few, many) == (1000, 4000)
    assert (much - little) / (many - few) < 60


def rest(value: bytes) -> dict[str, list[bytes]]:
    return {"cn": [b"h"], "sn": [b"h"], "jpegPhoto": [value]}


def escaped(name: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in name.encode())
