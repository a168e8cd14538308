"""Whatever a body holds, the sandbox answers in WeCom's shape and never breaks."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from typing import Any

import pytest

from wxsync.sandbox.receivers import Receiver

URL = "https://example.com"
ODD: list[Any] = [
    None,
    0,
    -1,
    2**80,
    1.5,
    True,
    "",
    "x",
    "|",
    "字" * 3000,
    [],
    [[]],
    [None],
    [{}],
    {},
    {"a": []},
]
OPTIONS = [{"id": "a", "text": "甲"}]
CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "标题"},
    "task_id": "t",
    "horizontal_content_list": [{"type": 3, "keyname": "人", "userid": "a"}],
    "quote_area": {"type": 1, "url": URL},
    "button_selection": {"question_key": "q", "option_list": OPTIONS},
    "button_list": [{"text": "好", "key": "ok", "type": 0}],
    "action_menu": {"action_list": [{"text": "静音", "key": "mute"}]},
    "card_action": {"type": 1, "url": URL},
}
NEWS_CARD = {
    "card_type": "news_notice",
    "card_image": {"url": URL, "aspect_ratio": 1.3},
    "image_text_area": {"type": 1, "url": URL, "image_url": URL},
    "vertical_content_list": [{"title": "t"}],
    "jump_list": [{"type": 1, "title": "t", "url": URL}],
    "card_action": {"type": 1, "url": URL},
}
SELECTS = {
    "card_type": "multiple_interaction",
    "task_id": "t",
    "select_list": [{"question_key": "q", "option_list": OPTIONS}],
    "submit_button": {"text": "t", "key": "k"},
}
VOTE = {
    "card_type": "vote_interaction",
    "task_id": "t",
    "checkbox": {"question_key": "q", "option_list": OPTIONS},
    "submit_button": {"text": "t", "key": "k"},
}
ARTICLES = {"articles": [{"title": "t", "url": URL, "description": "d", "picurl": URL}]}
PAPER = {"articles": [{"title": "t", "thumb_media_id": "m", "content": "c"}]}
MINI = {"appid": "a", "title": "四个字的", "content_item": [{"key": "k", "value": "v"}]}
TEXTCARD = {"title": "t", "description": "d", "url": URL, "btntxt": "b"}


def message(msgtype: str, content: object) -> dict[str, Any]:
    return {
        "touser": "a",
        "toparty": "1",
        "totag": "1",
        "agentid": 1000002,
        "safe": 0,
        "duplicate_check_interval": 5,
        "enable_duplicate_check": 1,
        "msgtype": msgtype,
        msgtype: content,
    }


TRANSFER = {
    "handover_userid": "a",
    "takeover_userid": "b",
    "external_userid": ["wm"],
    "transfer_success_msg": "",
}
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("appchat/create", {"name": "n", "owner": "a", "userlist": ["a", "b"], "chatid": "c"}),
    (
        "appchat/update",
        {"chatid": "x", "name": "n", "owner": "a", "add_user_list": ["c"], "del_user_list": ["b"]},
    ),
    ("appchat/send", {**message("text", {"content": "c", "mentioned_list": ["a"]}), "chatid": "x"}),
    *(
        ("message/send", message(msgtype, content))
        for msgtype, content in (
            ("text", {"content": "c"}),
            ("textcard", TEXTCARD),
            ("news", ARTICLES),
            ("mpnews", PAPER),
            ("video", {"media_id": "m", "title": "t", "description": "d"}),
            ("miniprogram_notice", MINI),
            ("template_card", CARD),
            ("template_card", NEWS_CARD),
            ("template_card", SELECTS),
            ("template_card", VOTE),
        )
    ),
    ("message/recall", {"msgid": "m"}),
    ("message/get_statistics", {"time_type": 0}),
    (
        "message/update_template_card",
        {
            "userids": ["a"],
            "partyids": [1],
            "tagids": [1],
            "atall": 0,
            "agentid": 1000002,
            "response_code": "CODE",
            "template_card": NEWS_CARD,
        },
    ),
    (
        "message/update_template_card",
        {
            "userids": ["a"],
            "agentid": 1000002,
            "response_code": "CODE",
            "button": {"replace_name": "x"},
        },
    ),
    ("webhook/send", message("image", {"base64": "eA==", "md5": "x"})),
    ("webhook/send", message("template_card", NEWS_CARD)),
    ("externalcontact/get_unassigned_list", {"page_id": 0, "page_size": 1, "cursor": ""}),
    ("externalcontact/resigned/transfer_customer", TRANSFER),
    ("externalcontact/transfer_customer", TRANSFER),
    ("externalcontact/transfer_result", {**TRANSFER, "cursor": ""}),
    (
        "externalcontact/groupchat/list",
        {"limit": 1, "cursor": "", "status_filter": 0, "owner_filter": {"userid_list": ["a"]}},
    ),
    ("externalcontact/groupchat/transfer", {"chat_id_list": ["wr"], "new_owner": "a"}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in the body, itself left out."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    inner = [places(value[key], (*path, key)) for key in keys]
    return [*([path] if path else []), *itertools.chain.from_iterable(inner)]


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    found = copy.deepcopy(body)
    holder: Any = found
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return found


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_one_odd_value_anywhere(wecom, state, path, body):
    """Each value of a good body becomes each odd one in turn: an errcode, as a number, every time."""
    for userid in ("a", "b", "c"):
        state.add_member(userid, userid, is_activated=True)
    state.add_customer("a", external_userid="wm")
    receiver = Receiver(url="http://127.0.0.1:9/", token="t", encoding_aes_key="k" * 43)
    state.apps = (dataclasses.replace(state.apps[0], receiver=receiver),)
    key = state.add_webhook("群").key
    token = wecom.fetch_token(state.apps[0].secret)
    wecom.post("appchat/create", {"userlist": ["a", "b"], "chatid": "x"}, token)
    params = {"key": key} if path.startswith("webhook/") else {"access_token": token}
    wecom.post("message/send", {"touser": "a", **message("template_card", VOTE)}, token)
    card = state.messages[-1]
    codes = set()
    for place, odd in itertools.product(places(body), ODD):
        if "response_code" in body:
            body["response_code"] = state.post.issue_code(card, state.clock())
        answer = wecom.send("POST", path, params=params, json=changed(body, place, odd))
        assert answer.status_code == 200, (place, odd)
        codes.add(answer.json()["errcode"])
    assert all(isinstance(code, int) for code in codes)
    assert codes - {0}
