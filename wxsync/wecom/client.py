"""Opens and closes the connection to one corp with one secret."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

import httpx

from wxsync.errors import ConfigError
from wxsync.wecom.auth import Sleep, TokenStore
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.crossing import Clock
from wxsync.wecom.gate import Gate
from wxsync.wecom.jobs import Jobs
from wxsync.wecom.ledger import Ledger
from wxsync.wecom.outlet import Environment, Outlet, environment_proxies
from wxsync.wecom.quota import Quota
from wxsync.wecom.retries import Patience
from wxsync.wecom.slots import MOST, Slots
from wxsync.wecom.tokens import SharedTokens
from wxsync.wecom.transport import Transport

TIMEOUTS: Final = httpx.Timeout(connect=10.0, read=60.0, write=30.0, pool=60.0)
FROM_ENVIRONMENT: Final = "env"
LOUD: Final = (
    "httpx",
    "httpcore",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy")),
)
"""Loggers that print what goes over the line. A filter is not inherited, so each part is named."""
BESIDE: Final = 2
"""Connections beyond those of the calls under way: for a token."""


@asynccontextmanager
async def open_transport(
    *,
    corp_id: str,
    secret: str,
    secret_name: str | None = None,
    base_url: str,
    proxy: str | None = None,
    ca_file: Path | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    patience: Patience | None = None,
    timeouts: httpx.Timeout = TIMEOUTS,
    tokens: SharedTokens | None = None,
    ledger: Ledger | None = None,
    slots: Slots | None = None,
    gate: Gate | None = None,
    app: str = "",
    members: int = 0,
    sleep: Sleep = asyncio.sleep,
    clock: Clock = time.time,
) -> AsyncIterator[Transport]:
    """The line to the corp `corp_id` with one secret, while the block lasts; nothing is sent by opening it.

    `secret_name` is what errors call the secret where WeCom gives no token for it; `base_url` is without
    /cgi-bin; `proxy` is a URL, "env" for the environment's, or None for none at all; `transport` takes the
    place of the network. `tokens` and `ledger` are shared with other processes; without them the token and
    the counts are this line's own. Lines of one corp share `slots`, the calls under way, and `gate`, which
    may hold them up. Messages to a member are counted under `app`; of `members` that the corp is known to
    have 5 % a day may be looked up in vain. Raises `ConfigError`.
    """
    quieten()
    base = api_url(base_url)
    http = http_client(base, proxy=proxy, ca_file=ca_file, transport=transport, timeouts=timeouts)
    async with http as client:
        patience = patience or Patience()
        store = TokenStore(
            client,
            corp_id=corp_id,
            secret=secret,
            secret_name=secret_name,
            shared=tokens,
            clock=clock,
            sleep=sleep,
            answer_within=patience.answer_within,
        )
        counted = Quota(
            corp_id=corp_id, ledger=ledger, longest_wait=patience.longest_wait, clock=clock, sleep=sleep
        )
        async with counted as quota, aclosing(store):
            yield Transport(
                client,
                store,
                quota=quota,
                patience=patience,
                slots=slots,
                gate=gate,
                app=app,
                members=members,
                clock=clock,
                sleep=sleep,
            )


@asynccontextmanager
async def open_client(
    *,
    corp_id: str,
    secret: str,
    secret_name: str | None = None,
    base_url: str,
    proxy: str | None = None,
    ca_file: Path | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    patience: Patience | None = None,
    timeouts: httpx.Timeout = TIMEOUTS,
    tokens: SharedTokens | None = None,
    ledger: Ledger | None = None,
    slots: Slots | None = None,
    app: str = "",
    members: int = 0,
    sleep: Sleep = asyncio.sleep,
    clock: Clock = time.time,
) -> AsyncIterator[Contacts]:
    """The directory of the corp `corp_id`, for as long as the block lasts: see `open_transport`."""
    async with open_transport(
        corp_id=corp_id,
        secret=secret,
        secret_name=secret_name,
        base_url=base_url,
        proxy=proxy,
        ca_file=ca_file,
        transport=transport,
        patience=patience,
        timeouts=timeouts,
        tokens=tokens,
        ledger=ledger,
        slots=slots,
        app=app,
        members=members,
        sleep=sleep,
        clock=clock,
    ) as line:
        yield contacts_of(line)


def contacts_of(line: Transport) -> Contacts:
    """The directory that `line` reaches."""
    return Contacts(line)


def jobs_of(line: Transport) -> Jobs:
    """The imports of the corp that `line` reaches."""
    return Jobs(line)


def api_url(base_url: str) -> httpx.URL:
    """`base_url` with /cgi-bin; one that is no URL of http or https is a config error."""
    try:
        url = httpx.URL(base_url.rstrip("/") + "/cgi-bin")
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(["base_url: not an http or https URL. Write https://qyapi.weixin.qq.com"])
    return url


def http_client(
    base: httpx.URL,
    *,
    proxy: str | None,
    ca_file: Path | None,
    transport: httpx.AsyncBaseTransport | None,
    timeouts: httpx.Timeout,
) -> httpx.AsyncClient:
    """A client that follows no redirect, which would carry the token along."""
    way = outlet(proxy=proxy, trusted=trust(ca_file))
    return httpx.AsyncClient(
        base_url=base,
        trust_env=False,
        transport=transport or way,
        timeout=timeouts,
        headers={"User-Agent": "wxsync"},
        follow_redirects=False,
    )


def outlet(*, proxy: str | None, trusted: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """The network, by the way that `proxy` says; nothing is connected yet. Raises ConfigError."""
    limits = httpx.Limits(max_connections=MOST + BESIDE, max_keepalive_connections=MOST + BESIDE)
    if proxy != FROM_ENVIRONMENT:
        if proxy is not None:
            check_proxy(proxy)
        return Outlet(trust=trusted, limits=limits, proxy=proxy)
    for each in environment_proxies().values():
        check_proxy(each)
    return Environment(trust=trusted, limits=limits)


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The usual authorities, and those in `ca_file` beside them."""
    if ca_file is None:
        return _usual_trust()
    context = httpx.create_ssl_context(trust_env=False)
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError([f"ca_file: cannot be used ({exc}). Name a file of PEM certificates"]) from exc
    return context


@cache
def _usual_trust() -> ssl.SSLContext:
    """Read once: there are more than a hundred authorities, and each run opens lines of its own."""
    return httpx.create_ssl_context(trust_env=False)


def check_proxy(proxy: str) -> None:
    """Refuse what is no proxy URL, without repeating it: it may hold a password.

    A password with a slash would end the host before it: the proxy would be another one than was meant.
    """
    try:
        url = httpx.URL(proxy)
    except httpx.InvalidURL:
        is_usable = False
    else:
        is_usable = url.scheme in ("http", "https") and bool(url.host)
    if not is_usable:
        raise ConfigError(['proxy: not an http or https URL. Write http://host:port, or "env"'])
    if proxy.count("@") > 1 or "?" in proxy or "#" in proxy or url.path not in ("", "/"):
        problem = (
            "proxy: has a path, query, fragment or a second @. "
            "In a user or password write @ as %40, / as %2F, ? as %3F and # as %23"
        )
        raise ConfigError([problem])


def quieten() -> None:
    """Keep httpx and httpcore from logging: they print whole URLs, with the secret and the token in them.

    It holds whatever level somebody sets for them later, and for those that stand above them.
    """
    for name in LOUD:
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.WARNING, logger.level))
        logger.addFilter(_is_grave)


def _is_grave(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
