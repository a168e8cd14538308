"""A webhook on the line: its words, its pace, its lost answers, and its key, which nobody sees."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback

import httpx
import pytest

from tests.wecom.line import Clock, Line, errcode, ok
from tests.wecom.notices import EVERY_CARD, PAGE
from wxsync.errors import ConfigError, UnsendableError, WeComApiError, WeComError, WeComTransportError
from wxsync.wecom.blocks import MiniProgram
from wxsync.wecom.content import Article, File, News, Voice
from wxsync.wecom.webhook import open_webhook
from wxsync.wecom.webhook_content import MarkdownV2, WebhookImage, WebhookMarkdown, WebhookText
from wxsync.wecom.wire.cards import to_card
from wxsync.wecom.wire.media import MediaType

KEY = "693a91f6-7d3b-4bc4-97a0-0ec2sifa5aaa"
HELLO = WebhookText(content="你好")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
LOST = httpx.ReadTimeout("slow")


def run(line: Line, act, *, key=KEY):
    """What `act(webhook)` gives, in a loop of its own."""

    async def story():
        async with open_webhook(
            key,
            base_url="https://wecom.test",
            transport=httpx.MockTransport(line._answer),
            sleep=line.clock.sleep,
            clock=line.clock,
        ) as webhook:
            return await act(webhook)

    return asyncio.run(story())


def send(line: Line, content=HELLO):
    return run(line, lambda webhook: webhook.send(content))


CONTENTS = {
    "text": (
        WebhookText(content="好", mentioned_userids=("a", "@all"), mentioned_mobiles=("13800000001",)),
        {"content": "好", "mentioned_list": ["a", "@all"], "mentioned_mobile_list": ["13800000001"]},
    ),
    "markdown": (WebhookMarkdown(content="**好**"), {"content": "**好**"}),
    "markdown_v2": (MarkdownV2(content="| a |"), {"content": "| a |"}),
    "image": (
        WebhookImage(content=PNG),
        {"base64": base64.b64encode(PNG).decode(), "md5": "722effc364bba67ae8954ce8a790c85e"},
    ),
    "news": (
        News(articles=(Article(title="题", link=PAGE),)),
        {"articles": [{"title": "题", "url": "https://example.com/a"}]},
    ),
    "file": (File(media_id="m"), {"media_id": "m"}),
    "voice": (Voice(media_id="m"), {"media_id": "m"}),
    "template_card": (EVERY_CARD["news_notice"], to_card(EVERY_CARD["news_notice"])),
}


@pytest.mark.parametrize("msgtype", CONTENTS)
def test_every_kind_has_its_words(msgtype):
    """The key in the query, no token; `msgtype`, and the object of that name."""
    content, body = CONTENTS[msgtype]
    line = Line().script("webhook/send", ok())
    send(line, content)
    [request] = line.requests["webhook/send"]
    assert dict(request.url.params) == {"key": KEY}
    assert json.loads(request.content) == {"msgtype": msgtype, msgtype: body}
    assert list(line.requests) == ["webhook/send"]


def test_text_is_sent_as_it_is():
    """Raw UTF-8: WeCom refuses escapes (40033)."""
    line = Line().script("webhook/send", ok())
    send(line)
    [request] = line.requests["webhook/send"]
    assert "你好".encode() in request.content
    assert request.headers["content-type"] == "application/json; charset=utf-8"


def test_messages_keep_more_than_3_seconds_apart():
    """However many ask at once, in the order in which they asked; the first does not wait."""
    clock = Clock()
    sent: list[tuple[float, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((clock.now, json.loads(request.content)["text"]["content"]))
        return ok()

    async def story():
        async with open_webhook(
            KEY,
            base_url="https://wecom.test",
            transport=httpx.MockTransport(answer),
            sleep=clock.sleep,
            clock=clock,
        ) as webhook:
            texts = [WebhookText(content=str(number)) for number in range(25)]
            await asyncio.gather(*(webhook.send(text) for text in texts))

    asyncio.run(story())
    assert [text for _, text in sent] == [str(number) for number in range(25)]
    times = [when for when, _ in sent]
    assert times == pytest.approx([1000.0 + 3.2 * number for number in range(25)])
    # With three seconds to spare, for what is held up on its way.
    assert max(sum(start <= when <= start + 63 for when in times) for start in times) == 20


def test_a_webhook_that_had_too_much_is_left_alone_for_a_minute():
    """45009: a minute later, and the messages after it too."""
    line = Line().script("webhook/send", errcode(45009), ok())

    async def story(webhook):
        await webhook.send(HELLO)
        began = line.clock.now
        await webhook.send(HELLO)
        return began

    assert run(line, story) == 1061.0
    assert line.clock.now == 1064.2
    assert line.count("webhook/send") == 3


def test_a_webhook_that_has_too_much_for_long_is_an_error():
    """Two more attempts, and then the caller is told."""
    line = Line().script("webhook/send", errcode(45009))
    with pytest.raises(WeComApiError) as caught:
        send(line)
    assert caught.value.errcode == 45009
    assert line.count("webhook/send") == 3


@pytest.mark.parametrize("lost", [LOST, httpx.Response(502), httpx.ReadError("reset"), ok()])
def test_a_message_whose_answer_is_lost_is_not_sent_again(lost):
    """It may have arrived; what is no JSON of WeCom's is an answer lost too."""
    garbled = httpx.Response(200, content=b"<html>") if isinstance(lost, httpx.Response) else lost
    line = Line().script("webhook/send", garbled, ok())
    with pytest.raises(WeComTransportError) as caught:
        send(line)
    assert caught.value.is_ambiguous
    assert line.count("webhook/send") == 1


def test_a_message_that_never_left_is_sent_again():
    """After a refused connection; after WeCom's own "busy" it may have been posted, and is not."""
    line = Line().script("webhook/send", httpx.ConnectError("refused"), ok())
    send(line)
    assert line.count("webhook/send") == 2

    busy = Line().script("webhook/send", errcode(-1), ok())
    with pytest.raises(WeComApiError):
        send(busy)
    assert busy.count("webhook/send") == 1


@pytest.mark.parametrize("number", [93000, 93004, 93008, 40008])
def test_a_refusal_is_an_error_at_once(number):
    """A wrong key, a webhook that is switched off, content that is not taken."""
    line = Line().script("webhook/send", errcode(number))
    with pytest.raises(WeComApiError) as caught:
        send(line)
    assert caught.value.errcode == number
    assert line.count("webhook/send") == 1


def test_what_a_webhook_does_not_take_is_not_sent():
    """An article that leads to a mini-program."""
    line = Line()
    program = MiniProgram(appid="wx1", pagepath="p")
    with pytest.raises(UnsendableError):
        send(line, News(articles=(Article(title="题", link=program),)))
    assert not line.requests


def upload(line: Line, kind=MediaType.FILE, filename="名单.csv", content=b"a,b,c,d"):
    return run(line, lambda webhook: webhook.upload_media(kind, filename, content))


def test_a_file_is_uploaded_for_this_webhook():
    """By key and type, in the part `media`; repeated where the answer is lost."""
    line = Line().script("webhook/upload_media", LOST, ok(type="file", media_id="m-1", created_at="1"))
    assert upload(line) == "m-1"
    request = line.requests["webhook/upload_media"][-1]
    assert dict(request.url.params) == {"key": KEY, "type": "file"}
    assert 'name="media"; filename="名单.csv"; filelength=7'.encode() in request.content
    assert b"\r\n\r\na,b,c,d\r\n--" in request.content
    assert line.count("webhook/upload_media") == 2


@pytest.mark.parametrize(
    ("kind", "filename", "content"),
    [
        (MediaType.IMAGE, "a.png", PNG),
        (MediaType.VIDEO, "a.mp4", PNG),
        (MediaType.FILE, "a.csv", b"12345"),
        (MediaType.FILE, "a/b.csv", b"123456"),
        (MediaType.VOICE, "a.amr", bytes(2 * 1024 * 1024 + 1)),
        (MediaType.VOICE, "a.mp3", bytes(100)),
    ],
)
def test_an_upload_that_wecom_would_refuse_is_not_sent(kind, filename, content):
    """Other kinds than files and voices, too small, too large, another name."""
    line = Line()
    with pytest.raises(WeComError):
        upload(line, kind, filename, content)
    assert not line.requests


@pytest.mark.parametrize("answer", [ok(), ok(media_id=""), ok(media_id=7)])
def test_an_upload_without_a_media_id_is_an_error(answer):
    """There is nothing to send then."""
    with pytest.raises(WeComError, match="media_id"):
        upload(Line().script("webhook/upload_media", answer))


@pytest.mark.parametrize("key", ["", "a b", "钥匙", "k" * 65, "key&x=1", "a\n"])
def test_what_is_no_key_is_a_config_error(key):
    """And is not repeated in the error."""
    with pytest.raises(ConfigError, match="not a webhook's key") as caught:
        run(Line(), lambda webhook: webhook.send(HELLO), key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        httpx.ReadError(f"reset by https://wecom.test/?key={KEY}"),
        httpx.Response(502, content=KEY.encode()),
        httpx.Response(404),
        httpx.Response(200, content=f"<html>{KEY}".encode()),
        errcode(93000, f"invalid webhook url, hint: [key={KEY}]"),
        errcode(45009, KEY),
    ],
)
def test_the_key_is_in_nothing_that_is_written(failure, caplog):
    """Neither in an error with all that led to it, nor in a log of any level, nor in a repr."""
    caplog.set_level(logging.DEBUG)
    line = Line().script("webhook/send", failure)
    shown: list[str] = []

    async def story(webhook):
        shown.extend([repr(webhook), str(webhook)])
        await webhook.send(HELLO)

    with pytest.raises(WeComError) as caught:
        run(line, story)
    error: BaseException | None = caught.value
    while error is not None:
        shown += [repr(error), str(error), str(getattr(error, "hint", "")), repr(vars(error))]
        error = error.__cause__ or error.__context__
    shown += traceback.format_exception(caught.value)
    assert KEY not in "\n".join(shown) + caplog.text
