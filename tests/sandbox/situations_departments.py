"""Departments and tags (contacts.md §5 and §6)."""

from __future__ import annotations

from typing import Any

from tests.sandbox.situation import APP, CONTACT, NARROW_APP, OTHER_APP, Situation, Stage, as_ever, switch


def department(title: str, errcode: int = 0, /, *, given=as_ever, answer=None, **fields: Any) -> Situation:
    """department/create below the root."""
    body = {"name": "新部门", "parentid": 1, **fields}
    return Situation(
        id=f"department/create: {title}",
        call="POST department/create",
        errcode=errcode,
        given=given,
        body={name: value for name, value in body.items() if value is not None},
        answer=answer or {},
    )


def change(title: str, errcode: int = 0, /, *, given=as_ever, **fields: Any) -> Situation:
    """department/update, of 3 市场 unless told otherwise."""
    return Situation(
        id=f"department/update: {title}",
        call="POST department/update",
        errcode=errcode,
        given=given,
        body={"id": 3, **fields},
        answer={} if errcode else {"errmsg": "updated"},
    )


def tag(call: str, id: str, errcode: int = 0, *, by=CONTACT, given=as_ever, answer=None, **body) -> Situation:
    """A POST for tags."""
    return Situation(
        id=f"tag/{call}: {id}",
        call=f"POST tag/{call}",
        by=by,
        errcode=errcode,
        given=given,
        body=body,
        answer=answer or {},
    )


def deep(stage: Stage) -> None:
    """15 levels: 101 is the second, 114 the deepest."""
    for level in range(2, 16):
        stage.state.add_department(f"层{level}", 1 if level == 2 else 98 + level, id=99 + level)


def deserted(stage: Stage) -> None:
    """Nobody is in 2 any more, and 4 is below it."""
    stage.state.remove_member("lin")
    stage.state.remove_member("chen")


def namesake(stage: Stage) -> None:
    """Another 市场 below 2."""
    stage.state.add_department("市场", 2, id=6)


DEPARTMENTS = (
    department("with an id", id=9, answer={"errmsg": "created", "id": 9}),
    department("without an id", answer={"id": 6}),
    department("an id that is taken", 60008, id=3),
    department("the root's id", 60008, id=1),
    department("a sibling's name", 60008, name="市场"),
    department("a name that another branch has", name="市场", parentid=2),
    department("no name", 40058, name=None),
    department("no parent", 40058, parentid=None),
    department("an empty name", 60001, name=""),
    department("a name of 64 characters", name="部" * 64),
    department("a name of 65 characters", 60001, name="部" * 65),
    *(department(f"a name with {letter}", 60009, name=f"a{letter}b") for letter in '\\:*?"<>|'),
    department("an unknown parent", 60004, parentid=77),
    department("a parent that is a text", 40058, parentid="1"),
    department("the fifteenth level", given=deep, parentid=113, name="底"),
    department("the sixteenth level", 81002, given=deep, parentid=114),
    department("a full parent", 81001, given=switch(max_nodes=3)),
    department("an order below zero", 40058, order=-1),
    department("the highest order", order=2**32 - 1),
    change("a name", name="市场部"),
    change("nothing"),
    change("a sibling's name", 60008, name="研发"),
    change("the own name"),
    change("a bad name", 60009, name="市场|部"),
    change("an unknown one", 60003, id=77, name="x"),
    change("no id", 40058, id=None, name="x"),
    change("below another one", parentid=2),
    change("below where its name is taken", 60008, given=namesake, parentid=2),
    change("below itself", 60010, parentid=3),
    change("below what is below it", 60010, id=2, parentid=4),
    change("below what is not there", 60004, parentid=77),
    change("the root's name", id=1, name="公司"),
    change("the root's parent", 60124, id=1, parentid=0),
    change("too deep", 81002, given=deep, parentid=114),
    Situation(
        id="department/delete", call="GET department/delete", query={"id": 5}, answer={"errmsg": "deleted"}
    ),
    Situation(id="department/delete: the root", call="GET department/delete", errcode=60007, query={"id": 1}),
    Situation(
        id="department/delete: with members", call="GET department/delete", errcode=60005, query={"id": 3}
    ),
    Situation(
        id="department/delete: with departments",
        call="GET department/delete",
        errcode=60006,
        given=deserted,
        query={"id": 2},
    ),
    Situation(
        id="department/delete: an unknown one", call="GET department/delete", errcode=60003, query={"id": 77}
    ),
    Situation(
        id="department/list: with all below",
        call="GET department/list",
        by=APP,
        query={"id": 2},
        answer={
            "department": [
                {
                    "id": 2,
                    "name": "研发",
                    "name_en": "",
                    "department_leader": [],
                    "parentid": 1,
                    "order": 100000000,
                },
                {
                    "id": 4,
                    "name": "平台",
                    "name_en": "",
                    "department_leader": [],
                    "parentid": 2,
                    "order": 100000000,
                },
            ]
        },
    ),
    Situation(
        id="department/list: an unknown one",
        call="GET department/list",
        by=APP,
        errcode=60003,
        query={"id": 77},
        answer={"department": []},
    ),
    Situation(
        id="department/simplelist: contact sync sees all",
        call="GET department/simplelist",
        query={"id": 2},
        answer={
            "department_id": [
                {"id": 2, "parentid": 1, "order": 100000000},
                {"id": 4, "parentid": 2, "order": 100000000},
            ]
        },
    ),
    Situation(
        id="department/simplelist: an unknown one",
        call="GET department/simplelist",
        errcode=60003,
        query={"id": 77},
    ),
    Situation(
        id="department/get: one, and no list",
        call="GET department/get",
        by=APP,
        query={"id": 3},
        answer={
            "department": {
                "id": 3,
                "name": "市场",
                "name_en": "",
                "department_leader": [],
                "parentid": 1,
                "order": 99999000,
            }
        },
    ),
    Situation(
        id="department/get: an unknown one",
        call="GET department/get",
        by=APP,
        errcode=60003,
        query={"id": 77},
    ),
)

TAGS = (
    tag("create", "with an id", tagname="新标签", tagid=9, answer={"errmsg": "created", "tagid": 9}),
    tag("create", "without an id", tagname="新标签", answer={"tagid": 3}),
    tag("create", "no name", 41018, tagid=9),
    tag("create", "an empty name", 40072, tagname=""),
    tag("create", "a name of 32 characters", tagname="标" * 32),
    tag("create", "a name of 33 characters", 40072, tagname="标" * 33),
    tag("create", "a name that is taken", 40071, tagname="骨干"),
    tag("create", "an id that is taken", 40068, tagname="新标签", tagid=1),
    tag("create", "an id below zero", 40068, tagname="新标签", tagid=-1),
    tag("create", "one too many", 40126, given=switch(max_tags=2), tagname="新标签"),
    tag("update", "one of the console", tagid=1, tagname="骨干员工", answer={"errmsg": "updated"}),
    tag("update", "an app's, by contact sync", 81011, tagid=2, tagname="x"),
    tag("update", "an app's, by another app", 81011, by=OTHER_APP, tagid=2, tagname="x"),
    tag("update", "one of the console, by an app", 81011, by=APP, tagid=1, tagname="x"),
    tag("update", "an app's, by that app", by=APP, tagid=2, tagname="x"),
    tag("update", "an unknown one", 40068, tagid=77, tagname="x"),
    tag("update", "a name that is taken", 40071, tagid=1, tagname="项目"),
    tag("update", "no id", 41017, tagname="x"),
    Situation(id="tag/delete", call="GET tag/delete", query={"tagid": 1}, answer={"errmsg": "deleted"}),
    Situation(id="tag/delete: an unknown one", call="GET tag/delete", errcode=40068, query={"tagid": 77}),
    Situation(id="tag/delete: an app's", call="GET tag/delete", errcode=81011, query={"tagid": 2}),
    Situation(id="tag/delete: no id", call="GET tag/delete", errcode=41017),
    Situation(
        id="tag/get",
        call="GET tag/get",
        query={"tagid": 1},
        answer={"tagname": "骨干", "userlist": [{"userid": "lin", "name": "林梅"}], "partylist": []},
    ),
    Situation(
        id="tag/get: whom the app does not see",
        call="GET tag/get",
        by=NARROW_APP,
        query={"tagid": 1},
        answer={"tagname": "骨干", "userlist": []},
    ),
    Situation(
        id="tag/get: an unknown one",
        call="GET tag/get",
        errcode=40068,
        query={"tagid": 77},
        answer={"userlist": [], "partylist": []},
    ),
    tag(
        "addtagusers",
        "all good",
        tagid=1,
        userlist=["wang"],
        partylist=[3],
        answer={"errmsg": "ok", "invalidlist": None, "invalidparty": None},
    ),
    tag(
        "addtagusers",
        "some good",
        tagid=1,
        userlist=["wang", "x", "y"],
        partylist=[3, 77],
        answer={"errmsg": "ok", "invalidlist": "x|y", "invalidparty": [77]},
    ),
    tag("addtagusers", "none good", 40070, tagid=1, userlist=["x"], partylist=[77]),
    tag("addtagusers", "nobody", 40035, tagid=1),
    tag("addtagusers", "no lists but empty ones", 40035, tagid=1, userlist=[], partylist=[]),
    tag("addtagusers", "1001 members", 81014, tagid=1, userlist=[f"u{n}" for n in range(1001)]),
    tag("addtagusers", "101 departments", 81014, tagid=1, partylist=list(range(101))),
    tag("addtagusers", "an unknown tag", 40068, tagid=77, userlist=["lin"]),
    tag("addtagusers", "an app's, by contact sync", 81011, tagid=2, userlist=["lin"]),
    tag("addtagusers", "a full tag", 81003, given=switch(max_nodes=1), tagid=1, userlist=["wang"]),
    tag(
        "deltagusers",
        "some good",
        tagid=1,
        userlist=["lin", "x"],
        answer={"errmsg": "deleted", "invalidlist": "x"},
    ),
    tag("deltagusers", "none good", 40031, tagid=1, userlist=["x"]),
    tag("deltagusers", "nobody", 40035, tagid=1),
    tag("deltagusers", "an app's, by contact sync", 81011, tagid=2, userlist=["lin"]),
)

SITUATIONS = (*DEPARTMENTS, *TAGS)
