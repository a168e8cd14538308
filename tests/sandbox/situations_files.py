"""Uploads, imports and exports (contacts.md §7 and §8, events-and-messages.md §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.sandbox.situation import (
    APP,
    CONTACT,
    MULTIPART,
    NARROW_APP,
    NOBODY,
    OTHER_APP,
    STRANGER,
    Setup,
    Situation,
    Stage,
    after,
    as_ever,
    noted,
    part,
    switch,
)

HEAD = "姓名,帐号,手机号,邮箱,所在部门,职位\n"
MEMBERS = HEAD + "赵敏,zhao,13900000001,,2,工程师\n"
PARTIES = "部门名称,部门ID,父部门ID,排序\n样例公司,1,0,\n研发,2,1,\n平台,4,2,\n市场,3,1,\n空,5,1,\n"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PNG, AMR = b"\x89PNG\r\n\x1a\n" + bytes(100), b"#!AMR\n" + bytes([0x3C]) + bytes(31)
MEGABYTE = 1024 * 1024
KINDS = {"syncuser": MEMBERS, "replaceuser": MEMBERS, "replaceparty": PARTIES}


def upload(title: str, errcode: int = 0, /, *, by=CONTACT, kind: str = "file", content: bytes) -> Situation:
    return Situation(
        id=f"media/upload: {title}",
        call="POST media/upload",
        by=by,
        errcode=errcode,
        query={"type": kind},
        content=content,
        headers={"Content-Type": MULTIPART},
        answer={} if errcode else {"type": kind, "errmsg": ""},
    )


def hook(title: str, errcode: int = 0, /, *, kind: str = "file", content: bytes, key=None) -> Situation:
    """webhook/upload_media."""

    def given(stage: Stage) -> None:
        stage.notes["key"] = key or stage.state.add_webhook("值班群").key

    return Situation(
        id=f"webhook/upload_media: {title}",
        call="POST webhook/upload_media",
        by=NOBODY,
        errcode=errcode,
        given=given,
        query=lambda stage: {"key": stage.notes["key"], "type": kind},
        content=content,
        headers={"Content-Type": MULTIPART},
    )


def uploaded(text: str = MEMBERS, *, name: str = "media_id", kind: str = "file") -> Setup:
    """A setup: this file was uploaded."""

    def put(stage: Stage) -> None:
        content = part(PNG, "a.png") if kind == "image" else part(text.encode())
        answer = stage.did(
            CONTACT,
            "POST",
            "media/upload",
            query={"type": kind},
            content=content,
            headers={"Content-Type": MULTIPART},
        )
        stage.notes[name] = answer["media_id"]

    return put


def started(call: str, text: str, *, by: str = CONTACT) -> Setup:
    """A setup: this import was sent in, its jobid noted."""

    def start(stage: Stage) -> None:
        uploaded(text)(stage)
        body = {"media_id": stage.notes["media_id"], "to_invite": False}
        stage.notes["jobid"] = stage.did(by, "POST", f"batch/{call}", body=body)["jobid"]

    return start


def exported(stage: Stage) -> None:
    body = {"encoding_aeskey": KEY}
    stage.notes["jobid"] = stage.did(APP, "POST", "export/simple_user", body=body)["jobid"]


def over(setup: Setup) -> Setup:
    """And so much time went by that the job is over."""
    return after(setup, lambda stage: stage.forward(3600))


def six_jobs(stage: Stage) -> None:
    """Five jobs more were carried out after the one that is noted."""
    first = ""
    for _ in range(6):
        over(started("syncuser", MEMBERS))(stage)
        first = first or stage.notes["jobid"]
        stage.did(CONTACT, "GET", "batch/getresult", query={"jobid": stage.notes["jobid"]})
    stage.notes["jobid"] = first


def named(**rest: Any) -> Callable[[Stage], Mapping[str, Any]]:
    """The body of an import."""
    return lambda stage: {"media_id": stage.notes["media_id"], "to_invite": False, **rest}


def job(call: str, title: str, errcode: int = 0, /, *, by=CONTACT, given=None, body=None) -> Situation:
    return Situation(
        id=f"batch/{call}: {title}",
        call=f"POST batch/{call}",
        by=by,
        errcode=errcode,
        given=given or uploaded(KINDS[call]),
        body=named() if body is None else body,
        answer={} if errcode else {"errmsg": "ok"},
    )


def result(title: str, errcode: int = 0, /, *, by=CONTACT, given, answer=None, query=None) -> Situation:
    return Situation(
        id=f"batch/getresult: {title}",
        call="GET batch/getresult",
        by=by,
        errcode=errcode,
        given=given,
        query=query or noted("jobid"),
        answer=answer or {},
    )


def export(call: str, title: str, errcode: int = 0, /, *, by=APP, given=as_ever, **body: Any) -> Situation:
    whole = {"encoding_aeskey": KEY, **({"tagid": 1} if call == "taguser" else {}), **body}
    return Situation(
        id=f"export/{call}: {title}",
        call=f"POST export/{call}",
        by=by,
        errcode=errcode,
        given=given,
        body={name: value for name, value in whole.items() if value is not None},
    )


CALLBACK = {"url": "https://callback.invalid/jobs", "token": "SandboxToken", "encodingaeskey": KEY}

MEDIA = (
    upload("a file", content=part(b"a,b\n1,2\n")),
    upload("a file, by an app", by=APP, content=part(b"a,b\n1,2\n")),
    upload("a picture", kind="image", content=part(PNG, "a.png")),
    upload("a recording", kind="voice", content=part(AMR, "a.amr")),
    upload("nothing", 44001, content=part(b"")),
    upload("another part", 44001, content=part(b"a,b\n1,2\n", name="other")),
    upload("5 bytes", 40006, content=part(b"12345")),
    upload("6 bytes", content=part(b"123456")),
    upload("of a kind that is none", 40005, kind="poem", content=part(b"123456")),
    upload("of no kind", 40005, kind="", content=part(b"123456")),
    upload("a picture that is none", 40004, kind="image", content=part(b"123456", "a.png")),
    upload("a recording over 2 MB", 45001, kind="voice", content=part(AMR + bytes(2 * MEGABYTE), "a.amr")),
    upload("a picture over 10 MB", 45001, kind="image", content=part(PNG + bytes(10 * MEGABYTE), "a.png")),
    upload("an unknown token", 40014, by=STRANGER, content=part(b"123456")),
    hook("a file", content=part(b"123456")),
    hook("nothing, and a wrong key", 44001, content=part(b""), key="never-given"),
    hook("a wrong key", 93000, content=part(b"123456"), key="never-given"),
    hook("a picture", 40005, kind="image", content=part(PNG, "a.png")),
)

JOBS = (
    *(job(call, "a file that is right") for call in KINDS),
    *(job(call, "an app", 48002, by=APP) for call in KINDS),
    *(job(call, "no file", 41006, body={"to_invite": False}) for call in KINDS),
    *(job(call, "a file that was never uploaded", 40007, body={"media_id": "never-given"}) for call in KINDS),
    *(
        job(
            call,
            "another job is under way",
            302008,
            given=after(started("syncuser", MEMBERS), uploaded(KINDS[call])),
        )
        for call in KINDS
    ),
    job("syncuser", "after the other job is over", given=over(started("syncuser", MEMBERS))),
    job(
        "syncuser", "a file of four days ago", 40007, given=after(uploaded(), lambda s: s.forward(4 * 86_400))
    ),
    job("syncuser", "a picture", 40007, given=uploaded(kind="image")),
    job("syncuser", "a file without rows", 40092, given=uploaded(HEAD)),
    job(
        "syncuser", "a file without the column 帐号", 40092, given=uploaded("姓名,手机号\n赵敏,13900000001\n")
    ),
    job(
        "replaceparty",
        "a file without the column 部门ID",
        40092,
        given=uploaded("部门名称,父部门ID\n研发,1\n"),
    ),
    job("syncuser", "its own callback", body=named(callback=CALLBACK)),
    job("syncuser", "a callback to nowhere", 40057, body=named(callback={**CALLBACK, "url": "callback"})),
    job(
        "syncuser",
        "a callback with a key of 42",
        40057,
        body=named(callback={**CALLBACK, "encodingaeskey": KEY[1:]}),
    ),
    result(
        "at once", given=started("syncuser", MEMBERS), answer={"status": 1, "type": "sync_user", "result": []}
    ),
    result(
        "when it is over",
        given=over(started("syncuser", MEMBERS)),
        answer={
            "status": 3,
            "type": "sync_user",
            "total": 1,
            "percentage": 100,
            "result": [{"userid": "zhao", "errcode": 0, "errmsg": ""}],
        },
    ),
    result("a job of nobody", 40088, given=as_ever, query={"jobid": "3_1_1"}),
    result("no job", 40088, given=as_ever, query={"jobid": ""}),
    result("the sixth before the last", 40089, given=six_jobs),
)

EXPORTS = (
    *(export(call, "an app") for call in ("simple_user", "user", "department", "taguser")),
    *(export(call, "contact sync", 48009, by=CONTACT) for call in ("simple_user", "user", "department")),
    export("taguser", "contact sync", by=CONTACT),
    export("simple_user", "contact sync from an address of old", by=CONTACT, given=switch(legacy_ip=True)),
    export("simple_user", "a narrow app", by=NARROW_APP),
    export("simple_user", "no key", 40058, encoding_aeskey=None),
    export("simple_user", "a key of 42", 40058, encoding_aeskey=KEY[1:]),
    export("simple_user", "a key with a dash", 40058, encoding_aeskey="-" + KEY[1:]),
    export("simple_user", "blocks of 10000", block_size=10_000),
    export("simple_user", "blocks of 9999", 40058, block_size=9_999),
    export("simple_user", "blocks of 1000001", 40058, block_size=1_000_001),
    export("taguser", "an unknown tag", 40068, tagid=77),
    Situation(
        id="export/get_result: at once",
        call="GET export/get_result",
        by=APP,
        given=exported,
        query=noted("jobid"),
        answer={"status": 0},
        lacks=("data_list",),
    ),
    Situation(
        id="export/get_result: when it is over",
        call="GET export/get_result",
        by=APP,
        given=over(exported),
        query=noted("jobid"),
        answer={"status": 2},
    ),
    Situation(
        id="export/get_result: another app's",
        call="GET export/get_result",
        by=OTHER_APP,
        errcode=40088,
        given=over(exported),
        query=noted("jobid"),
        answer={"data_list": []},
    ),
    Situation(
        id="export/get_result: of nobody",
        call="GET export/get_result",
        by=APP,
        errcode=40088,
        query={"jobid": "jobid_0"},
    ),
)


def many(stage: Stage) -> None:
    """60 members more, p0 to p59."""
    for number in range(60):
        stage.state.add_member(f"p{number}", "某人", email=f"p{number}@example.com")


def rows(first: int, last: int) -> str:
    """The rows of lin, wang, chen and so many of those."""
    three = "林梅,lin,13800000001,,2,\n王博,wang,13800000002,,3,\n陈晨,chen,,chen@example.com,2,\n"
    return HEAD + three + "".join(f"某人,p{n},,p{n}@example.com,1,\n" for n in range(first, last))


ENDS = (
    ("syncuser", "the same userid twice", 302003, MEMBERS + "赵敏,ZHAO,13900000002,,2,\n", as_ever),
    ("replaceparty", "a parent that is nowhere", 302004, PARTIES + "外,9,77,\n", as_ever),
    ("replaceparty", "the same id twice", 302006, PARTIES + "研发二,2,1,\n", as_ever),
    ("replaceparty", "two siblings of one name", 302007, PARTIES + "研发,9,1,\n", as_ever),
    ("replaceuser", "more than 80 % of a few", 45026, MEMBERS, as_ever),
    ("replaceuser", "more than 50 and 20 %", 45026, rows(0, 5), many),
    ("replaceuser", "less than 80 % of a few", 0, rows(0, 30), many),
    (
        "syncuser",
        "WeCom's own fault",
        302005,
        MEMBERS,
        lambda stage: stage.state.job_faults.fail("batch/syncuser"),
    ),
)
"""Import, what it is about, the errcode of the whole job with its result, file, setup."""

ROWS = (
    ("syncuser", "a number that is another's", 60104, HEAD + "赵敏,zhao,13800000001,,2,\n", as_ever),
    ("syncuser", "neither number nor address", 60129, HEAD + "赵敏,zhao,,,2,\n", as_ever),
    ("syncuser", "a userid that is none", 40003, HEAD + "赵敏,zhao min,13900000001,,2,\n", as_ever),
    ("syncuser", "a number that is none", 60103, HEAD + "赵敏,zhao,139x,,2,\n", as_ever),
    ("syncuser", "a department that is none", 60123, HEAD + "赵敏,zhao,13900000001,,研发,\n", as_ever),
    (
        "replaceuser",
        "the creator is not in it",
        301005,
        rows(0, 0).replace("林梅,lin,13800000001,,2,\n", ""),
        switch(creator="lin"),
    ),
)
"""Import, what it is about, the errcode of the one bad row, file, setup."""

SITUATIONS = (*MEDIA, *JOBS, *EXPORTS)
