"""Active Directory, asked whether anything has changed since a mark: quiet, changed, or nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.directory import added, deleted, modified, renamed
from tests.servers.samba import DOMAIN, MakeSamba, Samba
from tests.sources.shapes import AD_BASE, USERS, ad_group, samba_source, unit, user
from wxsync.config.checks import LDAP_KEY
from wxsync.config.expressions import Expression
from wxsync.config.settings import LdapSourceSettings
from wxsync.model.watch import Stirred
from wxsync.sources.ldap import LdapSource

KEY = Expression("sAMAccountName")
ADMINISTRATOR = "administrator@example.com"
"""Who may see what was deleted."""
SALES, WORKS = f"OU=Sales,{AD_BASE}", f"OU=Works,{AD_BASE}"


def source(server: Samba, **settings: Any) -> LdapSource:
    return LdapSource("ad", LdapSourceSettings.model_validate(samba_source(server, watch=True, **settings)))


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
    return str(stirred.why)


def dn(login: str, place: str = AD_BASE) -> str:
    return f"CN={login},{place}"


@pytest.fixture
def server(make_samba: MakeSamba) -> Samba:
    people = [user(f"u{number}", SALES) for number in range(6)]
    return make_samba([unit(AD_BASE), unit(SALES), unit(WORKS), *people, ad_group("vpn", dn("u1", SALES))])


def test_quiet_where_nothing_was_written(server: Samba) -> None:
    """Also where something was that is none of ours: the number of the controller rises all the time."""
    watched = source(server)
    mark = marked(watched)
    assert watched.stirred(mark, KEY) == Stirred(source="ad", mark=mark, is_quiet=True)
    server.load([(f"CN=printer,{USERS}", {"objectClass": ["contact"]})])
    stirred = watched.stirred(mark, KEY)
    assert (stirred.is_quiet, stirred.why) == (True, None)
    assert stirred.mark != mark
    assert watched.stirred(stirred.mark, KEY).is_quiet


def test_changed_where_something_was(server: Samba) -> None:
    """One after the other, each since the mark of the answer before; a unit's people are not named."""
    steps: list[tuple[str, Callable[[], None], set[str], set[str]]] = [
        ("added", lambda: server.load([user("u9", SALES)]), {"u9"}, {dn("u9", SALES)}),
        (
            "modified",
            lambda: server.change(modified(dn("u2", SALES), title="x")),
            {"u2"},
            {dn("u2", SALES)},
        ),
        (
            "moved",
            lambda: server.change(renamed(dn("u2", SALES), "CN=u2", above=WORKS)),
            {"u2"},
            {dn("u2", WORKS)},
        ),
        ("moved out of the base", lambda: server.change(_out("u3")), {"u3"}, {dn("u3", USERS)}),
        (
            "a unit renamed",
            lambda: server.change(renamed(SALES, "OU=Market")),
            set(),
            {f"OU=Market,{AD_BASE}"},
        ),
        (
            "a unit moved",
            lambda: server.change(renamed(f"OU=Market,{AD_BASE}", "OU=Market", above=WORKS)),
            set(),
            {f"OU=Market,{WORKS}"},
        ),
        (
            "a group's new member",
            lambda: server.change(added(dn("vpn"), member=dn("u2", WORKS))),
            {"vpn"},
            {dn("vpn")},
        ),
    ]
    watched = source(server)
    mark: str | None = marked(watched)
    for what, change, keys, dns in steps:
        change()
        stirred = watched.stirred(mark, KEY)
        assert (stirred.is_quiet, stirred.why) == (False, None), what
        assert (set(stirred.keys), set(stirred.dns)) == (keys, dns), what
        mark = stirred.mark
        assert watched.stirred(mark, KEY).is_quiet, what


def test_a_deletion_is_seen_by_who_may_see_it(server: Samba) -> None:
    """An ordinary account may not, and finds it quiet; it is told so."""
    watched = source(server, bind_dn=ADMINISTRATOR)
    ordinary = source(server)
    marked(watched)  # whoever logs on for the first time is written to
    ordinary_mark = marked(ordinary)
    mark = marked(watched)
    with watched.open() as session:
        rows = list(session.read("members", frozenset({"sAMAccountName", "objectGUID"})))
    ids = {str(row["sAMAccountName"]): str(row["objectGUID"]) for row in rows}
    server.change(deleted(dn("u4", SALES)))
    stirred = watched.stirred(mark, KEY)
    assert (stirred.is_quiet, stirred.keys, stirred.dns) == (False, frozenset({"u4"}), frozenset())
    assert watched.stirred(mark, Expression(LDAP_KEY)).keys == frozenset({ids["u4"]})
    assert ordinary.stirred(ordinary_mark, KEY).is_quiet
    assert watched.watching().unseen == ()
    watching = ordinary.watching()
    assert [str(each) for each in watching.unseen] == ["this account may not see which entries were deleted"]
    assert str(watching.cure) == (f"let the account of bind_dn list and read CN=Deleted Objects,{DOMAIN}")


def test_a_deletion_elsewhere_is_none_of_ours(server: Samba) -> None:
    """By the place where the entry was last; a unit that went with its people counts."""
    watched = source(server, bind_dn=ADMINISTRATOR, page_size=50)
    server.load([user("other", USERS)])
    mark = marked(watched)
    server.change(deleted(dn("other", USERS)))
    assert watched.stirred(mark, KEY).is_quiet
    for number in range(6):
        server.change(deleted(dn(f"u{number}", SALES)))
    server.change(deleted(SALES))
    assert watched.stirred(mark, KEY).keys == frozenset(f"u{number}" for number in range(6))


def test_among_many_deletions_ours_may_be_hidden(server: Samba) -> None:
    """A page is looked at: where there are more of them, it counts as changed."""
    server.load([user(f"other{number}", USERS) for number in range(4)])
    watched = source(server, bind_dn=ADMINISTRATOR, page_size=3)
    mark = marked(watched)
    for number in range(4):
        server.change(deleted(dn(f"other{number}", USERS)))
    assert not watched.stirred(mark, KEY).is_quiet


class TestNobodyCanTell:
    """Then all is read."""

    def test_by_a_mark_of_another_server(self, server: Samba, make_samba: MakeSamba) -> None:
        """A copy of the domain has the same controller and another base entry; one of OpenLDAP is none."""
        watched = source(server)
        mark = marked(watched)
        other = source(make_samba([unit(AD_BASE)]))
        told = "the mark is of another server, or of another base_dn"
        assert reason(other.stirred(mark, KEY)) == told
        assert reason(watched.stirred(mark.replace(" usn ", " csn "), KEY)) == told

    def test_by_a_mark_that_is_none_or_ahead(self, server: Samba) -> None:
        """Garbage; the database of another time; a number that this one has not reached."""
        watched = source(server)
        form, kind, place, scope, invocation, usn = marked(watched).split(" ")

        def told(*position: str) -> str:
            return reason(watched.stirred(" ".join((form, kind, place, scope, *position)), KEY))

        assert reason(watched.stirred("garbage", KEY)) == "the mark cannot be read"
        assert told(invocation, "-1") == "the mark cannot be read"
        assert told(invocation) == "the mark cannot be read"
        assert told(invocation, "²") == "the mark cannot be read"
        assert told("00" * 16, usn).startswith("the domain controller's database was restored")
        assert told(invocation, str(int(usn) + 1)).startswith("the server is behind the mark")

    def test_where_the_account_has_other_rights(self, server: Samba) -> None:
        """Its own groups say what it may see."""
        watched = source(server)
        mark = marked(watched)
        server.change(added(f"CN=Domain Admins,{USERS}", member=f"CN=wxsync,{USERS}"))
        assert reason(watched.stirred(mark, KEY)).startswith("since the mark was taken the config asks")


def test_how_it_is_watched(server: Samba) -> None:
    """For `wxsync check`: which controller, since a mark is good for that one alone."""
    watched = source(server)
    usn = marked(watched).split(" ")[-1]
    assert str(watched.watching().how) == f"uSNChanged on dc1.example.com, which stands at {usn}"


def _out(login: str) -> str:
    return renamed(dn(login, SALES), f"CN={login}", above=USERS)
