"""A notice on its way by one channel, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from wxsync.errors import WxsyncError
from wxsync.model.message import Message
from wxsync.model.notice import Notice, NoticeState
from wxsync.report.masking import mask_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One notice for one channel."""

    number: int
    """The same for each attempt to send it."""
    channel: str
    notice: Notice
    task_id: str | None = None
    """Of the card that asks; None: this one only tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of a parcel, and what is to be known of it."""

    state: NoticeState
    problem: str = ""


SENT = Delivered(state=NoticeState.SENT)


def not_sent(problem: str) -> Delivered:
    """It surely did not arrive: it is sent later."""
    return Delivered(state=NoticeState.WAITING, problem=problem)


def in_doubt(problem: str) -> Delivered:
    """It may have arrived: it is not sent again."""
    return Delivered(state=NoticeState.UNKNOWN, problem=problem)


def problem_of(error: WxsyncError) -> str:
    """What went wrong and how to mend it, without anybody's address."""
    text = f"{error.message} ({error.hint})" if error.hint else error.message
    return str(mask_message(Message("{text}", {"text": text})))
