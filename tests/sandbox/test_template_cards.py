"""Template cards: one errcode for each kind of fault, in every card type."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest

from wxsync.sandbox.receivers import Receiver

URL = "https://example.com"
OPTIONS = [{"id": "a", "text": "甲"}, {"id": "b", "text": "乙"}]
MENU = {"desc": "更多", "action_list": [{"text": "静音", "key": "mute"}]}
ACTION = {"type": 1, "url": URL}
SUBMIT = {"text": "提交", "key": "go"}

CARDS: dict[str, dict[str, Any]] = {
    "text_notice": {
        "sub_title_text": "说明",
        "emphasis_content": {"title": "5"},
        "horizontal_content_list": [
            {"keyname": "字", "value": "v"},
            {"type": 1, "keyname": "页", "url": URL},
            {"type": 3, "keyname": "人", "userid": "A"},
        ],
        "jump_list": [{"type": 1, "title": "去", "url": URL}, {"type": 2, "title": "去", "appid": "wx"}],
        "card_action": ACTION,
        "quote_area": {"type": 1, "url": URL},
        "action_menu": MENU,
        "task_id": "t@1_-",
    },
    "news_notice": {
        "main_title": {"title": "标题"},
        "card_image": {"url": URL, "aspect_ratio": 2.25},
        "vertical_content_list": [{"title": "t", "desc": "d"}],
        "card_action": {"type": 2, "appid": "wx", "pagepath": "p"},
    },
    "button_interaction": {
        "main_title": {"title": "标题"},
        "button_selection": {"question_key": "q", "option_list": OPTIONS},
        "button_list": [{"text": "好", "key": "ok"}, {"type": 1, "text": "看", "url": URL}],
        "task_id": "t",
    },
    "vote_interaction": {
        "main_title": {"title": "标题"},
        "checkbox": {"question_key": "q", "option_list": OPTIONS, "mode": 1},
        "submit_button": SUBMIT,
        "task_id": "t",
    },
    "multiple_interaction": {
        "main_title": {"title": "标题"},
        "select_list": [{"question_key": "q", "option_list": OPTIONS}],
        "submit_button": SUBMIT,
        "task_id": "t",
    },
}

FAULTS = [
    (42031, "text_notice", {"card_type": "poster"}),
    (42014, "text_notice", {"task_id": None}),
    (42014, "text_notice", {"task_id": "é"}),
    (42014, "news_notice", {"task_id": "x" * 129}),
    (42014, "vote_interaction", {"task_id": None}),
    (42014, "multiple_interaction", {"task_id": "a b"}),
    (42027, "text_notice", {"horizontal_content_list": [{"value": "v"}]}),
    (42028, "text_notice", {"horizontal_content_list": [{"keyname": "k", "type": 1}]}),
    (42029, "text_notice", {"horizontal_content_list": [{"keyname": "k", "type": 2, "media_id": "no"}]}),
    (42050, "text_notice", {"horizontal_content_list": [{"keyname": "k", "type": 3, "userid": "nobody"}]}),
    (42035, "text_notice", {"horizontal_content_list": [{"keyname": "k"}] * 7}),
    (40058, "text_notice", {"horizontal_content_list": "k"}),
    (40058, "text_notice", {"horizontal_content_list": [{"keyname": "k", "type": 4}]}),
    (42042, "text_notice", {"jump_list": [{"title": "t"}] * 4}),
    (42033, "text_notice", {"jump_list": [{"type": 1, "url": URL}]}),
    (42028, "text_notice", {"jump_list": [{"type": 1, "title": "t", "url": "example.com"}]}),
    (42030, "text_notice", {"jump_list": [{"type": 2, "title": "t"}]}),
    (42033, "text_notice", {"sub_title_text": "", "main_title": {"desc": "d"}}),
    (40058, "text_notice", {"sub_title_text": "", "main_title": ["d"]}),
    (42045, "text_notice", {"card_action": None}),
    (42045, "text_notice", {"card_action": {"type": 0}}),
    (42028, "text_notice", {"card_action": {"type": 1}}),
    (42030, "news_notice", {"card_action": {"type": 2}}),
    (42028, "text_notice", {"quote_area": {"type": 1}}),
    (40058, "text_notice", {"quote_area": "q"}),
    (42051, "text_notice", {"action_menu": {"action_list": [{"text": "a", "key": "k"}] * 2}}),
    (42038, "text_notice", {"action_menu": {"action_list": [{"key": "k"}]}}),
    (42039, "text_notice", {"action_menu": {"action_list": [{"text": "a", "key": "k" * 1025}]}}),
    (40058, "text_notice", {"action_menu": {"action_list": []}}),
    (42044, "news_notice", {"card_image": None}),
    (42044, "news_notice", {"card_image": {"aspect_ratio": 1.3}}),
    (40058, "news_notice", {"card_image": {"url": URL, "aspect_ratio": 1.2}}),
    (42044, "news_notice", {"image_text_area": {"type": 0}}),
    (42036, "news_notice", {"vertical_content_list": [{"title": "t"}] * 5}),
    (42033, "news_notice", {"vertical_content_list": [{"desc": "d"}]}),
    (40058, "button_interaction", {"button_list": None}),
    (40058, "button_interaction", {"button_list": [{"text": "a", "key": "k"}] * 7}),
    (42038, "button_interaction", {"button_list": [{"key": "k"}]}),
    (42039, "button_interaction", {"button_list": [{"text": "a"}]}),
    (42039, "button_interaction", {"button_list": [{"text": "a", "key": "k"}] * 2}),
    (42028, "button_interaction", {"button_list": [{"type": 1, "text": "a", "url": "a"}]}),
    (42043, "button_interaction", {"button_selection": {"option_list": OPTIONS}}),
    (42037, "button_interaction", {"button_selection": {"question_key": "q", "option_list": OPTIONS * 6}}),
    (42045, "button_interaction", {"card_action": {"type": 3}}),
    (40058, "vote_interaction", {"checkbox": None}),
    (42037, "vote_interaction", {"checkbox": {"question_key": "q", "option_list": OPTIONS * 11}}),
    (42040, "vote_interaction", {"checkbox": {"question_key": "q", "option_list": [{"text": "t"}]}}),
    (42041, "vote_interaction", {"checkbox": {"question_key": "q", "option_list": [{"id": "i"}]}}),
    (42043, "vote_interaction", {"checkbox": {"question_key": "q" * 1025, "option_list": OPTIONS}}),
    (40058, "vote_interaction", {"submit_button": None}),
    (42049, "vote_interaction", {"submit_button": {"key": "k"}}),
    (42046, "multiple_interaction", {"submit_button": {"text": "t"}}),
    (42047, "multiple_interaction", {"select_list": []}),
    (42047, "multiple_interaction", {"select_list": [{"question_key": "q", "option_list": OPTIONS}] * 4}),
    (42037, "multiple_interaction", {"select_list": [{"question_key": "q", "option_list": []}]}),
]


@pytest.fixture
def send(wecom, state):
    """One card to the one member, by an app that has a receiver."""
    state.add_member("a", "甲", is_activated=True)
    receiver = Receiver(url="http://127.0.0.1:9/", token="t", encoding_aes_key="k" * 43)
    state.apps = (dataclasses.replace(state.apps[0], receiver=receiver),)
    token = wecom.fetch_token(state.apps[0].secret)

    def post(kind, change=None):
        card = {"card_type": kind, **copy.deepcopy(CARDS[kind]), **(change or {})}
        body = {"touser": "a", "agentid": 1000002, "msgtype": "template_card", "template_card": card}
        return wecom.post("message/send", body, token)

    return post


@pytest.mark.parametrize("kind", CARDS)
def test_a_card_of_each_type_is_taken(send, state, kind):
    """With all of its blocks; a response_code comes for cards that may change."""
    answer = send(kind)
    assert answer["errcode"] == 0
    assert ("response_code" in answer) is (kind != "news_notice")
    assert state.messages[0].card_type == kind


@pytest.mark.parametrize(("errcode", "kind", "change"), FAULTS)
def test_a_fault_of_a_card_has_its_errcode(send, state, errcode, kind, change):
    """And the card goes to nobody."""
    assert send(kind, change)["errcode"] == errcode
    assert state.messages == []


def test_the_faults_cover_what_the_page_lists():
    """Every errcode for a card that has a meaning here is in the table."""
    listed = {42027, 42028, 42029, 42030, 42031, 42033, *range(42035, 42048), 42049, 42050, 42051, 42014}
    assert {errcode for errcode, _, _ in FAULTS} == listed | {40058}


def test_blocks_of_other_card_types_are_not_looked_at(send):
    """A vote with a broken jump_list is a good vote."""
    assert send("vote_interaction", {"jump_list": "x", "button_list": 3, "card_image": 1})["errcode"] == 0
