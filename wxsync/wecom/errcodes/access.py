"""Errcodes of tokens, secrets, permission and the corp itself: mostly a setting in the admin console."""

from __future__ import annotations

from typing import Final

from wxsync.model.message import say
from wxsync.wecom.errcodes.codes import NOT_ON_WHITELIST, UNTRUSTED_IP
from wxsync.wecom.errcodes.meaning import ErrcodeInfo, bug, field, refresh, stop

_TOKEN: Final = refresh(
    say("WeCom took neither the access token nor a new one: try again, and see that nobody resets the secret")
)
_SECRET: Final = stop(
    say(
        "the secret is wrong, reset, or of another app or corp: copy it again from the admin "
        "console (contact sync: 管理后台 → 管理工具 → 通讯录同步; an app: 管理后台 → 应用管理 → "
        "应用); do not retry meanwhile, WeCom bans the address for an hour"
    )
)
_PERMISSION: Final = stop(
    say(
        "this secret has no permission for the call: see in the admin console what the app may do "
        "(管理后台 → 应用管理 → 应用)"
    )
)
_SCOPE: Final = stop(
    say(
        "the call names what is outside the app's scope: widen the scope in the admin console "
        "(管理后台 → 应用管理 → 应用 → 可见范围)"
    )
)
_SUITE: Final = stop(
    say(
        "this authorisation is not a self-built app's, or was withdrawn: use the secret of contact "
        "sync or of a self-built app (管理后台 → 应用管理 → 应用)"
    )
)
_IP_LIST: Final = stop(
    say(
        "WeCom does not trust this machine's address: enter it in the admin console under "
        "企业可信IP (contact sync: 管理后台 → 管理工具 → 通讯录同步; an app: 管理后台 → 应用管理 → "
        "应用); it takes about a minute to hold"
    )
)

ACCESS: Final[dict[int, ErrcodeInfo]] = {
    40001: _SECRET,
    40013: stop(say("the corp_id is wrong: copy it from the admin console (管理后台 → 我的企业 → 企业信息)")),
    40014: _TOKEN,
    40029: field(say("the sign-in code is wrong, used, or older than five minutes: sign in again")),
    40056: stop(
        say(
            "the agent_id is wrong: copy it from the app's page in the admin console (管理后台 → "
            "应用管理 → 应用)"
        )
    ),
    40078: _SUITE,
    40082: _TOKEN,
    40091: _SECRET,
    41001: bug(),
    41002: stop(
        say("the corp_id is missing: copy it from the admin console (管理后台 → 我的企业 → 企业信息)")
    ),
    41004: stop(
        say(
            "the secret is missing: copy it from the admin console (contact sync: 管理后台 → 管理工具 "
            "→ 通讯录同步; an app: 管理后台 → 应用管理 → 应用)"
        )
    ),
    42001: _TOKEN,
    42007: _TOKEN,
    42009: _TOKEN,
    43009: stop(
        say(
            "the corp has not been verified (企业认证): do that in the admin console (管理后台 → "
            "我的企业 → 企业信息)"
        )
    ),
    45031: stop(
        say(
            "WeCom calls the secret too weak: reset it in the admin console (contact sync: 管理后台 → "
            "管理工具 → 通讯录同步; an app: 管理后台 → 应用管理 → 应用) and put the new one in"
        )
    ),
    48001: _PERMISSION,
    48002: stop(
        say(
            "this secret is not the one for the call: only contact sync's writes the directory and "
            "lists everybody, switched on with the right to edit (API 编辑通讯录, 管理后台 → 管理工具 "
            "→ 通讯录同步), and only an app's sends messages and owns chats (scope = root, 管理后台 → "
            "应用管理 → 应用 → 可见范围) or hands customers over (管理后台 → 客户与上下游 → 客户联系 → "
            "API)"
        )
    ),
    48003: _SUITE,
    48004: _SUITE,
    48005: bug(say("WeCom has retired this call: look for a newer wxsync, or please report it")),
    48006: stop(
        say(
            "WeCom withdrew the permission after long disuse: grant it again in the admin console "
            "(管理后台 → 应用管理 → 应用)"
        )
    ),
    48007: _PERMISSION,
    48008: _PERMISSION,
    48009: stop(
        say(
            "contact sync may not read details from this address: make a self-built app with the whole "
            "corp as its scope in the admin console (管理后台 → 应用管理 → 应用 → 可见范围) and "
            "configure it to read with"
        )
    ),
    50001: stop(
        say(
            "the domain of the address is not the app's trusted one: enter it in the admin console "
            "(管理后台 → 应用管理 → 应用 → 网页授权及JS-SDK)"
        )
    ),
    50002: _SCOPE,
    50003: stop(say("the app is disabled: enable it in the admin console (管理后台 → 应用管理 → 应用)")),
    60011: stop(
        say(
            "this secret may not do that there: write with the secret of contact sync (通讯录同步), "
            "and see its rights in the admin console (管理后台 → 管理工具 → 通讯录同步); an app sees "
            "and changes what is in its scope (管理后台 → 应用管理 → 应用 → 可见范围)"
        )
    ),
    60012: bug(say("WeCom's own apps cannot be deleted: please report it")),
    UNTRUSTED_IP: _IP_LIST,
    60021: _SCOPE,
    60030: _SCOPE,
    60031: _PERMISSION,
    301002: stop(
        say(
            "the agent_id is not that of the app's secret: copy both from the same page of the admin "
            "console (管理后台 → 应用管理 → 应用)"
        )
    ),
    301007: stop(
        say(
            "WeCom says that the corp was dissolved or banned: see its state in the admin console "
            "(管理后台 → 我的企业 → 企业信息)"
        )
    ),
    NOT_ON_WHITELIST: _IP_LIST,
}
