"""Files of imports: what readers of CSV make of them, and what becomes of them in the sandbox."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import tracemalloc
import unicodedata
from dataclasses import replace

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxsync.errors import UnsendableError
from wxsync.model.job import JobStatus
from wxsync.model.member import MemberWrite
from wxsync.model.unknown import UNKNOWN
from wxsync.sandbox.job_files import member_body, read_members, read_parties, read_tree
from wxsync.sandbox.state import SandboxState
from wxsync.sandbox.transport import SandboxTransport
from wxsync.wecom.client import open_transport
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.media import Media
from wxsync.wecom.retries import Patience
from wxsync.wecom.wire.import_file import (
    MOST_BYTES,
    DepartmentLine,
    can_say,
    columns_of,
    is_plain,
    to_department_file,
    to_member_files,
)
from wxsync.wecom.wire.media import MediaType

QUICK = Patience(first_pause=0.001, longest_pause=0.001)
TEMPLATE = "姓名,帐号,手机号,邮箱,所在部门,职位,性别,是否部门内领导,排序,别名,地址,座机,禁用"
ZHANG = MemberWrite(userid="zhang", name="张三", mobile="13800000001")
FULL = MemberWrite(
    userid="Zhang.San",
    name="张三",
    alias="San",
    mobile="+85261234567",
    email="zs@example.com",
    departments=(3, 1, 5),
    main_department=1,
    is_leader=(False, True, False),
    order=(30, 10, 4294967295),
    position="工程师",
    gender="2",
    telephone="+86-10-1234,567",
    address="北京市海淀区",
    enable=False,
    extattr=(("工号", "A1024"), ("Grade", "7")),
)
TEXTS = ("name", "mobile", "email", "position", "alias", "address", "telephone", "extattr.工号")

tricky = st.text(
    st.one_of(
        st.sampled_from("\",;\n\r\t\\'=+-@#| \u00a0\u3000\ufeff\u200b\x00\x1b\x85\u2028张三🙂"),
        st.characters(),
    ),
    min_size=1,
    max_size=24,
)
"""Texts that some reader of CSV may stumble over."""
plain = tricky.filter(is_plain)


def only_file(*writes: MemberWrite) -> bytes:
    (file,) = to_member_files(writes)
    assert file.userids == tuple(write.userid for write in writes)
    return file.content


def table(content: bytes, **habits) -> list[list[str]]:
    """The cells by Python's reader, with the header; `habits` are its own options."""
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True, **habits))


def trimmed(cell: str) -> str:
    """A cell by a reader that takes every blank and invisible character off its ends."""
    while cell and (cell[0].isspace() or unicodedata.category(cell[0]) == "Cf"):
        cell = cell[1:]
    while cell and (cell[-1].isspace() or unicodedata.category(cell[-1]) == "Cf"):
        cell = cell[:-1]
    return cell


# What stands in a file


def test_every_column_of_the_template():
    """In its order, then attributes by name; the main department is first in all three aligned cells."""
    header, row = only_file(FULL).decode().split("\r\n")[:2]
    assert header == TEMPLATE + ",Grade,工号"
    assert row == (
        '张三,Zhang.San,+85261234567,zs@example.com,1;3;5,工程师,女,1;0;0,10;30;4294967295,San,北京市海淀区,"+86-10-1234,567",1'
        ",7,A1024"
    )


def test_only_what_is_said_has_a_column():
    """A column that nobody says is not there: 禁用 least of all. An absent cell of a row is empty."""
    li = MemberWrite(userid="li", name="李四", email="li@example.com", position="经理")
    assert only_file(ZHANG).decode() == "姓名,帐号,手机号\r\n张三,zhang,13800000001\r\n"
    assert only_file(ZHANG, li).decode() == (
        "姓名,帐号,手机号,邮箱,职位\r\n张三,zhang,13800000001,,\r\n李四,li,,li@example.com,经理\r\n"
    )


@pytest.mark.parametrize(("enable", "cell"), [(True, "0"), (False, "1")])
def test_the_column_of_the_disabled_asks_the_opposite(enable, cell):
    """禁用 0 is enabled, 1 is disabled (WeCom page 90980)."""
    assert table(only_file(replace(ZHANG, enable=enable))) == [
        ["姓名", "帐号", "手机号", "禁用"],
        ["张三", "zhang", "13800000001", cell],
    ]


@pytest.mark.parametrize(("gender", "cell"), [("1", "男"), ("2", "女")])
def test_genders_are_words(gender, cell):
    """Other than in calls."""
    assert table(only_file(replace(ZHANG, gender=gender)))[1][-1] == cell


def test_a_file_is_utf_8_without_a_mark_and_ends_its_lines_as_rfc_4180_has_it():
    """The first column is 姓名 for every reader, and the last row ends like all others."""
    content = only_file(FULL, ZHANG)
    assert content.startswith("姓名,".encode())
    assert content.endswith(b"\r\n")
    assert content.count(b"\r\n") == 3


def test_columns_of_a_row():
    """Rows with the same ones leave no cell empty when they are in one file."""
    assert columns_of(ZHANG) == ("name", "userid", "mobile")
    assert columns_of(FULL)[-3:] == ("enable", "extattr.Grade", "extattr.工号")
    assert len(columns_of(FULL)) == 15
    (file,) = to_member_files([FULL, replace(FULL, userid="li")])
    assert all(all(cells) for cells in table(file.content))


def test_nobody_is_no_file():
    """An empty file would be refused (40092)."""
    assert to_member_files([]) == ()


# What readers make of it


@given(st.lists(st.tuples(plain, plain, plain), min_size=1, max_size=5))
def test_no_cell_is_altered(rows):
    """Whatever its quotes, commas, newlines, leading signs and emoji: each reader has what was said."""
    writes = [
        MemberWrite(
            userid=f"u{n}", name=name, email="a@example.com", position=position, extattr=(("工号", number),)
        )
        for n, (name, position, number) in enumerate(rows)
    ]
    content = only_file(*writes)
    assert [(cells[0], cells[3], cells[4]) for cells in table(content)[1:]] == rows
    bodies = [member_body(cells, {"工号": 0}, space_clears=True) for cells in read_members(content)]
    assert [
        (body["name"], body["position"], body["extattr"]["attrs"][0]["text"]["value"]) for body in bodies
    ] == rows


@settings(max_examples=300)
@given(plain)
def test_habits_of_readers_change_nothing(text):
    """One trims, one unescapes backslashes, one skips blanks after a comma, one knows a single line end."""
    content = only_file(replace(ZHANG, position=text))
    assert trimmed(table(content)[1][-1]) == text
    assert table(content, escapechar="\\")[1][-1] == text
    assert table(content, skipinitialspace=True)[1][-1] == text
    one_kind = content.decode().replace("\r\n", "\n").replace("\r", "\n").encode()
    assert table(one_kind)[1][-1] == text


@given(tricky)
def test_what_a_file_cannot_say_is_refused_and_never_sent(text):
    """`can_say` and the file agree on every text, of every field."""
    for name in ("position", "extattr.工号"):
        said = {"extattr": (("工号", text),)} if name.startswith("extattr") else {name: text}
        write = replace(ZHANG, **said)
        if can_say(name, text):
            assert table(only_file(write))[1][-1] == text
        else:
            with pytest.raises(UnsendableError) as caught:
                to_member_files([write])
            assert caught.value.field == name


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize(
    "text",
    ["=1+1", "+85261234567", "-", "@home", 'Ann "Al" Li', "a,b;c", "上\n下", "'x", "0012", "🙂", "a b"],
)
def test_what_means_something_to_spreadsheets_or_is_quoted_can_be_said(field, text):
    """No program opens the file as a sheet, and quotes are RFC 4180's."""
    assert can_say(field, text) is True


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize(
    "text",
    [
        *("", " ", " a", "a ", "\u3000a", "a\u00a0", "\n", "a\n"),
        *("\ufeffa", "a\u200b", "a\\b", "a\x00b", "a\rb", "a\r\nb", "a\tb", "a\x7fb", "a\x85b"),
        *("a\u2028b", "a\u2029b", "a\ud83db"),
    ],
)
def test_what_a_reader_may_alter_cannot_be_said(field, text):
    """Blanks are trimmed, or one clears (private editions); controls and line ends are nobody's promise."""
    assert can_say(field, text) is False


@pytest.mark.parametrize("field", [*TEXTS, "gender", "enable", "departments", "main_department", "is_leader"])
@pytest.mark.parametrize("value", [None, UNKNOWN])
def test_neither_empty_nor_unknown_can_be_said(field, value):
    """What an empty cell does is not documented."""
    assert can_say(field, value) is False


@pytest.mark.parametrize(
    ("field", "value", "is_said"),
    [
        ("gender", "1", True),
        ("gender", "0", False),
        ("gender", "男", False),
        ("enable", True, True),
        ("enable", False, True),
        ("enable", 1, False),
        ("departments", ("D1", 7), True),
        ("departments", (), False),
        ("departments", "D1", False),
        ("main_department", "D1", True),
        ("main_department", 7, True),
        ("main_department", ("D1",), False),
        ("is_leader", ("D1",), True),
        ("is_leader", (), True),
        ("is_leader", "D1", False),
        ("order", (("D1", 0), (7, 4294967295)), True),
        ("order", (), True),
        ("order", (("D1", 4294967296),), False),
        ("order", (("D1", -1),), False),
        ("direct_leader", "li", False),
        ("biz_mail", "a@corp.example", False),
        ("external_position", "Advisor", False),
        ("userid", "zhang", False),
        ("name", 7, False),
        ("name", ("张三",), False),
        ("extattr.工号", 7, False),
        ("extattr.", "x", False),
        ("extattr. 工号", "x", False),
        ("extattr.工号\n", "x", False),
        ("extattr.工\n号", "x", False),
        ("extattr.工\\号", "x", False),
        ("extattr.禁用", "x", False),
        ("extattr.帐号", "x", False),
        ("extattr.账号", "x", False),
        ("extattr.微信号", "x", False),
        ("extattr.禁用项说明：(0-启用;1-禁用)", "x", False),
        ("extattr.工号,备注", "x", True),
    ],
)
def test_what_the_columns_hold(field, value, is_said):
    """Only what the template has a column for; an attribute that is called like one would be taken for it."""
    assert can_say(field, value) is is_said


# Refusals


@pytest.mark.parametrize(
    ("write", "field"),
    [
        (replace(ZHANG, name=UNKNOWN), "name"),
        (replace(ZHANG, name=None), "name"),
        (replace(ZHANG, mobile=UNKNOWN), "mobile"),
        (replace(ZHANG, mobile=None, email="z@example.com"), "mobile"),
        (replace(ZHANG, email=""), "email"),
        (replace(ZHANG, position="secret-value "), "position"),
        (replace(ZHANG, gender="3"), "gender"),
        (replace(ZHANG, direct_leader="li"), "direct_leader"),
        (replace(ZHANG, direct_leader=None), "direct_leader"),
        (replace(ZHANG, biz_mail="a@corp.example"), "biz_mail"),
        (replace(ZHANG, external_position="x"), "external_position"),
        (replace(ZHANG, extattr=(("工号", None),)), "extattr.工号"),
        (replace(ZHANG, extattr=(("禁用", "1"),)), "extattr.禁用"),
        (replace(ZHANG, extattr=(("工号", "1"), ("工号", "2"))), "extattr.工号"),
        (replace(ZHANG, main_department=1), "main_department"),
        (replace(ZHANG, is_leader=(True,)), "is_leader"),
        (replace(ZHANG, order=(1,)), "order"),
        (replace(ZHANG, departments=()), "departments"),
        (replace(ZHANG, departments=(0, 1)), "departments"),
        (replace(ZHANG, departments=(2, 2)), "departments"),
        (replace(ZHANG, departments=(2, 3), main_department=4), "main_department"),
        (replace(ZHANG, departments=(2, 3), is_leader=(True,)), "is_leader"),
        (replace(ZHANG, departments=(2, 3), order=(1, 2, 3)), "order"),
        (replace(ZHANG, departments=(2,), order=(2**32,)), "order"),
        (replace(ZHANG, departments=(2,), order=(-1,)), "order"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(write, field):
    """With the userid, the field and how to go on, but no value: it may end up in a log."""
    with pytest.raises(UnsendableError, match="'zhang'") as caught:
        to_member_files([replace(ZHANG, userid="li"), write])
    assert caught.value.field == field
    assert "single" in str(caught.value.hint)
    assert not re.search(r"secret-value|13800000001|example\.com", str(caught.value))


@pytest.mark.parametrize("userids", [("zhang", "Zhang"), ("", "li"), ("zhang ", "li"), ("a\nb", "li")])
def test_a_userid_that_spoils_the_whole_file_is_refused(userids):
    """WeCom would refuse all rows for one that is there twice (302003), in whatever case."""
    with pytest.raises(UnsendableError) as caught:
        to_member_files([replace(ZHANG, userid=userid) for userid in userids])
    assert caught.value.field == "userid"


def test_a_file_has_no_cells_in_its_repr():
    """Phone numbers are in no log."""
    (file,) = to_member_files([ZHANG])
    assert "13800000001" not in repr(file)
    assert "张三" not in repr(file)


# Splitting


@given(st.lists(plain, min_size=1, max_size=12), st.integers(120, 400))
def test_files_are_split_between_rows(names, most_bytes):
    """Each has the header and is within the limit; together they have every row once, in order."""
    writes = [replace(ZHANG, userid=f"u{n}", name=name) for n, name in enumerate(names)]
    files = to_member_files(writes, most_bytes)
    assert all(len(file.content) <= most_bytes for file in files)
    rows = []
    for file in files:
        header, *own = table(file.content)
        assert header == ["姓名", "帐号", "手机号"]
        assert [cells[1] for cells in own] == list(file.userids)
        rows += own
    assert [(cells[0], cells[1]) for cells in rows] == [(write.name, write.userid) for write in writes]


def test_a_file_is_as_full_as_it_may_be():
    """The limit itself is still within it; a byte less, and there are two files."""
    writes = [replace(ZHANG, userid=f"u{n:03}") for n in range(100)]
    size = len(only_file(*writes))
    assert len(to_member_files(writes, size)) == 1
    first, second = to_member_files(writes, size - 1)
    assert (len(first.userids), second.userids) == (99, ("u099",))


def test_a_row_that_fits_into_no_file_is_refused():
    """Nothing is cut off."""
    with pytest.raises(UnsendableError, match="'zhang'"):
        to_member_files([ZHANG], 40)


def test_memory_of_a_large_load():
    """30,000 people are a file of 3 MB, and building it takes hardly more than that: no second copy."""
    writes = [
        MemberWrite(
            userid=f"user{n:06}",
            name=f"员工{n:06}",
            mobile=f"138{n:08}",
            email=f"user{n:06}@example.com",
            departments=(n % 1000 + 2, 1),
            main_department=n % 1000 + 2,
            position="高级软件工程师",
            extattr=(("工号", f"A{n:06}"),),
        )
        for n in range(30_000)
    ]
    tracemalloc.start()
    files = to_member_files(writes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(len(file.userids) for file in files) == 30_000
    size = sum(len(file.content) for file in files)
    assert all(len(file.content) <= MOST_BYTES for file in files)
    assert 2_500_000 < size < peak < 1.7 * size


# Departments


TREE = (
    DepartmentLine(id=7, name="测试,二组", parent_id=5, order=20),
    DepartmentLine(id=5, name="研发", parent_id=1, order=None),
    DepartmentLine(id=1, name="示例公司", parent_id=None, order=None),
    DepartmentLine(id=6, name="研发", parent_id=5, order=4294967295),
)


def test_a_tree_is_written_from_its_root():
    """Parents come before their children; the root has the parent 0; no order is an empty cell."""
    content = to_department_file(TREE)
    assert content.decode() == (
        "部门名称,部门ID,父部门ID,排序\r\n示例公司,1,0,\r\n研发,5,1,\r\n"
        '"测试,二组",7,5,20\r\n研发,6,5,4294967295\r\n'
    )
    assert [(row.id, row.name, row.parentid, row.order) for row in read_tree(read_parties(content))] == [
        (1, "示例公司", 0, None),
        (5, "研发", 1, None),
        (7, "测试,二组", 5, 20),
        (6, "研发", 5, 4294967295),
    ]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ((), "no root"),
        (TREE[:2], "no root"),
        ((*TREE, DepartmentLine(id=9, name="另一", parent_id=None, order=None)), "several"),
        ((*TREE, DepartmentLine(id=7, name="三组", parent_id=1, order=None)), "department 7 is there twice"),
        ((*TREE, DepartmentLine(id=0, name="三组", parent_id=1, order=None)), "below 1"),
        ((*TREE, DepartmentLine(id=9, name="研发", parent_id=1, order=None)), "department 9 has the name"),
        ((*TREE, DepartmentLine(id=9, name="三组", parent_id=8, order=None)), "department 9 hangs"),
        ((*TREE, DepartmentLine(id=9, name="三组", parent_id=9, order=None)), "department 9 hangs"),
        ((*TREE, DepartmentLine(id=9, name="", parent_id=1, order=None)), "department 9 has a name"),
        ((*TREE, DepartmentLine(id=9, name="三组 ", parent_id=1, order=None)), "department 9 has a name"),
        ((*TREE, DepartmentLine(id=9, name="三\n组", parent_id=1, order=None)), "department 9 has a name"),
        ((*TREE, DepartmentLine(id=9, name="三组", parent_id=1, order=0)), "department 9 has an order"),
        ((*TREE, DepartmentLine(id=9, name="三组", parent_id=1, order=2**32)), "department 9 has an order"),
    ],
)
def test_a_tree_that_wecom_would_refuse_is_not_written(lines, problem):
    """One bad line and WeCom refuses the file (302004, 302006, 302007), or reads something else in it."""
    with pytest.raises(UnsendableError, match=problem):
        to_department_file(lines)


def test_a_tree_is_never_split():
    """Half of it would have the other half deleted."""
    root = TREE[2]
    children = [
        DepartmentLine(id=n, name=f"{n:07}" + "部" * 40, parent_id=1, order=None) for n in range(2, 160_000)
    ]
    with pytest.raises(UnsendableError, match="one file"):
        to_department_file([root, *children])


# In the sandbox


def carry_out(state: SandboxState, start, content: bytes):
    """Upload, start, look: the job's result."""

    async def story():
        line = SandboxTransport(state)
        async with open_transport(
            corp_id=state.corp_id,
            secret=state.contact_secret,
            base_url="http://sandbox",
            transport=line,
            patience=QUICK,
            timeouts=httpx.Timeout(5.0),
        ) as transport:
            media = await Media(transport).upload(MediaType.FILE, "wxsync.csv", content)
            jobs = Jobs(transport)
            result = await jobs.get_result(await start(jobs, media.media_id))
            await line.finish()
            return result

    result = asyncio.run(story())
    assert result.status is JobStatus.FINISHED
    return result


def test_members_hold_exactly_what_a_file_said():
    """New and known ones, field by field; what the file does not say stays; nobody is invited."""
    state = SandboxState(job_seconds=0, attributes={"工号": 0, "Grade": 0}, strict_departments=True)
    for id in (3, 5):
        state.add_department(f"部门{id}", id=id)
    state.add_member("li", "李四", department=[5], mobile="13800000002")
    before = MemberWrite(userid="li", name="李四", mobile="13800000002", position="经理", telephone="010-1")
    li = MemberWrite(
        userid="li", name='李 "四"', mobile="13800000002", address="一楼,\n东侧", extattr=(("工号", "=1"),)
    )
    for write in (FULL, before, li):
        result = carry_out(state, Jobs.sync_members, only_file(write))
        assert [(row.userid, row.errcode) for row in result.members] == [(write.userid, 0)]
    zhang = state.members["zhang.san"]
    assert (zhang.name, zhang.alias, zhang.mobile, zhang.email) == (
        "张三",
        "San",
        "+85261234567",
        "zs@example.com",
    )
    assert (zhang.position, zhang.gender, zhang.telephone, zhang.address, zhang.enable) == (
        "工程师",
        "2",
        "+86-10-1234,567",
        "北京市海淀区",
        0,
    )
    places = dict(zip(zhang.department, zip(zhang.is_leader_in_dept, zhang.order, strict=True), strict=True))
    assert places == {3: (0, 30), 1: (1, 10), 5: (0, 4294967295)}
    assert zhang.main_department == 1
    assert {name: each.value for name, each in zhang.extattr.items()} == {"工号": "A1024", "Grade": "7"}
    known = state.members["li"]
    assert (known.name, known.address, known.position, known.telephone, known.department, known.enable) == (
        '李 "四"',
        "一楼,\n东侧",
        "经理",
        "010-1",
        (5,),
        1,
    )
    assert known.extattr["工号"].value == "=1"
    assert state.invitations == []


def test_departments_are_those_of_a_file():
    """Created, renamed, moved, reordered, and gone where the file does not have them."""
    state = SandboxState(job_seconds=0)
    state.add_department("旧名", id=5)
    state.add_department("多余", id=9)
    carry_out(state, Jobs.replace_departments, to_department_file(TREE))
    assert {id: (each.name, each.parentid) for id, each in state.departments.items()} == {
        1: ("示例公司", 0),
        5: ("研发", 1),
        6: ("研发", 5),
        7: ("测试,二组", 5),
    }
    assert (state.departments[6].order, state.departments[7].order) == (4294967295, 20)
