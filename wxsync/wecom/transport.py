"""The one door to WeCom's API: every call goes through `send`, which limits, repeats and judges."""

from __future__ import annotations

import asyncio
import json as json_format
import logging
from collections.abc import Awaitable, Collection, Mapping
from typing import Any, Final

import httpx

from wxsync.errors import RateLimitError, WeComError
from wxsync.model.quota import Window
from wxsync.model.token import TokenState
from wxsync.wecom.answers import Answer, Remedy, Setback, from_exception, read_answer
from wxsync.wecom.auth import Sleep, TokenStore
from wxsync.wecom.crossing import Clock
from wxsync.wecom.download import Download
from wxsync.wecom.errcodes import CONCURRENCY
from wxsync.wecom.gate import Gate
from wxsync.wecom.limits import Misses, Post, miss_window, post_windows, receiver_windows
from wxsync.wecom.multipart import Upload, to_multipart
from wxsync.wecom.quota import Quota, until_when
from wxsync.wecom.receiving import receive
from wxsync.wecom.retries import Again, Call, Course, Patience, too_late
from wxsync.wecom.slots import Slots

JSON: Final = "application/json; charset=utf-8"
PROGRESS: Final = 1024 * 1024
"""Bytes of a download after which its patience starts anew: a line that breaks may still carry a lot."""

log = logging.getLogger(__name__)


class Transport:
    """Sends calls with one secret's token, so many at a time as there are slots."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        tokens: TokenStore,
        *,
        quota: Quota,
        patience: Patience,
        slots: Slots | None = None,
        gate: Gate | None = None,
        app: str = "",
        members: int = 0,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._quota = quota
        self._patience = patience
        self._slots = slots or Slots()
        self._gate = gate or Gate()
        self._app = app
        self._members = members
        self._clock = clock
        self._sleep = sleep

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        file: Upload | None = None,
        is_repeatable: bool,
        repeatable_for: float | None = None,
        echoes: Collection[int] = (),
        lags: Collection[int] = (),
        receivers: Collection[str] = (),
        post: Post | None = None,
        misses: Misses | None = None,
    ) -> Awaitable[Answer]:
        """WeCom's answer to a call that it carried out.

        Raises `WeComApiError` where WeCom refused, after the repeats that its errcode deserves, and
        `WeComTransportError` where no answer came: with `is_ambiguous` the call may have had its effect.
        An ambiguous failure of a call that is not repeatable is raised at once, without a second attempt;
        where it is for `repeatable_for` seconds only, it is raised instead of a repeat after that.
        Where a repeat of a repeatable call meets one of `echoes`, the call counts as carried out and the
        answer is empty. An errcode of `lags` is given one more try. The body is `json` or `file`.

        Nothing goes out over WeCom's limits: the call waits for its window, or raises `RateLimitError` with
        45009 where that would take longer than the patience allows. `receivers` are those who get a
        message by it, `post` the chat: WeCom drops, without a word, what is too much for one of them (WeCom
        pages 90312, 90248).
        `misses` are the answers of a look-up that WeCom counts against the corp.
        Nothing goes out without the gate's leave either: what it raises is raised, and no call was made.
        """
        content_type, content = _body(json, file)
        call = Call(
            method=method,
            path=path,
            params=dict(params or {}),
            content=content,
            content_type=content_type,
            is_repeatable=is_repeatable,
            repeatable_for=repeatable_for,
            echoes=frozenset(echoes),
            lags=frozenset(lags),
            windows=self._windows(receivers, post),
            missed=self._miss_window(path, misses),
            miss_errcodes=misses.errcodes if misses else frozenset(),
        )
        # Not awaited here: this frame, with the body as it was given, is in no traceback of a failed call.
        return self._carry_out(call)

    async def _carry_out(self, call: Call) -> Answer:
        course = Course(call, self._patience)
        while isinstance(outcome := await self._in_turn(call, course), Setback):
            verdict = course.after(outcome, now=self._clock())
            if isinstance(verdict, WeComError):
                # Outside any `except`: an exception of httpx in the chain would bring the token with its URL.
                raise self._dated(call, verdict)
            if not isinstance(verdict, Again):
                return {}
            await self._wait(call, outcome, verdict)
        return outcome

    def download(self, url: str, *, size: int) -> Awaitable[bytes]:
        """The `size` bytes at an absolute URL, sent for without the token; goes on after a broken connection.

        Raises `WeComError` where the URL is neither https nor base_url's, where the size is out of bounds or
        not what comes, and `WeComTransportError` where the file cannot be had.
        """
        return self._read_on(Download(self._client, url, size=size))

    async def _read_on(self, download: Download) -> bytes:
        repeats, settled = 0, 0
        while (setback := await self._next_part(download)) is not None:
            if len(download.received) >= settled + PROGRESS:
                repeats, settled = 0, len(download.received)
            if repeats >= self._patience.repeats(setback.remedy):
                raise setback.error
            pause = self._patience.pause(setback.remedy, repeats)
            repeats += 1
            log.info("a download broke off at %d bytes, again in %.1f s", len(download.received), pause)
            await self._sleep(pause)
        return bytes(download.received)

    async def _next_part(self, download: Download) -> Setback | None:
        async with self._slots:
            return await download.go_on()

    async def _in_turn(self, call: Call, course: Course) -> Answer | Setback:
        """One attempt, as soon as token, quota and a slot allow; nobody sleeps in a slot."""
        if call.windows or call.missed:
            return await self._counted_apart(call, course)
        while True:
            if isinstance(found := await self._tokens.get(), Setback):
                return found
            async with self._slots as number:
                held = self._tokens.current()
                if held is not None and self._quota.claim(call.path):
                    return await self._attempt(call, course, held, number)
            if held is not None:
                setback = await self._quota.reserve(call.path, course.latest)
                if setback is not None:
                    return setback

    async def _counted_apart(self, call: Call, course: Course) -> Answer | Setback:
        """The same for a call that counts under windows of its own, each time anew."""
        windows = (*call.windows, call.missed) if call.missed else call.windows
        if isinstance(spent_at := await self._quota.spend(call.path, windows, course.latest), Setback):
            return spent_at
        while True:
            if isinstance(found := await self._tokens.get(), Setback):
                return found
            async with self._slots as number:
                if (held := self._tokens.current()) is not None:
                    outcome = await self._attempt(call, course, held, number)
                    break
        errcode = outcome.errcode if isinstance(outcome, Setback) else 0
        if call.missed and errcode is not None and errcode not in call.miss_errcodes:
            await self._quota.not_counted(call.path, call.missed, spent_at)
        return outcome

    def _windows(self, receivers: Collection[str], post: Post | None) -> tuple[Window, ...]:
        corp_id, app = self._quota.corp_id, self._app
        of_chat = () if post is None else post_windows(corp_id, app, post)
        return (*receiver_windows(corp_id, app, receivers), *of_chat)

    def _miss_window(self, path: str, misses: Misses | None) -> Window | None:
        if misses is None:
            return None
        return miss_window(self._quota.corp_id, path, max(misses.members, self._members))

    async def _attempt(self, call: Call, course: Course, held: TokenState, number: int) -> Answer | Setback:
        within = self._patience.answer_within
        leave = await self._gate.leave(within)
        request = self._client.build_request(
            call.method,
            call.path,
            params={**call.params, "access_token": held.text},
            content=call.content,
            headers={"Content-Type": call.content_type} if call.content_type else None,
        )
        sent_at = self._clock()
        if course.is_late(sent_at):
            return too_late(call.path)
        course.begin(sent_at)
        try:
            response = await receive(self._client, request, within=within, leave=leave)
        except httpx.HTTPError as exc:
            return from_exception(call.path, exc, was_sent=True)
        outcome = read_answer(call.path, response)
        await self._learn(call, held, number, sent_at, outcome)
        return outcome

    async def _learn(
        self, call: Call, held: TokenState, number: int, sent_at: float, outcome: Answer | Setback
    ) -> None:
        """What an answer says of the token, the quota, and of how much may be under way."""
        remedy = outcome.remedy if isinstance(outcome, Setback) else Remedy.NONE
        if remedy is Remedy.TOKEN:
            self._tokens.refuse(held)
            return
        if not isinstance(outcome, Setback) or outcome.errcode is not None:
            await self._tokens.let_in(held)
        if remedy is Remedy.LIMITED:
            await self._quota.hold(call.path, sent_at)
        elif not isinstance(outcome, Setback):
            self._quota.succeeded(call.path)
        if remedy is Remedy.LIMITED or (isinstance(outcome, Setback) and outcome.errcode == CONCURRENCY):
            self._slots.halve(number)
        else:
            self._slots.calm()

    def _dated(self, call: Call, error: WeComError) -> WeComError:
        """WeCom's refusal for a window that is not waited for says until when."""
        until = self._quota.held_until(call.path)
        if not isinstance(error, RateLimitError) or until <= self._clock():
            return error
        return RateLimitError(
            error.endpoint,
            error.errcode,
            error.errmsg,
            hint=until_when(until),
            is_ambiguous=error.is_ambiguous,
        )

    async def _wait(self, call: Call, setback: Setback, again: Again) -> None:
        reason = type(setback.error).__name__ if setback.errcode is None else f"errcode {setback.errcode}"
        log.info("%s: %s, again in %.1f s", call.path, reason, again.pause)
        if again.pause:
            await self._sleep(again.pause)


def _body(json: Mapping[str, Any] | None, file: Upload | None) -> tuple[str | None, bytes | None]:
    r"""(Content-Type, body); JSON is raw UTF-8, since WeCom refuses `\uXXXX` (40033)."""
    if file is not None:
        return to_multipart(file)
    if json is None:
        return None, None
    text = json_format.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return JSON, text.encode("utf-8")
