"""The corp goes out in encrypted files (contacts.md §8)."""

from __future__ import annotations

import base64
import hashlib
import json

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from wxsync.sandbox.seed import fill_corp
from wxsync.sandbox.serve import running_sandbox
from wxsync.sandbox.switches import App

KEY = "IJUiXNpvGbODwKEBSEsAeOAPAhkqHqNCF6g19t9wfg2"


@pytest.fixture
def app(wecom, state):
    """The token of the self-built app."""
    return wecom.fetch_token(state.apps[0].secret)


def opened(content, key=KEY):
    """The plain bytes, by AES-256-CBC alone: the key's first half is the IV, padding fills up to 32."""
    secret = base64.b64decode(key + "=")
    assert len(content) % 32 == 0
    decryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).decryptor()
    plain = decryptor.update(content) + decryptor.finalize()
    assert set(plain[-plain[-1] :]) == {plain[-1]}
    assert 1 <= plain[-1] <= 32
    return plain[: -plain[-1]]


def submit(wecom, call, token, **fields):
    return wecom.post(f"export/{call}", {"encoding_aeskey": KEY, **fields}, token)


def files(wecom, clock, call, token, **fields):
    """The answer's data_list and the content of each file, decrypted."""
    answer = submit(wecom, call, token, **fields)
    assert answer["errcode"] == 0, answer
    clock.now += 60
    done = wecom.get("export/get_result", token, jobid=answer["jobid"])
    assert (done["errcode"], done["status"]) == (0, 2)
    contents = []
    for row in done["data_list"]:
        sealed = download(wecom, row["url"]).content
        assert (len(sealed), hashlib.md5(sealed).hexdigest()) == (row["size"], row["md5"])
        contents.append(json.loads(opened(sealed)))
    return contents


def download(wecom, url, **headers):
    return wecom.run(wecom.client.get(url, headers={"Accept-Encoding": "identity", **headers}))


def test_simple_user_has_everybody(wecom, state, clock, app):
    """Userid, name and departments of some hundred people, in one file."""
    fill_corp(state, members=321)
    [content] = files(wecom, clock, "simple_user", app)
    assert content == {
        "userlist": [
            {"userid": member.userid, "name": member.name, "department": list(member.department)}
            for member in state.members.values()
        ]
    }


@pytest.mark.parametrize("sees_sensitive", [False, True])
def test_user_shows_what_user_list_shows(wecom, state, clock, sees_sensitive):
    """The rows are those of user/list, with the fields that this app may see."""
    state.apps = (App(sees_sensitive=sees_sensitive),)
    app = wecom.fetch_token(state.apps[0].secret)
    fill_corp(state, members=50, departments=5)
    listed = {
        row["userid"]: row
        for id in state.departments
        for row in wecom.get("user/list", app, department_id=id)["userlist"]
    }
    [content] = files(wecom, clock, "user", app)
    assert {row["userid"]: row for row in content["userlist"]} == listed
    assert ("mobile" in content["userlist"][0]) is sees_sensitive


def test_department_shows_what_department_list_shows(wecom, state, clock, app):
    """Every department with name, parent and order."""
    fill_corp(state, members=5, departments=30)
    [content] = files(wecom, clock, "department", app)
    assert content["department"] == wecom.get("department/list", app)["department"]
    assert len(content["department"]) == 31


def test_taguser_has_the_tag(wecom, state, clock, app):
    """Members and departments of the tag; contact sync may have it from a new address too."""
    fill_corp(state, members=20, departments=2, tags=1)
    state.directory.tag(state.tags[1], (), (2,))
    for token in (app, wecom.token):
        [content] = files(wecom, clock, "taguser", token, tagid=1)
        told = wecom.get("tag/get", tagid=1)
        assert content == {name: told[name] for name in ("tagname", "userlist", "partylist")}
        assert (len(content["userlist"]), content["partylist"]) == (10, [2])


def test_an_app_gets_its_scope(wecom, state, clock):
    """Who is outside an app's range is in no file."""
    rd = wecom.department("研发")
    wecom.make("inside", department=[rd])
    wecom.make("outside")
    state.apps = (App(scope=(rd,)),)
    app = wecom.fetch_token(state.apps[0].secret)
    [content] = files(wecom, clock, "simple_user", app)
    assert content["userlist"] == [{"userid": "inside", "name": "林梅", "department": [rd]}]
    [content] = files(wecom, clock, "department", app)
    assert [row["id"] for row in content["department"]] == [rd]


def test_a_block_is_a_file(wecom, state, clock, app):
    """20,001 people in blocks of 10,000 are three files; nobody is missing, nobody there twice."""
    fill_corp(state, members=20_001)
    contents = files(wecom, clock, "simple_user", app, block_size=10_000)
    assert [len(content["userlist"]) for content in contents] == [10_000, 10_000, 1]
    assert [row["userid"] for content in contents for row in content["userlist"]] == [
        member.userid for member in state.members.values()
    ]


def test_nobody_is_one_empty_file(wecom, clock, app):
    """A corp without members gives one file with an empty list."""
    assert files(wecom, clock, "simple_user", app) == [{"userlist": []}]


@pytest.mark.parametrize(
    ("call", "fields", "errcode"),
    [
        ("user", {"encoding_aeskey": None}, 40058),
        ("user", {"encoding_aeskey": ""}, 40058),
        ("user", {"encoding_aeskey": KEY[1:]}, 40058),
        ("user", {"encoding_aeskey": KEY[1:] + "="}, 40058),
        ("user", {"block_size": 9_999}, 40058),
        ("user", {"block_size": 1_000_001}, 40058),
        ("user", {"block_size": "10000"}, 40058),
        ("user", {"block_size": 10_000}, 0),
        ("user", {"block_size": 1_000_000}, 0),
        ("taguser", {}, 41017),
        ("taguser", {"tagid": 9}, 40068),
    ],
)
def test_the_order_is_checked(wecom, app, call, fields, errcode):
    """Key and block size have their bounds; the tag must be there."""
    assert submit(wecom, call, app, **fields)["errcode"] == errcode


def test_contact_sync_exports_from_an_old_address_only(wecom, state):
    """48009 for members and departments, but not for tags; on an old address all is open."""
    calls = ("simple_user", "user", "department")
    assert [submit(wecom, call, wecom.token)["errcode"] for call in calls] == [48009] * 3
    state.legacy_ip = True
    assert [submit(wecom, call, wecom.token)["errcode"] for call in calls] == [0] * 3


def test_an_export_takes_its_time(wecom, state, clock, app):
    """0 not started, 1 running, 2 done; before that there is no file."""
    state.job_seconds = 10
    jobid = submit(wecom, "user", app)["jobid"]
    seen = []
    for _ in range(3):
        answer = wecom.get("export/get_result", app, jobid=jobid)
        seen.append((answer["status"], "data_list" in answer))
        clock.now += 5
    assert seen == [(0, False), (1, False), (2, True)]
    state.jobs_by_polls = True
    jobid = submit(wecom, "user", app)["jobid"]
    assert [wecom.get("export/get_result", app, jobid=jobid)["status"] for _ in range(3)] == [0, 1, 2]


def test_only_who_asked_gets_the_result(wecom, clock, app):
    """To others the job does not exist, nor does a made-up one to anybody."""
    jobid = submit(wecom, "user", app)["jobid"]
    clock.now += 60
    for token, id in ((wecom.token, jobid), (app, "jobid_0")):
        answer = wecom.get("export/get_result", token, jobid=id)
        assert (answer["errcode"], answer["data_list"]) == (40088, [])


def test_an_export_can_fail_and_hang(wecom, state, clock, app):
    """Status 3 and no file; or status 1 until it is released."""
    state.job_faults.fail("export/user")
    state.job_faults.hang("export/user")
    failing, hanging = (submit(wecom, "user", app)["jobid"] for _ in range(2))
    clock.now += 60
    assert wecom.get("export/get_result", app, jobid=failing) == {"errcode": 0, "errmsg": "ok", "status": 3}
    assert wecom.get("export/get_result", app, jobid=hanging)["status"] == 1
    state.job_faults.release()
    assert wecom.get("export/get_result", app, jobid=hanging)["status"] == 2


def finished(wecom, clock, app):
    """The one file of an export of a corp with some people."""
    fill_corp(wecom.state, members=40)
    jobid = submit(wecom, "user", app)["jobid"]
    clock.now += 60
    [row] = wecom.get("export/get_result", app, jobid=jobid)["data_list"]
    return row


def test_a_file_comes_in_parts(wecom, clock, app):
    """Ranges from the start, in the middle, open and from the end; one beyond the end is 416."""
    row = finished(wecom, clock, app)
    whole = download(wecom, row["url"])
    size = row["size"]
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    for asked, part in (
        ("bytes=0-9", whole.content[:10]),
        ("bytes=100-", whole.content[100:]),
        ("bytes=-7", whole.content[-7:]),
        (f"bytes=5-{size + 50}", whole.content[5:]),
    ):
        answer = download(wecom, row["url"], Range=asked)
        assert (answer.status_code, answer.content) == (206, part)
        first = whole.content.index(part)
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{size}"
    for asked in (f"bytes={size}-", "bytes=-", "bytes=9-5", "bytes=-0", "lines=1-2", "bytes=0-1,3-4"):
        answer = download(wecom, row["url"], Range=asked)
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")


def test_a_file_ends_after_two_hours(wecom, clock, app):
    """Two hours after the job's end the address is dead; a made-up one never lived."""
    row = finished(wecom, clock, app)
    clock.now += 2 * 3600 - 1
    assert download(wecom, row["url"]).status_code == 200
    clock.now += 1
    assert download(wecom, row["url"]).status_code == 404
    assert download(wecom, row["url"][:-4] + "AAAA").status_code == 404


def test_a_download_can_break(wecom, state, clock, app):
    """An error page, a lost connection and half a file, each once; then it comes whole."""
    row = finished(wecom, clock, app)
    state.faults.http_status("export/file", 503)
    assert download(wecom, row["url"]).status_code == 503
    state.faults.reset("export/file")
    with pytest.raises(httpx.ReadError):
        download(wecom, row["url"])
    state.faults.cut("export/file")
    assert len(download(wecom, row["url"]).content) == row["size"] // 2
    assert len(download(wecom, row["url"]).content) == row["size"]


def test_a_download_over_a_socket_is_cut(state):
    """Half of the bytes come and then the connection ends; a Range fetches the rest."""
    fill_corp(state, members=40)
    state.job_seconds = 0
    with running_sandbox(state) as base_url, httpx.Client(base_url=base_url, trust_env=False) as client:
        params = {"corpid": state.corp_id, "corpsecret": state.apps[0].secret}
        token = {"access_token": client.get("/cgi-bin/gettoken", params=params).json()["access_token"]}
        body = {"encoding_aeskey": KEY}
        jobid = client.post("/cgi-bin/export/user", params=token, json=body).json()["jobid"]
        query = {**token, "jobid": jobid}
        [row] = client.get("/cgi-bin/export/get_result", params=query).json()["data_list"]
        assert row["url"].startswith(base_url)
        state.faults.cut("export/file")
        pieces: list[bytes] = []
        with client.stream("GET", row["url"]) as answer, pytest.raises(httpx.RemoteProtocolError):
            pieces.extend(answer.iter_raw())
        got = b"".join(pieces)
        assert len(got) == row["size"] // 2
        got += client.get(row["url"], headers={"Range": f"bytes={len(got)}-"}).content
        assert hashlib.md5(got).hexdigest() == row["md5"]
        assert len(json.loads(opened(got))["userlist"]) == 40
