"""What shows that a reading of Active Directory is whole, and what its refusals mean."""

from __future__ import annotations

import ssl
import time
from typing import Any

import pytest

from tests.servers.samba import DOMAIN, PASSWORD, READER, MakeSamba, Samba
from tests.sources.shapes import AD_BASE, samba_source, unit, user
from wxsync.config.checks import LDAP_KEY
from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.sources.ldap import LdapSource
from wxsync.sources.ldap_errors import Retold
from wxsync.sources.ldap_proof import Witness
from wxsync.sources.ldap_session import LdapSession
from wxsync.sources.ldap_wire import addresses, connect

NAMES = frozenset({"sAMAccountName", "objectGUID"})
ACCOUNT = f"CN={READER.partition('@')[0]},CN=Users,{DOMAIN}"


@pytest.fixture
def server(make_samba: MakeSamba) -> Samba:
    return make_samba([unit(AD_BASE), *(user(f"u{number}") for number in range(12))])


def source(server: Samba, **settings: Any) -> LdapSource:
    return LdapSource("ad", LdapSourceSettings.model_validate(samba_source(server, **settings)))


def refusal(refused: LdapSource) -> str:
    with pytest.raises(SourceUnavailableError) as caught, refused.open():
        pass
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"
    return str(caught.value)


def names(session: LdapSession) -> set[object]:
    return {row["sAMAccountName"] for row in session.read("members", NAMES)}


def test_a_quiet_domain_is_proven(server: Samba) -> None:
    """In pages, by "Who am I?" and the groups of the one who reads."""
    with source(server, page_size=5).open() as session:
        survey = session.survey("members", ("sAMAccountName",))
        assert len(list(survey)) == 12
        survey.seal()
        evidence = survey.evidence
        stream = session.read("members", NAMES)
        assert len(list(stream)) == 12
    assert evidence.before == evidence.after
    assert len((evidence.before or "").split()[-1]) == 64  # a digest: nobody needs to know the groups
    assert stream.proof.is_complete, stream.proof


def test_who_becomes_nobody_proves_nothing(server: Samba) -> None:
    """After the last page of the first look."""
    with source(server).open() as session:
        stream = session.read("members", NAMES)
        rows = iter(stream)
        for _ in range(12):
            next(rows)
        session._wire.bind(None, "")
        assert list(rows) == []
    assert str(stream.proof.problem) == (
        "the server let wxsync read as somebody else at the end than at the beginning"
    )


def test_nobody_is_known_as_nobody(server: Samba) -> None:
    """Active Directory gives a list of groups to those who did not bind, too."""
    (address,) = addresses(
        server.plain_url,
        start_tls=False,
        tls=ssl.create_default_context(),
        connect_timeout=3,
        receive_timeout=3,
    )
    with connect(address) as wire:
        assert Witness(wire, AD_BASE, Retold(source="ad")).first.identity == ""


def test_the_root_of_the_domain_refers_elsewhere(server: Samba) -> None:
    """To partitions that nobody wants: they are declared, or nobody is removed."""
    with source(server, base_dn=DOMAIN).open() as session:
        stream = session.read("members", NAMES)
        assert "u1" in {row["sAMAccountName"] for row in stream}
    assert not stream.proof.is_complete
    told = str(stream.proof.problem)
    assert told.startswith("a part of it is on ")
    hosts = told.removeprefix("a part of it is on ").partition(", which was not read")[0].split(", ")
    with source(server, base_dn=DOMAIN, referrals=hosts).open() as session:
        stream = session.read("members", NAMES)
        list(stream)
    assert stream.proof.is_complete, stream.proof


def test_a_creation_in_between_explains_itself(server: Samba) -> None:
    """By whenCreated and the server's own clock; a deletion explains nothing."""
    with source(server).open() as session:
        stream = session.read("members", NAMES)
        rows = iter(stream)
        next(rows)
        time.sleep(1.1)
        server.load([user("new")])
        assert len(list(rows)) == 11
        assert stream.proof.is_complete, stream.proof
        stream = session.read("members", NAMES)
        rows = iter(stream)
        server.change(f"dn: CN={next(rows)['sAMAccountName']},{AD_BASE}\nchangetype: delete\n")
        list(rows)
    assert str(stream.proof.problem) == "it gave 13 rows, and 12 when it was counted once more"


def test_people_are_looked_up_by_their_guid(server: Samba) -> None:
    """The sixteen bytes behind the text."""
    key = Expression(LDAP_KEY)
    with source(server).open() as session:
        ids = frozenset(str(row["objectGUID"]) for row in session.read("members", NAMES))
        assert len(ids) == 12
        assert session.find(key, [*ids, "00000000-0000-4000-8000-000000000000"]) == ids
        assert session.find(Expression("objectGUID"), sorted(ids)[:3]) == frozenset(sorted(ids)[:3])
        assert session.find(Expression("sAMAccountName"), ["u1", "u99", "*"]) == frozenset({"u1"})


def test_people_who_were_moved_out_of_the_base_are_told_where_they_are(server: Samba) -> None:
    """By their ids, in the whole domain; of who is deleted, and by another key, nothing is told."""
    key = Expression(LDAP_KEY)
    ids = {login: server.values(f"CN={login},{AD_BASE}", "objectGUID")[0] for login in ("u1", "u2", "u3")}
    target = f"CN=Users,{DOMAIN}"
    server.change(
        f"dn: CN=u1,{AD_BASE}\nchangetype: modrdn\nnewrdn: CN=u1\ndeleteoldrdn: 1\nnewsuperior: {target}\n"
    )
    server.change(f"dn: CN=u2,{AD_BASE}\nchangetype: delete\n")
    members = "(&(objectClass=user)(!(cn=u3)))"
    with source(server, members=members).open() as session:
        where = session.whereabouts(key, frozenset(ids.values()))
        assert session.whereabouts(Expression("sAMAccountName"), frozenset({"u1"})) == {}
    assert {each: str(place) for each, place in where.items()} == {
        ids["u1"]: f"no longer below base_dn; the directory still has it in {target}",
        ids["u3"]: f"no longer found by members, though the directory still has it in {AD_BASE}",
    }


def test_refused_binds_say_why(server: Samba) -> None:
    """Active Directory hides the reason behind one code; the words are ours."""
    assert "the password is wrong" in refusal(source(server, bind_password="not-this-one"))
    assert "strongerAuthRequired (8)" in refusal(source(server, url=server.plain_url))
    server.change(
        f"dn: {ACCOUNT}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n"
    )
    assert "the account is disabled" in refusal(source(server))


def test_start_tls(server: Samba) -> None:
    """The plain port, encrypted."""
    with source(server, url=server.plain_url, start_tls=True).open() as session:
        assert len(names(session)) == 12


def test_an_attribute_that_the_forest_does_not_have(server: Samba) -> None:
    """The schema has some fifteen hundred; the config names another one."""
    with (
        pytest.raises(SourceError, match='asks for "emploeeID"'),
        source(server, members="(&(objectClass=user)(emploeeID=*))").open(),
    ):
        pass
    with source(server).open() as session:
        assert session.read("members", frozenset({"employeeID", "emploeeID"})).columns == ("employeeID",)
