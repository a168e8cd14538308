"""What a sync makes of an OpenLDAP directory: tree, people, leaders, groups, accounts, hostile values."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.servers.proxy import run_proxy
from tests.servers.slapd import DYNLIST, MEMBEROF, READER, SUFFIX, MakeSlapd
from tests.sources.rows import NOW, MakeSource, rules_of, sync_settings
from tests.sources.shapes import (
    BASE,
    OUTSIDE,
    desire,
    doubts,
    group,
    led_by,
    openldap_source,
    person,
    places,
    tagged,
    tree,
    unit,
)
from wxsync.config.settings import LdapSourceSettings
from wxsync.errors import ConfigError
from wxsync.sources.ldap import LdapSource
from wxsync.sources.ldap_streams import Sight
from wxsync.sources.reader import read_desired

RESEARCH = f"ou=研发,{BASE}"
PLATFORM = f"ou=平台,{RESEARCH}"
SALES = f"ou=Sales,{BASE}"
TREE = [unit(BASE), unit(RESEARCH), unit(PLATFORM), unit(SALES)]


def test_userid_and_name_are_enough(make_slapd: MakeSlapd) -> None:
    """Everything else has a default: the tree is the OUs', people are where their entries are."""
    server = make_slapd([*TREE, person("a", PLATFORM), person("b", SALES), person("c")])
    desired = desire(openldap_source(server))
    assert tree(desired) == {"Company": "", "研发": "/Company", "平台": "/Company/研发", "Sales": "/Company"}
    assert places(desired) == {"a": ("平台",), "b": ("Sales",), "c": ("Company",)}
    assert (desired.rejected, doubts(desired)) == ((), [])
    assert all(len(key) == 36 for key in (*desired.departments, *desired.members)), "entryUUIDs"


def test_the_base_as_the_root_department(make_slapd: MakeSlapd) -> None:
    """The row that `root` names, in any spelling of its DN, is root_department; the rest is below."""
    server = make_slapd([*TREE, person("a", PLATFORM), person("c")])
    for root in (f"dn == 'OU=company, {SUFFIX.upper()}'", "parent_dn is none"):
        desired = desire(openldap_source(server), department={"root": root})
        assert tree(desired) == {"研发": "", "平台": "/研发", "Sales": ""}
        assert places(desired) == {"a": ("平台",), "c": ("",)}
        assert desired.rejected == ()


@pytest.mark.parametrize("base", [BASE, f"OU = COMPANY , {SUFFIX.upper()}"])
def test_a_base_that_is_no_department(make_slapd: MakeSlapd, base: str) -> None:
    """Where the base is no row, what is directly in it is directly under root_department."""
    server = make_slapd([*TREE, person("a", PLATFORM), person("c")])
    source = openldap_source(
        server, base_dn=base, departments="(&(objectClass=organizationalUnit)(!(ou=Company)))"
    )
    desired = desire(source)
    assert tree(desired) == {"研发": "", "平台": "/研发", "Sales": ""}
    assert places(desired) == {"a": ("平台",), "c": ("",)}


def test_somebody_outside_every_department_is_rejected(make_slapd: MakeSlapd) -> None:
    """An entry below something that is no department has a department that the source lacks."""
    server = make_slapd([*TREE, group("box", f"uid=x,{BASE}"), person("a", f"cn=box,{BASE}"), person("b")])
    desired = desire(openldap_source(server))
    assert [rule for _, _, rule in rules_of(desired.rejected)] == ["unknown_department"]
    assert list(places(desired)) == ["b"]


def test_a_unit_with_a_name_of_its_own(make_slapd: MakeSlapd) -> None:
    """A mapping may have other rows point by another name; DNs point all the same."""
    server = make_slapd([*TREE, person("a", PLATFORM, departmentNumber="Sales")])
    desired = desire(
        openldap_source(server), department={"ref": "ou"}, departments="[parent_dn, departmentNumber]"
    )
    assert tree(desired) == {"Company": "", "研发": "/Company", "平台": "/Company/研发", "Sales": "/Company"}
    assert places(desired) == {"a": ("平台", "Sales")}


def test_two_entries_of_one_person(make_slapd: MakeSlapd) -> None:
    """A doubled key is rejected, whichever of its entries a group names, and no tag is in doubt."""
    server = make_slapd(
        [
            *TREE,
            person("a", employeeNumber="1"),
            person("b", employeeNumber="1"),
            person("c", employeeNumber="2"),
            group("vpn", f"uid=a,{BASE}", f"uid=b,{BASE}", f"uid=c,{BASE}"),
        ]
    )
    desired = desire(openldap_source(server, groups="(objectClass=groupOfNames)"), key="employeeNumber")
    assert rules_of(desired.rejected) == [("1", "key", "duplicate_key")]
    assert (tagged(desired), desired.undecided_tags) == ({"vpn": {"c"}}, frozenset())
    assert desired.undecided_places == {("vpn", "1")}


def test_leaders_by_dn(make_slapd: MakeSlapd) -> None:
    """A manager is found whatever spelling of the DN the attribute has; one outside is listed, not sent."""
    boss = person("boss", f"ou=a\\, b\\+c,{BASE}")
    server = make_slapd(
        [
            *TREE,
            unit(f"ou=a\\, b\\+c,{BASE}"),
            unit(OUTSIDE),
            boss,
            person("far", OUTSIDE),
            person("x", manager=boss[0]),
            person("y", manager=f'UID=boss , OU="A, B+C", OU=COMPANY, {SUFFIX.upper()}'),
            person("z", manager=f"uid=far,{OUTSIDE}"),
            person("self", manager=f"uid=self,{BASE}"),
        ]
    )
    desired = desire(openldap_source(server), direct_leader="manager")
    assert led_by(desired) == {"boss": None, "x": "boss", "y": "boss", "z": None, "self": None}
    (stranger,) = desired.leaders_left_out.values()
    assert stranger == f"uid=far,{OUTSIDE}".lower()


def test_leaders_by_number(make_slapd: MakeSlapd) -> None:
    """The contract's way, a member's key, works beside DNs: who has the key is found by both."""
    server = make_slapd(
        [*TREE, person("a", employeeNumber="E1"), person("b", employeeNumber="E2", departmentNumber="E1")]
    )
    settings: dict[str, Any] = {"key": "employeeNumber", "direct_leader": "departmentNumber"}
    assert led_by(desire(openldap_source(server), **settings)) == {"a": None, "b": "a"}


def test_departments_from_an_attribute(make_slapd: MakeSlapd) -> None:
    """department_attribute makes a department of each value; somebody with two is in both."""
    server = make_slapd(
        [
            *TREE,
            person("a", departmentNumber=["研发", " Sales "]),
            person("b", departmentNumber="Sales"),
            person("c"),
        ]
    )
    source = openldap_source(
        server, departments="(departmentNumber=*)", department_attribute="departmentNumber"
    )
    desired = desire(source)
    assert tree(desired) == {"研发": "", "Sales": ""}
    assert places(desired) == {"a": ("研发", "Sales"), "b": ("Sales",), "c": ("",)}
    assert set(desired.departments) == {"研发", "Sales"}
    assert doubts(desired) == []
    with pytest.raises(ConfigError, match='gives no column "ou"'):
        desire(source, department={"name": "ou"})


def test_departments_from_groups(make_slapd: MakeSlapd) -> None:
    """Groups are departments, below the group that they are in; their own members are in them."""
    a, b, c = (f"uid={login},{BASE}" for login in "abc")
    server = make_slapd(
        [
            *TREE,
            unit(OUTSIDE),
            *(person(login) for login in "abcd"),
            person("far", OUTSIDE),
        ],
        overlays=MEMBEROF,
    )
    server.add(
        [
            group("dept-平台", a, b),
            group("dept-研发", f"CN=dept-平台, {BASE}", b, c, f"uid=far,{OUTSIDE}"),
            group("friends", c),
        ]
    )
    source = openldap_source(
        server,
        departments="(&(objectClass=groupOfNames)(cn=dept-*))",
        memberships="(&(objectClass=groupOfNames)(cn=dept-*))",
    )
    desired = desire(source, department={"name": "cn", "parent": "memberOf"}, departments="none")
    assert tree(desired) == {"dept-研发": "", "dept-平台": "/dept-研发"}
    assert places(desired) == {
        "a": ("dept-平台",),
        "b": ("dept-平台", "dept-研发"),
        "c": ("dept-研发",),
        "d": ("",),
    }
    assert (desired.rejected, doubts(desired)) == ((), [])
    assert {each.query: each.left_out for each in desired.readings}["memberships"] == 1


def test_groups_are_tags(make_slapd: MakeSlapd) -> None:
    """Groups of groups count to the bottom, circles end, and whoever is outside the base is left out."""
    a, b, c = (f"uid={login},{BASE}" for login in "abc")
    server = make_slapd(
        [
            *TREE,
            unit(OUTSIDE),
            *(person(login) for login in "abc"),
            person("far", OUTSIDE),
            group("one", a, f"cn=Two,{BASE}", f"cn=far,{OUTSIDE}"),
            group("two", b, f"cn=three,{BASE}"),
            group("three", f"CN=ONE, {BASE}", c, f"cn=three,{BASE}"),
            group("far", a, f"uid=far,{OUTSIDE}", place=OUTSIDE),
            group("bits", objectClass="groupOfUniqueNames", uniqueMember=[f"{b}#'0101'B"], member=[]),
            group("logins", objectClass="posixGroup", gidNumber="7", memberUid=["a", "C", "gone"], member=[]),
        ]
    )
    # A group must have a member; this one is nobody.
    server.change(f"dn: cn=empty,{BASE}\nchangetype: add\nobjectClass: groupOfNames\nmember:\n")
    source = openldap_source(
        server, groups="(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
    )
    desired = desire(source)
    ring = {"a", "b", "c"}
    assert tagged(desired) == {"one": ring, "two": ring, "three": ring, "bits": {"b"}, "logins": {"a", "c"}}
    assert {each.query: each.left_out for each in desired.readings}["tags"] == 2, "far, and the login gone"
    assert (desired.rejected, desired.undecided_tags, doubts(desired)) == ((), frozenset(), [])


def test_a_group_of_which_it_cannot_be_told_who_is_in_it(make_slapd: MakeSlapd) -> None:
    """Two people with the login that a group names: nobody leaves that tag, and others are as they are."""
    server = make_slapd(
        [
            *TREE,
            person("a", SALES),
            person("a", PLATFORM, uid=["a", "a2"]),
            person("b"),
            group("logins", objectClass="posixGroup", gidNumber="7", memberUid=["a", "b"], member=[]),
            group("other", f"uid=b,{BASE}"),
        ]
    )
    source = openldap_source(server, groups="(|(objectClass=groupOfNames)(objectClass=posixGroup))")
    desired = desire(source, userid="entryUUID")
    assert desired.undecided_tags == {"logins"}
    assert {name: len(members) for name, members in tagged(desired).items()} == {"logins": 1, "other": 1}


def test_a_tag_has_the_name_that_the_config_says(make_slapd: MakeSlapd) -> None:
    """group_name is the attribute; a group without it may be any tag, so nobody leaves one."""
    server = make_slapd(
        [*TREE, person("a"), group("g1", f"uid=a,{BASE}", description="干部"), group("g2", f"uid=a,{BASE}")]
    )
    desired = desire(openldap_source(server, groups="(objectClass=groupOfNames)", group_name="Description"))
    assert tagged(desired) == {"干部": {"a"}}
    assert desired.is_doubtful("tags")


def test_tags_by_rule_over_groups(make_slapd: MakeSlapd) -> None:
    """A rule may look into memberOf, by any spelling of the group's DN, where the server works it out."""
    a = f"uid=a,{BASE}"
    server = make_slapd([*TREE, person("a"), person("b"), group("vpn", a)], overlays=DYNLIST)
    rules = {"VPN": f"'CN=VPN, {BASE.upper()}' in all('memberOf')", "Old": f"'{a}' in all('memberOf')"}
    desired = desire(openldap_source(server), rules=rules)
    assert tagged(desired) == {"VPN": {"a"}, "Old": set()}


def test_values_that_stop_coming(make_slapd: MakeSlapd) -> None:
    """A server that gives values in pieces and not the next piece: the reading is not complete."""
    values: dict[str, Any] = {"description": "1", "description;lang-aa-a": ["2", "3"]}
    server = make_slapd([*TREE, person("a", **values)])
    source = openldap_source(server)
    with run_proxy(server.port) as proxy:
        proxy.rewrites[b";lang-aa-a"] = b";range=0-1"
        desired = desire({**source, "url": proxy.url}, position="description")
    assert doubts(desired) == ["members: an entry stopped giving its values half-way"]


def test_a_search_within_a_group_that_ends_early(make_slapd: MakeSlapd) -> None:
    """Whoever looks for a group's people hears it where the server did not give all of them."""
    server = make_slapd([*TREE, *(person(f"p{number}") for number in range(20))])
    settings = LdapSourceSettings.model_validate(openldap_source(server))
    with LdapSource("directory", settings).open() as session:
        sight = Sight(session)
        assert len(list(sight.search("(uid=*)", ()))) == 20
        assert sight.broken is None
        server.limit(olcLimits=f'dn.exact="{READER}" size.prtotal=10')
        assert len(list(sight.search("(uid=*)", ()))) == 10
        assert "sizeLimitExceeded" in str(sight.broken)


HR_TREE = [{"code": "D1", "parent": None, "name": "研发"}]


def test_a_directory_beside_a_database(make_slapd: MakeSlapd, make_source: MakeSource) -> None:
    """HR says who works here; the directory adds values and groups, by number, and points by DN."""
    a, b, c = (f"uid={login},{BASE}" for login in "abc")
    server = make_slapd(
        [
            *TREE,
            person("a", departmentNumber="7", mail=["a@example.com", "a2@example.com"], manager=b),
            person("b", departmentNumber="8", mail="b@example.com"),
            person("c", departmentNumber="9", mail="c@example.com"),
            group("vpn", a, b, c),
        ],
        overlays=DYNLIST,
    )
    rows = [person_row("7"), person_row("8"), person_row("10")]
    hr = make_source("hr", departments=HR_TREE, members=rows)
    settings = LdapSourceSettings.model_validate(openldap_source(server, groups="(objectClass=groupOfNames)"))
    mapping = sync_settings(
        key="departmentNumber",
        email="mail",
        direct_leader="manager",
        extattr={"all": "all('mail') | join(' ')"},
        rules={"VPN": "'CN=vpn, " + BASE + "' in all('memberOf')"},
    )
    desired = read_desired([hr, LdapSource("ad", settings)], mapping, NOW, sync_name="acme")
    found = {each.userid: (each.email, each.direct_leader, each.extattr) for each in desired.members.values()}
    assert found == {
        "u7": ("a@example.com", "8", (("all", "a@example.com a2@example.com"),)),
        "u8": ("b@example.com", None, (("all", "b@example.com"),)),
        "u10": (None, None, (("all", None),)),
    }
    assert tagged(desired) == {"VPN": {"u7", "u8"}, "vpn": {"u7", "u8"}}
    assert (desired.rejected, desired.undecided_tags) == ((), frozenset()), "9 is not in HR, and no doubt"


def person_row(number: str) -> dict[str, object]:
    return {"departmentNumber": number, "login": f"u{number}", "full_name": f"人员{number}", "dept": "D1"}


def test_locked_accounts(make_slapd: MakeSlapd) -> None:
    """Locked for ever by an administrator is disabled; locked by too many wrong passwords is not."""
    server = make_slapd(
        [
            *TREE,
            person("a"),
            person("b", pwdAccountLockedTime="000001010000Z"),
            person("c", pwdAccountLockedTime="20260101000000Z"),
        ]
    )
    desired = desire(openldap_source(server), active="not disabled and not expired")
    assert list(places(desired)) == ["a", "c"]
    assert len(desired.leavers) == 1
    desired = desire(openldap_source(server), position="'locked since ' ~ (pwdAccountLockedTime | date)")
    assert {each.position for each in desired.members.values()} >= {"locked since 2026-01-01"}


def test_dates(make_slapd: MakeSlapd) -> None:
    """A generalised time is a day of the sync's time zone."""
    server = make_slapd([*TREE, person("a", pwdAccountLockedTime="20260309170000Z")])
    moments = [datetime(2026, 3, 10, 15, tzinfo=UTC), datetime(2026, 3, 10, 17, tzinfo=UTC)]
    found = [
        len(desire(openldap_source(server), ends="pwdAccountLockedTime", now=now).leavers) for now in moments
    ]
    assert found == [0, 1], "the 10th in Shanghai has passed at five in the afternoon of UTC"


HOSTILE = (
    "a, b",
    '"quoted"',
    "x+y",
    "#hash",
    " leading and trailing ",
    "back\\slash",
    "研发 *)(uid=*",
    "<a>;b=c",
)


def escaped(value: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in value.encode())


def test_hostile_names(make_slapd: MakeSlapd) -> None:
    """Whatever characters are in DNs: everybody is in the department, group and chain that was meant."""
    entries, groups = list(TREE), []
    for number, name in enumerate(HOSTILE):
        dn = f"ou={escaped(name)},{BASE}"
        entries += [unit(dn), person(f"p{number}", dn, manager=f"uid=p0,ou={escaped(HOSTILE[0])},{BASE}")]
        nested = f"cn={escaped(name)},{BASE}"
        groups += [group(escaped(name), f"uid=p{number},{dn}", cn=name), group(f"over{number}", nested)]
    server = make_slapd([*entries, *groups])
    desired = desire(
        openldap_source(server, groups="(objectClass=groupOfNames)"),
        department={"name": "'D' ~ entryUUID"},
        direct_leader="manager",
    )
    people = {f"p{number}" for number in range(len(HOSTILE))}
    assert desired.rejected == ()
    assert len({each[0] for each in places(desired).values()}) == len(HOSTILE)
    assert {who for who, boss in led_by(desired).items() if boss == "p0"} == people - {"p0"}
    found = tagged(desired)
    assert all(found[f"over{number}"] == {f"p{number}"} for number in range(len(HOSTILE)))
    assert found["a, b"] == {"p0"}


def test_hostile_values(make_slapd: MakeSlapd) -> None:
    """A value that no field can take costs its row a field, and the run nothing."""
    huge = "长" * 350_000
    server = make_slapd(
        [
            *TREE,
            person("good"),
            person("huge", description=huge),
            person("nul", mail=b"a\0b@example.com"),
            person("bytes", audio=b"\xb2\xce\xbf\xbc" * 10),
            person("many", mail=[f"m{number}@example.com" for number in range(2000)]),
        ]
    )
    started = time.monotonic()
    desired = desire(openldap_source(server), email="mail", position="description", userid="uid")
    assert time.monotonic() - started < 20
    assert {(field, rule) for _, field, rule in rules_of(desired.rejected)} == {
        ("position", "length"),
        ("email", "expression"),
    }
    assert set(places(desired)) == {"good", "bytes", "many"}
    assert "\0" not in str(desired.rejected)
    assert huge[:100] not in str(desired.rejected)


def test_text_that_is_no_utf8(make_slapd: MakeSlapd) -> None:
    """GBK bytes in a field reject the field; in the key they reject a row that may be anybody."""
    gbk = "林梅".encode("gbk")
    server = make_slapd([*TREE, person("a"), person("b", title="GBK1"), person("c", employeeNumber="GBK1")])
    source = openldap_source(server)
    with run_proxy(server.port) as proxy:
        proxy.rewrites[b"GBK1"] = gbk
        desired = desire({**source, "url": proxy.url}, position="title", key="employeeNumber | default(uid)")
    assert set(places(desired)) == {"a"}
    found = set(rules_of(desired.rejected))
    assert found == {("b", "position", "expression"), (None, "key", "expression")}
    assert desired.is_doubtful("members")


def test_a_name_that_is_no_utf8(make_slapd: MakeSlapd) -> None:
    """Bytes in a DN that are no text make it somebody else's DN, and no failure of the run."""
    server = make_slapd([*TREE, person("a", SALES), person("GBK1", SALES, manager=f"uid=a,{SALES}")])
    source = openldap_source(server)
    with run_proxy(server.port) as proxy:
        proxy.rewrites[b"uid=GBK1"] = b"uid=" + "林梅".encode("gbk")
        desired = desire({**source, "url": proxy.url}, direct_leader="manager")
    assert led_by(desired) == {"a": None, "GBK1": "a"}
    assert (desired.rejected, doubts(desired)) == ((), [])


def test_a_renamed_and_a_moved_unit_keep_their_keys(make_slapd: MakeSlapd) -> None:
    """The key of a department is its entryUUID: what it is called and where it is may change."""
    server = make_slapd([*TREE, person("a", PLATFORM)])
    before = desire(openldap_source(server))
    name = base64.b64encode("ou=研究院".encode()).decode()
    dn = base64.b64encode(RESEARCH.encode()).decode()
    server.change(f"dn:: {dn}\nchangetype: modrdn\nnewrdn:: {name}\ndeleteoldrdn: 1\nnewsuperior: {SALES}\n")
    after = desire(openldap_source(server))
    assert before.departments.keys() == after.departments.keys()
    assert tree(after) == {
        "Company": "",
        "Sales": "/Company",
        "研究院": "/Company/Sales",
        "平台": "/Company/Sales/研究院",
    }
    assert [each.departments for each in before.members.values()] == [
        each.departments for each in after.members.values()
    ]
