"""Errcodes of handing over a leaver's customers and their chats (WeCom pages 92125 to 95703)."""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.codes import CHAT_OWNER_UNCHANGED
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, conflict, field, not_found, stop

_NOT_LEFT: Final = field(
    say("this member has not left the corp: only a leaver's customers are handed over so")
)

CUSTOMERS: Final[dict[int, ErrcodeInfo]] = {
    40096: field(say("WeCom does not know this external contact: see whether they are still a customer")),
    40097: _NOT_LEFT,
    40098: field(say("the member who takes over has not proved their identity to WeCom (实名): ask them to")),
    40099: field(say("the member who takes over has as many customers as WeCom allows: choose another one")),
    40100: field(say("these customers are being handed over already: wait for the outcome")),
    # These two are on page 90313, where a customer's hand-over may meet them.
    40128: field(
        say("WeCom takes two hand-overs of a customer in 90 days: wait, or leave the customer there")
    ),
    40130: field(say("nobody takes over from themselves: choose another member")),
    84061: not_found(say("this external contact is no customer of the member: nothing is to be handed over")),
    84074: stop(
        say(
            "the app may not call for customer contact: add it to the callable apps in the admin "
            "console (管理后台 → 客户与上下游 → 客户联系 → API), and see that both members are in its "
            "scope (管理后台 → 应用管理 → 应用 → 可见范围)"
        )
    ),
    90500: field(
        say("the chat's owner has not left the corp: hand it over with the call for those on the job")
    ),
    90501: field(say("this chat is not one with customers: it cannot be handed over so")),
    90502: field(say("the chat's owner has left the corp: hand it over with the call for leavers")),
    90503: field(say("the chat is full: remove somebody, then hand it over")),
    CHAT_OWNER_UNCHANGED: field(say("the member who takes over owns this chat already")),
    90507: conflict(say("this chat is being handed over already: wait for the outcome")),
    90508: conflict(say("this chat was handed over already: see who owns it")),
}
