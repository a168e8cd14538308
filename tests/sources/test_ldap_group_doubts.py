"""Groups of a directory that change, hide or vanish while they are read: nobody is called gone by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tests.journeys.directory import REFINT, renamed
from tests.servers.samba import MakeSamba
from tests.servers.slapd import READER, MakeSlapd, SlapdServer
from tests.sources.shapes import (
    AD_BASE,
    BASE,
    OUTSIDE,
    USERS,
    ad_group,
    desire,
    doubts,
    group,
    openldap_source,
    person,
    places,
    samba_source,
    tagged,
    unit,
    user,
)
from wxsync.config.settings import LdapSourceSettings
from wxsync.model.desired import Desired, ReadingProof
from wxsync.sources.base import NOBODY, Row, RowStream
from wxsync.sources.dn import Dn
from wxsync.sources.ldap import LdapSource
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_groups import Latecomers, Staff
from wxsync.sources.ldap_hidden import Hidden
from wxsync.sources.ldap_schema import Schema
from wxsync.sources.ldap_session import LdapSession
from wxsync.sources.ldap_wire import Page, Result

GROUPS = {"groups": "(objectClass=groupOfNames)"}
UNIT = f"ou=A,{BASE}"
A, B, C = (f"uid={login},{UNIT}" for login in "abc")
TREE = [unit(BASE), unit(UNIT), unit(OUTSIDE), person("a", UNIT), person("b", UNIT), person("c", UNIT)]
FINISH = ["to attrs=userPassword by anonymous auth by * none", "to * by * read"]
LATE = "a group names somebody who came, or whose name changed, after people were read"


class Reading:
    """One of the streams of groups, of which the first row was taken: the groups have been listed."""

    def __init__(self, session: LdapSession, stream: RowStream) -> None:
        self.session = session
        self._stream = stream
        self._rows = iter(stream)
        self.first = next(self._rows)

    def rest(self) -> list[Row]:
        return list(self._rows)

    @property
    def proof(self) -> ReadingProof:
        return self._stream.proof


@contextmanager
def begun(source: dict[str, Any], query: str = "tags") -> Iterator[Reading]:
    """People were read, groups are listed, and of the first group the first place is known."""
    settings = LdapSourceSettings.model_validate({**source, "page_size": 50})
    with LdapSource("directory", settings).open() as session:
        list(session.read("members", frozenset({"cn"})))
        yield Reading(session, session.read(query))


def moved(dn: str, above: str) -> str:
    return renamed(dn, dn.partition(",")[0], above=above)


def plain(member: object) -> object:
    return str(member) if isinstance(member, Dn) else member


def hide(server: SlapdServer, *rules: str) -> None:
    server.limit(olcAccess=[*rules, *FINISH])


def tags_of(reading: Reading) -> dict[object, set[object]]:
    found: dict[object, set[object]] = {}
    for row in [reading.first, *reading.rest()]:
        found.setdefault(row["tag"], set()).add(plain(row["member"]))
    return found


def seen(desired: Desired) -> dict[str, ReadingProof]:
    return {each.query: each for each in desired.readings}


# Who reads, and what groups are called


def test_whoever_becomes_nobody_while_groups_are_gone_through(make_slapd: MakeSlapd) -> None:
    """The groups are listed by then, and those within them are not read any more: no proof of the places."""
    inner = f"cn=inner,{OUTSIDE}"
    server = make_slapd(
        [*TREE, group("first", A), group("second", inner, B), group("inner", C, place=OUTSIDE)]
    )
    hide(server, f'to dn.subtree="{inner}" by dn.exact="{READER}" read by * none')
    with begun(openldap_source(server, **GROUPS)) as reading:
        reading.session._wire.bind(None, "")
        assert C not in tags_of(reading)["second"]
    assert "as somebody else at the end" in str(reading.proof.problem)


def test_groups_that_get_another_name_before_the_server_is_asked_who_is_in_them(
    make_samba: MakeSamba,
) -> None:
    """By the old names nobody is in any group of Active Directory: the second look sees the new ones."""
    place = f"OU=Groups,{AD_BASE}"
    a, b = (f"CN={login},{AD_BASE}" for login in "ab")
    server = make_samba([unit(AD_BASE), unit(place), user("a"), user("b")])
    server.load([ad_group("one", a, b, place=place), ad_group("two", a, b, place=place)])
    with begun(samba_source(server, groups="(objectClass=group)")) as reading:
        server.change(renamed(place, "OU=Gruppen"))
        found = tags_of(reading)
    assert {NOBODY} in found.values()
    assert "two looks at it were not the same" in str(reading.proof.problem)


def test_a_group_within_a_group_that_gets_another_name(make_slapd: MakeSlapd) -> None:
    """Its old name is nobody's when its turn comes: the group that named it is looked at once more."""
    inner = f"cn=inner,{OUTSIDE}"
    records = [*TREE, group("first", A), group("second", inner, B), group("inner", C, place=OUTSIDE)]
    server = make_slapd(records, overlays=REFINT)
    with begun(openldap_source(server, **GROUPS)) as reading:
        server.change(renamed(inner, "cn=other"))
        found = tags_of(reading)
    assert found == {"first": {A}, "second": {B}}
    assert str(reading.proof.problem) == "a group changed while groups of groups were gone through"


def test_a_name_that_stays_behind_is_no_change(make_slapd: MakeSlapd) -> None:
    """Without the overlay `refint` a group goes on naming those who are gone: that holds up nothing."""
    inner = f"cn=inner,{OUTSIDE}"
    server = make_slapd(
        [*TREE, group("first", A), group("second", inner, B), group("inner", C, place=OUTSIDE)]
    )
    with begun(openldap_source(server, **GROUPS)) as reading:
        server.change(renamed(inner, "cn=other"))
        found = tags_of(reading)
    assert found == {"first": {A}, "second": {B}}
    assert reading.proof.is_complete
    assert (reading.proof.rows, reading.proof.entries) == (2, 2)


# People who are moved between two queries


@pytest.mark.parametrize("query", ["tags", "memberships"])
def test_somebody_who_is_moved_after_people_were_read(make_slapd: MakeSlapd, query: str) -> None:
    """The group has the new name, people were read by the old one: they are not called outside."""
    target = f"ou=B,{BASE}"
    server = make_slapd([*TREE, unit(target), group("first", A), group("second", A, B)], overlays=REFINT)
    both = {**GROUPS, "memberships": GROUPS["groups"]}
    settings = LdapSourceSettings.model_validate(openldap_source(server, **both))
    with LdapSource("directory", settings).open() as session:
        list(session.read("members", frozenset({"cn"})))
        server.change(moved(B, target))
        stream = session.read(query)
        rows = list(stream)
    assert {plain(row["member"]) for row in rows} == {A}
    assert str(stream.proof.problem) == LATE


def test_somebody_who_is_moved_after_people_were_read_on_active_directory(make_samba: MakeSamba) -> None:
    """The server follows the chain to the new name, which nobody has been read by."""
    target = f"OU=B,{AD_BASE}"
    a, b = (f"CN={login},{AD_BASE}" for login in "ab")
    server = make_samba([unit(AD_BASE), unit(target), user("a"), user("b"), ad_group("one", a, b)])
    settings = LdapSourceSettings.model_validate(samba_source(server, groups="(objectClass=group)"))
    with LdapSource("directory", settings).open() as session:
        list(session.read("members", frozenset({"cn"})))
        server.change(moved(b, target))
        stream = session.read("tags")
        assert [row["member"] for row in stream] == [a]
    assert str(stream.proof.problem) == LATE


def test_somebody_who_went_out_of_the_base_is_outside(make_slapd: MakeSlapd) -> None:
    """Whom the members query does not find by then is no doubt."""
    server = make_slapd([*TREE, group("first", A), group("second", A, B)], overlays=REFINT)
    settings = LdapSourceSettings.model_validate(openldap_source(server, **GROUPS))
    with LdapSource("directory", settings).open() as session:
        list(session.read("members", frozenset({"cn"})))
        server.change(moved(B, OUTSIDE))
        stream = session.read("tags")
        assert [row["member"] for row in stream] == [A, A]
    assert stream.proof.is_complete


class Renaming:
    """A directory that calls an entry otherwise than the group that names it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def search(self, filter_: str, attributes: Sequence[str]) -> Iterator[Entry]:
        raise NotImplementedError

    def census(self, filter_: str, attributes: Sequence[str]) -> Iterator[Entry]:
        raise NotImplementedError

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = "") -> Entry | None:
        raise NotImplementedError

    def member(self, dn: Dn) -> Entry | None:
        self.asked.append(dn)
        return Entry(A, {})

    def may_be_hidden(self, dn: Dn) -> bool:
        raise NotImplementedError

    def doubt(self, problem: object) -> None:
        raise AssertionError(problem)


def test_a_name_that_only_the_server_can_resolve() -> None:
    """A name that wxsync does not know for one of those whom it read, and the server does: asked for once."""
    staff = Staff(is_active_directory=False, schema=Schema(names={}, kinds={}), is_whole=True)
    staff.note(Entry(A, {}))
    directory = Renaming()
    latecomers = Latecomers(staff, directory)
    strange = Dn("1.2.3.4=a,dc=example,dc=com")
    assert [latecomers.known_as(strange) for _ in range(2)] == [A, A]
    assert directory.asked == [strange]


# What is hidden


@pytest.mark.parametrize(
    "rule",
    [
        'to dn.exact="cn=inner,ou=Outside,dc=example,dc=com" by * none',
        'to dn.subtree="ou=Outside,dc=example,dc=com" by * none',
        'to dn.exact="cn=inner,ou=Outside,dc=example,dc=com" by * disclose',
        'to dn.exact="cn=inner,ou=Outside,dc=example,dc=com" by * search',
    ],
    ids=["as if gone", "with its unit", "refused", "found and not shown"],
)
def test_a_hidden_group_within_a_group(make_slapd: MakeSlapd, rule: str) -> None:
    """Hidden between listing and walk, or all the time: nobody loses the tag of the group that names it."""
    inner, gone = f"cn=inner,{OUTSIDE}", f"cn=gone,{BASE}"
    server = make_slapd(
        [*TREE, group("first", A, gone), group("second", inner, B), group("inner", C, place=OUTSIDE)]
    )
    source = openldap_source(server, **GROUPS)
    assert tagged(desire(source)) == {"first": {"a"}, "second": {"b", "c"}}
    with begun(source) as reading:
        hide(server, rule)
        assert tags_of(reading) == {"first": {A}, "second": {B, None}}
    desired = desire(source)
    assert tagged(desired) == {"first": {"a"}, "second": {"b"}}
    assert desired.undecided_tags == {"second"}
    assert doubts(desired) == []


def test_a_server_that_never_says_what_is_above_cannot_be_seen_through() -> None:
    """Then a name that finds nothing is one that is gone, as most such names are."""
    asked: list[str] = []

    def silent(dn: str) -> Page:
        asked.append(dn)
        there = (Entry(dn, {}),) if dn in (BASE, UNIT) else ()
        code = 0 if there else 32
        return Page(entries=there, referrals=(), result=Result(code=code, name="", message=""), cookie=None)

    hidden = Hidden(silent)
    assert not hidden.may_be(Dn(f"cn=x,{UNIT}"))
    assert not hidden.may_be(Dn(f"cn=y,{UNIT}"))
    assert len(asked) == 5, "a name that nobody can have is tried once below each entry"


def test_a_group_on_a_server_that_is_declared_is_outside(make_slapd: MakeSlapd) -> None:
    """What is in `referrals` may be left out: the tag has everybody else, and no doubt."""
    server = make_slapd([*TREE, group("first", A, "uid=x,dc=elsewhere,dc=org")])
    server.configure("cn=config", olcReferral="ldap://dc7.example.com")
    source = openldap_source(server, **GROUPS)
    assert desire(source).undecided_tags == {"first"}
    desired = desire({**source, "referrals": ["DC7.example.com"]})
    assert (tagged(desired), desired.undecided_tags) == ({"first": {"a"}}, frozenset())


def test_a_group_that_must_have_somebody_and_shows_nobody(make_slapd: MakeSlapd) -> None:
    """An access rule hides who is in it, here of nested groups too: nobody loses a tag or a place."""
    inner = f"cn=inner,{OUTSIDE}"
    unique = group("unique", objectClass="groupOfUniqueNames", uniqueMember=[A], member=[])
    logins = group("logins", objectClass="posixGroup", gidNumber="7", memberUid=["a"], member=[])
    server = make_slapd(
        [
            *TREE,
            group("first", A),
            unique,
            logins,
            group("second", inner, B),
            group("inner", C, place=OUTSIDE),
        ]
    )
    filter_ = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
    source = openldap_source(server, groups=filter_)
    before = desire(source)
    assert (seen(before)["tags"].rows, seen(before)["tags"].entries) == (5, 4)
    hide(server, f'to dn.exact="{inner}" attrs=member by * none')
    assert desire(source).undecided_tags == {"second"}
    hide(server, "to attrs=member,uniqueMember,memberUid by * none")
    desired = desire(source)
    assert desired.undecided_tags == {"first", "unique", "second"}
    assert desired.empty_tags == {"logins"}, "its class may be without anybody"
    assert seen(desired)["tags"].rows == 0
    hide(server, f'to dn.exact="cn=logins,{BASE}" attrs=memberUid,objectClass by * none')
    assert desire({**source, "groups": "(cn=logins)"}).undecided_tags == {"logins"}, "nor is its class shown"


def test_a_department_that_must_have_somebody_and_shows_nobody(make_slapd: MakeSlapd) -> None:
    """Everybody's place may be in it: nobody is taken out of a department."""
    dept = "(objectClass=groupOfNames)"
    server = make_slapd([*TREE, group("first", A, B), group("second", C)])
    source = openldap_source(server, departments=dept, memberships=dept)
    mapping: dict[str, Any] = {"department": {"name": "cn", "parent": "none"}, "departments": "none"}
    assert places(desire(source, **mapping)) == {"a": ("first",), "b": ("first",), "c": ("second",)}
    hide(server, "to attrs=member by * none")
    desired = desire(source, **mapping)
    assert desired.is_doubtful("memberships")
    assert (seen(desired)["memberships"].rows, seen(desired)["memberships"].entries) == (0, 2)


def test_a_group_with_nobody_in_it_is_a_tag_all_the_same(
    make_slapd: MakeSlapd, make_samba: MakeSamba
) -> None:
    """It is there, and in it is none of the sync's people: no new tag is made of it, and none is dropped."""
    far = person("far", OUTSIDE)
    server = make_slapd([*TREE, far, group("first", A), group("second", far[0])])
    desired = desire(openldap_source(server, **GROUPS))
    assert tagged(desired) == {"first": {"a"}}
    assert desired.empty_tags == {"second"}
    domain = make_samba([unit(AD_BASE), user("a"), user("far", USERS)])
    domain.load([ad_group("one", f"CN=a,{AD_BASE}"), ad_group("two", f"CN=far,{USERS}"), ad_group("three")])
    desired = desire(samba_source(domain, groups="(objectClass=group)"))
    assert tagged(desired) == {"one": {"a"}}
    assert desired.empty_tags == {"two", "three"}


def test_places_are_what_a_reading_of_groups_is_measured_by(make_samba: MakeSamba) -> None:
    """A reading that has all the groups and half of the people in them has half as many rows."""
    people = [user(f"p{number}") for number in range(8)]
    server = make_samba([unit(AD_BASE), *people])
    server.load([ad_group("one", *(dn for dn, _ in people)), ad_group("two", people[0][0])])
    source = samba_source(server, groups="(objectClass=group)")
    proof = seen(desire(source))["tags"]
    assert (proof.rows, proof.entries, proof.is_complete) == (9, 2, True)
