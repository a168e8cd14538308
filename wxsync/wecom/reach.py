"""What lies between this machine and WeCom: name, network, proxy, certificate, clock; no secret is sent.

One call that wants a token goes out with none. WeCom's refusal proves that it is WeCom who answers, and names
the address from which it sees us.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.request import getproxies_environment

import httpx
from cryptography import x509

from wxsync.wecom.answers import UnusableAnswerError, words_of
from wxsync.wecom.client import FROM_ENVIRONMENT, api_url, http_client, quieten
from wxsync.wecom.crossing import Clock
from wxsync.wecom.receiving import receive
from wxsync.wecom.wire import shapes

ASKED: Final = "getcallbackip"
TIMEOUTS: Final = httpx.Timeout(connect=10.0, read=15.0, write=10.0, pool=10.0)
WITHIN: Final = 40.0
"""Seconds from the sending to the end of the answer."""
LONGEST: Final = 200
"""Characters of a text that anybody may have written."""
NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
SEEN_AS: Final = re.compile(r"from ip: ([0-9A-Fa-f.:]{2,45})")


class Obstacle(StrEnum):
    """Why WeCom cannot be reached."""

    NAME = "name"
    """The host's name does not resolve."""
    NETWORK = "network"
    """This machine has no way there."""
    REFUSED = "refused"
    """Nobody listens there, or a firewall cuts the connection."""
    SILENCE = "silence"
    """Nobody answers in time."""
    PROXY = "proxy"
    CERTIFICATE = "certificate"
    """Somebody answers with a certificate that is not trusted."""
    STRANGER = "stranger"
    """Somebody answers who is not WeCom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far one look came."""

    host: str
    """With scheme and port, as it was called."""
    obstacle: Obstacle | None = None
    problem: str = ""
    """In the words of the system, the library or the server."""
    issuer: str | None = None
    """Who made the certificate that is not trusted, by its own word."""
    address: str | None = None
    """From where WeCom sees the call coming."""
    clock_ahead: float | None = None
    """Seconds that this machine's clock is ahead of the server's; None where it did not say."""


async def reach(
    *,
    base_url: str,
    proxy: str | None = None,
    ca_file: Path | None = None,
    clock: Clock = time.time,
    timeouts: httpx.Timeout = TIMEOUTS,
) -> Reach:
    """Look once, with parameters as of `open_transport`; what is in the way is data. Raises ConfigError."""
    quieten()
    base = api_url(base_url)
    start = Reach(host=f"{base.scheme}://{base.netloc.decode('ascii')}")
    client = http_client(base, proxy=proxy, ca_file=ca_file, transport=None, timeouts=timeouts)
    try:
        async with client:
            response = await receive(client, client.build_request("GET", ASKED), within=WITHIN)
            return _answered(start, response, clock())
    except httpx.HTTPError as error:
        found = replace(start, obstacle=_obstacle(error), problem=_words(error))
    if found.obstacle is Obstacle.CERTIFICATE:
        return await _look_at_certificate(found, base, proxy, clock, timeouts)
    return found


def environment_proxies() -> tuple[str, ...]:
    """The names of the environment's variables that name a proxy: their values may hold a password."""
    return tuple(sorted(f"{scheme.upper()}_PROXY" for scheme in getproxies_environment() if scheme != "no"))


def _answered(start: Reach, response: httpx.Response, now: float) -> Reach:
    """WeCom answers JSON with an errcode whatever is asked, and HTTP 200 with it."""
    found = replace(start, clock_ahead=_clock_ahead(response, now))
    if response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
        return replace(found, obstacle=Obstacle.PROXY, problem="it wants a user name and a password")
    answer = shapes.object_of(response.content)
    if response.status_code != httpx.codes.OK or answer is None or shapes.errcode_of(answer) is None:
        problem = f"HTTP status {response.status_code}, and not WeCom's JSON"
        return replace(found, obstacle=Obstacle.STRANGER, problem=problem)
    errmsg = answer.get("errmsg")
    seen = SEEN_AS.search(errmsg[:1000]) if isinstance(errmsg, str) else None
    return replace(found, address=seen[1] if seen else None)


def _clock_ahead(response: httpx.Response, now: float) -> float | None:
    try:
        return now - parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _obstacle(error: httpx.HTTPError) -> Obstacle:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Obstacle.CERTIFICATE
    if isinstance(error, UnusableAnswerError) or any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Obstacle.STRANGER
    if isinstance(error, httpx.ProxyError):
        return Obstacle.PROXY
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Obstacle.NAME
    if any(isinstance(cause, OSError) and cause.errno in NO_ROUTE for cause in causes):
        return Obstacle.NETWORK
    return Obstacle.SILENCE if isinstance(error, httpx.TimeoutException) else Obstacle.REFUSED


def _words(error: httpx.HTTPError) -> str:
    """What the innermost error says; none of these holds a URL."""
    said = [text for cause in _causes(error) if (text := _text(cause))]
    return said[-1][:LONGEST] if said else type(error).__name__


def _text(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, ssl.SSLError | socket.gaierror):
        return cause.strerror or ""
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)  # asyncio's own words are "Connect call failed"
    if isinstance(cause, httpx.ProxyError):
        return words_of(cause)
    return str(cause) if isinstance(cause, httpx.HTTPError) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or cause.__context__


async def _look_at_certificate(
    found: Reach, base: httpx.URL, proxy: str | None, clock: Clock, timeouts: httpx.Timeout
) -> Reach:
    """Who made it, and what time it is there: asked again without trust, and without anything secret."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    client = httpx.AsyncClient(
        base_url=base,
        verify=trusting,
        proxy=None if proxy == FROM_ENVIRONMENT else proxy,
        trust_env=proxy == FROM_ENVIRONMENT,
        timeout=timeouts,
        headers={"User-Agent": "wxsync"},
    )
    try:
        async with client, client.stream("GET", ASKED) as response:
            tls = response.extensions["network_stream"].get_extra_info("ssl_object")
            content = tls.getpeercert(binary_form=True) if tls is not None else None
            return replace(found, issuer=_issuer(content), clock_ahead=_clock_ahead(response, clock()))
    except httpx.HTTPError:
        return found


def _issuer(content: bytes | None) -> str | None:
    """On one line, and no longer than one."""
    if not content:
        return None
    try:
        name = x509.load_der_x509_certificate(content).issuer.rfc4514_string()
    except ValueError:
        return None
    return "".join(each if each.isprintable() else "?" for each in name)[:LONGEST]
