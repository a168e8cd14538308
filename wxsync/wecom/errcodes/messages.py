"""Errcodes of messages, their cards, and webhooks: this one message's, which others do not share."""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, bug, conflict, field, not_found, stop

_CARD: Final = bug(say("WeCom does not take the form of this card: please report it with the errcode"))
_CARD_LINK: Final = field(
    say("WeCom does not take an address of this card: it must begin with http:// or https://")
)
_WEBHOOK: Final = stop(
    say(
        "the webhook's key is wrong, or the webhook was removed or disabled: make one in its chat "
        "(企业微信客户端 → 群设置 → 消息推送) and put its key in"
    )
)

MESSAGES: Final[dict[int, ErrcodeInfo]] = {
    40008: bug(),
    41016: bug(say("the message has no title: please report it")),
    41033: bug(say("the message has no description: please report it")),
    42052: field(say("WeCom takes a message back within 24 hours only, and this one is older")),
    44004: bug(say("the message has no text: please report it")),
    45002: field(say("the text is longer than WeCom takes: shorten it, to 2048 bytes in a message")),
    45008: bug(say("WeCom takes 8 articles in one message: please report it")),
    45034: field(say("an address in the message must begin with http:// or https://")),
    81012: bug(),
    81013: field(
        say(
            "WeCom knows none of those whom the call names, or lets the app see none: see who is still "
            "there, and the app's scope in the admin console (管理后台 → 应用管理 → 应用 → 可见范围)"
        )
    ),
    82001: bug(),
    82002: bug(),
    82003: bug(),
}

CARDS: Final[dict[int, ErrcodeInfo]] = {
    42014: _CARD,
    42015: conflict(say("another app sent this card: use the secret and the agent_id of that one")),
    42016: not_found(say("WeCom knows no card with this task_id: send it again")),
    42027: _CARD,
    42028: _CARD_LINK,
    42029: field(say("the uploaded file of the card has expired: upload it again")),
    42030: field(say("WeCom does not know the mini-program of the card: see its appid")),
    42031: _CARD,
    42033: _CARD,
    42035: _CARD,
    42036: _CARD,
    42037: _CARD,
    42038: _CARD,
    42039: _CARD,
    42040: _CARD,
    42041: _CARD,
    42042: _CARD,
    42043: _CARD,
    42044: _CARD_LINK,
    42045: _CARD,
    42046: _CARD,
    42047: _CARD,
    42049: _CARD,
    42050: not_found(say("the card names a userid that WeCom does not know: run again")),
    42051: _CARD,
    43012: stop(
        say(
            "the app has no receiver for clicks on a card: set one in the admin console (管理后台 → "
            "应用管理 → 应用 → 接收消息 → 设置API接收), with the token and the key of "
            "corp.NAME.app.callback"
        )
    ),
    60140: field(say("this card was updated already, or is too old to be: send a new one")),
}

WEBHOOKS: Final[dict[int, ErrcodeInfo]] = {
    93000: _WEBHOOK,
    93004: _WEBHOOK,
    93006: field(say("WeCom knows no chat with this id: see the webhook's chat")),
    93008: field(
        say(
            "the webhook is not in this chat any more: make a new one there (企业微信客户端 → 群设置 → "
            "消息推送)"
        )
    ),
}
