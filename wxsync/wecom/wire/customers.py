"""Customers and their hand-over to WeCom's JSON and back (WeCom pages 92571, 92124, 94081 and on)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Final

from wxsync.wecom.wire.cards import filled
from wxsync.wecom.wire.shapes import (
    Answer,
    Json,
    errcode_of,
    is_number,
    number_of,
    rows_of,
    text_of,
    texts_of,
    unreadable,
)

FOLLOWERS: Final = "externalcontact/get_follow_user_list"
LIST: Final = "externalcontact/list"
UNASSIGNED: Final = "externalcontact/get_unassigned_list"
CHATS: Final = "externalcontact/groupchat/list"


class Handover(StrEnum):
    """The two calls of a hand-over of customers, by whether the one who hands over has left."""

    RESIGNED = "externalcontact/resigned/"
    ON_THE_JOB = "externalcontact/"

    @property
    def transfer(self) -> str:
        return f"{self.value}transfer_customer"

    @property
    def result(self) -> str:
        return f"{self.value}transfer_result"


class ChatHandover(StrEnum):
    """The call of a hand-over of customer chats, by whether their owner has left."""

    RESIGNED = "externalcontact/groupchat/transfer"
    ON_THE_JOB = "externalcontact/groupchat/onjob_transfer"


class TransferStatus(IntEnum):
    """How far the hand-over of one customer is (WeCom page 94082)."""

    DONE = 1
    WAITING = 2
    """Done after 24 hours, unless the customer declines."""
    REFUSED = 3
    TAKER_FULL = 4
    NO_RECORD = 5


class ChatStatus(IntEnum):
    """Whose a customer chat is (WeCom page 92120)."""

    NORMAL = 0
    OWNER_LEFT = 1
    BEING_INHERITED = 2
    INHERITED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned:
    """A customer of somebody who has left."""

    handover_userid: str
    external_userid: str
    dimission_time: datetime
    """When the member left, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedTransfer:
    """What WeCom said of one customer: 0 means that the hand-over has begun, and no more than that."""

    external_userid: str
    errcode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferResult:
    """How far the hand-over of one customer is."""

    external_userid: str
    status: TransferStatus
    takeover_time: datetime | None
    """In UTC; None where there is none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChat:
    """A group chat with customers in it."""

    chat_id: str
    status: ChatStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedChat:
    """A customer chat that was not handed over, and WeCom's reason."""

    chat_id: str
    errcode: int
    errmsg: str


def to_customer_query(userid: str) -> dict[str, str]:
    return {"userid": userid}


def to_unassigned_page(cursor: str, page_size: int) -> Json:
    return filled({"cursor": cursor, "page_size": page_size})


def to_transfer(
    handover_userid: str, takeover_userid: str, external_userids: Iterable[str], success_msg: str
) -> Json:
    return filled(
        {
            "handover_userid": handover_userid,
            "takeover_userid": takeover_userid,
            "external_userid": list(external_userids),
            "transfer_success_msg": success_msg,
        }
    )


def to_result_page(handover_userid: str, takeover_userid: str, cursor: str) -> Json:
    pair = {"handover_userid": handover_userid, "takeover_userid": takeover_userid}
    return filled({**pair, "cursor": cursor})


def to_chat_page(status: ChatStatus | None, owners: Iterable[str], limit: int, cursor: str) -> Json:
    owner_filter = filled({"userid_list": list(owners)})
    body = {"status_filter": int(status or 0), "owner_filter": owner_filter, "cursor": cursor}
    return filled({**body, "limit": limit})


def to_chat_transfer(chat_ids: Iterable[str], new_owner: str) -> Json:
    return {"chat_id_list": list(chat_ids), "new_owner": new_owner}


def from_followers(answer: Answer) -> tuple[str, ...]:
    return _listed(answer, "follow_user", FOLLOWERS)


def from_customers(answer: Answer) -> tuple[str, ...]:
    return _listed(answer, "external_userid", LIST)


def from_unassigned_page(answer: Answer) -> tuple[list[Unassigned], str]:
    """One page, and the cursor of the next, empty at the end."""
    page = [
        Unassigned(
            handover_userid=text_of(row, "handover_userid", UNASSIGNED),
            external_userid=text_of(row, "external_userid", UNASSIGNED),
            dimission_time=_moment(number_of(row, "dimission_time", UNASSIGNED), UNASSIGNED),
        )
        for row in rows_of(answer, "info", UNASSIGNED)
    ]
    is_last = answer.get("is_last")
    if not isinstance(is_last, bool):
        raise unreadable(UNASSIGNED, "is_last is neither true nor false")
    cursor = "" if is_last else next_cursor(answer, UNASSIGNED)
    if not is_last and not cursor:
        raise unreadable(UNASSIGNED, "there is more, and no next_cursor to ask for it by")
    return page, cursor


def from_transfer(answer: Answer, endpoint: str) -> tuple[StartedTransfer, ...]:
    return tuple(
        StartedTransfer(
            external_userid=text_of(row, "external_userid", endpoint), errcode=_errcode(row, endpoint)
        )
        for row in rows_of(answer, "customer", endpoint)
    )


def from_result_page(answer: Answer, endpoint: str) -> tuple[list[TransferResult], str]:
    """One page, and the cursor of the next, empty at the end."""
    page = [
        TransferResult(
            external_userid=text_of(row, "external_userid", endpoint),
            status=_transfer_status(number_of(row, "status", endpoint), endpoint),
            takeover_time=_takeover(row, endpoint),
        )
        for row in rows_of(answer, "customer", endpoint)
    ]
    return page, next_cursor(answer, endpoint)


def from_chat_page(answer: Answer) -> tuple[list[CustomerChat], str]:
    """One page, and the cursor of the next, empty at the end."""
    page = [
        CustomerChat(
            chat_id=text_of(row, "chat_id", CHATS), status=_chat_status(number_of(row, "status", CHATS))
        )
        for row in rows_of(answer, "group_chat_list", CHATS)
    ]
    return page, next_cursor(answer, CHATS)


def from_chat_transfer(answer: Answer, endpoint: str) -> tuple[FailedChat, ...]:
    """Those that were not handed over; where none was not, WeCom may leave the list out."""
    rows = rows_of(answer, "failed_chat_list", endpoint) if "failed_chat_list" in answer else []
    return tuple(
        FailedChat(
            chat_id=text_of(row, "chat_id", endpoint),
            errcode=_errcode(row, endpoint),
            errmsg=text_of(row, "errmsg", endpoint),
        )
        for row in rows
    )


def next_cursor(answer: Answer, endpoint: str) -> str:
    """Empty at the end, where WeCom may leave it out."""
    return text_of(answer, "next_cursor", endpoint) if answer.get("next_cursor") is not None else ""


def _listed(answer: Answer, name: str, endpoint: str) -> tuple[str, ...]:
    """A list that must be there: none at all is an empty one to WeCom."""
    if name not in answer:
        raise unreadable(endpoint, f"{name} is not there")
    return texts_of(answer, name, endpoint)


def _errcode(row: Answer, endpoint: str) -> int:
    errcode = errcode_of(row)
    if errcode is None:
        raise unreadable(endpoint, "errcode is not a number")
    return errcode


def _transfer_status(number: int, endpoint: str) -> TransferStatus:
    try:
        return TransferStatus(number)
    except ValueError:
        raise unreadable(endpoint, "status is none that is documented") from None


def _chat_status(number: int) -> ChatStatus:
    try:
        return ChatStatus(number)
    except ValueError:
        raise unreadable(CHATS, "status is none that is documented") from None


def _takeover(row: Answer, endpoint: str) -> datetime | None:
    """0 or nothing while nobody has taken the customer over."""
    seconds = row.get("takeover_time")
    if seconds is None or seconds == 0:
        return None
    if not is_number(seconds):
        raise unreadable(endpoint, "takeover_time is not a number")
    return _moment(seconds, endpoint)


def _moment(seconds: int, endpoint: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        raise unreadable(endpoint, "a time is none") from None
