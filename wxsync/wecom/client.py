"""Opens and closes the connection to one corp with one secret."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from wxsync.errors import ConfigError
from wxsync.wecom.auth import TokenStore
from wxsync.wecom.contacts import Contacts
from wxsync.wecom.quota import Quota
from wxsync.wecom.retries import Patience
from wxsync.wecom.transport import AT_ONCE, Sleep, Transport

TIMEOUTS: Final = httpx.Timeout(connect=10.0, read=60.0, write=30.0, pool=60.0)
FROM_ENVIRONMENT: Final = "env"


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
    sleep: Sleep = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Contacts]:
    """The directory of the corp `corp_id`, for as long as the block lasts; nothing is sent by opening it.

    `secret_name` is what errors call the secret where WeCom gives no token for it; `base_url` is without
    /cgi-bin; `proxy` is a URL, "env" for the environment's, or None for none at all; `transport` takes the
    place of the network.
    """
    quieten()
    base = api_url(base_url)
    http = http_client(base, proxy=proxy, ca_file=ca_file, transport=transport, timeouts=timeouts)
    async with http as client:
        tokens = TokenStore(base=base, corp_id=corp_id, secret=secret, secret_name=secret_name, clock=clock)
        quota = Quota(clock=clock)
        yield Contacts(Transport(client, tokens, quota=quota, patience=patience or Patience(), sleep=sleep))


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
    if proxy is not None and proxy != FROM_ENVIRONMENT:
        check_proxy(proxy)
    return httpx.AsyncClient(
        base_url=base,
        verify=trust(ca_file),
        proxy=None if transport is not None or proxy == FROM_ENVIRONMENT else proxy,
        trust_env=proxy == FROM_ENVIRONMENT,
        transport=transport,
        timeout=timeouts,
        limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
        headers={"User-Agent": "wxsync"},
        follow_redirects=False,
    )


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The usual authorities, and those in `ca_file` beside them."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise ConfigError([f"ca_file: cannot be used ({exc}). Name a file of PEM certificates"]) from exc
    return context


def check_proxy(proxy: str) -> None:
    """Refuse what is no proxy URL, without repeating it: it may hold a password."""
    try:
        is_usable = httpx.URL(proxy).scheme in ("http", "https") and bool(httpx.URL(proxy).host)
    except httpx.InvalidURL:
        is_usable = False
    if not is_usable:
        raise ConfigError(['proxy: not an http or https URL. Write http://host:port, or "env"'])


def quieten() -> None:
    """Keep httpx and httpcore from logging: they print whole URLs, with the secret and the token in them."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.WARNING, logger.level))
