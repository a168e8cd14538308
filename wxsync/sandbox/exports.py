"""Exports: jobs whose results are encrypted files (WeCom pages 94849 to 94854)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from hashlib import md5
from typing import Any, Final

from wxsync.sandbox import departments, fields, reads, tags
from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import Shape
from wxsync.sandbox.job_progress import look_at
from wxsync.sandbox.job_records import ExportFile, ExportJob, ExportType
from wxsync.sandbox.jobs import own_job
from wxsync.sandbox.receivers import AES_KEY
from wxsync.sandbox.records import ROOT, Member
from wxsync.sandbox.refusal import invalid, missing
from wxsync.wecom.crypto import encrypt_export

SMALLEST_BLOCK: Final = 10_000
LARGEST_BLOCK: Final = 1_000_000
FILE_LIFE: Final = 2 * 3600
"""Seconds that a file can be fetched, from the end of its job on."""

FILES: Final = "export-file"
"""Where the sandbox serves the files."""

SHAPES: Final[Mapping[str, Shape]] = {"encoding_aeskey": fields.is_text, "block_size": fields.is_integer}
TAG_SHAPES: Final[Mapping[str, Shape]] = {**SHAPES, "tagid": fields.is_integer}

Rows = Sequence[Mapping[str, Any]]
Content = Mapping[str, Any]
"""The content of one file, before it is written as JSON."""


def simple_user(asked: Asked) -> Mapping[str, Any]:
    """Userid, name and departments of every member that the caller sees."""
    return _start(
        asked,
        asked.given(SHAPES),
        ExportType.SIMPLE_USER,
        lambda size: _blocks("userlist", _short(asked), size),
    )


def user(asked: Asked) -> Mapping[str, Any]:
    """All that user/list shows the caller, of every member."""
    return _start(
        asked, asked.given(SHAPES), ExportType.USER, lambda size: _blocks("userlist", _full(asked), size)
    )


def department(asked: Asked) -> Mapping[str, Any]:
    """All that department/list shows the caller, of every department."""
    return _start(
        asked,
        asked.given(SHAPES),
        ExportType.DEPARTMENT,
        lambda size: _blocks("department", _units(asked), size),
    )


def taguser(asked: Asked) -> Mapping[str, Any]:
    """Members and departments of one tag."""
    given = asked.given(TAG_SHAPES)
    tag_asked = Asked(asked.state, asked.who, {"tagid": str(given.get("tagid", ""))}, {})
    tags.get(tag_asked)
    return _start(asked, given, ExportType.TAGUSER, lambda size: _tag_blocks(tags.get(tag_asked), size))


def _start(
    asked: Asked,
    given: Mapping[str, Any],
    kind: ExportType,
    gather: Callable[[int], tuple[Content, ...]],
) -> Mapping[str, Any]:
    """The job is accepted; several may be under way at once."""
    state = asked.state
    aes_key = given.get("encoding_aeskey")
    if not aes_key:
        raise missing("encoding_aeskey")
    if not AES_KEY.fullmatch(aes_key):
        raise invalid("encoding_aeskey")
    size = given.get("block_size", LARGEST_BLOCK)
    if not SMALLEST_BLOCK <= size <= LARGEST_BLOCK:
        raise invalid("block_size")
    receiver, agent_id = state.receiver_of(asked.who.name)
    job = ExportJob(
        jobid=f"jobid_{secrets.token_hex(16)}",
        kind=kind.value,
        owner=asked.who.name,
        started_at=state.clock(),
        fate=state.job_faults.take(kind.value.replace("_", "/", 1)),
        receiver=receiver,
        agent_id=agent_id,
        gather=lambda: tuple(_file(asked, content, aes_key) for content in gather(size)),
    )
    state.jobs.exports[job.jobid] = job
    return {"jobid": job.jobid}


def _file(asked: Asked, content: Content, aes_key: str) -> ExportFile:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return ExportFile(
        name=secrets.token_urlsafe(32),
        content=encrypt_export(text.encode(), aes_key),
        ends_at=asked.state.clock() + FILE_LIFE,
    )


def _blocks(name: str, rows: Rows, size: int) -> tuple[Content, ...]:
    """So many rows a file; an empty corp gives one file without any."""
    return tuple({name: rows[start : start + size]} for start in range(0, max(len(rows), 1), size))


def _tag_blocks(tag: Mapping[str, Any], size: int) -> tuple[Content, ...]:
    """As `_blocks`; the tag's departments are all in the first file: that is our own choice."""
    first, *rest = _blocks("userlist", tag["userlist"], size)
    name, parties = {"tagname": tag["tagname"]}, tag["partylist"]
    return ({**name, **first, "partylist": parties}, *({**name, **file, "partylist": []} for file in rest))


def _members(asked: Asked) -> list[Member]:
    scope = asked.scope
    return [member for member in asked.directory.members.values() if scope.sees_member(member)]


def _short(asked: Asked) -> Rows:
    return [reads.simple(member, asked.scope) for member in _members(asked)]


def _full(asked: Asked) -> Rows:
    scope, with_sensitive = asked.scope, asked.who.sees_sensitive
    return [reads.details(member, scope, with_sensitive=with_sensitive) for member in _members(asked)]


def _units(asked: Asked) -> Rows:
    scope = asked.scope
    everything = asked.directory.walk(asked.directory.departments[ROOT])
    return [
        departments.details(asked.state, scope, unit) for unit in everything if scope.sees_department(unit.id)
    ]


def get_result(asked: Asked) -> Mapping[str, Any]:
    """0 not started, 1 running, 2 done, 3 failed; where it is done, the files."""
    job = own_job(asked, asked.state.jobs.exports.get(asked.query.get("jobid", "")))
    look_at(asked.state, job)
    if not job.is_over:
        return {"status": 1 if job.progress else 0}
    if job.failure is not None:
        return {"status": 3}
    return {"status": 2, "data_list": [_told(asked.base_url, file) for file in job.files]}


def _told(base_url: str, file: ExportFile) -> dict[str, Any]:
    """Size and checksum are those of the encrypted file."""
    return {
        "url": f"{base_url}/{FILES}/{file.name}",
        "size": len(file.content),
        "md5": md5(file.content, usedforsecurity=False).hexdigest(),
    }


def _operation(
    path: str, carry_out: Callable[[Asked], Mapping[str, Any]], permission: Permission
) -> Operation:
    return Operation(path=path, method="POST", permission=permission, carry_out=carry_out)


OPERATIONS: Final = (
    _operation("export/simple_user", simple_user, Permission.DETAILS),
    _operation("export/user", user, Permission.DETAILS),
    _operation("export/department", department, Permission.DETAILS),
    _operation("export/taguser", taguser, Permission.ANY_TOKEN),
    Operation(
        path="export/get_result",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=get_result,
        empties=("data_list",),
    ),
)
