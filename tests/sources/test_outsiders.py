"""People in groups of a directory who are nobody of the sync: survived, left out, counted."""

from __future__ import annotations

from typing import Any

from tests.servers import slapd
from tests.servers.proxy import run_proxy
from tests.servers.samba import MakeSamba
from tests.servers.slapd import MakeSlapd
from tests.sources.rows import NOW, MakeSource, sync_settings
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
from wxsync.model.desired import Desired
from wxsync.sources.ldap import LdapSource
from wxsync.sources.ldap_streams import Sight
from wxsync.sources.reader import read_desired

GROUPS = {"groups": "(objectClass=groupOfNames)"}
A, B = (f"uid={login},{BASE}" for login in "ab")
FAR, GONE, ELSEWHERE = f"uid=far,{OUTSIDE}", f"uid=gone,{BASE}", "uid=x,dc=elsewhere,dc=org"
TREE = [unit(BASE), unit(OUTSIDE)]


def left_out(desired: Desired, query: str = "tags") -> tuple[int, dict[str, int]]:
    """How many in all, and how many of each group."""
    (reading,) = [each for each in desired.readings if each.query == query]
    counts = [each.count for each in reading.left_out_of]
    assert counts == sorted(counts, reverse=True)
    return reading.left_out, {each.name: each.count for each in reading.left_out_of}


def clean(desired: Desired) -> bool:
    """Nothing is rejected, in doubt or undecided."""
    return (desired.rejected, desired.undecided_tags, doubts(desired)) == ((), frozenset(), [])


def test_openldap(make_slapd: MakeSlapd) -> None:
    """Outside the base, not found by `members`, gone, and of another tree: through groups of groups too."""
    robot = (f"uid=robot,{BASE}", {"objectClass": ["account"], "uid": ["robot"]})
    server = make_slapd(
        [
            *TREE,
            person("a"),
            person("b"),
            person("far", OUTSIDE),
            robot,
            group("one", A, FAR, f"UID=Far , {OUTSIDE.upper()}", robot[0]),
            group("two", B, f"cn=one,{BASE}", GONE, ELSEWHERE),
            group("three", A),
            group("outside", FAR, GONE, place=OUTSIDE),
            group("nobody", f"cn=outside,{OUTSIDE}"),
        ]
    )
    desired = desire(openldap_source(server, **GROUPS))
    assert tagged(desired) == {"one": {"a"}, "two": {"a", "b"}, "three": {"a"}}
    assert left_out(desired) == (4, {"two": 4, "nobody": 2, "one": 2})
    assert clean(desired)


def test_active_directory(make_samba: MakeSamba) -> None:
    """As elsewhere, though the server follows the chain; whose groups are nested through other places."""
    a, b, off, far = (f"CN={name},{place}" for name, place in PEOPLE.items())
    server = make_samba([unit(AD_BASE), *(user(name, place) for name, place in PEOPLE.items())])
    beyond, one, two = f"CN=beyond,{USERS}", f"CN=one\\, x,{AD_BASE}", f"CN=two,{AD_BASE}"
    server.load(
        [
            ad_group("beyond", far, b, place=USERS),
            (one, {"objectClass": ["group"], "sAMAccountName": ["one"], "member": [a, beyond, READER]}),
            ad_group("two", one, off, f"CN=Domain Admins,{USERS}"),
            ad_group("three", a),
            ad_group("empty"),
        ]
    )
    server.change(f"dn: {beyond}\nchangetype: modify\nadd: member\nmember: {two}\n")
    source = samba_source(server, groups="(objectClass=group)", members="(&(objectClass=user)(!(cn=off)))")
    desired = desire(source)
    assert tagged(desired) == {"one, x": {"a", "b"}, "two": {"a", "b"}, "three": {"a"}}
    administrator = 1
    ring = len({off, far, READER}) + administrator
    assert left_out(desired) == (ring, {"one, x": ring, "two": ring})
    assert clean(desired)


PEOPLE = {"a": AD_BASE, "b": AD_BASE, "off": AD_BASE, "far": USERS}
READER = f"CN=wxsync,{USERS}"


def test_a_count_that_breaks_off_is_no_doubt(make_slapd: MakeSlapd) -> None:
    """What is asked for the number alone holds up nothing: people's places are whole without it."""
    server = make_slapd([*TREE, *(person(f"p{number}") for number in range(20))])
    settings = LdapSourceSettings.model_validate(openldap_source(server))
    with LdapSource("directory", settings).open() as session:
        assert session.root == BASE, "OpenLDAP has no naming context that is the default one"
        server.limit(olcLimits=f'dn.exact="{slapd.READER}" size.prtotal=10')
        sight = Sight(session)
        assert len(list(sight.census("(uid=*)", ()))) == 10
        assert sight.broken is None
        assert len(list(sight.search("(uid=*)", ()))) == 10
        assert sight.broken is not None


def test_an_entry_that_is_elsewhere_may_be_a_group(make_slapd: MakeSlapd) -> None:
    """The server refers to another one for it: it is counted, and nobody loses the tag; others are whole."""
    server = make_slapd([*TREE, person("a"), group("one", A, ELSEWHERE), group("two", A, GONE)])
    server.configure("cn=config", olcReferral="ldap://127.0.0.1:1")
    desired = desire(openldap_source(server, **GROUPS))
    assert tagged(desired) == {"one": {"a"}, "two": {"a"}}
    assert desired.undecided_tags == {"one"}
    assert left_out(desired) == (2, {"one": 1, "two": 1})


def test_an_entry_that_the_server_refuses_to_show_may_be_a_group(make_slapd: MakeSlapd) -> None:
    """An access rule that says that it hides something: in every group that has it, through others too."""
    server = make_slapd(
        [
            *TREE,
            person("a"),
            group("hidden", A, place=OUTSIDE),
            group("one", A, f"cn=hidden,{OUTSIDE}"),
            group("two", f"cn=one,{BASE}"),
            group("three", A),
        ]
    )
    rule = f'to dn.exact="cn=hidden,{OUTSIDE}" by * disclose'
    server.limit(olcAccess=[rule, "to attrs=userPassword by anonymous auth", "to * by * read"])
    desired = desire(openldap_source(server, **GROUPS))
    assert tagged(desired) == {"one": {"a"}, "two": {"a"}, "three": {"a"}}
    assert desired.undecided_tags == {"one", "two"}


def test_a_name_that_the_server_does_not_take_is_nobody(make_slapd: MakeSlapd) -> None:
    """What no entry can be called holds up nothing."""
    server = make_slapd([*TREE, person("a"), group("one", A, "uid=strange,dc=elsewhere,dc=org")])
    with run_proxy(server.port) as proxy:
        proxy.rewrites[b"uid=strange"] = b"xxx=strange"
        desired = desire({**openldap_source(server, **GROUPS), "url": proxy.url})
    assert tagged(desired) == {"one": {"a"}}
    assert left_out(desired) == (1, {"one": 1})
    assert clean(desired)


def test_groups_that_are_departments(make_slapd: MakeSlapd) -> None:
    """Counted by the group's DN; what is nested and no department is somebody who is left out."""
    server = make_slapd(
        [
            *TREE,
            person("a"),
            person("far", OUTSIDE),
            group("dept-1", A, FAR, f"cn=friends,{BASE}", f"cn=dept-2,{BASE}"),
            group("dept-2", A, FAR),
            group("friends", A),
        ]
    )
    dept = "(&(objectClass=groupOfNames)(cn=dept-*))"
    source = openldap_source(server, departments=dept, memberships=dept)
    desired = desire(source, department={"name": "cn", "parent": "none"}, departments="none")
    assert places(desired) == {"a": ("dept-1", "dept-2")}
    counts = {f"cn=dept-1,{BASE}": 2, f"cn=dept-2,{BASE}": 1}
    assert left_out(desired, "memberships") == (2, counts)


def test_whom_hr_does_not_have(make_slapd: MakeSlapd, make_source: MakeSource) -> None:
    """A later directory's people whom the first source lacks are counted with those whom it lacks itself."""
    dept = f"cn=dept-1,{BASE}"
    server = make_slapd(
        [
            *TREE,
            person("a", employeeNumber="E1"),
            person("b", employeeNumber="E2"),
            group("one", A, B, GONE),
            group("two", B),
            group("dept-1", B),
        ]
    )
    rows: list[dict[str, Any]] = [{"emp_no": "E1", "login": "u1", "full_name": "人员1", "dept": "D1"}]
    hr = make_source("hr", departments=[{"code": "D1", "parent": None, "name": "x"}], members=rows)
    source = openldap_source(
        server,
        names={"emp_no": "employeeNumber", "code": "description"},
        groups="(|(cn=one)(cn=two))",
        memberships="(cn=dept-1)",
    )
    ad = LdapSource("ad", LdapSourceSettings.model_validate(source))
    desired = read_desired([hr, ad], sync_settings(), NOW, sync_name="acme")
    assert tagged(desired) == {"one": {"u1"}, "two": set()}
    assert left_out(desired) == (2, {"one": 2, "two": 1})
    assert left_out(desired, "memberships") == (1, {dept: 1})
