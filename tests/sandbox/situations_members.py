"""Calls that change members (contacts.md §4)."""

from __future__ import annotations

from typing import Any

from tests.sandbox.situation import Situation, Stage, as_ever, switch

LONG = "x" * 65


def create(id: str, errcode: int = 0, *, given=as_ever, answer=None, **fields: Any) -> Situation:
    """user/create of somebody who is right but for these fields; None leaves a field out."""
    body = {
        "userid": "zhao",
        "name": "赵敏",
        "department": [2],
        "mobile": "13900000001",
        "to_invite": False,
        **fields,
    }
    return Situation(
        id=f"user/create: {id}",
        call="POST user/create",
        errcode=errcode,
        given=given,
        body={name: value for name, value in body.items() if value is not None},
        answer=({"errmsg": "created"} if not errcode else {}) if answer is None else answer,
    )


def update(id: str, errcode: int = 0, *, given=as_ever, **fields: Any) -> Situation:
    """user/update of wang."""
    return Situation(
        id=f"user/update: {id}",
        call="POST user/update",
        errcode=errcode,
        given=given,
        body={"userid": "wang", **fields},
        answer={} if errcode else {"errmsg": "updated"},
    )


def corp_mail(stage: Stage) -> None:
    """The corp has mail; wang's mailbox is a chosen one, lin's is what WeCom made up."""
    stage.state.mail_domain = "corp.example.com"
    body = {"userid": "wang", "biz_mail": "wang@corp.example.com"}
    stage.did("contact", "POST", "user/update", body=body)


def corp_mail_renamed(stage: Stage) -> None:
    corp_mail(stage)
    body = {"userid": "wang", "biz_mail": "bo.wang@corp.example.com"}
    stage.call("contact", "POST", "user/update", body=body)


def full(stage: Stage) -> None:
    """Department 3 has room for nobody more."""
    stage.state.max_nodes = 2


def joined(stage: Stage) -> None:
    """wang joined by invitation and has a userid that WeCom made up."""
    stage.state.member("wang").has_generated_userid = True


def renamed(stage: Stage) -> None:
    joined(stage)
    stage.did("contact", "POST", "user/update", body={"userid": "wang", "new_userid": "wang.bo"})


def crowded(stage: Stage) -> None:
    """121 departments more: 101 to 221."""
    for number in range(101, 222):
        stage.state.add_department(f"组{number}", 1, id=number)


def reused_number(stage: Stage) -> None:
    """wang, who has the number, is gone."""
    stage.did("contact", "GET", "user/delete", query={"userid": "wang"})


CREATE = (
    create("somebody new"),
    create("no userid", 41009, userid=None),
    create("no name", 60112, name=None),
    create("nothing at all", 60112, userid=None, name=None, department=None, mobile=None, to_invite=None),
    create("an empty userid", 40058, userid=""),
    create("an empty name", 40058, name=""),
    create("a userid with a space", 40003, userid="zhao min"),
    create("a userid that begins with a dot", 40003, userid=".zhao"),
    create("a userid in Chinese", 40003, userid="赵敏"),
    create("a userid of every letter that may be", userid="0_-@.Az"),
    create("a userid of 64 bytes", userid="x" * 64),
    create("a userid of 65 bytes", 40058, userid=LONG),
    create("a userid that is a number", 40058, userid=1001),
    create("a userid that is there", 60102, userid="lin"),
    create("a userid that is there in another case", 60102, userid="LIN"),
    create("a name of 64 characters", name="赵" * 64),
    create("a name of 65 characters", 60112, name="赵" * 65),
    create("neither number nor address", 60129, mobile=None),
    create("an empty number and no address", 60129, mobile=""),
    create("an empty number and an empty address", 60129, mobile="", email=""),
    create("an address and no number", mobile=None, email="zhao@example.com"),
    create("another's number", 60104, mobile="13800000001"),
    create("another's number with its country code", 60104, mobile="+8613800000001"),
    create("a leaver's number", given=reused_number, mobile="13800000002"),
    create("a number with letters", 60103, mobile="1390000000a"),
    create("a number of 33 characters", 60103, mobile="1" * 33),
    create("a number of another country", mobile="+852 12345678"),
    create("another's address", 60106, email="lin@example.com"),
    create("another's address in capitals", 60106, email="LIN@example.com"),
    create("an address without a domain", 60105, email="zhao.example"),
    create("an address of 65 bytes", 60105, email="z" * 53 + "@example.com"),
    create("no department", department=None),
    create("no departments", department=[]),
    create("department 0", department=[0]),
    create("no department, the strict edition", 40066, given=switch(strict_departments=True), department=[]),
    create(
        "an unknown department",
        department=[77],
        answer={"created_department_list": {"department_info": [{"name": "待设置部门77", "id": 77}]}},
    ),
    create(
        "an unknown department, the strict edition",
        60123,
        given=switch(strict_departments=True),
        department=[77],
    ),
    create("a department that is a text", 40058, department=["2"]),
    create("100 departments", given=crowded, department=list(range(101, 201))),
    create("101 departments", 60110, given=crowded, department=list(range(101, 202))),
    create("a full department", 81001, given=full, department=[3]),
    create("marks for each department", department=[2, 3], order=[5, 0], is_leader_in_dept=[0, 1]),
    create("a leader mark too few", 60132, department=[2, 3], is_leader_in_dept=[1]),
    create("an order too few", 40058, department=[2, 3], order=[1]),
    create("an order below zero", 40058, order=[-1]),
    create("the highest order", order=[2**32 - 1]),
    create("an order too high", 40058, order=[2**32]),
    create("a main department", department=[2, 3], main_department=3),
    create("a main department of nobody", 40058, department=[2, 3], main_department=5),
    create("a position of 128 characters", position="工" * 128),
    create("a position of 129 characters", 301012, position="工" * 129),
    create("a telephone with letters", 301013, telephone="ext. 7"),
    create("a telephone of 32 bytes", telephone="0" * 32),
    create("a telephone of 33 bytes", 301013, telephone="0" * 33),
    create("gender as text", gender="1"),
    create("gender as a number", 40058, gender=1),
    create("an alias of 65 characters", 40058, alias="赵" * 65),
    create("an address line of 129 characters", 40058, address="街" * 129),
    create("an English name in Chinese", 301014, english_name="赵"),
    create("a picture that was never uploaded", 301015, avatar_mediaid="never-given"),
    create("a direct leader", direct_leader=["lin"]),
    create("a direct leader who is not there", 301021, direct_leader=["nobody"]),
    create("two direct leaders", 60257, direct_leader=["lin", "wang"]),
    create(
        "an extattr that nobody defined",
        extattr={"attrs": [attr := {"type": 0, "name": "工号", "text": {"value": "A1"}}]},
    ),
    create(
        "an extattr of 65 characters",
        40058,
        given=switch(attributes={"工号": 0}),
        extattr={"attrs": [{**attr, "text": {"value": LONG}}]},
    ),
    create(
        "a link without a scheme",
        40058,
        given=switch(attributes={"主页": 1}),
        extattr={"attrs": [{"type": 1, "name": "主页", "web": {"url": "example.com", "title": "home"}}]},
    ),
    create("a short name that is not verified", 41036, external_profile={"external_corp_name": "没认证"}),
    create(
        "a verified short name",
        given=switch(verified_names=["样例"]),
        external_profile={"external_corp_name": "样例"},
    ),
    create("a mailbox without corp mail", 60143, biz_mail="zhao@corp.example.com"),
    create("a mailbox", given=corp_mail, biz_mail="zhao@corp.example.com"),
    create("another's mailbox", 60145, given=corp_mail, biz_mail="wang@corp.example.com"),
    create("a mailbox of another domain", 81015, given=corp_mail, biz_mail="zhao@example.org"),
    create("the account cap is reached", 45024, given=switch(account_cap=3)),
    create("the last account", given=switch(account_cap=4)),
    create(
        "a field of the wrong type, told as a warning",
        given=switch(warn_on_wrong_types=True),
        position=7,
        answer={"errmsg": "created. Warning: wrong json format. "},
    ),
)

UPDATE = (
    update("a name", name="王博文"),
    update("nothing"),
    update("null is no change", name=None, direct_leader=None),
    Situation(
        id="user/update: no userid",
        call="POST user/update",
        errcode=41009,
        body={"name": "王"},
    ),
    Situation(
        id="user/update: an unknown userid",
        call="POST user/update",
        errcode=60111,
        body={"userid": "nobody", "name": "王"},
    ),
    Situation(
        id="user/update: a userid in another case",
        call="POST user/update",
        body={"userid": "WANG", "name": "王博文"},
    ),
    update("an empty name", 40058, name=""),
    update("the own number again", mobile="13800000002"),
    update("another's number", 60104, mobile="13800000001"),
    Situation(
        id="user/update: an activated member's number is ignored",
        call="POST user/update",
        body={"userid": "lin", "mobile": "13800000002"},
        answer={"errmsg": "updated"},
    ),
    update("no number and no address any more", 60129, mobile="", email=""),
    update("no number any more", mobile=""),
    update("another's address", 60106, email="lin@example.com"),
    update("other departments", department=[2, 5]),
    update("an unknown department", 60123, department=[77]),
    update("leader marks that do not match", 60132, is_leader_in_dept=[1, 0]),
    update("leader marks that match", is_leader_in_dept=[1]),
    update("a full department", 81001, given=switch(max_nodes=1), department=[2]),
    update("disabled", enable=0),
    update("disabled by another number", 40058, enable=2),
    update("no direct leader any more", direct_leader=[]),
    update("a direct leader who is not there", 301021, direct_leader=["nobody"]),
    update("a new userid", 301036, new_userid="wang.bo"),
    update("a new userid for one that WeCom made up", given=joined, new_userid="wang.bo"),
    update("a new userid that is there", 60102, given=joined, new_userid="Lin"),
    update("a new userid that is none", 40003, given=joined, new_userid="王"),
    Situation(
        id="user/update: a new userid twice",
        call="POST user/update",
        errcode=301036,
        given=renamed,
        body={"userid": "wang.bo", "new_userid": "bo"},
    ),
    update("a mailbox once more", 60144, given=corp_mail_renamed, biz_mail="w@corp.example.com"),
    update(
        "six more mailboxes",
        40058,
        given=corp_mail,
        biz_mail_alias={"item": [f"w{n}@corp.example.com" for n in range(6)]},
    ),
)

DELETE = (
    Situation(
        id="user/delete",
        call="GET user/delete",
        query={"userid": "Wang"},
        answer={"errmsg": "deleted"},
    ),
    Situation(id="user/delete: no userid", call="GET user/delete", errcode=41009),
    Situation(
        id="user/delete: who is not there", call="GET user/delete", errcode=60111, query={"userid": "nobody"}
    ),
    Situation(
        id="user/delete: twice",
        call="GET user/delete",
        errcode=60111,
        given=reused_number,
        query={"userid": "wang"},
    ),
    Situation(
        id="user/delete: the creator",
        call="GET user/delete",
        errcode=301005,
        given=switch(creator="lin"),
        query={"userid": "lin"},
    ),
    Situation(
        id="user/batchdelete",
        call="POST user/batchdelete",
        body={"useridlist": ["lin", "wang"]},
        answer={"errmsg": "deleted"},
    ),
    Situation(
        id="user/batchdelete: one who is not there",
        call="POST user/batchdelete",
        errcode=40031,
        body={"useridlist": ["lin", "nobody"]},
    ),
    Situation(
        id="user/batchdelete: 201",
        call="POST user/batchdelete",
        errcode=40032,
        body={"useridlist": [f"u{number}" for number in range(201)]},
    ),
    Situation(id="user/batchdelete: no list", call="POST user/batchdelete", errcode=40058, body={}),
    Situation(
        id="user/batchdelete: the creator among them",
        call="POST user/batchdelete",
        errcode=301005,
        given=switch(creator="lin"),
        body={"useridlist": ["lin", "wang"]},
    ),
)

SITUATIONS = (*CREATE, *UPDATE, *DELETE)
