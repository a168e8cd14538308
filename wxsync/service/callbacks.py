"""`/callback/{corp}` and `/callback/{corp}/app`: where WeCom tells what happened (WeCom pages 90930, 96238).

Whoever is not WeCom gets 403 and learns nothing: not whether the corp exists, nor what was wrong. An event is
answered when it is kept, and worked on afterwards (`inbox_desk`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from wxsync.config.settings import CallbackSettings, CorpSettings, Settings
from wxsync.errors import CallbackRejectedError, WxsyncError
from wxsync.mirror.inbox import KEPT, Letter, Receiver
from wxsync.service.callback_ips import CallbackIps
from wxsync.service.clients import client_address
from wxsync.service.letterbox import Letterbox
from wxsync.wecom.crypto import XML_LIMIT, CallbackCrypto, read_envelope

PREFIX: Final = "/callback"
OLDEST: Final = KEPT - timedelta(days=1)
"""A signed moment that is farther from now is a recorded one: its digest may be struck by now."""
LONGEST_ASKED: Final = timedelta(hours=1)
"""What a GET brings is given back in plain text: nobody is to have a recorded event read out like that."""
IN_TIME: Final = 4.0
"""Seconds in which a body must be there; WeCom's own patience is five."""
APP: Final = "app"

Answered = Callable[[str, Receiver, int], None]
"""Told of every answer to somebody who named a receiver that there is: corp, receiver, HTTP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """A receiver that the config has."""

    corp: str
    receiver: Receiver
    settings: CallbackSettings
    cryptos: tuple[CallbackCrypto, ...]
    """The present pair of keys, then the former ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """The query of a request: what the signature covers, beside the content."""

    signature: str
    timestamp: str
    nonce: str

    @classmethod
    def of(cls, request: Request) -> _Signed:
        """Raises CallbackRejectedError where one is not there, or there twice."""
        signature, timestamp, nonce = (
            _only(request, name) for name in ("msg_signature", "timestamp", "nonce")
        )
        return cls(signature=signature, timestamp=timestamp, nonce=nonce)

    def is_of(self, now: datetime, within: timedelta) -> bool:
        """It was signed lately; to be asked of what is signed."""
        text = self.timestamp
        is_number = text.isascii() and text.isdigit() and len(text) <= 12
        return is_number and abs(int(text) - now.timestamp()) <= within.total_seconds()

    def opened(self, address: _Address, encrypt: str) -> bytes:
        """Raises CallbackRejectedError unless one of the pairs signed and encrypted it for this corp."""
        rejected = CallbackRejectedError("a callback was rejected: the receiver has no keys")
        for crypto in address.cryptos:
            try:
                return crypto.decrypt(self.signature, self.timestamp, self.nonce, encrypt)
            except CallbackRejectedError as error:
                rejected = error
        raise rejected


def callback_routes(
    current: Callable[[], Settings],
    letterbox: Letterbox,
    *,
    ips: CallbackIps | None = None,
    answered: Answered = lambda corp, receiver, status: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[BaseRoute]:
    """The routes of all corps; to be served by one loop, whose letterbox it is."""
    receivers = Callbacks(current, letterbox, ips or CallbackIps(), answered, clock)
    # The prefix too, or the router would answer it, with a redirection to itself and a slash.
    return [Route(PREFIX, endpoint=receivers), Mount(PREFIX, app=receivers)]


class Callbacks:
    """The ASGI app behind the routes."""

    def __init__(
        self,
        current: Callable[[], Settings],
        letterbox: Letterbox,
        ips: CallbackIps,
        answered: Answered,
        clock: Callable[[], datetime],
    ) -> None:
        self._current = current
        self._letterbox = letterbox
        self._ips = ips
        self._answered = answered
        self._clock = clock
        self._addresses: tuple[Settings | None, dict[str, _Address]] = (None, {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        address = self._address(_path(scope))
        status, content = (403, b"") if address is None else await self._answer(request, address)
        if address is not None:
            self._answered(address.corp, address.receiver, status)
        # Whatever is left of a body is not read: the connection ends with the answer.
        headers = {"Connection": "close"} if status == 403 else {}
        await Response(content, status, headers, "text/plain")(scope, receive, send)

    async def _answer(self, request: Request, address: _Address) -> tuple[int, bytes]:
        try:
            signed = _Signed.of(request)
            message = signed.opened(address, await _encrypted(request))
        except (CallbackRejectedError, ClientDisconnect, TimeoutError):
            return 403, b""
        within = LONGEST_ASKED if request.method == "GET" else OLDEST
        if not signed.is_of(self._clock(), within) or not self._is_from_wecom(request, address):
            return 403, b""
        if request.method == "GET":
            return 200, message
        try:
            await self._letterbox.put(Letter(corp=address.corp, receiver=address.receiver, message=message))
        except WxsyncError as error:
            log().error("an event could not be kept", corp=address.corp, problem=error.message)
            return 503, b""
        return 200, b""

    def _is_from_wecom(self, request: Request, address: _Address) -> bool:
        """The signature is the proof; the list is for the log, unless `enforce_ips` says otherwise."""
        if not self._ips.knows(address.corp):
            return True
        client = client_address(request, self._current().service.trusted_proxies)
        if self._ips.has(address.corp, client):
            return True
        if self._ips.is_news(address.corp, client):
            log().warning(
                "a signed event came from an address that WeCom does not list as its own",
                corp=address.corp,
                address=str(client),
                refused=address.settings.enforce_ips,
            )
        return not address.settings.enforce_ips

    def _address(self, path: str) -> _Address | None:
        settings = self._current()
        if self._addresses[0] is not settings:
            self._addresses = (settings, dict(_addresses(settings)))
        return self._addresses[1].get(path)


def _path(scope: Scope) -> str:
    """The path as the application sees it, which may itself be mounted somewhere."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("app_root_path", scope.get("root_path", "")))


def _addresses(settings: Settings) -> Iterator[tuple[str, _Address]]:
    for name, corp in settings.corp.items():
        if corp.callback is not None:
            yield f"{PREFIX}/{name}", _to_address(name, corp, Receiver.CONTACT, corp.callback)
        if corp.app is not None and corp.app.callback is not None:
            yield f"{PREFIX}/{name}/{APP}", _to_address(name, corp, Receiver.APP, corp.app.callback)


def _to_address(name: str, corp: CorpSettings, receiver: Receiver, settings: CallbackSettings) -> _Address:
    pairs = (settings, *settings.former)
    cryptos = (
        CallbackCrypto(pair.token.get_secret_value(), pair.encoding_aes_key.get_secret_value(), corp.corp_id)
        for pair in pairs
    )
    return _Address(corp=name, receiver=receiver, settings=settings, cryptos=tuple(cryptos))


def _only(request: Request, name: str) -> str:
    """The parameter, which must be there, and once."""
    found = request.query_params.getlist(name)
    if len(found) != 1:
        raise CallbackRejectedError(f"a callback was rejected: {name} is not there once")
    return found[0]


async def _encrypted(request: Request) -> str:
    """What is signed: of a GET `echostr`, in which a plus that was not encoded has become a space."""
    match request.method:
        case "GET":
            return _only(request, "echostr").replace(" ", "+")
        case "POST":
            return read_envelope(await _body(request))
        case _:
            raise CallbackRejectedError("a callback was rejected: it is neither GET nor POST")


async def _body(request: Request) -> bytes:
    """The whole body, read no further than an envelope can be long; raises as soon as it is no envelope."""
    body = bytearray()
    async with asyncio.timeout(IN_TIME):
        async for piece in request.stream():
            body += piece
            if len(body) > XML_LIMIT:
                raise CallbackRejectedError("a callback was rejected: the body is too long")
    return bytes(body)


def log() -> structlog.stdlib.BoundLogger:
    """The logger, asked for when it is wanted: how it writes is set up later than this is read."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
