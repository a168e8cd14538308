"""The access token (WeCom page 91039): fetched once for all who wait, in other processes too.

A secret that WeCom refuses is asked for once and remembered: who insists is banned, with the whole address,
for an hour (45009).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import httpx

from wxsync.errors import TokenError, WeComApiError, WeComTransportError
from wxsync.model.token import TokenRefusal, TokenState
from wxsync.wecom import tokens
from wxsync.wecom.answers import Answer, Remedy, Setback, from_exception, read_answer, to_error
from wxsync.wecom.crossing import Clock, Crossing
from wxsync.wecom.errcodes import FREQUENCY
from wxsync.wecom.receiving import receive
from wxsync.wecom.tokens import BAN, MemoryTokens, SharedTokens

GETTOKEN: Final = "gettoken"
READ_TIMEOUT: Final = 20.0
"""Seconds: less than for other calls, and within `tokens.RENEWAL`, as everybody waits for this one."""
LONGEST_TOKEN: Final = 4096
"""Characters: WeCom's have 512 at most (page 91039), and a URL takes no text without end."""
LONGEST_LIFE: Final = 10 * 365 * 86400
"""Seconds: no token lives longer, whatever answers in WeCom's place."""
WRONG_SECRET: Final = frozenset({40001, 40013, 40091})
"""Remembered until corp_id or secret are others, or somebody says so."""
ANSWER_WITHIN: Final = 30.0
"""Seconds from the sending to the end of the answer, within `tokens.RENEWAL` too."""
OTHER_REFUSAL: Final = 60.0
"""Seconds after which WeCom is asked again where an administrator may have mended it meanwhile."""
LONGEST_WAIT: Final = 8.0
"""Seconds that a call waits for the next token where WeCom refuses one after the other."""
POLL: Final = 0.25
"""Seconds between two looks whether another process has its token by now."""
BESIDE: Final = 1.0
"""Seconds for which an old token is used without another look, while somebody fetches the next."""
PASSING: Final = frozenset({Remedy.BUSY, Remedy.CROWDED, Remedy.RECONNECT})

Sleep = Callable[[float], Awaitable[None]]


class TokenStore:
    """One secret's token, as this process knows it."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        corp_id: str,
        secret: str,
        secret_name: str | None = None,
        shared: SharedTokens | None = None,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self._client = client
        self._answer_within = min(answer_within, ANSWER_WITHIN)
        self._params = {"corpid": corp_id, "corpsecret": secret}
        # Of a corp's secrets only one may be wrong: whoever mends it must know which.
        self._asked_with = f" (asked with {secret_name})" if secret_name else ""
        self._memory = MemoryTokens()
        self._shared: Crossing[SharedTokens] = Crossing(shared, self._memory, clock=clock)
        self._clock = clock
        self._sleep = sleep
        self._owner = f"{socket.gethostname()[:100]} {os.getpid()} {secrets.token_hex(4)}"
        self._state = TokenState()
        self._beside_until = 0.0
        self._refused_fetch = 0
        self._obtaining: asyncio.Task[TokenState | Setback] | None = None

    def current(self) -> TokenState | None:
        """The token to send calls with, where there is one at hand."""
        now, state = self._clock(), self._state
        is_at_hand = tokens.is_usable(state, now) or (
            now < self._beside_until and tokens.is_alive(state, now)
        )
        return state if is_at_hand else None

    async def get(self) -> TokenState | Setback:
        """The token, fetched where that must be; a setback says why there is none."""
        at_hand = self.current()
        if at_hand is not None:
            return at_hand
        if self._obtaining is None or self._obtaining.done():
            self._obtaining = asyncio.create_task(self._obtain())
        # Whoever gives up waiting must not take the token from the others.
        obtained = await asyncio.shield(self._obtaining)
        return obtained if isinstance(obtained, TokenState) else _for_one(obtained)

    def refuse(self, held: TokenState) -> None:
        """WeCom did not let a call in with `held`; a token that came after it stays."""
        self._refused_fetch = max(self._refused_fetch, held.fetches)
        if self._state.fetches == held.fetches:
            self._state = replace(self._state, is_refused=True)

    async def let_in(self, held: TokenState) -> None:
        """WeCom let a call in with `held`: after refusals that goes on record."""
        if not self._state.refusals or self._state.fetches != held.fetches:
            return
        self._state = tokens.to_let_in(self._state)
        while (state := await self._load()).refusals and state.fetches == held.fetches:
            if await self._save(tokens.to_let_in(state)):
                return

    async def aclose(self) -> None:
        """Stop fetching."""
        if self._obtaining is not None:
            self._obtaining.cancel()
            await asyncio.gather(self._obtaining, return_exceptions=True)

    async def _obtain(self) -> TokenState | Setback:
        while True:
            state, now = await self._load(), self._clock()
            if state.text is not None and state.fetches == self._refused_fetch and not state.is_refused:
                await self._save(tokens.to_refused(state))
            elif tokens.is_usable(state, now):
                return state
            elif (refusal := tokens.refusal_in_force(state, now)) is not None:
                return self._denial(refusal, is_remembered=True)
            elif tokens.is_taken(state, self._owner, now):
                if tokens.is_alive(state, now):
                    self._beside_until = now + BESIDE
                    return state
                await self._sleep(POLL)
            elif (wait := tokens.next_fetch_at(state, now) - now) > LONGEST_WAIT:
                return _none_is_let_in(now + wait)
            elif wait > 0:
                await self._sleep(wait)
            elif await self._save(tokens.to_taken(state, self._owner, now)):
                outcome = await self._fetch()
                if outcome is not None:
                    return outcome

    async def _fetch(self) -> TokenState | Setback | None:
        """What came of asking WeCom; None where another process took over meanwhile."""
        state, asked_at = self._state, self._clock()
        answer = await self._ask()
        if not isinstance(answer, Setback):
            found = _read_token(answer)
            if not isinstance(found, Setback):
                text, life = found
                fetched = tokens.to_fetched(state, text, life, asked_at)
                return self._state if await self._save(fetched) else None
            answer = found
        error = answer.error
        if isinstance(error, WeComApiError) and answer.remedy not in PASSING:
            refusal = TokenRefusal(
                errcode=error.errcode, errmsg=error.errmsg, until=self._until(error.errcode)
            )
            await self._save(tokens.to_denied(state, refusal))
            return self._denial(refusal, is_remembered=False)
        await self._save(tokens.to_postponed(state, self._clock()))
        return self._state if tokens.is_usable(self._state, self._clock()) else _unambiguous(answer)

    async def _ask(self) -> Answer | Setback:
        request = self._client.build_request("GET", GETTOKEN, params=self._params, timeout=self._timeouts())
        try:
            response = await receive(self._client, request, within=self._answer_within)
        except httpx.HTTPError as exc:
            return from_exception(GETTOKEN, exc, was_sent=False)
        return read_answer(GETTOKEN, response)

    def _timeouts(self) -> httpx.Timeout:
        usual = self._client.timeout
        read = READ_TIMEOUT if usual.read is None else min(usual.read, READ_TIMEOUT)
        return httpx.Timeout(connect=usual.connect, read=read, write=read, pool=usual.connect)

    def _until(self, errcode: int) -> float | None:
        if errcode in WRONG_SECRET:
            return None
        return self._clock() + (BAN if errcode == FREQUENCY else OTHER_REFUSAL)

    def _denial(self, refusal: TokenRefusal, *, is_remembered: bool) -> Setback:
        errmsg = refusal.errmsg + self._asked_with
        if is_remembered:
            errmsg += "; so WeCom said before, and was not asked again: `wxsync check --retry` asks"
        return Setback(to_error(GETTOKEN, refusal.errcode, errmsg))

    async def _load(self) -> TokenState:
        self._state = self._memory.state = await self._shared.ask(lambda shared: shared.load())
        return self._state

    async def _save(self, state: TokenState) -> bool:
        state = replace(state, version=state.version + 1)
        is_saved = await self._shared.ask(lambda shared: shared.save(state))
        if is_saved:
            self._state = self._memory.state = state
        return is_saved


def _for_one(setback: Setback) -> Setback:
    """With an error of its own: one that several calls raise would collect the frames of all."""
    error = setback.error
    if isinstance(error, WeComApiError):
        own = type(error)(error.endpoint, error.errcode, error.errmsg, hint=error.hint)
        return replace(setback, error=own)
    return replace(setback, error=WeComTransportError(error.message, is_ambiguous=False, hint=error.hint))


def _unambiguous(setback: Setback) -> Setback:
    """The call itself was not sent, whatever became of the fetching."""
    error = setback.error
    if isinstance(error, WeComTransportError):
        error = WeComTransportError(error.message, is_ambiguous=False, hint=error.hint)
    return Setback(error, setback.remedy if setback.remedy in PASSING else Remedy.NONE)


def _none_is_let_in(next_at: float) -> Setback:
    hint = (
        "several new tokens were not accepted either: see what else uses this secret; the next one is asked"
        f" for at {datetime.fromtimestamp(next_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    )
    return Setback(TokenError(GETTOKEN, 40014, "no token is accepted", hint=hint))


def _read_token(answer: Answer) -> tuple[str, float] | Setback:
    """(token, seconds of life); what is not usable as such is a setback."""
    token, life = answer.get("access_token"), answer.get("expires_in")
    is_life = isinstance(life, int | float) and not isinstance(life, bool) and 0 <= life <= LONGEST_LIFE
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN or not is_life:
        hint = "see whether base_url of the corp is WeCom's"
        return Setback(
            WeComTransportError(f"{GETTOKEN}: the answer holds no token", is_ambiguous=False, hint=hint)
        )
    return token, float(life or 0)
