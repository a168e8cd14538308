"""Exports: a whole corp in a handful of calls, as files that WeCom encrypts for us."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from dataclasses import replace
from typing import Final

from wxsync.errors import UnsendableError, WeComError
from wxsync.model.lookup import MemberName, TagCard
from wxsync.model.seen import SeenDepartment, ShownMember
from wxsync.model.unknown import UNKNOWN
from wxsync.wecom.auth import Sleep
from wxsync.wecom.crypto import KEY, decrypt_export
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import directory, jobs, lookups
from wxsync.wecom.wire import export as wire
from wxsync.wecom.wire.export import ExportFile, ExportJob, ExportResult, ExportStatus
from wxsync.wecom.wire.shapes import Answer

LEAST_BLOCK: Final = 10_000
MOST_BLOCK: Final = 1_000_000
BLOCK: Final = 100_000
"""Records in one file (WeCom page 94849): fewer than WeCom's own million, since a file is held in memory."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 10.0
PATIENCE: Final = 1800.0
"""Seconds that an export may take; WeCom names none."""


class Exports:
    """Exports of one corp with an app's secret, of what is in its scope; contact sync's gets 48009 from most
    addresses, for all but tags. The same secret must ask for the result.

    Every method raises `WeComApiError` where WeCom refuses, `WeComTransportError` where no answer or file
    comes, and `WeComError` where either is not what WeCom documents, or not whole.
    """

    def __init__(
        self, transport: Transport, *, sleep: Sleep = asyncio.sleep, patience: float = PATIENCE
    ) -> None:
        self._transport = transport
        self._sleep = sleep
        self._patience = patience

    async def start_simple_members(self, block_size: int = BLOCK) -> ExportJob:
        """Have everybody's userid, name and departments exported (WeCom page 94849)."""
        return await self._start("export/simple_user", block_size)

    async def start_members(self, block_size: int = BLOCK) -> ExportJob:
        """Have everybody exported with all that this secret may see of them (WeCom page 94851)."""
        return await self._start("export/user", block_size)

    async def start_departments(self, block_size: int = BLOCK) -> ExportJob:
        """Have the departments exported (WeCom page 94852)."""
        return await self._start("export/department", block_size)

    async def start_tag(self, tag_id: int, block_size: int = BLOCK) -> ExportJob:
        """Have the members and departments of one tag exported; 40068 without it (WeCom page 94853)."""
        return await self._start("export/taguser", block_size, tag_id)

    async def get_result(self, job: ExportJob) -> ExportResult:
        """How far an export is, with its files once it is done; 40088: unknown (WeCom page 94854)."""
        answer = await self._transport.send(
            "GET", wire.ENDPOINT, params=jobs.to_job_query(job.id), is_repeatable=True
        )
        return wire.from_export_result(answer)

    async def download(self, job: ExportJob, file: ExportFile) -> bytes:
        """The content of one file, decrypted; goes on where the line breaks (WeCom page 94854).

        Raises `WeComError` where size, MD5 or encryption say that it is not the file that WeCom made.
        """
        ciphertext = await self._transport.download(file.url, size=file.size)
        if hashlib.md5(ciphertext, usedforsecurity=False).hexdigest() != file.md5:
            raise WeComError(f"{wire.FILE}: the file was changed on its way", hint="run again")
        return decrypt_export(ciphertext, job.encoding_aes_key)

    async def read_simple_members(self, job: ExportJob) -> tuple[MemberName, ...]:
        """All members of an export that `start_simple_members` began, once done (WeCom page 94854)."""
        files = await self._read(job)
        return tuple(row for each in files for row in lookups.from_member_names(each, wire.FILE))

    async def read_members(self, job: ExportJob) -> tuple[tuple[str, ShownMember], ...]:
        """(userid, what is shown) of all members `start_members` asked for (WeCom page 94854)."""
        return tuple(row for each in await self._read(job) for row in directory.from_member_list(each))

    async def read_departments(self, job: ExportJob) -> tuple[SeenDepartment, ...]:
        """All departments of an export that `start_departments` began, once done (WeCom page 94854)."""
        return tuple(row for each in await self._read(job) for row in directory.from_named_departments(each))

    async def read_tag(self, job: ExportJob, tag_id: int) -> TagCard:
        """The tag of an export that `start_tag` began, once it is done (WeCom page 94854)."""
        parts = [lookups.from_tag_card(each, tag_id, wire.FILE) for each in await self._read(job)]
        return TagCard(
            id=tag_id,
            name=next((part.name for part in parts), UNKNOWN),
            members=tuple(member for part in parts for member in part.members),
            department_ids=frozenset[int]().union(*(part.department_ids for part in parts)),
        )

    async def _start(self, path: str, block_size: int, tag_id: int | None = None) -> ExportJob:
        """A repeat starts a second export, which harms nobody."""
        if not LEAST_BLOCK <= block_size <= MOST_BLOCK:
            problem = f"is {block_size}, and WeCom takes {LEAST_BLOCK} to {MOST_BLOCK}"
            raise UnsendableError("block_size", problem)
        job = ExportJob(id="", encoding_aes_key=new_key())
        answer = await self._transport.send(
            "POST",
            path,
            json=wire.to_export(job.encoding_aes_key, block_size, tag_id),
            is_repeatable=True,
        )
        return replace(job, id=jobs.from_job(answer, path))

    async def _read(self, job: ExportJob) -> list[Answer]:
        result = await self._finished(job)
        return [wire.from_file(await self.download(job, file)) for file in result.files]

    async def _finished(self, job: ExportJob) -> ExportResult:
        pause, waited = FIRST_PAUSE, 0.0
        while (result := await self.get_result(job)).status is not ExportStatus.DONE:
            if result.status is ExportStatus.FAILED:
                raise WeComError("export: WeCom could not carry it out", hint="run again")
            if waited >= self._patience:
                raise WeComError(f"export: not done after {waited:.0f} seconds", hint="run again later")
            await self._sleep(pause)
            waited += pause
            pause = min(LONGEST_PAUSE, pause * 2)
        return result


def new_key() -> str:
    """A key of 43 letters and digits, drawn anew until it has neither of base64's two other characters."""
    while not KEY.fullmatch(key := base64.b64encode(secrets.token_bytes(32)).decode("ascii").rstrip("=")):
        pass
    return key
