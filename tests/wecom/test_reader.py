from __future__ import annotations

import httpx
import pytest

from tests.wecom.line import Line, errcode, ok
from wxsync.errors import DeniedError
from wxsync.model.seen import Seen, SeenDepartment, SeenMember, SeenTag
from wxsync.wecom.reader import read_seen

TAGS = [{"tagid": 1, "tagname": "甲"}, {"tagid": 2, "tagname": "乙"}, {"tagid": 3, "tagname": "丙"}]


def small_corp() -> Line:
    line = Line()
    line.script("department/simplelist", ok(department_id=[{"id": 1, "parentid": 0, "order": 1}]))
    line.script("user/list_id", ok(dept_user=[{"userid": "a", "department": 1}], next_cursor=""))
    line.script("tag/list", ok(taglist=TAGS))
    return line


def members_of_tag(request: httpx.Request) -> httpx.Response:
    number = request.url.params["tagid"]
    return ok(tagname=f"t{number}", userlist=[{"userid": f"u{number}", "name": ""}], partylist=[])


def test_the_whole_corp_in_as_many_calls_as_it_takes():
    """One call for departments, one a page, one for tags, one for each tag that is asked for and exists."""
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
