"""`plan --source-only`, `check`, `plan` and `runs` of a directory, and of a database with one beside it."""

from __future__ import annotations

import pytest

from tests.cli.stage import Stage
from tests.servers.slapd import MakeSlapd, SlapdServer
from tests.sources.shapes import BASE, OUTSIDE, group, openldap_source, person, unit

SALES, WORKS = f"ou=销售,{BASE}", f"ou=Works,{BASE}"
PLACES = [f"ou=U{n:02},{BASE}" for n in range(22)]


@pytest.fixture
def server(make_slapd: MakeSlapd) -> SlapdServer:
    """Thirty people in 24 units, three of whom HR has; two of a group's people are outside."""
    people = [
        person(
            f"p{n}",
            [SALES, WORKS, SALES, *PLACES][n] if n < 25 else SALES,
            employeeNumber=f"E{n:03}",
            mobile=f"139{n:08}",
            **({"mail": f"p{n}@example.com"} if n % 3 else {}),
        )
        for n in range(30)
    ]
    vpn = group("VPN", f"uid=p1,{WORKS}", f"uid=p2,{SALES}", f"uid=far,{OUTSIDE}", f"uid=gone,{BASE}")
    boss = group("Boss", f"uid=p1,{WORKS}", f"uid=far,{OUTSIDE}")
    units = [unit(dn) for dn in (BASE, OUTSIDE, SALES, WORKS, *PLACES)]
    return make_slapd([*units, *people, person("far", OUTSIDE), vpn, boss])


def ldap_table(server: SlapdServer) -> str:
    source = openldap_source(server, groups="(objectClass=groupOfNames)")
    lines = [f'{name} = "{value}"' for name, value in source.items() if isinstance(value, str)]
    return "\n".join(["\n[source.ad]", *lines, 'names = { emp_no = "employeeNumber" }', ""])


@pytest.fixture
def alone(stage: Stage, server: SlapdServer) -> Stage:
    """The directory is the one source."""
    stage.secrets.append("only-a-test")
    stage.configure(
        ('sources = ["hr"]', 'sources = ["ad"]'),
        ('[sync.acme.department]\nkey = "code"\nparent = "parent_code"\nname = "name"\n', ""),
        (
            'userid = "emp_no | lower"\nname = "full_name"\ndepartments = "dept_code"',
            'userid = "uid"\nname = "cn"',
        ),
        (
            'position = "title"\nactive = "status == \'active\'"',
            'email = "mail"\ntelephone = "telephoneNumber"',
        ),
        add=ldap_table(server),
    )
    return stage


@pytest.fixture
def joined(stage: Stage, server: SlapdServer) -> Stage:
    """HR first, and the directory for the mail."""
    stage.secrets.append("only-a-test")
    stage.configure(
        ('sources = ["hr"]', 'sources = ["hr", "ad"]'),
        ('position = "title"', 'position = "title"\nemail = "mail"'),
        add=ldap_table(server),
    )
    return stage


def test_what_was_read_of_a_directory(alone: Stage) -> None:
    """By object class and place, the largest first and the rest in one; attributes; who is left out."""
    text = alone.ok("plan", "--source-only", "--language", "en").out
    assert (
        "\nad.members  30 rows\n"
        "  attributes: cn, emp_no, mail (20 of 30), mobile, parent_dn, telephoneNumber (0 of 30), uid\n"
        "  by object class\n"
        "         30  inetOrgPerson\n"
        "  by place in the tree\n"
        f"          7  {SALES}\n"
        f"          1  ou=U00,{BASE}\n"
    ) in text
    assert f"          1  ou=U18,{BASE}\n          4  in 4 more\n" in text
    assert (
        "\nad.tags  3 rows out of 2 entries\n"
        "  columns: tag, member\n"
        "  by tag\n"
        "          2  VPN\n"
        "          1  Boss\n"
        "  left out, since they are not among the people of this sync: 2\n"
        "          2  VPN\n"
        "          1  Boss\n"
    ) in text
    assert "\nMembers: 10 of 30\n  E000 (p0)  name 员工p0 · mobile 139****0000 · " in text
    assert "objectClass" not in text


def test_in_chinese(alone: Stage) -> None:
    """Every heading."""
    text = alone.ok("plan", "--source-only", "--language", "zh").out
    for line in (
        "  属性：cn, emp_no, mail (30 中的 20 个)",
        "  按对象类\n",
        "  按目录树中的位置\n",
        "  按标签\n",
    ):
        assert line in text
    assert "\nad.tags  3 行，来自 2 个条目\n" in text
    assert "  不属于本次同步的人员，已略去：2\n          2  VPN\n" in text


def test_as_json(alone: Stage) -> None:
    """All places, and each attribute with how many have it."""
    document = alone.ok("plan", "--source-only", "--format", "json").json
    departments, members, tags = document["queries"]
    assert {each["name"]: each["rows"] for each in members["filled"]} == {
        **dict.fromkeys(("cn", "emp_no", "mobile", "parent_dn", "uid"), 30),
        "mail": 20,
        "telephoneNumber": 0,
    }
    assert members["counts"][:2] == [
        {"by": "objectClass", "name": "inetOrgPerson", "count": 30},
        {"by": "parent_dn", "name": SALES, "count": 7},
    ]
    assert len(members["counts"]) == 1 + 24
    assert [each["name"] for each in departments["counts"]] == [
        "organizationalUnit",
        BASE,
        "dc=example,dc=com",
    ]
    assert (tags["rows"], tags["entries"]) == (3, 2)
    groups = [{"name": "VPN", "count": 2}, {"name": "Boss", "count": 1}]
    assert document["left_out"] == [{"source": "ad", "query": "tags", "count": 2, "groups": groups}]


def test_a_directory_beside_a_database(joined: Stage) -> None:
    """What HR lacks is listed with what the mapping made; `check` has it in short."""
    text = joined.ok("plan", "--source-only", "--language", "en").out
    assert "\nad.members  30 rows\n  attributes: emp_no, mail (20 of 30), mobile, title (0 of 30)\n" in text
    lacking = "ad.members: 18 rows that the first source lacks: E000, E013, "
    assert f"  departments: 3, members: 12, leavers: 0, tags: 3, rejected: 0\n  {lacking}" in text
    assert "\n  ad.members: another mobile in 12 rows: E001, " in text
    short = joined.ok("check").out
    assert f"         {lacking}" in short
    assert "\n           by place in the tree\n                   7  " in short
    assert "\n                  19  in 19 more\n" in short
    document = joined.ok("plan", "--source-only", "--format", "json").json
    assert [each["count"] for each in (*document["unmatched"], *document["conflicts"])] == [18, 12]


def test_the_plan_and_the_run_tell_who_is_left_out(joined: Stage) -> None:
    """By the tag's name: in the plan as text, page and JSON, and of the run that is on record."""
    told = "ad.tags: 2 members of groups are not among the people of this sync, and are left out."
    assert f"> {told}\n    VPN 2, Boss 1\n" in joined.ok("plan", "--language", "en").out
    page = joined.ok("plan", "--language", "en", "--format", "html").out
    assert told in page
    assert "VPN 2, Boss 1" in page
    assert joined.ok("apply", "--yes").code == 0
    assert "\n  ad.tags: 2 left out: VPN 2, Boss 1\n" in joined.ok("runs", "3").out
    document = joined.ok("runs", "3", "--format", "json").json
    assert document["plan"]["left_out"][0]["groups"][0] == {"name": "VPN", "count": 2}


def test_a_mistyped_attribute(joined: Stage) -> None:
    """Exit code 1 before anything is asked of WeCom, with the nearest that the directory knows."""
    text = joined.config.read_text(encoding="utf-8")
    joined.config.write_text(text.replace('"mail"', '"mial"').replace('emp_no = "e', 'emp_no = "m'), "utf-8")
    printed = joined.run("plan")
    assert printed.code == 1
    printed.says(
        'names.emp_no names "mmployeeNumber"', 'Did you mean "employeeNumber"?', "Hint:  correct source.ad"
    )
    joined.config.write_text(text.replace('"mail"', '"mial"'), "utf-8")
    printed = joined.run("plan").says(
        "sync.acme.member.email: the members query of source hr gives no column",
        'the schema of source ad has no attribute "mial". Did you mean "mail"?',
    )
    assert printed.code == 1
    assert joined.wecom.log == []
