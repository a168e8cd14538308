"""What a sync makes of an Active Directory domain: tree, leaders, groups, accounts, hostile values."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.samba import DOMAIN, MakeSamba, Samba
from tests.sources.rows import rules_of
from tests.sources.shapes import (
    AD_BASE,
    USERS,
    ad_group,
    desire,
    doubts,
    led_by,
    places,
    samba_source,
    tagged,
    tree,
    unit,
    user,
)
from wxsync.config.settings import LdapSourceSettings
from wxsync.sources.ldap import LdapSource
from wxsync.sources.ldap_ranges import whole

RESEARCH = f"OU=研发,{AD_BASE}"
PLATFORM = f"OU=平台,{RESEARCH}"
SALES = f"OU=Sales,{AD_BASE}"
TREE = [unit(AD_BASE), unit(RESEARCH), unit(PLATFORM), unit(SALES)]
NEVER = 2**63 - 1


def login(name: str, place: str = AD_BASE) -> str:
    return f"CN={name},{place}"


def filetime(moment: datetime) -> str:
    return str((moment - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10)


def test_userid_and_name_are_enough(make_samba: MakeSamba) -> None:
    """The tree is the OUs', people are where their entries are, and the keys are objectGUIDs."""
    server = make_samba([*TREE, user("a", PLATFORM), user("b", SALES), user("c")])
    desired = desire(samba_source(server))
    assert tree(desired) == {"Company": "", "研发": "/Company", "平台": "/Company/研发", "Sales": "/Company"}
    assert places(desired) == {"a": ("平台",), "b": ("Sales",), "c": ("Company",)}
    assert (desired.rejected, doubts(desired)) == ((), [])
    keys = {each.userid: key for key, each in desired.members.items()}
    assert keys["a"] == server.values(login("a", PLATFORM), "objectGUID")[0]
    assert set(desired.departments) == {server.values(dn, "objectGUID")[0] for dn, _ in TREE}


def test_leaders_by_dn(make_samba: MakeSamba) -> None:
    """A manager in another unit is found by DN; one outside the base is listed and not sent."""
    far = user("far", USERS)
    server = make_samba(
        [
            *TREE,
            far,
            user("boss\\, the", PLATFORM, sAMAccountName="boss"),
            user("x", SALES, manager=login("boss\\, the", PLATFORM)),
            user("y", manager=far[0]),
        ]
    )
    desired = desire(samba_source(server), direct_leader="manager")
    assert led_by(desired) == {"boss": None, "x": "boss", "y": None}
    assert list(desired.leaders_left_out.values()) == [far[0].lower()]


def test_groups_are_tags(make_samba: MakeSamba) -> None:
    """The server follows chains of groups and circles; primary groups count although no group lists them."""
    server = make_samba([*TREE, *(user(name, SALES) for name in "abc"), user("far", USERS)])
    a, b, c = (login(name, SALES) for name in "abc")
    nested = ad_group("nested *)(cn\\=*", login("everybody"))
    nested[1]["sAMAccountName"] = ["nested"]
    server.load(
        [
            ad_group("three", c),
            ad_group("two", b, login("three")),
            ad_group("one", a, login("two"), login("far", USERS)),
            ad_group("everybody", f"CN=Domain Users,{USERS}"),
            nested,
            ad_group("primary"),
            ad_group("nobody"),
        ]
    )
    server.change(f"dn: {login('three')}\nchangetype: modify\nadd: member\nmember: {login('one')}\n")
    rid = server.values(login("primary"), "objectSid")[0].rpartition("-")[2]
    server.change(f"dn: {login('primary')}\nchangetype: modify\nadd: member\nmember: {b}\n")
    server.change(f"dn: {b}\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: {rid}\n")
    desired = desire(samba_source(server, groups="(objectClass=group)"))
    everybody = {"a", "b", "c"}
    assert tagged(desired) == {
        "one": everybody,
        "two": everybody,
        "three": everybody,
        "everybody": everybody,
        "nested *)(cn=*": everybody,
        "primary": {"b"},
    }
    assert (desired.rejected, desired.undecided_tags, doubts(desired)) == ((), frozenset(), [])


def test_departments_from_groups(make_samba: MakeSamba) -> None:
    """A group that is a department holds its own members, those of the primary group too."""
    server = make_samba([*TREE, *(user(name) for name in "abc")])
    server.load([ad_group("dept-in", login("b")), ad_group("dept-out", login("a"), login("dept-in"))])
    rid = server.values(login("dept-in"), "objectSid")[0].rpartition("-")[2]
    server.change(f"dn: {login('b')}\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: {rid}\n")
    dept = "(&(objectClass=group)(cn=dept-*))"
    source = samba_source(server, departments=dept, memberships=dept)
    desired = desire(source, department={"parent": "memberOf"}, departments="none")
    assert tree(desired) == {"dept-out": "", "dept-in": "/dept-out"}
    assert places(desired) == {"a": ("dept-out",), "b": ("dept-in",), "c": ("",)}
    assert {each.query: each.left_out for each in desired.readings}["memberships"] == 0


def test_accounts(make_samba: MakeSamba) -> None:
    """Disabled and expired people are leavers; an expiry to come and "never" in both forms are not."""
    now = datetime.now(UTC)
    server = make_samba(
        [
            *TREE,
            user("on"),
            user("off", userAccountControl="546"),
            user("gone", accountExpires=filetime(now - timedelta(hours=1))),
            user("soon", accountExpires=filetime(now + timedelta(hours=1))),
            user("zero", accountExpires="0"),
            user("never", accountExpires=str(NEVER)),
        ]
    )
    active: dict[str, Any] = {"active": "not disabled and not expired and not locked"}
    desired = desire(samba_source(server), **active)
    assert set(places(desired)) == {"on", "soon", "zero", "never"}
    assert len(desired.leavers) == 2
    later = desire(samba_source(server), now=now + timedelta(hours=2), **active)
    assert set(places(later)) == {"on", "zero", "never"}
    ends = desire(samba_source(server), now=now + timedelta(days=3), ends="accountExpires")
    assert set(places(ends)) == {"on", "off", "zero", "never"}


def test_a_hidden_flag_is_not_a_no(make_samba: MakeSamba) -> None:
    """Who has no userAccountControl, such as a contact, is neither disabled nor not: the row is rejected."""
    contact = f"CN=kim,{AD_BASE}", {"objectClass": ["contact"], "displayName": ["Kim"]}
    server = make_samba([*TREE, user("a"), contact])
    source = samba_source(server, members="(objectCategory=person)")
    desired = desire(source, active="not disabled", userid="cn")
    assert [(field, rule) for _, field, rule in rules_of(desired.rejected)] == [("active", "null")]
    desired = desire(source, active="not (disabled | default(false))", userid="cn")
    assert set(places(desired)) == {"a", "kim"}


def test_timestamps(make_samba: MakeSamba) -> None:
    """Both kinds of time stamps of Active Directory are dates, and "never" is null."""
    day = datetime(2026, 3, 9, 17, tzinfo=UTC)
    server = make_samba([*TREE, user("a", accountExpires=filetime(day)), user("b")])
    desired = desire(samba_source(server), position="accountExpires | date", alias="whenCreated | date")
    found = {each.userid: (each.position, each.alias) for each in desired.members.values()}
    today = datetime.now(UTC).date().isoformat()
    assert found["a"][0] == "2026-03-09"
    assert found["b"][0] is None
    assert today in {alias for _, alias in found.values()}


def opened(server: Samba) -> LdapSource:
    return LdapSource("ad", LdapSourceSettings.model_validate(samba_source(server)))


def test_members_in_pieces(make_samba: MakeSamba) -> None:
    """A group whose members come in pieces, as those of 1500 and more do, has every one of them."""
    people = [user(f"p{number}") for number in range(9)]
    server = make_samba([*TREE, *people, ad_group("all", *(dn for dn, _ in people))])
    with opened(server).open() as session:
        for size in (1, 4, 9, 20):
            first = session.lookup(login("all"), (f"member;range=0-{size - 1}",))
            assert first is not None
            asked: list[str] = []

            def fetch(dn: str, attribute: str, size: int = size, asked: list[str] = asked):
                start = int(attribute.partition("=")[2].partition("-")[0])
                asked.append(attribute)
                return session.lookup(dn, (f"member;range={start}-{start + size - 1}",))

            entry = whole(first, fetch)
            assert {value.decode().lower() for value in entry.attributes["member"]} == {
                dn.lower() for dn, _ in people
            }
            assert len(asked) == {1: 8, 4: 2, 9: 0, 20: 0}[size]


def test_referrals_from_the_domain_root(make_samba: MakeSamba) -> None:
    """A domain's root refers to its other parts: undeclared they make doubt, declared none."""
    server = make_samba([*TREE, user("a", SALES)])
    source = samba_source(server, base_dn=DOMAIN, members="(&(objectClass=user)(sAMAccountName=a))")
    desired = desire(source)
    assert len(doubts(desired)) == 2
    assert "example.com" in doubts(desired)[0]
    declared = desire({**source, "referrals": ["example.com"]})
    assert doubts(declared) == []
    assert tree(declared)["Company"] == ""
    assert places(declared) == {"a": ("Sales",)}


def test_several_departments(make_samba: MakeSamba) -> None:
    """A list of DNs in any attribute puts somebody into several units, the first one being the main one."""
    server = make_samba([*TREE, user("a", SALES, seeAlso=[PLATFORM, RESEARCH])])
    desired = desire(samba_source(server), departments="[parent_dn] + all('seeAlso')")
    (found,) = places(desired).values()
    assert found[0] == "Sales"
    assert set(found) == {"Sales", "平台", "研发"}


HOSTILE = ("a, b", '"quoted"', "x+y", "#hash", "back\\slash", "研发 *)(cn=*", "<a>;b=c", "tail \\")


def escaped(value: str) -> str:
    return "".join(f"\\{each}" if each in ',+"\\<>;#=' else each for each in value)


def test_hostile_names(make_samba: MakeSamba) -> None:
    """Whatever characters are in DNs: everybody is in the department, group and chain that was meant."""
    server = make_samba(TREE)
    for number, name in enumerate(HOSTILE):
        place = f"OU={escaped(name)},{AD_BASE}"
        boss = login("p0", f"OU={escaped(HOSTILE[0])},{AD_BASE}")
        server.load([unit(place), user(f"p{number}", place, **({"manager": boss} if number else {}))])
        nested = ad_group(escaped(name), login(f"p{number}", place))
        nested[1]["sAMAccountName"] = [f"g{number}"]
        server.load([nested, ad_group(f"over{number}", nested[0])])
    desired = desire(
        samba_source(server, groups="(objectClass=group)"),
        department={"name": "'D' ~ objectGUID"},
        direct_leader="manager",
    )
    people = {f"p{number}" for number in range(len(HOSTILE))}
    assert desired.rejected == ()
    assert len({each[0] for each in places(desired).values()}) == len(HOSTILE)
    assert {who for who, boss in led_by(desired).items() if boss == "p0"} == people - {"p0"}
    found = tagged(desired)
    assert all(found[f"over{number}"] == {f"p{number}"} for number in range(len(HOSTILE)))


def test_text_that_cannot_be_read(make_samba: MakeSamba) -> None:
    """A NUL in a text rejects the field; in the key it rejects a row that may be anybody."""
    value = b"Lin\0Mei"
    server = make_samba([*TREE, user("a"), user("b", title=value), user("c", employeeID=value)])
    desired = desire(samba_source(server), position="title", key="employeeID | default(cn)")
    assert set(places(desired)) == {"a"}
    found = {(field, rule) for _, field, rule in rules_of(desired.rejected)}
    assert found == {("position", "expression"), ("key", "expression")}
    assert desired.is_doubtful("members")


def test_a_renamed_and_a_moved_unit_keep_their_keys(make_samba: MakeSamba) -> None:
    """The key of a department is its objectGUID: what it is called and where it is may change."""
    server = make_samba([*TREE, user("a", PLATFORM)])
    before = desire(samba_source(server))
    dn = base64.b64encode(RESEARCH.encode()).decode()
    name = base64.b64encode("OU=研究院".encode()).decode()
    server.change(f"dn:: {dn}\nchangetype: modrdn\nnewrdn:: {name}\ndeleteoldrdn: 1\nnewsuperior: {SALES}\n")
    after = desire(samba_source(server))
    assert before.departments.keys() == after.departments.keys()
    below = {"研究院": "/Company/Sales", "平台": "/Company/Sales/研究院"}
    assert tree(after) == {"Company": "", "Sales": "/Company", **below}
    assert [each.departments for each in before.members.values()] == [
        each.departments for each in after.members.values()
    ]
