"""The webhook of a group chat (消息推送, once "group robot"; WeCom page 99110): a key instead of a token."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from wxsync.errors import ConfigError, UnsendableError, WeComError
from wxsync.wecom.answers import Answer, Remedy, Setback, from_exception, read_answer
from wxsync.wecom.auth import Sleep
from wxsync.wecom.client import TIMEOUTS, api_url, http_client, quieten
from wxsync.wecom.media import check_upload
from wxsync.wecom.multipart import Upload, to_multipart
from wxsync.wecom.receiving import receive
from wxsync.wecom.retries import Again, Call, Course, Patience
from wxsync.wecom.transport import JSON
from wxsync.wecom.webhook_content import WebhookContent, check_for_webhook
from wxsync.wecom.wire import webhook as wire
from wxsync.wecom.wire.media import MediaType

PACE: Final = 3.2
"""Seconds from one call to the next: WeCom takes 20 messages a minute, in a window that nobody documents.

At 3.0 a message that is held up on its way, and the twentieth after it that is not, are within one minute.
"""
FULL_WINDOW: Final = 61.0
"""Seconds without a message after WeCom said that there were too many (45009)."""
KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
KINDS: Final = (MediaType.FILE, MediaType.VOICE)

log = logging.getLogger(__name__)


class Webhook:
    """Sends into the one chat that a key is for. The key is all it takes: it is shown nowhere.

    One call in 3.2 seconds, counted in this process alone: who has much to say puts it into one message.
    Every method raises `UnsendableError` before a call for what WeCom would not take, `WeComApiError` where
    WeCom refuses (93000 for a wrong key, 93004 for a webhook that is switched off), and
    `WeComTransportError` where no answer comes. WeCom checks for no duplicates here, so nothing is repeated
    that may have arrived.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        key: str,
        *,
        patience: Patience,
        sleep: Sleep,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._key = key
        self._patience = patience
        self._sleep = sleep
        self._clock = clock
        self._turn = asyncio.Lock()
        self._next_at = clock()

    async def send(self, content: WebhookContent) -> None:
        """Say something in the chat, as soon as the pace allows (WeCom page 99110)."""
        check_for_webhook(content)
        body = json.dumps(wire.to_webhook_message(content), ensure_ascii=False, allow_nan=False)
        await self._carry_out(
            Call(
                method="POST",
                path=wire.SEND,
                params=wire.to_key(self._key),
                content=body.encode("utf-8"),
                content_type=JSON,
                is_repeatable=False,
            )
        )

    async def upload_media(self, kind: MediaType, filename: str, content: bytes) -> str:
        """The media_id of a file (20 MB) or a voice (2 MB, 60 s, AMR), for three days (WeCom page 99110).

        It holds for this webhook alone. What is out of these bounds raises `WeComError`, and is not sent. A
        repeat leaves a second copy, and harms nobody.
        """
        if kind not in KINDS:
            raise UnsendableError("kind", "a webhook takes files and voices only")
        check_upload(kind, filename, content)
        content_type, body = to_multipart(Upload(filename=filename, content=content))
        answer = await self._carry_out(
            Call(
                method="POST",
                path=wire.UPLOAD,
                params=wire.to_upload_query(self._key, kind.value),
                content=body,
                content_type=content_type,
                is_repeatable=True,
            )
        )
        return wire.from_upload(answer)

    async def _carry_out(self, call: Call) -> Answer:
        course = Course(call, self._patience)
        while isinstance(outcome := await self._attempt(call), Setback):
            verdict = course.after(outcome, now=self._clock())
            if isinstance(verdict, WeComError):
                # Outside any `except`: an exception of httpx in the chain would bring the key with its URL.
                raise verdict
            if isinstance(verdict, Again):
                await self._wait(call, outcome, verdict)
        return outcome

    async def _attempt(self, call: Call) -> Answer | Setback:
        await self._in_turn()
        request = self._client.build_request(
            call.method,
            call.path,
            params=call.params,
            content=call.content,
            headers={"Content-Type": call.content_type or JSON},
        )
        try:
            response = await receive(self._client, request, within=self._patience.answer_within)
        except httpx.HTTPError as exc:
            return from_exception(call.path, exc, was_sent=True)
        return read_answer(call.path, response)

    async def _in_turn(self) -> None:
        """Wait for this call's moment; they go out in the order in which they came."""
        async with self._turn:
            while (wait := self._next_at - self._clock()) > 0:
                await self._sleep(wait)
            self._next_at = self._clock() + PACE

    async def _wait(self, call: Call, setback: Setback, again: Again) -> None:
        log.info("%s: %s, again later", call.path, type(setback.error).__name__)
        if setback.remedy is Remedy.LIMITED:
            self._next_at = max(self._next_at, self._clock() + FULL_WINDOW)
        elif again.pause:
            await self._sleep(again.pause)


@asynccontextmanager
async def open_webhook(
    key: str,
    *,
    base_url: str,
    proxy: str | None = None,
    ca_file: Path | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    patience: Patience | None = None,
    timeouts: httpx.Timeout = TIMEOUTS,
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Webhook]:
    """The webhook of `key`, for as long as the block lasts; nothing is sent by opening it.

    The other parameters are those of `wecom.client.open_transport`. Raises `ConfigError` for what is no key.
    """
    if not KEY.fullmatch(key):
        raise ConfigError(["key: not a webhook's key. Take what follows key= in its address"])
    quieten()
    base = api_url(base_url)
    http = http_client(base, proxy=proxy, ca_file=ca_file, transport=transport, timeouts=timeouts)
    async with http as client:
        yield Webhook(client, key, patience=patience or Patience(), sleep=sleep, clock=clock)
