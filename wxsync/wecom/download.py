"""A file that WeCom offers for download by an absolute URL: read whole, without the token, in several goes.

A URL like this is a secret of its own for as long as it holds, so no error and no log line repeats it.
"""

from __future__ import annotations

import re
from typing import Final

import httpx

from wxsync.errors import WeComError, WeComTransportError
from wxsync.wecom.answers import Remedy, Setback, from_exception

ENDPOINT: Final = "export/download"
"""What errors call the download: it has a URL of its own and no path of the API."""
LARGEST: Final = 512 * 1024 * 1024
"""Bytes of one file, all of which are held in memory."""
_RANGE: Final = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)", re.ASCII)


class Download:
    """One file of a known size; each `go_on` adds to what the ones before it have read.

    A URL that is neither https nor of the very place that `base_url` names raises `WeComError`, and so does
    a size that is out of bounds: both come from an answer, and neither is a reason to call just anybody.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, *, size: int) -> None:
        if not 0 < size <= LARGEST:
            raise _unusable(f"{size} bytes are no size that is downloaded", "export in smaller blocks")
        self._client = client
        self._url = _checked(url, client.base_url)
        self._size = size
        self.received = bytearray()

    async def go_on(self) -> Setback | None:
        """Read on from where the last attempt broke off; None once the file is whole."""
        try:
            response = await self._client.send(self._request(), stream=True)
            try:
                return await self._take(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as exc:
            is_whole = len(self.received) == self._size
            return None if is_whole else from_exception(ENDPOINT, exc, was_sent=False)

    def _request(self) -> httpx.Request:
        headers = {"Accept-Encoding": "identity"}
        if self.received:
            headers["Range"] = f"bytes={len(self.received)}-"
        return self._client.build_request("GET", self._url, headers=headers)

    async def _take(self, response: httpx.Response) -> Setback | None:
        if not self._continues(response):
            return self._refused(response.status_code)
        async for chunk in response.aiter_raw():
            self.received += chunk
            if len(self.received) > self._size:
                raise _unusable("there are more bytes than WeCom said", "run again: it is exported anew")
        if len(self.received) < self._size:
            return _setback("it broke off", Remedy.RECONNECT)
        return None

    def _continues(self, response: httpx.Response) -> bool:
        """Whether the body may be taken; a server that ignores the Range starts again, and so do we."""
        if response.status_code == httpx.codes.OK:
            self.received.clear()
            return True
        part = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return (
            response.status_code == httpx.codes.PARTIAL_CONTENT
            and part is not None
            and int(part[1]) == len(self.received)
        )

    def _refused(self, status: int) -> Setback:
        """Worth another go where the server is not well, or cannot go on where we are and may start again."""
        if status in (httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE):
            self.received.clear()
            return _setback("it cannot be gone on with", Remedy.RECONNECT)
        is_passing = status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS
        return _setback(f"HTTP status {status}", Remedy.RECONNECT if is_passing else Remedy.NONE)


def _setback(problem: str, remedy: Remedy) -> Setback:
    hint = "run again: it is exported anew, and an address holds for two hours"
    message = f"{ENDPOINT}: the file cannot be had ({problem})"
    return Setback(WeComTransportError(message, is_ambiguous=False, hint=hint), remedy)


def _checked(url: str, base: httpx.URL) -> httpx.URL:
    """`url`, where it is https, or of the scheme, host and port of `base`: the sandbox has but http."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise _unusable("the address of the file is no URL", _HINT) from None
    is_ours = (parsed.scheme, parsed.host, parsed.port) == (base.scheme, base.host, base.port)
    if not parsed.host or parsed.userinfo or not (parsed.scheme == "https" or is_ours):
        raise _unusable("the address of the file is not https", _HINT)
    return parsed


_HINT: Final = "see whether base_url of the corp is WeCom's; if it is, please report this"


def _unusable(problem: str, hint: str) -> WeComError:
    return WeComError(f"{ENDPOINT}: {problem}", hint=hint)
