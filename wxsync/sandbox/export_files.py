"""The files of exports over HTTP, whole or in parts, until they end (WeCom page 94854)."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wxsync.sandbox.faults import ConnectionDropped, FaultKind
from wxsync.sandbox.job_records import ExportFile
from wxsync.sandbox.state import SandboxState

PATH: Final = "export/file"
"""The path by which faults name a download."""

RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class ExportFiles:
    """Serves the files; who knows an address may fetch it.

    A file that is over, or never was, is HTTP 404: that is our own choice. Of faults a download
    knows `http_status`, `reset`, and `cut`, which lets half of it through.
    """

    def __init__(self, state: SandboxState, *, cuts_off: bool) -> None:
        self._state = state
        self._cuts_off = cuts_off

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        fault = self._state.faults.take(PATH, {}, {})
        if fault is not None and fault.kind is FaultKind.HTTP_STATUS:
            await Response("error", fault.status)(scope, receive, send)
            return
        if fault is not None and fault.kind is FaultKind.RESET and not self._cuts_off:
            raise ConnectionDropped("the sandbox dropped the download, as ordered")
        response = self._answer(request)
        if fault is not None and fault.kind in (FaultKind.RESET, FaultKind.CUT):
            share = 0.5 if fault.kind is FaultKind.CUT else 0
            await send_part(response, send, share=share, breaks_off=self._cuts_off)
        else:
            await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        file = self._find(request.path_params["name"])
        if file is None:
            return Response("not found", 404)
        headers = {"Accept-Ranges": "bytes", "Server": "nginx"}
        asked = request.headers.get("range", "")
        if not asked:
            return Response(file.content, 200, headers, "application/octet-stream")
        size = len(file.content)
        span = part_of(asked, size)
        if span is None:
            return Response("", 416, {**headers, "Content-Range": f"bytes */{size}"})
        first, last = span
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return Response(file.content[first : last + 1], 206, headers, "application/octet-stream")

    def _find(self, name: str) -> ExportFile | None:
        for job in self._state.jobs.exports.values():
            for file in job.files:
                if file.name == name and file.ends_at > self._state.clock():
                    return file
        return None


def part_of(asked: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of a Range with one part; None for what cannot be satisfied (RFC 9110)."""
    found = RANGE.fullmatch(asked.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        first, last = max(size - int(found[2]), 0), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    return (first, last) if first <= last else None


async def send_part(response: Response, send: Send, *, share: float, breaks_off: bool) -> None:
    """As much as a connection that breaks lets through: the length of all, and a share of it.

    httpx.ASGITransport wants an end of the body all the same, without `breaks_off`.
    """
    body = bytes(response.body)
    head = {"status": response.status_code, "headers": response.raw_headers}
    await send({"type": "http.response.start", **head})
    await send(
        {"type": "http.response.body", "body": body[: int(len(body) * share)], "more_body": breaks_off}
    )
