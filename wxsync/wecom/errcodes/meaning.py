"""The kinds of meaning that an errcode may have, and the error that each is raised as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wxsync.errors import (
    ConflictError,
    DeniedError,
    FieldError,
    NotFoundError,
    RateLimitError,
    TokenError,
    WeComApiError,
)
from wxsync.model.message import Message, say


class Action(StrEnum):
    """What a caller does about an errcode."""

    RETRY = "retry"
    """It passes soon: the transport has repeated the call, later and later, before anybody sees the error."""
    WAIT = "wait"
    """It passes with WeCom's window of a minute or an hour: the transport has waited for that, but not for
    ever."""
    REFRESH = "refresh"
    """The token is at fault: the transport has fetched another one, once."""
    RECORD = "record"
    """This record cannot be written so; the others go on."""
    ALREADY = "already"
    """What the call was to bring about is so: it counts as carried out."""
    STOP = "stop"
    """No call of this kind will work until somebody changes a setting: end the run."""
    BUG = "bug"
    """wxsync asked in a way that WeCom does not take."""


@dataclass(frozen=True, slots=True)
class ErrcodeInfo:
    """What an errcode means to us: the action, the words that say how to mend it, the error to raise."""

    action: Action
    hint: Message
    error: type[WeComApiError]


REPORT: Final = say("wxsync asked in a way that WeCom does not take: please report it with the errcode")


def retry(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RETRY, hint, RateLimitError)


def wait(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.WAIT, hint, RateLimitError)


def refresh(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.REFRESH, hint, TokenError)


def stop(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.STOP, hint, DeniedError)


def not_found(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RECORD, hint, NotFoundError)


def conflict(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RECORD, hint, ConflictError)


def field(hint: Message) -> ErrcodeInfo:
    return ErrcodeInfo(Action.RECORD, hint, FieldError)


def bug(hint: Message = REPORT) -> ErrcodeInfo:
    return ErrcodeInfo(Action.BUG, hint, WeComApiError)


def unlisted(errcode: int) -> ErrcodeInfo:
    """An errcode that WeCom's pages do not name: it concerns this record only, as far as anybody knows."""
    hint = say(
        "wxsync does not know errcode {errcode}: look it up at "
        "https://open.work.weixin.qq.com/devtool/query, and please report it",
        errcode=errcode,
    )
    return ErrcodeInfo(Action.RECORD, hint, WeComApiError)
