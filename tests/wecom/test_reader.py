from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import DeniedError, NotFoundError, WeComTransportError
from wxsync.model.seen import ReadingWay, Seen, SeenDepartment, SeenMember, SeenTag, ShownMember
from wxsync.model.unknown import UNKNOWN
from wxsync.wecom.reader import read_seen

TAGS = [{"tagid": 1, "tagname": "甲"}, {"tagid": 2, "tagname": "乙"}, {"tagid": 3, "tagname": "丙"}]


def small_corp() -> Line:
    line = Line()
    line.script("department/simplelist", ok(department_id=[{"id": 1, "parentid": 0, "order": 1}]))
    line.script("user/list_id", ok(dept_user=[{"userid": "a", "department": 1}], next_cursor=""))
    line.script("tag/list", ok(taglist=TAGS))
    line.script("department/list", errcode(48009))
    return line


def members_of_tag(request: httpx.Request) -> httpx.Response:
    number = request.url.params["tagid"]
    return ok(tagname=f"t{number}", userlist=[{"userid": f"u{number}", "name": ""}], partylist=[])


def test_the_whole_corp_in_as_many_calls_as_it_takes():
    """One call for departments, one a page, one for tags, one for each tag that is asked for and exists.

    One more finds out that contact sync may not read names from here.
    """
    line = small_corp().script("tag/get", members_of_tag)
    seen = line.run(lambda contacts: read_seen(contacts, {2, 3, 99}))
    assert seen == Seen(
        departments=(SeenDepartment(id=1, parent_id=0, order=1),),
        members=(SeenMember(userid="a", department_ids=frozenset({1})),),
        tags=(
            SeenTag(id=1, name="甲"),
            SeenTag(id=2, name="t2", userids=frozenset({"u2"})),
            SeenTag(id=3, name="t3", userids=frozenset({"u3"})),
        ),
    )
    assert {path: line.count(path) for path in line.requests} == {
        "gettoken": 1,
        "department/simplelist": 1,
        "user/list_id": 1,
        "tag/list": 1,
        "tag/get": 2,
        "department/list": 1,
    }


def test_a_tag_that_goes_meanwhile_is_not_there():
    """Deleted between the list and its own reading: not seen, and no error."""
    line = small_corp().script("tag/get", errcode(40068))
    assert [tag.id for tag in line.run(lambda contacts: read_seen(contacts, {2})).tags] == [1, 3]


def test_a_tag_that_cannot_be_read_fails_the_reading():
    """One error, bare, and no half-read corp."""
    line = small_corp().script("tag/get", errcode(60020))
    with pytest.raises(DeniedError):
        line.run(lambda contacts: read_seen(contacts, {1, 2, 3}))


# Details: what an app with a narrow scope, or somebody who moves meanwhile, does to them


def person(userid: str, *departments: int, **fields) -> dict:
    zeros = [0] * len(departments)
    return {
        "userid": userid,
        "name": userid.upper(),
        "department": list(departments),
        "order": zeros,
        "is_leader_in_dept": zeros,
        **fields,
    }


def wide_corp(lists: dict[int, httpx.Response], *, visible=(1, 2, 3)) -> Line:
    """Departments 1, 2, 3 and 4; `a` in 2, `b` in 2 and 3, `c` in 3; `lists` is what user/list gives."""
    line = Line().script("tag/list", ok(taglist=[]))
    tree = [{"id": id, "parentid": min(id - 1, 1), "order": 1} for id in (1, 2, 3, 4)]
    line.script("department/simplelist", ok(department_id=tree))
    pairs = [("a", 2), ("b", 2), ("b", 3), ("c", 3)]
    line.script(
        "user/list_id",
        ok(dept_user=[{"userid": user, "department": id} for user, id in pairs], next_cursor=""),
    )
    named = [{**row, "name": f"部{row['id']}"} for row in tree if row["id"] in visible]
    line.script("department/list", ok(department=named))
    line.script("user/list", lambda request: lists[int(request.url.params["department_id"])])
    return line


def read(line: Line, way: ReadingWay | None = ReadingWay.APP) -> Seen:
    """As an app sees it; the line does not tell one secret from another."""
    return line.run(lambda contacts: read_seen(contacts, (), app=contacts, way=way))


def by_userid(seen: Seen) -> dict[str, ShownMember | None]:
    return {member.userid: member.shown for member in seen.members}


def name_and_marks(shown: ShownMember | None):
    return None if shown is None else (shown.name, shown.is_leader, shown.order)


def test_details_are_asked_for_where_somebody_is():
    """Departments 2 and 3 hold people: one call each, and none for the others."""
    line = wide_corp({2: ok(userlist=[person("A", 2), person("b", 2, 3)]), 3: ok(userlist=[person("c", 3)])})
    seen = read(line)
    assert seen.way is ReadingWay.APP
    assert [name_and_marks(member.shown) for member in seen.members] == [
        ("A", (), ((2, 0),)),
        ("B", (), ((2, 0), (3, 0))),
        ("C", (), ((3, 0),)),
    ]
    assert [department.name for department in seen.departments] == ["部1", "部2", "部3", UNKNOWN]
    assert sorted(each.url.params["department_id"] for each in line.requests["user/list"]) == ["2", "3"]


def test_details_are_asked_for_where_the_way_sees():
    """Department 3 is not in scope: not asked for; `c` is shown nowhere, and `b` without the marks there."""
    line = wide_corp({2: ok(userlist=[person("a", 2), person("b", 2, main_department=2)])}, visible=(2,))
    seen = read(line)
    shown = by_userid(seen)
    assert shown["c"] is None
    assert name_and_marks(shown["b"]) == ("B", UNKNOWN, UNKNOWN)
    assert name_and_marks(shown["a"]) == ("A", (), ((2, 0),))
    assert [department.name for department in seen.departments] == [UNKNOWN, "部2", UNKNOWN, UNKNOWN]
    assert line.count("user/list") == 1


def test_somebody_who_is_not_in_the_list_of_ids_is_nobody():
    """Rows of the details add no member, and people who came or went meanwhile are no error."""
    line = wide_corp({2: ok(userlist=[person("new", 2)]), 3: ok(userlist=[])})
    assert by_userid(read(line)) == {"a": None, "b": None, "c": None}


def test_somebody_who_moves_meanwhile_has_no_known_marks():
    """The ids say 2, the details 3: where `a` leads is of neither reading."""
    moved = person("a", 3, main_department=3, is_leader_in_dept=[1])
    shown = by_userid(read(wide_corp({2: ok(userlist=[]), 3: ok(userlist=[moved])})))["a"]
    assert name_and_marks(shown) == ("A", UNKNOWN, UNKNOWN)
    assert shown is not None
    assert shown.main_department is UNKNOWN


def test_one_department_out_of_scope_hides_its_people():
    """60011 for one of two departments: the others are read, by the same way."""
    line = wide_corp({2: errcode(60011), 3: ok(userlist=[person("c", 3)])})
    seen = read(line)
    assert seen.way is ReadingWay.APP
    assert {userid for userid, shown in by_userid(seen).items() if shown} == {"c"}


@pytest.mark.parametrize(
    "lists", [{2: errcode(60011), 3: errcode(60011)}, {2: ok(userlist=[]), 3: errcode(48002)}]
)
def test_a_way_that_may_list_nobody_is_none(lists):
    """Every department refused, or the call as such: another way is looked for, here in vain."""
    seen = read(wide_corp(lists))
    assert seen.way is ReadingWay.IDS
    assert {department.name for department in seen.departments} == {UNKNOWN}
    assert by_userid(seen) == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (errcode(60020), DeniedError),
        (errcode(40001), DeniedError),
        (errcode(60003), NotFoundError),
        (httpx.Response(404), WeComTransportError),
    ],
)
@pytest.mark.parametrize("way", [None, ReadingWay.CONTACT, ReadingWay.APP])
def test_a_department_that_cannot_be_read_fails_the_reading(reply, error, way):
    """What is no lack of permission is an error, bare, and no half-read corp."""
    line = wide_corp({2: reply, 3: ok(userlist=[person("c", 3)])})
    with pytest.raises(error):
        read(line, way)


def test_a_wrong_secret_of_the_app_is_told():
    """40001 is not taken for another way: WeCom would ban the address, and nobody would mend it."""
    line = wide_corp({}).script("department/list", errcode(48009), errcode(40001))
    with pytest.raises(DeniedError) as caught:
        read(line, None)
    assert caught.value.errcode == 40001
