"""OpenLDAP, asked whether anything has changed since a mark: quiet, changed, or nobody can tell."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.directory import added, deleted, modified, renamed
from tests.servers.slapd import READER, SUFFIX, MakeSlapd, SlapdServer
from tests.sources.directory import BASE, company, ldap_source, person, unit
from wxsync.config.checks import LDAP_KEY
from wxsync.config.expressions import Expression
from wxsync.errors import SourceUnavailableError
from wxsync.model.watch import Stirred
from wxsync.sources.ldap import LdapSource

KEY = Expression("employeeNumber")
SESSIONLOG = "syncprov-sessionlog 1000\n"
PASSWORDS = "to attrs=userPassword by anonymous auth by * none"


def source(server: SlapdServer, **settings: Any) -> LdapSource:
    return ldap_source(server, watch=True, **settings)


def marked(watched: LdapSource) -> str:
    """The mark that a reading begins with."""
    with watched.open() as session:
        mark = session.mark()
    assert mark is not None
    return mark


def reason(stirred: Stirred) -> str:
    """Why nobody can tell; then it names nobody and is not quiet."""
    assert not stirred.is_quiet
    assert not stirred.keys
    assert not stirred.dns
    return str(stirred.why)


@pytest.fixture
def server(make_slapd: MakeSlapd) -> SlapdServer:
    return make_slapd(company(40), overlays=SESSIONLOG)


def test_quiet_where_nothing_was_written(server: SlapdServer) -> None:
    """Also after many questions, readings, and a restart; and the mark is the same."""
    watched = source(server)
    mark = marked(watched)
    for _ in range(3):
        assert watched.stirred(mark, KEY) == Stirred(source="ad", mark=mark, is_quiet=True)
    server.restart()
    assert watched.stirred(mark, KEY).is_quiet
    assert marked(watched) == mark


CHANGES: list[Any] = [
    pytest.param(
        lambda server: server.add([person(99)]), {"E00099"}, {person(99)[0]}, id="somebody is added"
    ),
    pytest.param(
        lambda server: server.change(modified(person(7)[0], mail="new@example.com")),
        {"E00007"},
        {person(7)[0]},
        id="somebody is modified",
    ),
    pytest.param(lambda server: server.change(deleted(person(7)[0])), set(), set(), id="somebody is deleted"),
    pytest.param(
        lambda server: server.change(renamed(person(7)[0], "uid=u00007", above=f"ou=Sales,{BASE}")),
        {"E00007"},
        {f"uid=u00007,ou=Sales,{BASE}"},
        id="somebody is moved",
    ),
    pytest.param(
        lambda server: server.change(renamed(f"ou=Sales,{BASE}", "ou=Sales", above=f"ou=Works,{BASE}")),
        set(),
        {f"ou=Sales,ou=Works,{BASE}"},
        id="a unit is moved: its people are not named",
    ),
    pytest.param(
        lambda server: server.change(renamed(f"ou=Sales,{BASE}", "ou=Market")),
        set(),
        {f"ou=Market,{BASE}"},
        id="a unit is renamed: its people are not named",
    ),
    pytest.param(
        lambda server: server.change(modified(READER, description="elsewhere")),
        set(),
        set(),
        id="something outside of the base: it may be a group",
    ),
]


@pytest.mark.parametrize(("change", "keys", "dns"), CHANGES)
@pytest.mark.parametrize("overlays", [SESSIONLOG, ""], ids=["with a sessionlog", "without"])
def test_changed_where_something_was(
    make_slapd: MakeSlapd,
    change: Callable[[SlapdServer], None],
    keys: set[str],
    dns: set[str],
    overlays: str,
) -> None:
    """With those whom the server names; by the new mark all is quiet again."""
    server = make_slapd(company(40), overlays=overlays)
    watched = source(server)
    mark = marked(watched)
    change(server)
    stirred = watched.stirred(mark, KEY)
    assert (stirred.is_quiet, stirred.why) == (False, None)
    assert (set(stirred.keys), set(stirred.dns)) == (keys, dns)
    assert stirred.mark not in (None, mark)
    assert watched.stirred(stirred.mark, KEY).is_quiet


def test_who_was_deleted_is_named_where_the_server_remembers(make_slapd: MakeSlapd) -> None:
    """By entryUUID, which the key by default is made of; only with a sessionlog, and until a restart."""
    key = Expression(LDAP_KEY)
    for overlays, is_named in ((SESSIONLOG, True), ("", False)):
        server = make_slapd(company(8), overlays=overlays)
        watched = source(server)
        with watched.open() as session:
            rows = list(session.read("members", frozenset({"entryUUID", "employeeNumber"})))
        ids = {str(row["employeeNumber"]): str(row["entryUUID"]) for row in rows}
        mark = marked(watched)
        server.change(deleted(person(3)[0]) + "\n" + deleted(person(4)[0]))
        stirred = watched.stirred(mark, key)
        assert not stirred.is_quiet
        assert stirred.keys == (frozenset({ids["E00003"], ids["E00004"]}) if is_named else frozenset())
        server.restart()
        assert watched.stirred(mark, key).keys == frozenset()
        assert not watched.stirred(mark, key).is_quiet


def test_a_new_member_of_a_group_is_seen_as_the_group(server: SlapdServer) -> None:
    """The person's own entry stays as it is: nobody is named by key."""
    group = {"objectClass": ["groupOfNames"], "cn": ["vpn"], "member": [person(1)[0]]}
    server.add([(f"cn=vpn,{BASE}", group)])
    watched = source(server)
    mark = marked(watched)
    server.change(added(f"cn=vpn,{BASE}", member=person(2)[0]))
    stirred = watched.stirred(mark, KEY)
    assert (set(stirred.keys), set(stirred.dns)) == (set(), {f"cn=vpn,{BASE}"})


def test_an_access_rule_is_not_seen(server: SlapdServer) -> None:
    """A blind spot: whoever is hidden was not written to. The next full reading finds out."""
    watched = source(server)
    mark = marked(watched)
    hiding = f'{{1}}to dn.subtree="ou=Sales,{BASE}" by * none'
    server.limit(olcAccess=[f"{{0}}{PASSWORDS}", hiding, "{2}to * by * read"])
    assert watched.stirred(mark, KEY).is_quiet
    with watched.open() as session:
        assert len(list(session.read("members", frozenset({"uid"})))) == 30


def test_of_many_changes_some_are_named(server: SlapdServer) -> None:
    """A page of them: who is looked at first need not be everybody."""
    watched = source(server, page_size=5)
    mark = marked(watched)
    for number in range(20):
        server.change(modified(person(number)[0], title="x"))
    stirred = watched.stirred(mark, KEY)
    assert not stirred.is_quiet
    assert len(stirred.keys) == 5


class TestNobodyCanTell:
    """Then all is read."""

    def test_without_a_mark(self, server: SlapdServer) -> None:
        """Nothing was applied yet."""
        stirred = source(server).stirred(None, KEY)
        assert reason(stirred) == "no whole reading that was applied has left a mark"
        assert stirred.mark == marked(source(server))

    @pytest.mark.parametrize(
        "garbage", ["", "garbage", "\x00", "wxsync-mark-2 csn a b c", "wxsync-mark-1 csn a b", "x" * 9999]
    )
    def test_by_a_mark_that_is_none(self, server: SlapdServer, garbage: str) -> None:
        """Also one of another version."""
        assert reason(source(server).stirred(garbage, KEY)) == "the mark cannot be read"

    @pytest.mark.parametrize("position", ["garbage", "2026", "csn csn"])
    def test_by_a_mark_whose_position_is_none(self, server: SlapdServer, position: str) -> None:
        """It is of this directory, and somebody was at the mirror."""
        watched = source(server)
        torn = " ".join([*marked(watched).split(" ")[:4], position])
        assert reason(watched.stirred(torn, KEY)) == "the mark cannot be read"

    def test_by_a_mark_of_another_server(self, server: SlapdServer, make_slapd: MakeSlapd) -> None:
        """The same names in another database; and another base of the same."""
        mark = marked(source(server))
        other = make_slapd(company(40))
        told = "the mark is of another server, or of another base_dn"
        assert reason(source(other).stirred(mark, KEY)) == told
        assert reason(source(server, base_dn=f"ou=Sales,{BASE}").stirred(mark, KEY)) == told

    def test_by_a_mark_that_is_ahead(self, server: SlapdServer) -> None:
        """The server was restored from a backup, or is a replica that lags."""
        watched = source(server)
        ahead = marked(watched).split(" ")
        ahead[4] = f"2099{ahead[4][4:]}"
        assert reason(watched.stirred(" ".join(ahead), KEY)).startswith("the server is behind the mark")
        of_two = f"{marked(watched)} 20200101000000.000000Z#000000#007#000000"
        assert reason(watched.stirred(of_two, KEY)).startswith("the server is behind the mark")

    @pytest.mark.parametrize(
        "asks",
        [
            {"members": "(uid=*)"},
            {"departments": "(ou=*)"},
            {"groups": "(objectClass=groupOfNames)"},
            {"bind_dn": None, "bind_password": None},
        ],
    )
    def test_where_it_is_asked_otherwise(self, server: SlapdServer, asks: dict[str, Any]) -> None:
        """Another filter, or another account, gives other people although nothing has changed."""
        told = reason(source(server, **asks).stirred(marked(source(server)), KEY))
        assert told.startswith("since the mark was taken the config asks otherwise")

    def test_where_context_csn_is_hidden(self, server: SlapdServer) -> None:
        """By an access rule; and then no mark is taken either, while all can be read as before."""
        watched = source(server)
        mark = marked(watched)
        server.limit(olcAccess=[f"{{0}}{PASSWORDS}", "{1}to attrs=contextCSN by * none", "{2}to * by * read"])
        told = f"it shows no contextCSN at {SUFFIX}"
        assert reason(watched.stirred(mark, KEY)) == told
        with watched.open() as session:
            assert session.mark() is None
            stream = session.read("members", frozenset({"uid"}))
            assert len(list(stream)) == 40
            assert stream.proof.is_complete
        watching = watched.watching()
        assert (watching.how, str(watching.why)) == (None, told)
        assert str(watching.cure).startswith("put the overlay syncprov on that database")

    def test_where_nobody_keeps_context_csn(self, make_slapd: MakeSlapd) -> None:
        """Without syncprov it stays for ever as it was: the directory looks quiet, and people come and go."""
        server = make_slapd(company(8), keeps_csn=False)
        watched = source(server)
        mark = marked(watched)
        told = "contextCSN is there, but not kept: the overlay syncprov is not on this database"
        assert reason(watched.stirred(mark, KEY)) == told
        server.change(deleted(person(3)[0]))
        assert marked(watched) == mark
        assert reason(watched.stirred(mark, KEY)) == told
        assert str(watched.watching().why) == told

    def test_where_the_server_is_gone(self, server: SlapdServer) -> None:
        """That is an error, as of a reading."""
        watched = source(server)
        mark = marked(watched)
        server.stop()
        with pytest.raises(SourceUnavailableError, match="cannot connect"):
            watched.stirred(mark, KEY)


def test_a_replica_shares_the_marks(server: SlapdServer, make_slapd: MakeSlapd) -> None:
    """It is the same database in another place: quiet while it has what the mark has, else behind it."""
    replica = make_slapd([])
    replicate(server, replica)
    mark = marked(source(server))
    assert source(replica).stirred(mark, KEY).is_quiet
    server.change(modified(person(7)[0], title="x"))
    newer = marked(source(server))
    assert reason(source(replica).stirred(newer, KEY)).startswith("the server is behind the mark")
    replicate(server, replica)
    assert source(replica).stirred(newer, KEY).is_quiet
    assert source(replica).stirred(mark, KEY).keys == frozenset({"E00007"})


def replicate(server: SlapdServer, replica: SlapdServer) -> None:
    """The replica has all that the server has, with its ids and CSNs."""
    for each in (server, replica):
        each.stop()
    for file in (replica.home / "db").iterdir():
        file.unlink()
    content = replica.home / "all.ldif"
    run("slapcat", server, "-l", str(content))
    run("slapadd", replica, "-l", str(content))
    for each in (server, replica):
        each.start()


def run(program: str, server: SlapdServer, *arguments: str) -> None:
    config = ["-F", str(server.home / "config"), "-b", SUFFIX]
    done = subprocess.run([f"/usr/sbin/{program}", *config, *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def test_a_mark_holds_nobody(server: SlapdServer) -> None:
    """Neither does the answer's repr: both may come to a log."""
    watched = source(server)
    mark = marked(watched)
    assert SUFFIX not in mark
    server.add([unit("Secret")])
    server.change(modified(person(7)[0], mail="new@example.com"))
    stirred = watched.stirred(mark, KEY)
    assert stirred.keys
    assert "E00007" not in repr(stirred)
    assert "Company" not in repr(stirred)


def test_no_mark_is_taken_where_nobody_asks_for_it(server: SlapdServer) -> None:
    """`watch` is off by default."""
    with ldap_source(server).open() as session:
        assert session.mark() is None


def test_how_it_is_watched(server: SlapdServer) -> None:
    """For `wxsync check`."""
    watching = source(server).watching()
    assert str(watching.how) == f"contextCSN of {SUFFIX} (server ids: 000)"
    assert (watching.why, watching.unseen) == (None, ())
