"""A notice by an HTTP webhook: signed JSON, one POST."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

import httpx

from wxsync.config.notify import HttpChannelSettings
from wxsync.service.notify.parcel import SENT, Delivered, in_doubt, not_sent
from wxsync.wecom.receiving import receive

TIMEOUTS: Final = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=10.0)
ANSWER_WITHIN: Final = 60.0
FROM_ENVIRONMENT: Final = "env"
NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
PERHAPS: Final = frozenset({408, 502, 504})
"""Said by whatever stands before the receiver, which may have it all the same."""
LOUD: Final = ("httpx", "httpcore")
"""They would print the address, which may hold a token."""


async def post(channel: HttpChannelSettings, body: bytes, headers: Mapping[str, str]) -> Delivered:
    """One POST; an answer of 200 to 299 is a yes, and what it says is not looked at."""
    for name in LOUD:
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.WARNING, logger.level))
    try:
        line = _client(channel)
    except OSError as error:
        return not_sent(
            f"the certificates of ca_file cannot be used: {error.strerror or type(error).__name__}"
        )
    except (ImportError, ValueError, httpx.InvalidURL):  # httpx tells of a proxy's kind in these ways
        return not_sent(
            "the environment names a proxy that cannot be used: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY"
        )
    try:
        async with line as client:
            request = client.build_request(
                "POST",
                channel.url.get_secret_value(),
                content=body,
                headers={"Content-Type": "application/json; charset=utf-8", **headers},
            )
            answer = await receive(client, request, within=ANSWER_WITHIN)
    except NEVER_SENT as error:
        return not_sent(f"the receiver cannot be reached: {type(error).__name__}")
    except httpx.HTTPError as error:
        return in_doubt(f"the receiver gave no answer: {type(error).__name__}")
    return _judged(answer.status_code)


def _judged(status: int) -> Delivered:
    if 200 <= status < 300:
        return SENT
    if status in PERHAPS:
        return in_doubt(f"the receiver answered HTTP {status}")
    moved = ": give its new address" if 300 <= status < 400 else ""
    return not_sent(f"the receiver answered HTTP {status}{moved}")


def _client(channel: HttpChannelSettings) -> httpx.AsyncClient:
    trusted = httpx.create_ssl_context(trust_env=False)
    if channel.ca_file is not None:
        trusted.load_verify_locations(cafile=channel.ca_file)
    is_from_environment = channel.proxy == FROM_ENVIRONMENT
    return httpx.AsyncClient(
        verify=trusted,
        proxy=None if is_from_environment else channel.proxy,
        trust_env=is_from_environment,
        timeout=TIMEOUTS,
        headers={"User-Agent": "wxsync"},
        follow_redirects=False,
    )
