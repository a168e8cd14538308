"""Errcodes of callbacks: one of the server, the others of WeCom's own libraries (WeCom page 90968).

Those below zero never come from WeCom: they are how its libraries say what is wrong with one callback, and
stand here so that whoever meets one in a log is told the same.
"""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, bug, field, stop

_DAMAGED: Final = field(
    say("this callback cannot be read: WeCom sends it again; see whether a proxy changes what it passes on")
)
_OURS: Final = bug(say("wxsync could not make the answer to a callback: please report it"))

CALLBACKS: Final[dict[int, ErrcodeInfo]] = {
    40057: stop(
        say(
            "WeCom cannot reach the callback address, or its answer was wrong: run wxsync check, then "
            "save the address again in the admin console (contact sync: 管理后台 → 管理工具 → "
            "通讯录同步 → 设置接收事件服务器; an app: 管理后台 → 应用管理 → 应用 → 接收消息 → "
            "设置API接收)"
        )
    ),
    -40001: field(
        say(
            "the signature of this callback is not WeCom's: compare the token with the one in the "
            "admin console (contact sync: 管理后台 → 管理工具 → 通讯录同步 → 设置接收事件服务器; an "
            "app: 管理后台 → 应用管理 → 应用 → 接收消息 → 设置API接收)"
        )
    ),
    -40002: _DAMAGED,
    -40003: _OURS,
    -40004: stop(
        say(
            "the encoding_aes_key is not the 43 letters and digits that WeCom gave: copy it again from "
            "the admin console (contact sync: 管理后台 → 管理工具 → 通讯录同步 → 设置接收事件服务器; "
            "an app: 管理后台 → 应用管理 → 应用 → 接收消息 → 设置API接收)"
        )
    ),
    -40005: field(
        say("this callback is for another corp: compare the corp_id with 管理后台 → 我的企业 → 企业信息")
    ),
    -40006: _OURS,
    -40007: field(
        say(
            "this callback cannot be decrypted: compare the encoding_aes_key with the one in the admin "
            "console (contact sync: 管理后台 → 管理工具 → 通讯录同步 → 设置接收事件服务器; an app: "
            "管理后台 → 应用管理 → 应用 → 接收消息 → 设置API接收)"
        )
    ),
    -40008: _DAMAGED,
    -40009: _OURS,
    -40010: _DAMAGED,
    -40011: _OURS,
    -40012: _DAMAGED,
    -40013: _OURS,
    -40014: _DAMAGED,
}
