"""wechatpy uploads files, imports with them, invites people, and exports the corp (contacts.md §7, §8)."""

from __future__ import annotations

import base64
import importlib
import io
import json
from typing import Any

import httpx
import pytest

from tests.sandbox.foreign import clients, listening_ear, refused
from tests.sandbox.importing import PARTY_HEADER, member_table, person, table
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.state import SandboxState

KEY = "IJUiXNpvGbODwKEBSEsAeOAPAhkqHqNCF6g19t9wfg2"
NOWHERE = ("http://127.0.0.1:9/callback", "token", KEY)
"""wechatpy sends a callback with every import; nobody listens here."""


@pytest.fixture
def state():
    return SandboxState(legacy_ip=True, jobs_by_polls=True)


@pytest.fixture
def client(state):
    with running_sandbox(state) as base_url, clients(state, base_url) as by_secret:
        yield by_secret


@pytest.fixture
def contact(client, state):
    return client(state.contact_secret)


@pytest.fixture
def app(client, state):
    return client(state.apps[0].secret)


def named(content, name="users.csv"):
    """A file as wechatpy takes it: what requests makes an upload of."""
    return (name, io.BytesIO(content))


def upload(contact, *people):
    return contact.media.upload("file", named(member_table(*people)))["media_id"]


def finished(contact, jobid):
    """The result at the third look, after one at the start and one half-way."""
    looks = [contact.batch.get_result(jobid) for _ in range(3)]
    assert [(look["status"], look["percentage"]) for look in looks] == [(1, 0), (2, 50), (3, 100)]
    return looks[-1]


def rows(answer, key="userid"):
    return {row[key]: row["errcode"] for row in answer["result"]}


# Media


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("file", "用户.csv", "姓名,帐号\r\n".encode()),
        ("image", "photo.png", b"\x89PNG\r\n\x1a\n" + bytes(64)),
        ("voice", "hello.amr", b"#!AMR\n" + bytes([4 << 3]) + bytes(12)),
        ("video", "film.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(16)),
    ],
)
def test_files_of_all_kinds_are_uploaded(state, contact, kind, name, content):
    """Name (Chinese included) and bytes arrive as they were; the answer is the documented one."""
    answer = contact.media.upload(kind, named(content, name))
    assert (answer["errcode"], answer["type"]) == (0, kind)
    assert abs(int(answer["created_at"]) - state.clock()) < 10
    medium = state.media[answer["media_id"]]
    assert (medium.type, medium.filename, medium.content) == (kind, name, content)


@pytest.mark.parametrize(
    ("errcode", "kind", "content"),
    [
        (40005, "picture", bytes(16)),
        (44001, "file", b""),
        (40006, "file", b"12345"),
        (40004, "image", b"this is no picture"),
        (45001, "voice", b"#!AMR\n" + bytes(2 * 1024 * 1024)),
    ],
)
def test_what_cannot_be_uploaded_is_refused(state, contact, errcode, kind, content):
    """Each in its own way, and nothing is stored."""
    with refused(errcode):
        contact.media.upload(kind, named(content))
    assert not state.media


# Imports


def test_a_whole_import_from_the_file_to_the_callback(state, contact):
    """Upload, start, two looks on the way, the result of each row, and the event at wechatpy's receiver.

    wechatpy has two classes for the event and takes the one for exports, without ErrCode and ErrMsg.
    """
    state.add_member("old", "老王", email="old@example.com")
    people = (
        person("old", name="王五"),
        person("new", mobile="13800000001"),
        person("bad", mobile="13800000001"),
    )
    with listening_ear(state.corp_id) as heard:
        started = contact.batch.sync_user(
            heard.url, heard.token, heard.encoding_aes_key, upload(contact, *people), to_invite=False
        )
        assert (started["errcode"], started["jobid"][:2]) == (0, "3_")
        result = finished(contact, started["jobid"])
        [event] = heard.wait(1)
    assert (result["type"], result["total"]) == ("sync_user", 3)
    assert rows(result) == {"old": 0, "new": 0, "bad": 60104}
    assert {member.userid: member.name for member in state.members.values()} == {"old": "王五", "new": "林梅"}
    assert state.invitations == []
    assert (event.event, event.source, event.target) == ("batch_job_result", "sys", state.corp_id)
    assert (event.job_id, event.job_type) == (started["jobid"], "sync_user")
    assert (event.batch_job["ErrCode"], event.batch_job["ErrMsg"]) == ("0", "ok")


def test_a_whole_replacement_of_members(state, contact):
    """Who is not in the file is deleted, with a row; who is new is invited, as wechatpy's default wants."""
    for userid in ("stays", "goes"):
        state.add_member(userid, "林", email=f"{userid}@example.com")
    people = (person("stays"), person("comes"))
    started = contact.batch.replace_user(*NOWHERE, upload(contact, *people))
    assert rows(finished(contact, started["jobid"])) == {"stays": 0, "comes": 0, "goes": 0}
    assert list(state.members) == ["stays", "comes"]
    assert state.invitations == ["comes"]


def test_a_replacement_that_would_delete_too_many_fails_as_a_whole(state, contact):
    """45026 in the result; as a text, which wechatpy reads and raises (as observed for failed jobs)."""
    for number in range(120):
        state.add_member(f"u{number}", "林", email=f"u{number}@example.com")
    started = contact.batch.replace_user(*NOWHERE, upload(contact, person("u1")), to_invite=False)
    contact.batch.get_result(started["jobid"])
    with refused(45026):
        contact.batch.get_result(started["jobid"])
    assert len(state.members) == 120


def test_a_whole_replacement_of_departments(state, contact):
    """Those of the file are there afterwards, and no others."""
    state.add_department("旧", id=9)
    content = table(PARTY_HEADER, [("研发", 2, 1, 5), ("平台", 3, 2, "")])
    media_id = contact.media.upload("file", named(content, "parties.csv"))["media_id"]
    started = contact.batch.replace_party(*NOWHERE, media_id)
    result = finished(contact, started["jobid"])
    assert (started["jobid"][:2], result["type"]) == ("1_", "replace_party")
    assert set(rows(result, "partyid").values()) == {0}
    assert {each.id: (each.name, each.parentid) for each in state.departments.values() if each.id > 1} == {
        2: ("研发", 1),
        3: ("平台", 2),
    }


def test_an_import_that_cannot_start_is_refused(state, contact, app):
    """Another one runs, the file or address is none, the secret is the app's, the job is unknown."""
    media_id = upload(contact, person("lin"))
    contact.batch.sync_user(*NOWHERE, media_id, to_invite=False)
    nonsense = contact.media.upload("file", named(b"no such file"))["media_id"]
    for errcode, attempt in (
        (302008, lambda: contact.batch.sync_user(*NOWHERE, media_id, to_invite=False)),
        (40092, lambda: contact.batch.sync_user(*NOWHERE, nonsense)),
        (40007, lambda: contact.batch.sync_user(*NOWHERE, "no-such-id")),
        (40057, lambda: contact.batch.sync_user("", "", "", media_id)),
        (48002, lambda: app.batch.sync_user(*NOWHERE, media_id)),
        (40088, lambda: contact.batch.get_result("3_1_1")),
    ):
        with refused(errcode):
            attempt()
    assert len(state.jobs.imports) == 1


def test_wechatpys_callback_of_nothing_is_no_callback(contact):
    """It sends `callback` always, with nulls where it has none: 40058. The pages let it be left out."""
    media_id = upload(contact, person("lin"))
    with refused(40058):
        contact.batch.sync_user(None, None, None, media_id)
    started = contact.post("batch/syncuser", data={"media_id": media_id, "to_invite": False})
    assert rows(finished(contact, started["jobid"])) == {"lin": 0}


# Invitations


def test_invitations_go_to_those_who_have_not_joined(state, contact):
    """Ids that are not there are told in three lists, and the others are invited."""
    for userid in ("lin", "mei", "old"):
        state.add_member(userid, "林", email=f"{userid}@example.com", is_activated=userid == "old")
    tag = state.add_tag("导师", ["mei"])
    answer = contact.batch.invite(user=["lin", "old", "nobody"], party=[99], tag=[tag.id, 77])
    assert answer == {
        "errcode": 0,
        "errmsg": "ok",
        "invaliduser": ["nobody"],
        "invalidparty": [99],
        "invalidtag": [77],
    }
    assert sorted(state.invitations) == ["lin", "mei"]
    with refused(40035):
        contact.batch.invite(user=[f"u{number}" for number in range(1001)])


# Exports


def exported(app, jobid):
    """The content of an export's one file, decrypted by wechatpy's cipher."""
    looks = [app.export.get_result(jobid) for _ in range(3)]
    assert [look["status"] for look in looks] == [0, 1, 2]
    [file] = looks[-1]["data_list"]
    sealed = httpx.get(file["url"], trust_env=False).content
    assert len(sealed) == file["size"]
    crypto: Any = importlib.import_module("wechatpy.crypto")
    plain = crypto.WeChatCipher(base64.b64decode(KEY + "=")).decrypt(sealed)
    return json.loads(crypto.PKCS7Encoder.decode(plain))


def test_the_corp_is_exported_and_read_by_wechatpy(state, app):
    """Members in short and in full, departments and a tag, each as one encrypted file."""
    state.add_department("研发", id=2)
    state.add_member("lin", "林", department=[2], email="lin@example.com")
    tag = state.add_tag("导师", ["lin"])
    short = {"userid": "lin", "name": "林", "department": [2]}
    assert exported(app, app.export.export_simple_user(KEY)) == {"userlist": [short]}
    [full] = exported(app, app.export.export_user(KEY, 10_000))["userlist"]
    assert short.items() <= full.items()
    assert (full["status"], "email" in full) == (4, False)
    units = exported(app, app.export.export_department(KEY))["department"]
    assert [(unit["id"], unit["name"], unit["parentid"]) for unit in units] == [
        (1, state.corp_name, 0),
        (2, "研发", 1),
    ]
    assert exported(app, app.export.export_taguser(tag.id, KEY)) == {
        "tagname": "导师",
        "userlist": [{"userid": "lin", "name": "林"}],
        "partylist": [],
    }


def test_an_export_that_cannot_be_is_refused(state, contact, app):
    """A key of another length, blocks of another size, a new address of contact sync, an unknown job."""
    state.legacy_ip = False
    for errcode, attempt in (
        (40058, lambda: app.export.export_user(KEY[:-1])),
        (40058, lambda: app.export.export_user(KEY, 9_999)),
        (48009, lambda: contact.export.export_user(KEY)),
        (40088, lambda: app.export.get_result("jobid_none")),
        (40068, lambda: app.export.export_taguser(99, KEY)),
    ):
        with refused(errcode):
            attempt()
