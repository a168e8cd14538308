"""httpx's way to the network over our own sockets, of which httpx itself has no setting."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.request import getproxies_environment, proxy_bypass

import httpcore
import httpx

from wxsync.wecom.sockets import Sockets

ANY: Final = "all"
SCHEMES: Final = ("http", "https", ANY)


class Outlet(httpx.AsyncBaseTransport):
    """Straight, or through one proxy; raises httpx's errors."""

    def __init__(
        self,
        *,
        trust: ssl.SSLContext,
        limits: httpx.Limits,
        proxy: str | None = None,
        local_address: str | None = None,
    ) -> None:
        settings: dict[str, Any] = {
            "ssl_context": trust,
            "max_connections": limits.max_connections,
            "max_keepalive_connections": limits.max_keepalive_connections,
            "keepalive_expiry": limits.keepalive_expiry,
            "local_address": local_address,
            "network_backend": Sockets(),
        }
        self._pool = httpcore.AsyncConnectionPool(proxy=_proxy(proxy), **settings)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = httpcore.Request(
            method=request.method,
            url=_url(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _told_by_httpx():
            got = await self._pool.handle_async_request(asked)
        return httpx.Response(got.status, headers=got.headers, stream=Body(got), extensions=got.extensions)

    async def aclose(self) -> None:
        with _told_by_httpx():
            await self._pool.aclose()


class Environment(httpx.AsyncBaseTransport):
    """As the environment's variables say for each host: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY."""

    def __init__(self, *, trust: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._straight = Outlet(trust=trust, limits=limits)
        self._by_scheme = {
            scheme: Outlet(trust=trust, limits=limits, proxy=proxy)
            for scheme, proxy in environment_proxies().items()
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.netloc.decode("ascii")
        proxied = self._by_scheme.get(request.url.scheme) or self._by_scheme.get(ANY)
        is_straight = proxied is None or bool(proxy_bypass(host))
        way = self._straight if proxied is None or is_straight else proxied
        return await way.handle_async_request(request)

    async def aclose(self) -> None:
        for each in (self._straight, *self._by_scheme.values()):
            await each.aclose()


def environment_proxies() -> dict[str, str]:
    """Scheme by scheme what of the environment's is for HTTP; a host without a scheme speaks http."""
    told = getproxies_environment()
    return {
        scheme: told[scheme] if "://" in told[scheme] else f"http://{told[scheme]}"
        for scheme in SCHEMES
        if told.get(scheme)
    }


class Body(httpx.AsyncByteStream):
    """Of an answer, as it comes; raises httpx's errors."""

    def __init__(self, got: httpcore.Response) -> None:
        self._got = got

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told_by_httpx():
            async for part in self._got.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with _told_by_httpx():
            await self._got.aclose()


def _proxy(proxy: str | None) -> httpcore.Proxy | None:
    if proxy is None:
        return None
    told = httpx.Proxy(proxy)
    return httpcore.Proxy(
        url=_url(told.url), auth=told.raw_auth, headers=told.headers.raw, ssl_context=told.ssl_context
    )


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


@contextmanager
def _told_by_httpx() -> Iterator[None]:
    """httpcore's errors by their namesakes in httpx, which has one for each."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.UnsupportedProtocol,
    ) as error:
        namesake: type[httpx.TransportError] = getattr(httpx, type(error).__name__)
        raise namesake(str(error)) from error
