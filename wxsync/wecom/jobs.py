"""Imports of a whole file, which WeCom carries out by itself: started here, and asked after."""

from __future__ import annotations

from typing import Final

from wxsync.errors import WeComApiError
from wxsync.model.job import JobCallback, JobKind, JobResult, JobStatus
from wxsync.wecom.errcodes.codes import JOB_FAILURES, JOB_UNDER_WAY
from wxsync.wecom.measures import Measure, check_text
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import jobs as wire

JOB_ID: Final = Measure(is_required=True, octets=wire.JOB_ID)


class Jobs:
    """Imports of one corp, with contact sync's secret; WeCom carries out one at a time.

    Each start takes the media_id of an uploaded CSV file and gives back the id to ask after. It raises
    `WeComApiError` where WeCom refuses: 302008 (RateLimitError) while another import is under way, 40007 for
    a file that has expired, 40092 and 302003 to 302007 for its content. Where the answer is lost it raises
    `WeComTransportError` with `is_ambiguous`: the import may be under way, by an id that nobody knows.
    Nobody is ever invited. With `callback` WeCom also tells the end of it there.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def sync_members(self, media_id: str, callback: JobCallback | None = None) -> str:
        """Create and update the members of a file, by userid; all others stay (WeCom page 90980)."""
        return await self._start(JobKind.SYNC_MEMBERS, media_id, callback)

    async def replace_members(self, media_id: str, callback: JobCallback | None = None) -> str:
        """Create and update the members of a file and DELETE everybody else (WeCom page 90981).

        The job fails (45026) where it would delete more than 50 who are over 20 % of all, or fewer who are
        over 80 %. The creator of the corp stays, as a row with 301005.
        """
        return await self._start(JobKind.REPLACE_MEMBERS, media_id, callback)

    async def replace_departments(self, media_id: str, callback: JobCallback | None = None) -> str:
        """Make the departments those of a file, by id (WeCom page 90982).

        One that is not in it is deleted where it holds nothing, and else by the next import of members that
        leaves it empty.
        """
        return await self._start(JobKind.REPLACE_DEPARTMENTS, media_id, callback)

    async def get_result(self, job_id: str) -> JobResult:
        """How far an import is, and once it has finished what became of each row (WeCom page 90983).

        One that failed as a whole is a result too, FAILED with its errcode and a hint. WeCom keeps the last
        five: of others it says NotFoundError (40088, 40089). Raises `WeComTransportError` where no answer
        comes, and may be asked again at any time.
        """
        check_text("job_id", job_id, JOB_ID)
        try:
            answer = await self._transport.send(
                "GET", wire.ENDPOINT, params=wire.to_job_query(job_id), is_repeatable=True
            )
        except WeComApiError as error:
            if error.errcode not in JOB_FAILURES:
                raise
            return JobResult(status=JobStatus.FAILED, errcode=error.errcode, hint=error.hint)
        return wire.from_result(answer)

    async def _start(self, kind: JobKind, media_id: str, callback: JobCallback | None) -> str:
        path = wire.PATHS[kind]
        answer = await self._transport.send(
            "POST",
            path,
            json=wire.to_job(kind, media_id, callback),
            is_repeatable=False,
            echoes=(JOB_UNDER_WAY,),
        )
        return wire.from_job(answer, path)
