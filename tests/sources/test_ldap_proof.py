"""What shows that a reading of a directory is whole, and what speaks against it."""

from __future__ import annotations

import time

import pytest

from tests.servers.proxy import Proxy, run_proxy
from tests.servers.slapd import READER, SUFFIX, MakeSlapd, SlapdServer
from tests.sources.directory import BASE, PEOPLE, company, ldap_source, person
from wxsync.config.checks import LDAP_KEY
from wxsync.config.expressions import Expression
from wxsync.model.desired import ReadingProof
from wxsync.sources.ldap import LdapSource

PERSON = """dn: uid=new,ou=Sales,{base}
changetype: add
objectClass: inetOrgPerson
uid: new
cn: new
sn: new
employeeNumber: N1
"""


@pytest.fixture
def server(make_slapd: MakeSlapd) -> SlapdServer:
    return make_slapd(company(250))


def reading(source: LdapSource) -> tuple[set[object], ReadingProof]:
    """Pages of a hundred: 1 to 3 are the reading, 4 to 6 the second look."""
    with source.open() as session:
        stream = session.read("members", PEOPLE)
        keys = {row["employeeNumber"] for row in stream}
    return keys, stream.proof


def watched(proxy: Proxy, page: int, change: str, server: SlapdServer) -> tuple[int, ReadingProof]:
    def act() -> None:
        time.sleep(1.1)  # servers tell the second alone in which something was created
        server.change(change.format(base=BASE))

    proxy.before_page[page] = act
    keys, proof = reading(ldap_source(proxy.url))
    assert proof.rows == len(keys)
    return len(keys), proof


def test_a_quiet_directory_is_proven(server: SlapdServer) -> None:
    """All of it, twice the same, as the same reader."""
    keys, proof = reading(ldap_source(server))
    assert len(keys) == 250
    assert proof == ReadingProof(source="ad", query="members", rows=250, is_complete=True)


def test_before_the_last_row_nothing_is_proven(server: SlapdServer) -> None:
    """Whoever stops half-way has an incomplete reading."""
    with ldap_source(server).open() as session:
        stream = session.read("members", PEOPLE)
        next(iter(stream))
        assert str(stream.proof.problem) == "it was not read to its end"


@pytest.mark.parametrize("page_size", [1, 249, 250, 251, 500])
def test_at_the_bounds_of_a_page(make_slapd: MakeSlapd, page_size: int) -> None:
    """One entry a page, a last page that is full, one that is empty, and all on one page."""
    server = make_slapd(company(10 if page_size == 1 else 250))
    keys, proof = reading(ldap_source(server, page_size=page_size))
    assert len(keys) == proof.rows == (10 if page_size == 1 else 250)
    assert proof.is_complete


def test_a_creation_in_between_explains_itself(server: SlapdServer) -> None:
    """Who was created after the reading had begun is not missed: they come with the next one."""
    with run_proxy(server.port) as proxy:
        count, proof = watched(proxy, 4, PERSON, server)
    assert count == 250
    assert proof.is_complete


def test_a_creation_within_the_same_second_is_not_believed(server: SlapdServer) -> None:
    """It may as well have been there before the reading, and been missed."""
    seconds: list[int] = []
    for number in range(1, 6):  # until one reading is quicker than a second
        change = PERSON.format(base=BASE).replace("new", f"new{number}")

        def act(change: str = change) -> None:
            server.change(change)
            seconds.append(int(time.time()))

        with run_proxy(server.port) as proxy:
            proxy.before_page[4] = act
            time.sleep(1 - time.time() % 1)
            began = int(time.time())
            with ldap_source(proxy.url).open() as session:
                stream = session.read("members", PEOPLE)
                count = len(list(stream))
        if seconds[-1] == began:
            break
    assert count == 249 + number
    assert str(stream.proof.problem) == f"it gave {count} rows, and {count + 1} when it was counted once more"


def test_a_deletion_in_between_is_not_explained(server: SlapdServer) -> None:
    """An access rule that begins to hide people looks just the same."""
    gone = f"dn: {person(7)[0]}\nchangetype: delete\n"
    with run_proxy(server.port) as proxy:
        count, proof = watched(proxy, 4, gone, server)
    assert count == 250
    assert str(proof.problem) == "it gave 250 rows, and 249 when it was counted once more"


def test_one_created_and_one_gone_are_not_the_same(server: SlapdServer) -> None:
    """The names are compared and not the numbers alone."""
    change = f"dn: {person(7)[0]}\nchangetype: delete\n\n{PERSON}"
    with run_proxy(server.port) as proxy:
        count, proof = watched(proxy, 4, change, server)
    assert count == 250
    assert str(proof.problem) == ("two looks at it were not the same: 1 entries were in one alone")


def test_a_renamed_unit_in_between_is_not_explained(server: SlapdServer) -> None:
    """Nobody in it was changed, all of them have another name: the next reading will tell."""
    change = "dn: ou=Sales,{base}\nchangetype: modrdn\nnewrdn: ou=Market\ndeleteoldrdn: 1\n"
    with run_proxy(server.port) as proxy:
        count, proof = watched(proxy, 4, change, server)
    assert count == 250
    assert not proof.is_complete


def test_somebody_who_comes_into_the_filter_in_between_is_not_explained(server: SlapdServer) -> None:
    """They were there before and were not read: changed is not created."""
    server.change(f"dn: {person(7)[0]}\nchangetype: modify\nreplace: employeeNumber\n")
    change = f"dn: {person(7)[0]}\nchangetype: modify\nreplace: employeeNumber\nemployeeNumber: E00007\n"
    with run_proxy(server.port) as proxy:
        proxy.before_page[4] = lambda: server.change(change)
        filter_ = "(&(objectClass=inetOrgPerson)(employeeNumber=*))"
        keys, proof = reading(ldap_source(proxy.url, members=filter_))
    assert "E00007" not in keys
    assert str(proof.problem) == "it gave 249 rows, and 250 when it was counted once more"


def test_many_strangers_are_not_looked_up(server: SlapdServer) -> None:
    """Who appears by hundreds in the second look was hidden in the first one."""
    hidden = f'to dn.subtree="{BASE}" filter=(!(uid=u0000*)) by * none'
    everybody = "to * by * read"
    server.limit(olcAccess=[hidden, everybody])
    with run_proxy(server.port) as proxy:
        proxy.before_page[2] = lambda: server.limit(olcAccess=everybody)
        keys, proof = reading(ldap_source(proxy.url, base_dn=SUFFIX))
    assert len(keys) == 10
    assert str(proof.problem) == "it gave 10 rows, and 250 when it was counted once more"


def test_another_identity_at_the_end(server: SlapdServer) -> None:
    """Whatever turns the reader into nobody between the pages, it is noticed."""
    with run_proxy(server.port) as proxy:
        proxy.before_page[6] = proxy.rebind_as_nobody
        keys, proof = reading(ldap_source(proxy.url))
    assert len(keys) == 250
    assert not proof.is_complete


def test_another_server_at_the_end(server: SlapdServer, make_slapd: MakeSlapd) -> None:
    """A copy of the same people under the same names, and yet another directory."""
    other = make_slapd(company(250))
    with run_proxy(server.port) as proxy:
        proxy.before_page[4] = lambda: proxy.swap(other.port)
        keys, proof = reading(ldap_source(proxy.url))
    assert len(keys) == 250
    assert str(proof.problem) == (
        "another server, or another base_dn, answered at the end than at the beginning"
    )


@pytest.mark.parametrize("declared", [False, True])
def test_referrals_are_declared_or_the_reading_is_incomplete(server: SlapdServer, declared: bool) -> None:
    """None is followed: the password goes to the configured servers alone."""
    server.change(
        f"dn: ou=Abroad,{BASE}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
        f"ou: Abroad\nref: ldap://Dc7.Example.com:3389/ou=Abroad,{BASE}\n"
    )
    hosts = ["dc7.example.COM"] if declared else ["dc8.example.com"]
    keys, proof = reading(ldap_source(server, referrals=hosts))
    assert len(keys) == 250
    assert proof.is_complete is declared
    if not declared:
        assert str(proof.problem) == (
            "a part of it is on dc7.example.com, which was not read and is not declared in referrals"
        )


def test_a_server_that_does_not_say_who_reads_proves_nothing(server: SlapdServer) -> None:
    """People are read all the same."""
    with run_proxy(server.port) as proxy:
        proxy.refuses_extensions = True
        keys, proof = reading(ldap_source(proxy.url))
    assert len(keys) == 250
    assert str(proof.problem) == "the server does not say as whom it lets wxsync read"


def test_people_are_looked_up_by_their_keys(server: SlapdServer) -> None:
    """By the server itself, in filters that a key cannot break out of."""
    strange = "E(1)*\\,\x00中"
    server.change(f"dn: {person(7)[0]}\nchangetype: modify\nreplace: employeeNumber\nemployeeNumber: E*7\n")
    with ldap_source(server).open() as session:
        key = Expression("employeeNumber")
        asked = [f"E{number:05d}" for number in range(0, 250, 2)]
        assert session.find(key, [*asked, "E00007", "E*", "e00001", strange]) == frozenset(asked)
        assert session.find(key, ["E*7"]) == frozenset({"E*7"})
        assert session.find(key, []) == frozenset()


def test_people_are_looked_up_by_the_default_key(server: SlapdServer) -> None:
    """The GUID that the server gave, in the form of the mapping."""
    key = Expression(LDAP_KEY)
    with ldap_source(server).open() as session:
        rows = session.read("members", frozenset({"entryUUID"}))
        ids = frozenset(str(row["entryUUID"]) for row in rows)
        absent = "00000000-0000-4000-8000-000000000000"
        assert session.find(key, [*ids, absent, "nothing like it"]) == ids


def test_what_no_server_compares_is_not_looked_up(server: SlapdServer) -> None:
    """A key that is made of attributes; a name that the directory does not have."""
    with ldap_source(server).open() as session:
        assert session.find(Expression("employeeNumber | upper"), ["E00001"]) is None
        assert session.find(Expression("badge"), ["E00001"]) is None


def test_a_look_up_that_hits_a_limit_says_nothing(server: SlapdServer) -> None:
    """Some of them there, and no word of the others."""
    server.limit(olcLimits=f'dn.exact="{READER}" size.soft=5 size.hard=5 size.prtotal=5')
    with ldap_source(server, page_size=5).open() as session:
        asked = [f"E{number:05d}" for number in range(20)]
        assert session.find(Expression("employeeNumber"), asked) is None
