"""One request and its whole answer, within bounds: nobody in WeCom's place holds up a run, or fills memory.

httpx's own time-outs are for a single read: an answer that comes byte by byte never meets them.
"""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from wxsync.wecom.answers import UnusableAnswerError
from wxsync.wecom.gate import Leave
from wxsync.wecom.sockets import only_with

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one answer: WeCom's longest listing has some ten megabytes."""
PLAIN: Final = ("", "identity")
"""A compressed answer may unfold to a thousand times its size, and httpx unfolds a piece at once."""


async def receive(
    client: httpx.AsyncClient, request: httpx.Request, *, within: float, leave: Leave | None = None
) -> httpx.Response:
    """The answer to `request`, read whole; of one that is not HTTP 200 only the head.

    `leave` is asked as each part of it is written (`sockets`); without it no more is, and a call of which a
    part was not sent is none. Raises `httpx.HTTPError`: `httpx.ConnectTimeout` where leave was not given,
    `httpx.ReadTimeout` where the answer is not there after `within` seconds, and `UnusableAnswerError` where
    it is compressed, or over `LARGEST`.
    """
    request.headers["Accept-Encoding"] = "identity"
    if leave is not None and not leave():
        raise httpx.ConnectTimeout("there was no time left to send it", request=request)
    try:
        async with asyncio.timeout(within):
            with only_with(leave):
                response = await client.send(request, stream=True)
            try:
                content = await _content(response) if response.status_code == httpx.codes.OK else b""
            finally:
                await response.aclose()
    except TimeoutError:
        raise httpx.ReadTimeout("the answer has no end", request=request) from None
    date = {name: value for name, value in response.headers.items() if name == "date"}
    return httpx.Response(response.status_code, headers=date, content=content, request=request)


async def _content(response: httpx.Response) -> bytes:
    if response.headers.get("Content-Encoding", "").strip().lower() not in PLAIN:
        raise UnusableAnswerError("it is compressed, and was asked for as it is", request=response.request)
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST:
            raise UnusableAnswerError(f"it is over {LARGEST} bytes", request=response.request)
    return bytes(content)
