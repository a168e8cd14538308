"""The one door to WeCom's API: every call goes through `send`, which limits, repeats and judges."""

from __future__ import annotations

import asyncio
import json as json_format
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

import httpx

from wxsync.errors import WeComError
from wxsync.wecom.answers import Answer, Setback, from_exception, read_answer
from wxsync.wecom.auth import NoTokenError, TokenAuth, TokenStore
from wxsync.wecom.quota import Quota
from wxsync.wecom.retries import Again, Call, Course, Patience

AT_ONCE: Final = 10
"""Calls in flight; WeCom's own number is undocumented, 20 where a page names one (WeCom page 99500)."""
JSON: Final = {"Content-Type": "application/json; charset=utf-8"}

Sleep = Callable[[float], Awaitable[None]]

log = logging.getLogger(__name__)


class Transport:
    """Sends calls with one secret's token, `at_once` at a time."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        tokens: TokenStore,
        *,
        quota: Quota,
        patience: Patience,
        at_once: int = AT_ONCE,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._quota = quota
        self._patience = patience
        self._slots = asyncio.Semaphore(at_once)
        self._sleep = sleep

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        is_repeatable: bool,
        echoes: Collection[int] = (),
        lags: Collection[int] = (),
    ) -> Answer:
        """WeCom's answer to a call that it carried out.

        Raises `WeComApiError` where WeCom refused, after the repeats that its errcode deserves, and
        `WeComTransportError` where no answer came: with `is_ambiguous` the call may have had its effect.
        An ambiguous failure of a call that is not repeatable is raised at once, without a second attempt.
        Where a repeat of a repeatable call meets one of `echoes`, the call counts as carried out and the
        answer is empty. An errcode of `lags` is given one more try.
        """
        call = Call(
            method=method,
            path=path,
            params=dict(params or {}),
            content=None if json is None else _body(json),
            is_repeatable=is_repeatable,
            echoes=frozenset(echoes),
            lags=frozenset(lags),
        )
        course = Course(call, self._patience)
        while isinstance(outcome := await self._in_turn(call), Setback):
            verdict = course.after(outcome)
            if isinstance(verdict, WeComError):
                # Outside any `except`: an exception of httpx in the chain would bring the token with its URL.
                raise verdict
            if not isinstance(verdict, Again):
                return {}
            await self._wait(call, outcome, verdict)
        return outcome

    async def _in_turn(self, call: Call) -> Answer | Setback:
        """One attempt, as soon as a slot and the quota allow; nobody sleeps in a slot."""
        while True:
            async with self._slots:
                wait = self._quota.claim(call.path)
                if not wait:
                    return await self._attempt(call)
            await self._sleep(wait)

    async def _attempt(self, call: Call) -> Answer | Setback:
        auth = TokenAuth(self._tokens)
        request = self._client.build_request(
            call.method,
            call.path,
            params=call.params,
            content=call.content,
            headers=JSON if call.content is not None else None,
        )
        try:
            response = await self._client.send(request, auth=auth)
        except NoTokenError as no_token:
            return no_token.setback
        except httpx.HTTPError as exc:
            return from_exception(call.path, exc, was_sent=auth.has_sent)
        return read_answer(call.path, response)

    async def _wait(self, call: Call, setback: Setback, again: Again) -> None:
        reason = type(setback.error).__name__ if setback.errcode is None else f"errcode {setback.errcode}"
        if again.is_limit:
            log.warning("%s: %s, no such call for %.0f s", call.path, reason, again.pause)
            self._quota.hold(call.path, again.pause)
        else:
            log.info("%s: %s, again in %.1f s", call.path, reason, again.pause)
            await self._sleep(again.pause)


def _body(json: Mapping[str, Any]) -> bytes:
    r"""Raw UTF-8: WeCom refuses `\uXXXX` (40033)."""
    return json_format.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
