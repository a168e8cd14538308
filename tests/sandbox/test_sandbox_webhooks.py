"""Webhooks: a key is enough, and twenty a minute are too many by one."""

from __future__ import annotations

import base64
import hashlib

import pytest

PNG = b"\x89PNG\r\n\x1a\n1234"


class Robot:
    """webhook/* by a key, without any token."""

    def __init__(self, wecom, webhook):
        self._wecom, self.webhook = wecom, webhook

    def __call__(self, key=None, **body):
        params = {"key": key or self.webhook.key}
        return self._wecom.send("POST", "webhook/send", params=params, json=body).json()

    def upload(self, kind="file", content=b"123456", key=None):
        params = {"key": key or self.webhook.key, "type": kind}
        files = {"media": ("a.txt", content)}
        return self._wecom.send("POST", "webhook/upload_media", params=params, files=files).json()


@pytest.fixture
def robot(wecom, state):
    return Robot(wecom, state.add_webhook("值班群"))


def text(content="好"):
    return {"msgtype": "text", "text": {"content": content}}


def image(content=PNG, **change):
    body = {"base64": base64.b64encode(content).decode(), "md5": hashlib.md5(content).hexdigest(), **change}
    return {"msgtype": "image", "image": body}


def card(kind, **more):
    action = {"type": 1, "url": "https://example.com"}
    body = {"card_type": kind, "sub_title_text": "说明", "card_action": action, **more}
    return {"msgtype": "template_card", "template_card": body}


def test_a_message_lands_in_the_webhooks_chat(robot, state):
    """The answer is ok and nothing else; the key is in no log and no repr."""
    said = {"content": "好", "mentioned_list": ["@all"]}
    assert robot(msgtype="text", text=said) == {"errcode": 0, "errmsg": "ok"}
    (message,) = state.messages
    assert (message.webhook, message.content, message.agent_id) == ("值班群", said, None)
    assert robot.webhook.key not in repr((state.log, state.webhooks[robot.webhook.key], message))
    assert (state.log[-1].path, state.log[-1].who, state.log[-1].is_write) == ("webhook/send", "nobody", True)


def test_it_works_from_any_address(robot, state):
    """The trusted addresses are those of apps and of contact sync."""
    state.trusted_ips = ("10.0.0.1",)
    assert robot(**text())["errcode"] == 0


def test_the_key_is_everything(robot):
    """93000 for a wrong key, 93004 for a webhook that is switched off."""
    assert robot(key="made-up", **text())["errcode"] == 93000
    robot.webhook.is_enabled = False
    assert robot(**text())["errcode"] == 93004


def test_twenty_a_minute(robot, state, clock):
    """The 21st within any 60 seconds gets 45009; refused ones do not count."""
    robot(msgtype="fax")
    codes = []
    for _ in range(21):
        clock.now += 1
        codes.append(robot(**text())["errcode"])
    assert codes == [0] * 20 + [45009]
    clock.now += 40
    assert [robot(**text())["errcode"] for _ in range(2)] == [0, 45009]
    assert robot(key=state.add_webhook("另一群").key, **text())["errcode"] == 0


def test_every_type_is_taken(robot, state):
    """Texts, both kinds of markdown, pictures, news, files, and cards that ask nothing."""
    media_id = robot.upload()["media_id"]
    bodies = [
        text("x" * 2048),
        {"msgtype": "markdown", "markdown": {"content": "x" * 4096}},
        {"msgtype": "markdown_v2", "markdown_v2": {"content": "|a|"}},
        image(),
        {"msgtype": "news", "news": {"articles": [{"title": "t", "url": "https://example.com"}]}},
        {"msgtype": "file", "file": {"media_id": media_id}},
        card("text_notice"),
        card("news_notice", card_image={"url": "https://example.com"}),
    ]
    assert [robot(**body)["errcode"] for body in bodies] == [0] * len(bodies)
    assert [message.msgtype for message in state.messages] == [body["msgtype"] for body in bodies]


@pytest.mark.parametrize(
    ("errcode", "body"),
    [
        (40008, {"msgtype": "fax"}),
        (40008, {"msgtype": "mpnews", "mpnews": {}}),
        (40008, {}),
        (44004, text("")),
        (40058, text("x" * 2049)),
        (40058, {"msgtype": "text", "text": {"content": "a", "mentioned_list": "@all"}}),
        (40058, {"msgtype": "markdown", "markdown": {"content": "x" * 4097}}),
        (301019, image(md5="0" * 32)),
        (40058, image(base64="***")),
        (40009, image(b"\xff\xd8\xff" + b"x" * 2 * 1024 * 1024)),
        (40004, image(b"GIF89a....")),
        (45034, {"msgtype": "news", "news": {"articles": [{"title": "t"}]}}),
        (45008, {"msgtype": "news", "news": {"articles": [{"title": "t", "url": "https://a"}] * 9}}),
        (40007, {"msgtype": "voice", "voice": {"media_id": "none"}}),
        (42031, card("vote_interaction")),
        (42044, card("news_notice", image_text_area={"image_url": "https://example.com"})),
        (42045, card("text_notice", card_action=None)),
    ],
)
def test_what_a_webhook_refuses(robot, state, errcode, body):
    """Each fault has its errcode, and nothing is sent."""
    assert robot(**body)["errcode"] == errcode
    assert state.messages == []


def test_an_upload_is_for_one_webhook(robot, wecom, state):
    """An app cannot send it, another webhook neither; after three days nobody can."""
    answer = robot.upload()
    assert (answer["errcode"], answer["type"], answer["created_at"]) == (0, "file", str(int(state.clock())))
    body = {"msgtype": "file", "file": {"media_id": answer["media_id"]}}
    assert robot(key=state.add_webhook("另一群").key, **body)["errcode"] == 40007
    state.add_member("a", "甲")
    token = wecom.fetch_token(state.apps[0].secret)
    sent = wecom.post("message/send", {"touser": "a", "agentid": 1000002, **body}, token)
    assert sent["errcode"] == 40007
    state.forward(3 * 86_400)
    assert robot(**body)["errcode"] == 40007


def test_what_an_upload_is_refused_for(robot):
    """An empty one is seen before the key; size and type have errcodes of their own."""
    assert robot.upload(content=b"", key="made-up")["errcode"] == 44001
    assert robot.upload(key="made-up")["errcode"] == 93000
    assert robot.upload(content=b"12345")["errcode"] == 40006
    assert robot.upload(kind="image", content=PNG)["errcode"] == 40005
    assert robot.upload(kind="voice")["errcode"] == 40004
