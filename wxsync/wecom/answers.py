"""What comes back from one attempt: an answer to work with, or a setback and its remedy. Raises nothing.

Nothing here keeps an `httpx` exception or request: they carry the URL, and the URL carries the token.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import quote

import httpx

from wxsync.errors import WeComApiError, WeComError, WeComTransportError
from wxsync.wecom.errcodes import (
    BUSY,
    CONCURRENCY,
    FREQUENCY,
    VERSION_CONFLICT,
    Action,
    explain,
    lookup,
)
from wxsync.wecom.errcodes.codes import TOO_MANY_REQUESTS
from wxsync.wecom.wire import shapes

Answer = shapes.Answer


class Remedy(Enum):
    """What may help after a setback."""

    NONE = auto()
    RECONNECT = auto()
    """The line failed, not WeCom: try again soon."""
    BUSY = auto()
    """WeCom asks to try again, three times at most (WeCom page 90313)."""
    CROWDED = auto()
    """Others get in the way: try again later and later."""
    LIMITED = auto()
    """WeCom takes no call of this kind for a while (45009)."""
    TOKEN = auto()
    """The token is at fault (40014, 42001): try again with another one."""
    LAGGING = auto()
    """What was created a moment ago is not visible yet."""


REMEDIES: Final[Mapping[int, Remedy]] = {
    BUSY: Remedy.BUSY,
    VERSION_CONFLICT: Remedy.CROWDED,
    CONCURRENCY: Remedy.CROWDED,
    FREQUENCY: Remedy.LIMITED,
    TOO_MANY_REQUESTS: Remedy.LIMITED,
}
WRONG_JSON: Final = "Warning: wrong json format"
"""The one text that is read in an errmsg: with errcode 0 it says that the change may not have been made."""
ERRMSG: Final = 1000
"""Characters of an errmsg that are looked at: WeCom's are a line, but anything may answer in its place."""


@dataclass(frozen=True, slots=True)
class Setback:
    """One attempt without an answer to work with."""

    error: WeComError
    remedy: Remedy = Remedy.NONE

    @property
    def errcode(self) -> int | None:
        return self.error.errcode if isinstance(self.error, WeComApiError) else None

    @property
    def is_ambiguous(self) -> bool:
        """No answer came, and the call may have had its effect."""
        return isinstance(self.error, WeComTransportError) and self.error.is_ambiguous

    @property
    def may_have_happened(self) -> bool:
        """Ambiguous, or WeCom gave up half-way as far as anybody knows (-1)."""
        return self.is_ambiguous or self.errcode == BUSY


class UnusableAnswerError(httpx.DecodingError):
    """The answer is one that is not read, whatever is in it; another one would be the same."""


def read_answer(endpoint: str, response: httpx.Response) -> Answer | Setback:
    """The JSON of a call that WeCom carried out; anything else is a setback."""
    if response.status_code != httpx.codes.OK:
        return _wrong_status(endpoint, response.status_code, response.request.url)
    answer = shapes.object_of(response.content)
    errcode = None if answer is None else shapes.errcode_of(answer)
    if answer is None or errcode is None:
        return _lost(endpoint, "the answer is not WeCom's JSON", "see what answers in WeCom's place")
    said = answer.get("errmsg")
    errmsg = said if isinstance(said, str) else ""
    if errcode:
        told = without_private(_without_own_token(errmsg, answer), response.request)
        return Setback(to_error(endpoint, errcode, told), _remedy(errcode))
    if WRONG_JSON in errmsg[:ERRMSG]:
        hint = "the change may or may not have been made; please report it: WeCom did not like wxsync's JSON"
        return Setback(WeComTransportError(f"{endpoint}: {WRONG_JSON}", is_ambiguous=True, hint=hint))
    return answer


def _without_own_token(errmsg: str, answer: Answer) -> str:
    """A refusal that brings a token along all the same may spell it out in its text."""
    token = answer.get("access_token")
    return errmsg.replace(token, "***") if isinstance(token, str) and token else errmsg


def _remedy(errcode: int) -> Remedy:
    is_of_token = lookup(errcode).action is Action.REFRESH
    return Remedy.TOKEN if is_of_token else REMEDIES.get(errcode, Remedy.NONE)


def to_error(endpoint: str, errcode: int, errmsg: str) -> WeComApiError:
    """The error that an errcode stands for, with the words that say how to mend it."""
    return lookup(errcode).error(endpoint, errcode, errmsg, hint=str(explain(errcode, errmsg)))


def from_exception(endpoint: str, exc: httpx.HTTPError, *, was_sent: bool) -> Setback:
    """What a failed request means; it is ambiguous unless it certainly never reached WeCom."""
    reason = _reason(exc) + _whereabouts(exc)
    if "CERTIFICATE_VERIFY_FAILED" in str(exc):
        return _unreachable(
            endpoint, reason, "see ca_file of the corp, and this machine's clock", Remedy.NONE
        )
    if isinstance(exc, httpx.UnsupportedProtocol):
        return _unreachable(endpoint, reason, "see base_url and proxy of the corp", Remedy.NONE)
    if isinstance(exc, httpx.ProxyError):
        return _unreachable(endpoint, reason, "see proxy of the corp, and whether it wants a password")
    if isinstance(exc, UnusableAnswerError):
        hint = "see what answers in WeCom's place, or changes its answers"
        return _lost(endpoint, reason, hint, Remedy.NONE)
    if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout) or not was_sent:
        return _unreachable(endpoint, reason, "see whether base_url can be reached (DNS, firewall, proxy)")
    return _lost(endpoint, reason, "run again: the next run finds out whether the call had its effect")


def without_private(text: str, request: httpx.Request) -> str:
    """The beginning of WeCom's `text`, without the request's secrets, phone numbers and e-mail addresses."""
    for secret in _secrets_of(request):
        escaped = quote(secret, safe="")
        for form in (secret, escaped, _ESCAPE.sub(lambda found: found[0].lower(), escaped)):
            text = text.replace(form, "***")
    # Cut only now: half a secret would not be found.
    return without_personal(printable(text[:ERRMSG]))


def printable(text: str) -> str:
    """`text` without what a terminal obeys instead of showing it: control characters, marks of direction."""
    return "".join(each if each.isprintable() or each in SPACES else "?" for each in text)


def _secrets_of(request: httpx.Request) -> set[str]:
    """The values that are secrets by their name, in the URL and in a body of JSON."""
    query = {value for name, value in request.url.params.multi_items() if name in SECRET_PARAMETERS}
    is_json = request.headers.get("Content-Type", "").startswith("application/json")
    fields = _SECRET_FIELDS.findall(request.content) if is_json else ()
    return {secret for secret in (*query, *(field.decode("utf-8", "replace") for field in fields)) if secret}


def without_personal(text: str) -> str:
    """`text` without phone numbers and e-mail addresses; it is a line, or this takes long."""
    return _PERSONAL.sub("***", text)


SPACES: Final = "\u00a0\u3000"
"""Beside the plain one, which Python calls printable alone; names are full of the wide one."""
SECRET_PARAMETERS: Final = frozenset({"access_token", "corpsecret", "key", "code"})
_SECRET_FIELDS = re.compile(
    rb'"(?:token|encoding_?aeskey|code|tfa_code|response_code|user_ticket)":"([^"\\]+)"'
)
_ESCAPE = re.compile("%[0-9A-F]{2}")
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|\+\d[\d -]{5,}\d|(?<!\d)(?:86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)",
    re.ASCII,
)


def _wrong_status(endpoint: str, status: int, url: httpx.URL) -> Setback:
    """A 5xx may come from a proxy before WeCom that had passed the call on: 502 and 504 mostly do."""
    reason = f"HTTP status {status}{_at(url)}"
    if status >= 500:
        return _lost(endpoint, reason, "WeCom, or a proxy before it, is not well: run again later")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return _unreachable(endpoint, reason, "too many requests: run again later", Remedy.LIMITED)
    if status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
        return _unreachable(endpoint, reason, "the proxy wants a user name and a password", Remedy.NONE)
    return _unreachable(endpoint, reason, "see base_url of the corp: is it WeCom that answers?", Remedy.NONE)


def _lost(endpoint: str, reason: str, hint: str, remedy: Remedy = Remedy.RECONNECT) -> Setback:
    message = f"{endpoint}: no answer that can be used ({reason})"
    return Setback(WeComTransportError(message, is_ambiguous=True, hint=hint), remedy)


def _unreachable(endpoint: str, reason: str, hint: str, remedy: Remedy = Remedy.RECONNECT) -> Setback:
    message = f"{endpoint}: WeCom cannot be reached ({reason})"
    return Setback(WeComTransportError(message, is_ambiguous=False, hint=hint), remedy)


def _reason(exc: httpx.HTTPError) -> str:
    """The kind of failure, and for a failed connection its text, which holds no URL."""
    name = type(exc).__name__
    if isinstance(exc, UnusableAnswerError):
        return str(exc)
    text = words_of(exc) if isinstance(exc, httpx.ProxyError) else ""
    text = _root(exc) if isinstance(exc, httpx.ConnectError) else text
    return f"{name}: {text}" if text else name


def words_of(error: httpx.ProxyError) -> str:
    """What went wrong at a proxy: of its own words but the status, for it has been told the password."""
    text = str(error)
    return text[:3] if text[:3].isdecimal() else text


def _root(exc: BaseException) -> str:
    """The words of the system's own error: those above it only say that all attempts failed."""
    text = str(exc)
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLError | socket.gaierror):
            text = cause.strerror or text
        elif isinstance(cause, OSError) and cause.errno:
            text = os.strerror(cause.errno)  # asyncio's own words are "Connect call failed"
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__
    return text


def _whereabouts(exc: httpx.HTTPError) -> str:
    """Who was called, by host and port alone."""
    try:
        url = exc.request.url
    except RuntimeError:
        return ""
    return _at(url)


def _at(url: httpx.URL) -> str:
    return f", at {url.scheme}://{url.netloc.decode('ascii')}"
