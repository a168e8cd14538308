"""Messages of an app to members: who gets them, what is refused, updates, recall, statistics."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import pytest

from wxsync.sandbox.receivers import Receiver

RECEIVER = Receiver(url="http://127.0.0.1:9/", token="t", encoding_aes_key="k" * 43)


@pytest.fixture
def app(wecom, state):
    """message/* by the app's token, in a corp with people, a department and a tag."""
    part = state.add_department("部门", id=7)
    below = state.add_department("小组", part.id, id=8)
    state.add_member("a", "甲", is_activated=True)
    state.add_member("B.b", "乙", is_activated=True, department=(part.id,))
    state.add_member("c", "丙", department=(below.id,))
    state.add_member("off", "丁", is_activated=True)
    state.set_status("off", 2)
    state.add_tag("标签", ["a"], id=5)
    state.token_life = 10**9
    state.apps = (dataclasses.replace(state.apps[0], receiver=RECEIVER),)
    token = wecom.fetch_token(state.apps[0].secret)

    def post(call, **body):
        return wecom.post(f"message/{call}", {"agentid": state.apps[0].agent_id, **body}, token)

    return post


def text(content="好", **more):
    return {"msgtype": "text", "text": {"content": content}, **more}


def buttons(**more):
    """A card with two buttons that call back."""
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": "离职"},
        "task_id": "t-1",
        "button_list": [{"text": "批准", "key": "ok"}, {"text": "拒绝", "key": "no", "style": 2}],
        "action_menu": {"desc": "更多", "action_list": [{"text": "静音", "key": "mute"}]},
        **more,
    }
    return {"msgtype": "template_card", "template_card": card}


def test_members_departments_and_tags_get_it_once(app, state):
    """A department stands for all below it, a tag for its members; userids are without case."""
    answer = app("send", touser="b.B|a", toparty="7", totag="5", **text())
    assert set(answer) == {"errcode", "errmsg", "msgid"}
    (message,) = state.messages
    assert message.receivers == ("B.b", "a", "c")
    assert (message.msgid, message.content["content"]) == (answer["msgid"], "好")


def test_bad_ids_are_named_and_the_rest_get_it(app, state):
    """Userids come back in lower case; a disabled member is out of the app's range."""
    answer = app("send", touser="A|Nobody|OFF", toparty="99|x|7", totag="6|5", **text())
    lists = {name: answer[name] for name in ("invaliduser", "invalidparty", "invalidtag")}
    assert lists == {"invaliduser": "nobody|off", "invalidparty": "99|x", "invalidtag": "6"}
    assert state.messages[0].receivers == ("a", "B.b", "c")


def test_everybody_is_the_apps_range(app, wecom, state):
    """`@all` passes over toparty and totag, the disabled, and whom the app does not see."""
    assert app("send", touser="@all", toparty="99", **text())["errcode"] == 0
    assert set(state.messages[0].receivers) == {"a", "B.b", "c"}
    state.apps = (dataclasses.replace(state.apps[0], scope=(7,)),)
    answer = app("send", touser="@all", **text())
    assert set(state.messages[1].receivers) == {"B.b", "c"}
    assert app("send", touser="a|c", **text())["invaliduser"] == "a"
    assert answer["errcode"] == 0


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (81012, {}),
        (81012, {"touser": "", "toparty": "|"}),
        (81013, {"touser": "nobody|off", "totag": "9"}),
        (40032, {"touser": "|".join(f"u{n}" for n in range(1001))}),
        (82002, {"toparty": "|".join(str(n) for n in range(101))}),
        (82003, {"totag": "|".join(str(n) for n in range(101))}),
        (301002, {"touser": "a", "agentid": 77}),
        (40056, {"touser": "a", "agentid": "1000002"}),
        (40008, {"touser": "a", "msgtype": "fax"}),
        (40058, {"touser": ["a"]}),
        (40058, {"touser": "a", "safe": 2}),
        (40058, {"touser": "a", "enable_duplicate_check": 1, "duplicate_check_interval": 14401}),
    ],
)
def test_what_send_refuses_before_it_looks_at_the_content(app, state, errcode, body):
    """Each fault of the envelope has its errcode, and nobody gets anything."""
    assert app("send", **{**text(), **body})["errcode"] == errcode
    assert state.messages == []


ITEM = {"key": "k", "value": "v"}
ARTICLE = {"title": "a", "url": "https://example.com"}


@pytest.mark.parametrize(
    ("errcode", "msgtype", "content"),
    [
        (44004, "text", {"content": ""}),
        (44004, "markdown", {}),
        (45002, "markdown", {"content": "x" * 2049}),
        (41006, "image", {}),
        (40007, "image", {"media_id": "none"}),
        (40007, "video", {"media_id": "none", "title": "t"}),
        (41016, "textcard", {"description": "d", "url": "https://example.com"}),
        (41033, "textcard", {"title": "t", "url": "https://example.com"}),
        (45034, "textcard", {"title": "t", "description": "d", "url": "example.com"}),
        (45034, "textcard", {"title": "t", "description": "d"}),
        (45002, "textcard", {"title": "字" * 43, "description": "d", "url": "https://example.com"}),
        (45002, "textcard", {"title": "t", "description": "d" * 513, "url": "https://example.com"}),
        (45002, "textcard", {"title": "t", "description": "d", "url": "https://" + "x" * 2041}),
        (40058, "textcard", {"title": "t", "description": "d", "url": "https://a", "btntxt": "五个字了吗"}),
        (40058, "news", {"articles": []}),
        (45008, "news", {"articles": [ARTICLE] * 9}),
        (41016, "news", {"articles": [{"url": "https://example.com"}]}),
        (45034, "news", {"articles": [{"title": "t"}]}),
        (40058, "news", {"articles": ["a"]}),
        (41006, "mpnews", {"articles": [{"title": "t", "content": "c"}]}),
        (40007, "mpnews", {"articles": [{"title": "t", "content": "c", "thumb_media_id": "x"}]}),
        (40058, "miniprogram_notice", {"title": "四个字的"}),
        (40058, "miniprogram_notice", {"appid": "x", "title": "三个字"}),
        (42031, "template_card", {"card_type": "poster"}),
    ],
)
def test_what_send_refuses_in_the_content(app, state, errcode, msgtype, content):
    """Each fault of the content has its errcode, and nobody gets anything."""
    answer = app("send", touser="a", msgtype=msgtype, **{msgtype: content})
    assert answer["errcode"] == errcode
    assert state.messages == []


def test_every_plain_type_is_taken(app, wecom, state):
    """Text, files of their own kind, cards with a link, news, and what a mini program says."""

    def upload(kind, name, content):
        params = {"access_token": wecom.fetch_token(state.apps[0].secret), "type": kind}
        return wecom.send("POST", "media/upload", params=params, files={"media": (name, content)}).json()[
            "media_id"
        ]

    image = upload("image", "a.png", b"\x89PNG\r\n\x1a\n1234")
    content = {
        "text": {"content": "x" * 3000},
        "image": {"media_id": image},
        "voice": {"media_id": upload("voice", "a.amr", b"#!AMR\n123456")},
        "video": {"media_id": upload("video", "a.mp4", b"1234ftyp1234"), "title": "t"},
        "file": {"media_id": upload("file", "a.txt", b"123456")},
        "textcard": {"title": "t", "description": "d", "url": "https://example.com"},
        "news": {"articles": [ARTICLE, {"title": "b", "appid": "wx", "pagepath": "p"}]},
        "mpnews": {"articles": [{"title": "t", "content": "<p>", "thumb_media_id": image}]},
        "markdown": {"content": "# a"},
        "miniprogram_notice": {
            "appid": "wx",
            "title": "四个字的",
            "content_item": [{"key": "k", "value": "v"}],
        },
    }
    for msgtype, body in content.items():
        assert app("send", touser="a", msgtype=msgtype, **{msgtype: body})["errcode"] == 0, msgtype
    assert [message.msgtype for message in state.messages] == list(content)
    assert state.messages[0].content["content"] == "x" * 2048
    assert state.messages[5].content["btntxt"] == "详情"
    assert app("send", touser="a", msgtype="file", file={"media_id": image})["errcode"] == 40007


def test_the_contact_secret_sends_nothing(app, wecom, state):
    """48002, whatever is sent."""
    body = {"touser": "a", "agentid": 1000002, **text()}
    assert wecom.post("message/send", body)["errcode"] == 48002
    assert state.messages == []


def test_the_same_request_is_not_delivered_again(app, state, clock):
    """Within the interval the answer is that of the first time; after it, or with other bytes, it is sent."""
    once = {"touser": "a", "enable_duplicate_check": 1, **text()}
    first = app("send", **once)
    clock.now += 1799
    assert app("send", **once) == first
    assert len(state.messages) == 1
    assert app("send", **{**once, **text("好!")})["msgid"] != first["msgid"]
    clock.now += 1
    assert app("send", **once)["msgid"] != first["msgid"]
    assert len(state.messages) == 3


def test_without_the_check_the_same_request_is_sent_twice(app, state):
    """Nothing is kept from being sent that did not ask for it."""
    assert app("send", touser="a", **text())["msgid"] != app("send", touser="a", **text())["msgid"]
    assert len(state.messages) == 2


def test_the_31st_in_a_minute_is_dropped_without_a_word(app, state, clock):
    """And the 1001st in an hour; the answer is ok, and others still get theirs."""
    for _ in range(30):
        app("send", touser="a", **text())
    assert app("send", touser="a|c", **text())["errcode"] == 0
    assert state.messages[-1].receivers == ("c",)
    assert [member.userid for member in state.messages[-1].dropped] == ["a"]
    for minute in range(1, 34):
        clock.now += 60
        for _ in range(30):
            app("send", touser="a", **text(str(minute)))
    got = [message for message in state.messages if "a" in message.receivers]
    assert len(got) == 1000


def test_a_day_has_its_person_times(app, state, clock):
    """200 for each account of the cap: 45009 where a message would pass them, and it goes to nobody."""
    state.account_cap = 1
    for n in range(66):
        clock.now += 10
        assert app("send", touser="@all", **text(str(n)))["errcode"] == 0
    assert app("send", touser="@all", **text())["errcode"] == 45009
    assert app("send", touser="a|c", **text())["errcode"] == 0
    assert sum(len(message.to) for message in state.messages) == 200


def test_a_click_is_told_to_the_receiver(app, state):
    """Who, what, which card, and a response_code of its own; the callback waits to be sent."""
    answer = app("send", touser="a|c", **buttons())
    click = state.click("A", state.messages[0], "ok", {"q1": ["x", "y"]})
    assert (click.userid, click.event_key, click.task_id, click.agent_id) == ("a", "ok", "t-1", 1000002)
    assert click.response_code != answer["response_code"]
    (callback,) = state.outbox.waiting
    assert (callback.receiver, callback.agent_id, callback.event) == (
        RECEIVER,
        "1000002",
        "template_card_event",
    )
    event = ET.fromstring(callback.xml)
    found = {
        name: event.findtext(name) for name in ("FromUserName", "Event", "EventKey", "TaskId", "CardType")
    }
    assert found == {
        "FromUserName": "a",
        "Event": "template_card_event",
        "EventKey": "ok",
        "TaskId": "t-1",
        "CardType": "button_interaction",
    }
    assert [each.text for each in event.iterfind("SelectedItems/SelectedItem/OptionIds/OptionId")] == [
        "x",
        "y",
    ]
    assert event.findtext("ResponseCode") == click.response_code
    assert state.click("c", state.messages[0], "mute").event == "template_card_menu_event"
    assert "SelectedItems" not in state.outbox.waiting[1].xml
    assert state.clicks[0] is click


def test_not_everybody_can_click_everything(app, state):
    """Only who got the card, only what is on it, and not after a recall."""
    msgid = app("send", touser="a", **buttons())["msgid"]
    message = state.messages[0]
    with pytest.raises(ValueError, match="does not see"):
        state.click("c", message, "ok")
    with pytest.raises(ValueError, match="key 'perhaps'"):
        state.click("a", message, "perhaps")
    app("recall", msgid=msgid)
    with pytest.raises(ValueError, match="does not see"):
        state.click("a", message, "ok")


def test_a_card_is_updated_once_with_one_code(app, state):
    """Grey buttons for some, by the code of the answer; a second use gets 60140."""
    code = app("send", touser="a|c", **buttons())["response_code"]
    grey = {"response_code": code, "button": {"replace_name": "已批准"}}
    answer = app("update_template_card", userids=["A", "Nobody", "B.b"], **grey)
    assert (answer["errcode"], answer["invaliduser"]) == (0, ["nobody", "b.b"])
    with pytest.raises(ValueError, match="grey"):
        state.click("a", state.messages[0], "ok")
    assert state.click("c", state.messages[0], "ok").event_key == "ok"
    assert app("update_template_card", userids=["c"], **grey)["errcode"] == 60140


def test_a_card_becomes_another_card(app, state):
    """By the code of a click; who is meant sees the new one."""
    app("send", touser="a|c", **buttons())
    click = state.click("a", state.messages[0], "ok")
    new = {
        "card_type": "text_notice",
        "main_title": {"title": "已批准"},
        "card_action": {"type": 1, "url": "https://example.com"},
    }
    answer = app("update_template_card", atall=1, response_code=click.response_code, template_card=new)
    assert (answer["errcode"], answer["invaliduser"]) == (0, [])
    assert state.messages[0].card_of("C")["main_title"] == {"title": "已批准"}


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (60140, {"response_code": "made-up", "userids": ["a"], "button": {"replace_name": "x"}}),
        (60140, {"response_code": None, "userids": ["a"], "button": {"replace_name": "x"}}),
        (81012, {"button": {"replace_name": "x"}}),
        (81013, {"userids": ["c"], "button": {"replace_name": "x"}}),
        (40058, {"userids": ["a"], "button": {}}),
        (40058, {"userids": ["a"]}),
        (42031, {"userids": ["a"], "template_card": {}}),
        (40032, {"userids": ["a"] * 1001, "button": {"replace_name": "x"}}),
        (301002, {"userids": ["a"], "button": {"replace_name": "x"}, "agentid": 4}),
        (40058, {"userids": "a", "button": {"replace_name": "x"}}),
    ],
)
def test_what_an_update_is_refused_for(app, state, errcode, body):
    """Each fault has its errcode; the card stays, and the code is still good."""
    code = app("send", touser="a", **buttons())["response_code"]
    assert app("update_template_card", **{"response_code": code, **body})["errcode"] == errcode
    assert state.messages[0].updates == {}
    good = {"response_code": code, "userids": ["a"], "button": {"replace_name": "x"}}
    assert app("update_template_card", **good)["errcode"] == 0


def test_a_code_is_good_for_72_hours(app, clock):
    """A second later it gets 60140."""
    codes = [app("send", touser="a", **buttons(task_id=f"t{n}"))["response_code"] for n in range(2)]
    clock.now += 72 * 3600
    grey = {"userids": ["a"], "button": {"replace_name": "x"}}
    assert app("update_template_card", response_code=codes[0], **grey)["errcode"] == 0
    clock.now += 1
    assert app("update_template_card", response_code=codes[1], **grey)["errcode"] == 60140


def test_a_task_id_is_used_once(app, state):
    """42014 for a second card of the app with it."""
    assert app("send", touser="a", **buttons())["errcode"] == 0
    assert app("send", touser="c", **buttons())["errcode"] == 42014
    assert len(state.messages) == 1


def test_a_card_that_calls_back_needs_a_receiver(app, state):
    """43012 without one, unless every button is a link."""
    state.apps = (dataclasses.replace(state.apps[0], receiver=None),)
    assert app("send", touser="a", **buttons())["errcode"] == 43012
    link = {"text": "看", "type": 1, "url": "https://example.com"}
    answer = app("send", touser="a", **buttons(button_list=[link], action_menu=None))
    assert answer["errcode"] == 0
    assert answer["response_code"]


def test_a_message_is_recalled_within_24_hours(app, state, clock):
    """Then 42052; a msgid that is not the app's gets 40058."""
    early, late = (app("send", touser="a", **text(str(n)))["msgid"] for n in range(2))
    clock.now += 24 * 3600
    assert app("recall", msgid=early)["errcode"] == 0
    clock.now += 1
    assert app("recall", msgid=late)["errcode"] == 42052
    assert [message.is_recalled for message in state.messages] == [True, False]
    assert app("recall", msgid="made-up")["errcode"] == 40058
    assert app("recall")["errcode"] == 40058


def test_statistics_count_person_times_of_a_day(app, clock):
    """Today and yesterday, in Beijing."""
    app("send", touser="a|c", **text())
    rows = [{"agentid": 1000002, "app_name": "样例应用", "count": 2}]
    assert app("get_statistics", time_type=0)["statistics"] == rows
    clock.now += 86_400
    assert app("get_statistics", time_type=0)["statistics"] == []
    assert app("get_statistics", time_type=1)["statistics"] == rows
    assert app("get_statistics", time_type=2)["errcode"] == 40058
