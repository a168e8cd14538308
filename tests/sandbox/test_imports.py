"""Members come in by file (contacts.md §7.2 to §7.5)."""

from __future__ import annotations

import random

import pytest

from tests.sandbox.importing import (
    MEMBER_HEADER,
    codes,
    member_table,
    person,
    result,
    run_job,
    start,
    table,
    upload,
)
from wxsync.sandbox.records import Attribute
from wxsync.sandbox.seed import fill_corp


def test_syncuser_updates_creates_and_leaves_the_rest(wecom, state, clock):
    """Rows are written, everybody else stays as they were."""
    rd = wecom.department("研发")
    wecom.make("old", position="工程师", mobile="13800000001")
    wecom.make("other")
    content = member_table(
        person("OLD", name="老王", 职位="经理", email=""),
        person(
            "new",
            mobile="+86 13800000002",
            department=f"1;{rd}",
            性别="女",
            是否部门内领导="0;1",
            排序="3;4",
            别名="新",
            地址="北京",
            座机="010-1",
            禁用="1",
        ),
    )
    answer = run_job(wecom, clock, "syncuser", content)
    assert answer == {
        "errcode": 0,
        "errmsg": "ok",
        "status": 3,
        "type": "sync_user",
        "total": 2,
        "percentage": 100,
        "result": [
            {"userid": "OLD", "errcode": 0, "errmsg": ""},
            {"userid": "new", "errcode": 0, "errmsg": ""},
        ],
    }
    old, new = state.members["old"], state.members["new"]
    assert (old.userid, old.name, old.position, old.mobile) == ("old", "老王", "经理", "13800000001")
    assert (new.mobile, new.department, new.gender) == ("13800000002", (1, rd), "2")
    assert (new.is_leader_in_dept, new.order, new.alias) == ((0, 1), (3, 4), "新")
    assert (new.address, new.telephone, new.enable) == ("北京", "010-1", 0)
    assert set(state.members) == {"old", "other", "new"}


@pytest.mark.parametrize(
    "header",
    [
        ("姓名", "帐号", "手机号", "邮箱", "所在部门", "职位", "性别"),
        ("姓名", "帐号", "微信号", "手机号", "邮箱", "所在部门", "职位"),
        ("邮箱", "帐号", "姓名"),
    ],
)
def test_columns_go_by_their_header(wecom, state, clock, header):
    """Older templates and other orders of columns are read as well; the WeChat id is ignored."""
    wecom.make("lin", alias="Mei")
    content = b"\xef\xbb\xbf" + member_table(person("lin", name="林", 微信号="wx"), header=header)
    assert codes(run_job(wecom, clock, "syncuser", content)) == {"lin": 0}
    assert (state.members["lin"].name, state.members["lin"].alias) == ("林", "Mei")


def test_further_columns_are_attributes_that_exist(wecom, state, clock):
    """A header that is the name of an attribute fills it, another is ignored; a space clears."""
    state.attributes = {"工号": 0, "主页": 1}
    header = (*MEMBER_HEADER, "工号", "主页", "没有")
    cells = {"工号": "A1", "主页": "me;https://example.com", "没有": "x"}
    run_job(wecom, clock, "syncuser", member_table(person("lin", **cells), header=header))
    both = {"工号": Attribute(0, "A1"), "主页": Attribute(1, "https://example.com", "me")}
    assert state.members["lin"].extattr == both
    run_job(wecom, clock, "syncuser", member_table(person("lin", 工号=" "), header=header))
    assert state.members["lin"].extattr == {"主页": both["主页"]}


@pytest.mark.parametrize(("is_backwards", "owner"), [(False, "a"), (True, "b")])
def test_rows_are_worked_off_in_their_order_or_in_the_opposite_one(wecom, state, clock, is_backwards, owner):
    """No page promises any: of two who want one number the first has it, or the last (a switch)."""
    state.jobs_go_backwards = is_backwards
    rows = [person(userid, mobile="13800000001", email="") for userid in ("a", "b")]
    answer = run_job(wecom, clock, "syncuser", member_table(*rows))
    assert codes(answer) == {"a": 60104, "b": 60104} | {owner: 0}
    assert [row["userid"] for row in answer["result"]] == (["b", "a"] if is_backwards else ["a", "b"])


def test_an_empty_cell_keeps_and_a_space_clears(wecom, state, clock):
    """A space clears alias, mobile, e-mail, telephone and position, and nothing else (a switch)."""
    full = {
        "alias": "Mei",
        "position": "工程师",
        "telephone": "1",
        "address": "北京",
        "mobile": "13800000001",
    }
    wecom.make("lin", email="lin@example.com", **full)
    keeps = person("lin", email="", department="", name="")
    run_job(wecom, clock, "syncuser", member_table(keeps))
    member = state.members["lin"]
    assert {name: getattr(member, name) for name in full} == full
    assert (member.email, member.name) == ("lin@example.com", "林梅")
    spaces = dict.fromkeys(("别名", "职位", "座机", "地址", "邮箱", "姓名", "所在部门", "性别", "禁用"), " ")
    state.space_clears = False
    run_job(wecom, clock, "syncuser", member_table({**keeps, **spaces}))
    assert {name: getattr(member, name) for name in full} == full
    state.space_clears = True
    assert codes(run_job(wecom, clock, "syncuser", member_table({**keeps, **spaces}))) == {"lin": 0}
    assert (member.alias, member.position, member.telephone, member.email) == ("", "", "", "")
    assert (member.address, member.name, member.department, member.enable) == ("北京", "林梅", (1,), 1)
    assert codes(run_job(wecom, clock, "syncuser", member_table({**keeps, "手机号": " "}))) == {"lin": 60129}


@pytest.mark.parametrize(
    ("cells", "errcode", "errmsg"),
    [
        ({"mobile": "13800000009"}, 60104, "mobile existed"),
        ({"email": "taken@example.com"}, 60106, "email existed"),
        ({"mobile": "x"}, 60103, "invalid mobile"),
        ({"email": ""}, 60129, "missing mobile or email"),
        ({"name": ""}, 60112, "invalid name"),
        ({"帐号": "-lin"}, 40003, "invalid userid"),
        ({"帐号": ""}, 41009, "userid missing"),
        ({"性别": "M"}, 40058, "field `gender` invalid. invalid Request Parameter"),
        ({"禁用": "ja"}, 40058, "field `enable` invalid. invalid Request Parameter"),
        ({"排序": "1;2"}, 40058, "field `order` invalid. invalid Request Parameter"),
        ({"排序": "-1"}, 40058, "field `order` invalid. invalid Request Parameter"),
        ({"是否部门内领导": "1;1"}, 60132, "is_leader_in_dept and department list size not match"),
        ({"department": "研发"}, 60123, "invalid party id"),
        ({"department": "9" * 5000}, 60123, "invalid party id"),
        ({"职位": "x" * 129}, 301012, "invalid position"),
    ],
)
def test_a_bad_row_stops_no_other(wecom, state, clock, cells, errcode, errmsg):
    """Row errors are those of user/create, without hint and without naming the owner of a number."""
    wecom.make("taken", mobile="13800000009", email="taken@example.com")
    bad = person("lin", **cells)
    answer = run_job(wecom, clock, "syncuser", member_table(bad, person("good")))
    assert answer["result"] == [
        {"userid": bad["帐号"], "errcode": errcode, "errmsg": errmsg},
        {"userid": "good", "errcode": 0, "errmsg": ""},
    ]
    assert set(state.members) == {"taken", "good"}


def test_the_number_of_an_activated_member_stays(wecom, state, clock):
    """As by user/update the new number is ignored without a word."""
    wecom.make("lin", mobile="13800000001")
    state.set_status("lin", 1)
    answer = run_job(wecom, clock, "syncuser", member_table(person("lin", mobile="13800000002")))
    assert codes(answer) == {"lin": 0}
    assert state.members["lin"].mobile == "13800000001"


@pytest.mark.parametrize("userid", ["lin", "new"])
def test_an_unknown_department_is_made_up(wecom, state, clock, userid):
    """For a new member as for an old one there is a department then, below 其他(待设置部门)."""
    wecom.make("lin")
    assert codes(run_job(wecom, clock, "syncuser", member_table(person(userid, department="77")))) == {
        userid: 0
    }
    assert state.members[userid].department == (77,)
    assert state.departments[state.departments[77].parentid].name == "其他(待设置部门)"
    state.strict_departments = True
    answer = run_job(wecom, clock, "syncuser", member_table(person(userid, department="500")))
    assert codes(answer) == {userid: 60123}
    assert 500 not in state.departments


def test_everybody_new_is_invited_unless_told_not_to(wecom, state, clock):
    """to_invite is true where it is not given; who was there already gets no invitation."""
    wecom.make("old")
    content = member_table(person("old"), person("new"))
    result(wecom, clock, start(wecom, "syncuser", content)["jobid"])
    assert state.invitations == ["new"]
    result(wecom, clock, start(wecom, "syncuser", member_table(person("quiet")), to_invite=False)["jobid"])
    assert state.invitations == ["new"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        "姓名,帐号,邮箱".encode(),
        "姓名,帐号,邮箱\n,,\n".encode(),
        "姓名,邮箱\n林梅,lin@example.com\n".encode(),
        "帐号,邮箱\nlin,lin@example.com\n".encode(),
        "姓名,帐号\n林梅,lin\n".encode(),
        "姓名,帐号,邮箱,邮箱\n林梅,lin,a@example.com,b@example.com\n".encode(),
        "姓名,帐号,邮箱\n林梅,lin,lin@example.com\n".encode("gbk"),
        '姓名,帐号,邮箱\n"林梅,lin,lin@example.com\n'.encode(),
    ],
)
def test_what_is_no_file_of_members_is_refused_at_once(wecom, state, content):
    """Empty, without a column that must be there, not UTF-8, not CSV: 40092 and no job."""
    media_id = upload(wecom, content or b"\xef\xbb\xbf\r\n\r\n")["media_id"]
    assert wecom.post("batch/syncuser", {"media_id": media_id})["errcode"] == 40092
    assert not state.jobs.imports


def test_a_userid_twice_fails_the_job(wecom, state, clock):
    """302003 comes with the result, in whatever case the two are written, and nobody is written."""
    answer = run_job(
        wecom, clock, "syncuser", member_table(person("lin"), person("LIN", email="b@example.com"))
    )
    assert answer == {
        "errcode": "302003",
        "errmsg": "userid duplicated in import file",
        "type": "sync_user",
    }
    assert not state.members
    assert state.log[-1].errcode == 302003


def test_a_bad_file_may_be_refused_at_once(wecom, state, clock):
    """With the switch, what is wrong with the whole is said when the file is sent in."""
    state.jobs_fail_at_once = True
    twice = member_table(person("lin"), person("lin"))
    assert start(wecom, "syncuser", twice)["errcode"] == 302003
    fill_corp(state, members=100)
    assert start(wecom, "replaceuser", member_table(person("u00001")))["errcode"] == 45026
    assert not state.jobs.imports


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 41006),
        ({"media_id": ""}, 41006),
        ({"media_id": 7}, 40058),
        ({"media_id": "nothing"}, 40007),
        ({"media_id": "good", "to_invite": "yes"}, 40058),
        ({"media_id": "good", "callback": {"url": "https://example.com/x"}}, 40058),
        (
            {"media_id": "good", "callback": {"url": "ftp://x", "token": "t", "encodingaeskey": "k" * 43}},
            40057,
        ),
        (
            {"media_id": "good", "callback": {"url": "http://x", "token": "t-", "encodingaeskey": "k" * 43}},
            40057,
        ),
        (
            {"media_id": "good", "callback": {"url": "http://x", "token": "t", "encodingaeskey": "k" * 42}},
            40057,
        ),
        ({"media_id": "good", "callback": {}}, 0),
    ],
)
def test_what_is_wrong_with_the_call_is_said_at_once(wecom, body, errcode):
    """media_id and callback are looked at before anything is started."""
    if body.get("media_id") == "good":
        body = {**body, "media_id": upload(wecom, member_table(person("lin")))["media_id"]}
    assert wecom.post("batch/syncuser", body)["errcode"] == errcode


def test_an_app_may_not_import(wecom, state):
    """The three imports are for the contact-sync secret; contact sync that only reads may not either."""
    app = wecom.fetch_token(state.apps[0].secret)
    for call in ("syncuser", "replaceuser", "replaceparty"):
        assert wecom.post(f"batch/{call}", {"media_id": "x"}, app)["errcode"] == 48002


def test_replaceuser_deletes_whoever_is_missing(wecom, state, clock):
    """The deleted are in the result too; the total counts the rows of the file."""
    for number in range(6):
        wecom.make(f"u{number}")
    content = member_table(*(person(f"U{number}", name="新名") for number in range(2)), person("new"))
    answer = run_job(wecom, clock, "replaceuser", content)
    assert (answer["type"], answer["total"]) == ("replace_user", 3)
    assert codes(answer) == dict.fromkeys(("U0", "U1", "new", "u2", "u3", "u4", "u5"), 0)
    assert {key: member.name for key, member in state.members.items()} == {
        "u0": "新名",
        "u1": "新名",
        "new": "林梅",
    }


def test_a_row_with_an_error_keeps_its_member(wecom, state, clock):
    """Somebody whose row is bad is in the file all the same, and is not deleted."""
    wecom.make("lin")
    answer = run_job(wecom, clock, "replaceuser", member_table(person("lin", mobile="x")))
    assert codes(answer) == {"lin": 60103}
    assert set(state.members) == {"lin"}


def test_the_creator_stays(wecom, state, clock):
    """301005 in the creator's row, and everybody else goes."""
    for userid in ("boss", "a", "b"):
        wecom.make(userid)
    state.creator = "Boss"
    answer = run_job(wecom, clock, "replaceuser", member_table(person("a")))
    assert codes(answer) == {"a": 0, "boss": 301005, "b": 0}
    assert set(state.members) == {"boss", "a"}


@pytest.mark.parametrize(
    ("members", "deleted", "errcode"),
    [
        (10, 8, 0),
        (10, 9, "45026"),
        (61, 48, 0),
        (61, 49, "45026"),
        (60, 49, "45026"),
        (255, 51, 0),
        (254, 51, "45026"),
        (250, 50, 0),
        (249, 50, "45026"),
    ],
)
def test_replaceuser_protects_the_corp(wecom, state, clock, members, deleted, errcode):
    """Over 50 it may delete a fifth of all, below four fifths; else nothing is written at all."""
    fill_corp(state, members=members)
    rows = [person(f"u{number:05d}", name="新名") for number in range(deleted + 1, members + 1)]
    answer = run_job(wecom, clock, "replaceuser", member_table(*rows))
    assert answer["errcode"] == errcode
    assert len(state.members) == (members - deleted if errcode == 0 else members)
    assert (state.members[f"u{members:05d}"].name == "新名") is (errcode == 0)


def test_the_creator_counts_for_nothing_in_the_protection(wecom, state, clock):
    """Nine of ten are missing, of whom one cannot be deleted: eight of ten is just allowed."""
    fill_corp(state, members=10)
    state.creator = "u00010"
    answer = run_job(wecom, clock, "replaceuser", member_table(person("u00001")))
    assert answer["errcode"] == 0
    assert set(state.members) == {"u00001", "u00010"}


def test_some_hundred_rows_make_the_journey(wecom, state, clock):
    """300 people come in by file as they are read out again; the same file changes nothing."""
    chance = random.Random(4)
    departments = [1, *(wecom.department(f"部门{number}") for number in range(9))]
    rows = []
    for number in range(300):
        places = chance.sample(departments, k=chance.randint(1, 3))
        rows.append(
            person(
                f"e{number:04d}",
                name=f'员工{number}, "{chance.choice("甲乙丙")}"',
                mobile=f"139{number:08d}",
                department=";".join(map(str, places)),
                职位=chance.choice(("工程师", "经理\n代理", "")),
                性别=chance.choice("男女"),
                是否部门内领导=";".join(chance.choice("01") for _ in places),
                排序=";".join(str(chance.randint(0, 9)) for _ in places),
                禁用=chance.choice("01"),
            )
        )
    assert set(codes(run_job(wecom, clock, "syncuser", member_table(*rows))).values()) == {0}
    assert len(state.members) == 300
    before = {}
    for row in rows:
        member = state.members[row["帐号"]]
        before[member.userid] = (member.name, member.placement, member.gender, member.enable)
        assert (member.name, member.mobile, member.position) == (row["姓名"], row["手机号"], row["职位"])
        assert ";".join(map(str, member.department)) == row["所在部门"]
        assert ";".join(map(str, member.order)) == row["排序"]
        assert ";".join(map(str, member.is_leader_in_dept)) == row["是否部门内领导"]
        assert (member.gender, str(1 - member.enable)) == ("1" if row["性别"] == "男" else "2", row["禁用"])
    chance.shuffle(rows)
    answer = run_job(wecom, clock, "replaceuser", member_table(*rows))
    assert set(codes(answer).values()) == {0}
    after = {m.userid: (m.name, m.placement, m.gender, m.enable) for m in state.members.values()}
    assert after == before


def test_rows_are_read_as_spreadsheets_write_them(wecom, state, clock):
    """Quotes, line ends of Windows, short rows and blank rows are no trouble."""
    content = '\ufeff姓名,帐号,邮箱,所在部门\r\n"林,梅",lin,lin@example.com\r\n,,,\r\n\r\n'.encode()
    answer = run_job(wecom, clock, "syncuser", content)
    assert (answer["total"], codes(answer)) == (1, {"lin": 0})
    assert state.members["lin"].name == "林,梅"


def test_a_table_of_other_things_is_no_file_of_members(wecom):
    """A file of departments is none of members."""
    content = table(("部门名称", "部门ID", "父部门ID", "排序"), [("研发", 2, 1, 0)])
    assert start(wecom, "syncuser", content)["errcode"] == 40092
