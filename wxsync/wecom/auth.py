"""The access token (WeCom page 91039): fetched once, sent in the query, renewed once where WeCom drops it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Final

import httpx

from wxsync.errors import TokenError, WeComApiError, WeComTransportError
from wxsync.wecom.answers import Answer, Remedy, Setback, errcode_of, read_answer, to_error
from wxsync.wecom.errcodes import Action, lookup

GETTOKEN: Final = "gettoken"
MARGIN: Final = 200.0
"""Seconds before its end at which a token is no longer used, or a tenth of its life where that is less."""
FUTILE_FETCHES: Final = 3
"""So many tokens in a row that no call was accepted with mean that another one will not help."""
PASSING: Final = frozenset({Remedy.BUSY, Remedy.CROWDED, Remedy.RECONNECT})


class NoTokenError(Exception):
    """Tells the transport, and nobody else, that the call was not sent for want of a token."""

    def __init__(self, setback: Setback) -> None:
        super().__init__("no access token")
        self.setback = setback


class TokenStore:
    """One secret's token. A refusal is remembered: asking on bans the address for an hour (45009)."""

    def __init__(
        self,
        *,
        base: httpx.URL,
        corp_id: str,
        secret: str,
        secret_name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = asyncio.Lock()
        self._url = base.copy_with(path=base.path.rstrip("/") + "/" + GETTOKEN)
        self._params = {"corpid": corp_id, "corpsecret": secret}
        # Of a corp's secrets only one may be wrong: whoever mends it must know which.
        self._asked_with = f" (asked with {secret_name})" if secret_name else ""
        self._clock = clock
        self._token: str | None = None
        self._ends_at = 0.0
        self._asked_at = 0.0
        self._futile = 0
        self._refusal: tuple[int, str] | None = None

    def current(self) -> str | None:
        """The token, where there is one with some life left."""
        return self._token if self._clock() < self._ends_at else None

    def drop(self, token: str) -> None:
        """Forget `token`; another one that came in between stays."""
        if token == self._token:
            self._token, self._ends_at = None, 0.0

    def accept(self) -> None:
        """A call was let in: the last token fetched is of use."""
        self._futile = 0

    def request(self, like: httpx.Request) -> httpx.Request:
        """The request for a new token, with the time-outs of `like`; raises where asking is of no use."""
        if self._refusal:
            raise NoTokenError(Setback(to_error(GETTOKEN, *self._refusal)))
        if self._futile >= FUTILE_FETCHES:
            hint = "several new tokens were not accepted either: see what else uses this secret"
            raise NoTokenError(Setback(TokenError(GETTOKEN, 40014, "no token is accepted", hint=hint)))
        self._asked_at = self._clock()
        return httpx.Request("GET", self._url, params=self._params, extensions=dict(like.extensions))

    def keep(self, response: httpx.Response) -> str:
        """The token that WeCom gave; raises where it gave none, and remembers why."""
        answer = read_answer(GETTOKEN, response)
        if isinstance(answer, Setback):
            raise NoTokenError(self._refused(answer))
        token, life = _read_token(answer)
        self._token = token
        self._ends_at = self._asked_at + life - min(MARGIN, life / 10)
        self._futile += 1
        return token

    def _refused(self, setback: Setback) -> Setback:
        error = setback.error
        if isinstance(error, WeComTransportError):
            error = WeComTransportError(error.message, is_ambiguous=False, hint=error.hint)
        elif isinstance(error, WeComApiError) and setback.remedy not in PASSING:
            self._refusal = (error.errcode, error.errmsg + self._asked_with)
            error = to_error(GETTOKEN, *self._refusal)
        return Setback(error, setback.remedy if setback.remedy in PASSING else Remedy.NONE)


class TokenAuth(httpx.Auth):
    """Puts the token into one call; `has_sent` tells whether the call itself went out."""

    def __init__(self, tokens: TokenStore) -> None:
        self._tokens = tokens
        self.has_sent = False

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The call with its token, and once more with a new one where WeCom drops the token meanwhile."""
        for _ in range(2):
            async with self._tokens.lock:
                token = self._tokens.current()
                if token is None:
                    reply = yield self._tokens.request(request)
                    await reply.aread()
                    token = self._tokens.keep(reply)
            request.url = request.url.copy_set_param("access_token", token)
            self.has_sent = True
            response = yield request
            await response.aread()
            errcode = errcode_of(response)
            if errcode is None or lookup(errcode).action is not Action.REFRESH:
                self._tokens.accept()
                return
            self._tokens.drop(token)


def _read_token(answer: Answer) -> tuple[str, float]:
    """(token, seconds of life); what is not usable as such is a setback."""
    token, life = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(life, int | float) or life < 0:
        hint = "see whether base_url of the corp is WeCom's"
        error = WeComTransportError(f"{GETTOKEN}: the answer holds no token", is_ambiguous=False, hint=hint)
        raise NoTokenError(Setback(error))
    return token, float(life)
