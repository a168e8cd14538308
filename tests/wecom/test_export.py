from __future__ import annotations

import base64
import hashlib
import json

import httpx
import pytest

from tests.wecom.line import BASE, Line, errcode, ok
from wxsync.errors import DeniedError, UnsendableError, WeComError, WeComTransportError
from wxsync.model.lookup import MemberName, TagCard
from wxsync.model.seen import SeenDepartment
from wxsync.wecom.crypto import encrypt_export
from wxsync.wecom.export import Exports, new_key
from wxsync.wecom.wire.export import ExportFile, ExportJob, ExportResult, ExportStatus

STARTS = {
    "export/simple_user": lambda exports: exports.start_simple_members(),
    "export/user": lambda exports: exports.start_members(),
    "export/department": lambda exports: exports.start_departments(),
    "export/taguser": lambda exports: exports.start_tag(1),
}


class Warehouse:
    """What WeCom makes of an export: files encrypted with the key that came along, one for each part."""

    def __init__(
        self, line: Line, path: str, *parts: object, states=(2,), spoil=lambda row, sealed: None
    ) -> None:
        self.line, self.path, self.parts, self.spoil = line, path, parts, spoil
        line.script(path, ok(jobid="jobid_1"))
        waiting = [ok(status=status, data_list=[]) for status in states[:-1]]
        line.script("export/get_result", *waiting, self._result)

    def _result(self, request: httpx.Request) -> httpx.Response:
        key = self.line.bodies(self.path)[0]["encoding_aeskey"]
        rows = []
        for number, part in enumerate(self.parts):
            content = part if isinstance(part, bytes) else json.dumps(part, ensure_ascii=False).encode()
            sealed = encrypt_export(content, key)
            row = {
                "url": f"{BASE}/cgi-bin/file{number}",
                "size": len(sealed),
                "md5": hashlib.md5(sealed).hexdigest(),
            }
            self.spoil(row, sealed)
            self.line.script(f"file{number}", httpx.Response(200, content=sealed))
            rows.append(row)
        return ok(status=2, data_list=rows)


def export(line: Line, act):
    async def story(transport):
        return await act(Exports(transport, sleep=line.clock.sleep))

    return line.ask(story)


async def members(exports: Exports):
    return await exports.read_members(await exports.start_members())


@pytest.mark.parametrize("path", STARTS)
def test_an_export_is_started_with_a_key_of_its_own(path):
    """43 letters and digits, never twice the same, in no repr; the tag only where one is meant."""
    line = Line().script(path, ok(jobid="jobid_1"))
    one, other = export(line, STARTS[path]), export(line, STARTS[path])
    first, second = line.bodies(path)
    assert one.id == "jobid_1"
    assert one.encoding_aes_key == first["encoding_aeskey"] != second["encoding_aeskey"]
    assert first["block_size"] == 100_000
    assert first.get("tagid") == (1 if path == "export/taguser" else None)
    assert other.encoding_aes_key not in repr(other)


def test_keys_are_canonical():
    """32 bytes each, that come back to the same 43 characters whoever decodes them."""
    keys = [new_key() for _ in range(200)]
    assert all(len(key) == 43 and key.isalnum() and key.isascii() for key in keys)
    assert all(base64.b64encode(base64.b64decode(key + "=")).decode() == key + "=" for key in keys)
    assert len(set(keys)) == 200


def test_members_by_export_are_those_of_the_list():
    """The rows of user/list, file by file, decrypted; the state is asked for until it is done."""
    line = Line()
    rows = [{"userid": "a", "name": "甲", "department": [1]}, {"userid": "b", "mobile": "13800000001"}]
    Warehouse(line, "export/user", {"userlist": rows[:1]}, {"userlist": rows[1:]}, states=(0, 1, 2))
    found = dict(export(line, members))
    assert list(found) == ["a", "b"]
    assert (found["a"].name, found["a"].departments) == ("甲", frozenset({1}))
    assert found["b"].mobile == "13800000001"
    assert line.count("export/get_result") == 3
    assert line.clock.sleeps == [1.0, 2.0]


def test_names_departments_and_tags_by_export():
    """Each kind in its own record, with what all its files hold."""
    line = Line()
    Warehouse(line, "export/simple_user", {"userlist": [{"userid": "a", "name": "甲", "department": [1, 2]}]})
    found = export(line, lambda calls: _read(calls.start_simple_members(), calls.read_simple_members))
    assert found == (MemberName(userid="a", name="甲", department_ids=frozenset({1, 2})),)
    line = Line()
    Warehouse(line, "export/department", {"department": [{"id": 1, "name": "根", "parentid": 0, "order": 9}]})
    found = export(line, lambda calls: _read(calls.start_departments(), calls.read_departments))
    assert found == (SeenDepartment(id=1, parent_id=0, order=9, name="根"),)
    line = Line()
    parts = [
        {"tagname": "甲", "userlist": [{"userid": "a", "name": "x"}], "partylist": [2]},
        {"tagname": "甲", "userlist": [{"userid": "b"}], "partylist": []},
    ]
    Warehouse(line, "export/taguser", *parts)
    found = export(line, lambda calls: _read(calls.start_tag(1), lambda job: calls.read_tag(job, 1)))
    assert isinstance(found, TagCard)
    assert [member.userid for member in found.members] == ["a", "b"]
    assert (found.id, found.name, found.department_ids) == (1, "甲", frozenset({2}))


async def _read(start, read):
    return await read(await start)


def test_a_result_has_files_once_it_is_done():
    """Before that a listing would be a part of one."""
    row = {"url": f"{BASE}/f", "size": 32, "md5": "A" * 32}
    line = Line().script("export/get_result", ok(status=1, data_list=[row]), ok(status=2, data_list=[row]))
    job = ExportJob(id="jobid_1", encoding_aes_key="k" * 43)
    assert export(line, lambda calls: calls.get_result(job)) == ExportResult(status=ExportStatus.RUNNING)
    assert export(line, lambda calls: calls.get_result(job)) == ExportResult(
        status=ExportStatus.DONE, files=(ExportFile(url=f"{BASE}/f", size=32, md5="a" * 32),)
    )
    assert line.requests["export/get_result"][0].url.params["jobid"] == "jobid_1"


def other_md5(row, sealed):
    row["md5"] = hashlib.md5(b"another").hexdigest()


def less_than_comes(row, sealed):
    row["size"] = len(sealed) - 1


@pytest.mark.parametrize(
    ("part", "spoil", "problem"),
    [
        ({"userlist": []}, other_md5, "changed on its way"),
        ({"userlist": []}, less_than_comes, "more bytes than WeCom said"),
        (b"<html>", lambda row, sealed: None, "no JSON object"),
        (b"[1]", lambda row, sealed: None, "no JSON object"),
        ({"department": []}, lambda row, sealed: None, "userlist is not a list"),
        ({"userlist": []}, lambda row, sealed: row.update(url="http://elsewhere.test/"), "not https"),
        ({"userlist": []}, lambda row, sealed: row.update(md5="z" * 32), "md5 is no MD5 sum"),
        ({"userlist": []}, lambda row, sealed: row.update(size="32"), "size is not a number"),
    ],
)
def test_a_file_that_is_not_wecoms_is_an_error(part, spoil, problem):
    """Its sum, its size, its encryption and its content each say so; never half a listing."""
    line = Line()
    Warehouse(line, "export/user", {"userlist": [{"userid": "a"}]}, part, spoil=spoil)
    with pytest.raises(WeComError, match=problem):
        export(line, members)


def test_a_file_of_another_key_is_not_read():
    """What was encrypted for somebody else does not open."""
    sealed = encrypt_export(b'{"userlist": []}', new_key())
    file = ExportFile(url=f"{BASE}/cgi-bin/file", size=len(sealed), md5=hashlib.md5(sealed).hexdigest())
    job = ExportJob(id="1", encoding_aes_key=new_key())
    line = Line().script("file", httpx.Response(200, content=sealed))
    with pytest.raises(WeComError, match="cannot be decrypted"):
        export(line, lambda calls: calls.download(job, file))


def test_an_export_that_fails_or_never_ends():
    """3 is WeCom's own failure; half an hour is as long as anybody waits."""
    line = Line().script("export/user", ok(jobid="1")).script("export/get_result", ok(status=3))
    with pytest.raises(WeComError, match="could not carry it out"):
        export(line, members)
    line.script("export/get_result", ok(status=1))
    with pytest.raises(WeComError, match="not done after"):
        export(line, members)
    assert 1800 <= sum(line.clock.sleeps) < 1900


def test_an_unknown_state_is_an_error():
    """What nobody documented is not waited for."""
    line = Line().script("export/user", ok(jobid="1")).script("export/get_result", ok(status=4))
    with pytest.raises(WeComError, match="status is none of WeCom's"):
        export(line, members)


def test_contact_sync_is_told_to_use_an_app():
    """48009 from an address that WeCom has not seen before."""
    line = Line().script("export/user", errcode(48009))
    with pytest.raises(DeniedError) as caught:
        export(line, members)
    assert caught.value.errcode == 48009


@pytest.mark.parametrize("block_size", [9_999, 1_000_001])
def test_blocks_have_bounds(block_size):
    """10,000 to a million records in a file (WeCom page 94849)."""
    line = Line()
    with pytest.raises(UnsendableError, match="block_size"):
        export(line, lambda calls: calls.start_members(block_size))
    assert line.requests == {}


def test_a_file_that_cannot_be_had_is_an_error():
    """404: the address has run out."""
    line = Line()
    Warehouse(
        line,
        "export/user",
        {"userlist": []},
        spoil=lambda row, sealed: row.update(url=f"{BASE}/cgi-bin/gone"),
    )
    with pytest.raises(WeComTransportError, match="HTTP status 404"):
        export(line, members)
