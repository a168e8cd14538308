"""A corp as a document: written, read again, and refused where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wxsync.errors import ConfigError, WxsyncError
from wxsync.sandbox.dump import check_writable, load_dump, parse_dump, restore, to_document, write_dump
from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.switches import App, ContactSync


def without_counters(document):
    return {name: part for name, part in document.items() if name != "counters"}


@pytest.fixture
def full(wecom, state):
    """A corp with one of everything."""
    fill_corp(state, members=30, departments=8, tags=2)
    state.attributes, state.mail_domain = {"工号": 0, "主页": 1}, "corp.example.com"
    rd = wecom.department("研发", name_en="RD", order=7)
    web = {"type": 1, "name": "主页", "web": {"url": "https://example.com", "title": "home"}}
    text = {"type": 0, "name": "工号", "text": {"value": "A1"}}
    wecom.make("Boss")
    made = wecom.make(
        "Lin",
        department=[1, rd],
        order=[3, 4],
        is_leader_in_dept=[0, 1],
        main_department=rd,
        direct_leader=["boss"],
        extattr={"attrs": [text, web]},
        mobile="+852 12345678",
        alias="L",
        gender="2",
        position="工程师",
        telephone="010-1",
        address="北京",
        external_profile={"external_attr": []},
    )
    assert made["errcode"] == 0
    wecom.post("user/update", {"userid": "lin", "biz_mail_alias": {"item": ["l@corp.example.com"]}})
    state.bind_wechat("lin")
    for userid, status in (("u00001", 1), ("u00002", 2), ("u00003", 5)):
        state.set_status(userid, status)
    state.add_member("gen", "造", has_generated_userid=True)
    state.move_department(2, rd)
    own = wecom.post("tag/create", {"tagname": "自己"})["tagid"]
    wecom.post("tag/addtagusers", {"tagid": own, "userlist": ["lin"], "partylist": [rd]})
    state.creator, state.legacy_ip, state.account_cap = "boss", True, 99
    state.contact_sync, state.verified_names = ContactSync.READ, ("样例",)
    state.apps = (
        App(),
        App(agent_id=7, secret="x", scope=(rd,), scope_members=("lin",), scope_tags=(own,), is_enabled=False),
    )
    return state


def test_a_dump_can_be_seeded_again(full, tmp_path):
    """Everything that a dump holds comes back, through the file."""
    write_dump(full, tmp_path / "corp.json")
    again = restore(load_dump(tmp_path / "corp.json"))
    assert without_counters(to_document(again)) == without_counters(to_document(full))
    assert again.apps == full.apps
    assert (again.creator, again.account_cap, again.contact_sync) == ("boss", 99, ContactSync.READ)
    for key, member in full.members.items():
        other = again.members[key]
        assert other.status == member.status
        assert other.placement == member.placement
        assert other.extattr == member.extattr
        assert other.reports == member.reports
    assert again.directory.by_mobile.keys() == full.directory.by_mobile.keys()
    assert again.directory.by_biz_mail.keys() == full.directory.by_biz_mail.keys()


def test_a_seeded_corp_goes_on_as_the_old_one_would(wecom, full):
    """Numbers and names are taken, tags have their owners, ids go on."""
    again = restore(parse_dump(to_document(full)))
    with pytest.raises(ValueError, match="exists"):
        again.add_member("LIN", "x")
    assert {tag.name: tag.owner for tag in again.tags.values()}["自己"] == "contact"
    assert again.add_department("新").id == max(full.departments) + 1
    assert [member.userid for member in again.members.values() if member.has_generated_userid] == ["gen"]


def test_a_dump_is_its_owners_and_tells_the_counters(wecom, state, tmp_path):
    """Mode 0600, also where a file was there; calls, writes, invitations and refusals are in it."""
    path = tmp_path / "corp.json"
    path.write_text("old")
    path.chmod(0o644)
    wecom.make("a", to_invite=True)
    wecom.make("a")
    wecom.get("user/get", userid="a")
    write_dump(state, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["corp.json"]
    counters = json.loads(path.read_text())["counters"]
    assert counters["calls"] == 4
    assert counters["writes"] == {"user/create": 1}
    assert counters["invitations"] == 1
    assert {name: count for name, count in counters["refused"].items() if count} == {
        "call": 1,
        "permission": 1,
    }
    assert counters["errcodes"] == {"48009": 1, "60102": 1}
    assert set(counters["violations"].values()) == {0}


def test_what_is_no_file_is_written_into(state, tmp_path):
    """/dev/null stays what it is."""
    write_dump(state, Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["", "none/corp.json"])
def test_a_file_that_cannot_be_written_is_told(state, tmp_path, name):
    """Before anything else, and when it is due."""
    for act in (check_writable, lambda path: write_dump(state, path)):
        with pytest.raises(WxsyncError, match="cannot write") as caught:
            act(tmp_path / name)
        assert caught.value.hint == "name another file with --dump"
    assert list(tmp_path.iterdir()) == []


def test_a_dump_that_fails_half_way_leaves_nothing(state, tmp_path):
    """Whatever it fails by: no draft with secrets stays beside it."""
    state.departments[1].name = "半\ud83d"
    with pytest.raises(UnicodeEncodeError):
        write_dump(state, tmp_path / "corp.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (r'{"members": [{"userid": "a", "name": "\ud83d"}]}', "members[0].name"),
        (
            r'{"members": [{"userid": "a", "name": "a", "external_profile": {"x": ["\udc00"]}}]}',
            "members[0].external_profile.x[0]",
        ),
        (r'{"corp": {"attributes": {"\ud800": 1}}}', 'corp.attributes."?"'),
        (r'{"\ud800": 1}', '"?"'),
        (r'"\ud800"', "the document"),
    ],
)
def test_half_a_character_is_told_with_its_place(tmp_path, text, place):
    """No file, terminal or answer takes half a surrogate pair; a whole one is a character."""
    path = tmp_path / "corp.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_dump(path)
    [problem] = caught.value.problems
    assert problem.startswith(f"{path}: {place}: holds half a character")
    path.write_text(r'{"corp": {"corp_name": "\ud83d\ude00"}}')
    assert load_dump(path).corp.corp_name == "😀"


def test_nothing_is_a_corp_too():
    """Every part has a default: one app, no people."""
    state = restore(parse_dump({}))
    assert (len(state.members), list(state.departments), state.apps) == (0, [1], (App(),))
    assert without_counters(to_document(state)) == without_counters(to_document(SandboxState()))


def test_rows_of_wecoms_own_listings_are_good_seeds(wecom, full):
    """What user/list and department/list show is taken as it is; what follows from other keys is ignored."""
    full.contact_sync = ContactSync.EDIT
    departments = wecom.get("department/list")["department"]
    rows = {
        row["userid"]: row
        for department in departments
        for row in wecom.get("user/list", department_id=department["id"])["userlist"]
    }
    again = restore(parse_dump({"departments": departments, "members": list(rows.values())}))
    assert {key: member.status for key, member in again.members.items()} == {
        key: member.status for key, member in full.members.items()
    }
    assert again.member("lin").mobile == "+85212345678"
    assert again.departments[1].name == full.corp_name


def test_parents_may_come_after_children():
    """The order of the rows does not matter; the root may be there, with the corp's name."""
    rows = [
        {"id": 3, "name": "c", "parentid": 2},
        {"id": 2, "name": "b", "parentid": 1},
        {"id": 1, "name": "公司", "parentid": 0},
    ]
    state = restore(parse_dump({"departments": rows}))
    assert [department.id for department in state.directory.walk(state.departments[1])] == [1, 2, 3]
    assert state.departments[1].name == "公司"


MEMBER = {"userid": "a", "name": "a"}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "the document: Input should be"),
        ({"format": "wxsync-sandbox/9"}, "format: Input should be 'wxsync-sandbox/1'"),
        ({"membres": []}, 'membres: there is no such key. Did you mean "members"?'),
        (
            {"members": [{**MEMBER, "mobil": "1"}]},
            'members[0].mobil: there is no such key. Did you mean "mobile"?',
        ),
        ({"members": [{"name": "a"}]}, "members[0].userid: Field required"),
        (
            {"members": [{**MEMBER, "department": ["1"]}]},
            "members[0].department[0]: Input should be a valid int",
        ),
        (
            {"members": [{**MEMBER, "department": []}]},
            "members[0].department: List should have at least 1 item",
        ),
        ({"members": [{**MEMBER, "userid": "-a"}]}, "members[0].userid: invalid userid (40003)"),
        ({"members": [{**MEMBER, "name": ""}]}, "members[0].name: is empty"),
        ({"members": [{**MEMBER, "mobile": "x"}]}, "members[0].mobile: invalid mobile (60103)"),
        ({"members": [{**MEMBER, "email": "x"}]}, "members[0].email: invalid email (60105)"),
        ({"members": [{**MEMBER, "status": 3}]}, "members[0].status: Input should be 1, 2, 4 or 5"),
        ({"members": [MEMBER, {**MEMBER, "userid": "A"}]}, "members[1].userid: the same as in members[0]"),
        (
            {
                "members": [
                    {**MEMBER, "mobile": "13800000001"},
                    {"userid": "b", "name": "b", "mobile": "+86 13800000001"},
                ]
            },
            "members[1].mobile: the same as in members[0]",
        ),
        (
            {"members": [{**MEMBER, "department": [1, 5]}]},
            "members[0].department[1]: there is no such department",
        ),
        ({"members": [{**MEMBER, "department": [1, 1]}]}, "members[0].department: names a department twice"),
        (
            {"members": [{**MEMBER, "order": [1, 2]}]},
            "members[0].order: as many as departments (1) are needed",
        ),
        (
            {"members": [{**MEMBER, "main_department": 2}]},
            "members[0].main_department: is not one of the member's",
        ),
        (
            {"members": [{**MEMBER, "direct_leader": ["b"]}]},
            "members[0].direct_leader[0]: there is no such member",
        ),
        (
            {"members": [{**MEMBER, "extattr": {"attrs": [{}]}}]},
            "members[0].extattr: field `extattr` invalid",
        ),
        (
            {"departments": [{"id": 2, "name": "a", "parentid": 9}]},
            "departments[0].parentid: there is no such",
        ),
        (
            {"departments": [{"id": 1, "name": "a", "parentid": 1}]},
            "departments[0].parentid: the root department's",
        ),
        (
            {"departments": [{"id": 1, "name": "", "parentid": 0}]},
            "departments[0].name: is empty",
        ),
        (
            {"departments": [{"id": 2, "name": "a|b", "parentid": 1}]},
            "departments[0].name: department name contains",
        ),
        (
            {"departments": [{"id": 2, "name": "a", "parentid": 3}, {"id": 3, "name": "b", "parentid": 2}]},
            "departments[0].parentid: the department lies below itself",
        ),
        (
            {"departments": [{"id": 2, "name": "a", "parentid": 1}, {"id": 3, "name": "a", "parentid": 1}]},
            "departments[1].name: the same as in departments[0]",
        ),
        ({"tags": [{"tagid": 1, "tagname": ""}]}, "tags[0].tagname: invalid tag name length (40072)"),
        (
            {"tags": [{"tagid": 1, "tagname": "t", "userlist": ["x"]}]},
            "tags[0].userlist[0]: there is no such member",
        ),
        (
            {"tags": [{"tagid": 1, "tagname": "t", "partylist": [4]}]},
            "tags[0].partylist[0]: there is no such dep",
        ),
        ({"apps": [{"scope": [7]}]}, "apps[0].scope[0]: there is no such department"),
        ({"apps": [{}, {}]}, "apps[1].agent_id: the same as in apps[0]"),
        ({"apps": [{"secret": "sandbox-contact-secret"}]}, "apps[0].secret: is the contact-sync secret"),
        ({"corp": {"creator": "nobody"}}, "corp.creator: there is no such member"),
        ({"corp": {"contact_sync": "on"}}, "corp.contact_sync: Input should be 'edit', 'read' or 'off'"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(document, problem):
    """The path, counted from 0, and what is wrong there."""
    with pytest.raises(ConfigError) as caught:
        parse_dump(document, name="corp.json")
    assert any(each.startswith(f"corp.json: {problem}") for each in caught.value.problems), caught.value


def test_everything_that_is_wrong_is_told_at_once_and_no_value():
    """Up to fifty problems, and how many more; no phone number among them."""
    members = [{"userid": f"u{n}", "name": "x", "mobile": "13800000001"} for n in range(60)]
    with pytest.raises(ConfigError) as caught:
        parse_dump({"members": [*members, {"userid": "v", "name": "v", "mobile": "13800000002x"}]})
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1] == "dump: and 10 more"
    assert "1380000" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"members": [}', "is not JSON (line 1)"),
        (b"[" * 200_000, "is not JSON"),
        (b"\xff{}", "is not in UTF-8 (byte 0)"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_document_is_told(tmp_path, content, problem):
    """The file's name, and what it is not."""
    path = tmp_path / "corp.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_dump(path)
    assert caught.value.problems[0].startswith(f"{path}: {problem}")
